"""One client's connection: proton's engine between a socket and the links.

Bytes go in by `feed`, come out by `pull`; nothing is pulled before the turn's commit, so that no
acknowledgement leaves before what it acknowledges is on disk.
"""

from collections.abc import Callable
from typing import cast

from proton import Collector, Connection, Delivery, Event, Link, Session, Transport

from rehearsal.servicebus.amqp import Malformed
from rehearsal.servicebus.attach import Links
from rehearsal.servicebus.frames import FrameFilter
from rehearsal.servicebus.hub import Hub
from rehearsal.servicebus.links import CREDIT, end_link
from rehearsal.servicebus.refusal import ARGUMENT_ERROR, DETACHED, Refusal

IDLE_SECONDS = 120.0
WINDOW_BYTES = 64 << 20
PUSH_BYTES = 1 << 16
EVENTS_MAX = 1_000_000


class Wire:
    """The AMQP side of one socket."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.filter, self.links = hub, FrameFilter(), Links(hub)
        self.cut = False
        self.connection, self.collector = Connection(), Collector()
        self.transport = Transport(Transport.SERVER)
        self.connection.collect(self.collector)
        self.transport.sasl().allowed_mechs("ANONYMOUS")
        self.transport.require_auth(False)
        self.transport.idle_timeout = IDLE_SECONDS
        self.transport.bind(self.connection)

    # -- bytes

    def feed(self, data: bytes) -> None:
        """Bytes from the client; ends the connection if they are not AMQP."""
        try:
            data = self.filter.inbound(data)
            for at in range(0, len(data), PUSH_BYTES):
                rest = data[at : at + PUSH_BYTES]
                while rest and (room := self.transport.capacity()) > 0:  # Bounded: rest shrinks.
                    self.transport.push(rest[:room])
                    rest = rest[room:]
                    self.process()
        except Malformed:
            self.cut = True

    def hang_up(self) -> None:
        """The client is gone: its sessions are free, its other locks run on."""
        for link in self.links.all():
            self.links.detach(link)
        self.transport.unbind()
        self.connection.free()

    def pull(self) -> bytes:
        """What is to be written to the client now."""
        parts = []
        while (pending := self.transport.pending()) > 0:  # Bounded: each turn pops.
            parts.append(bytes(self.transport.peek(pending) or b""))
            self.transport.pop(pending)
            self.process()
        return self.filter.outbound(b"".join(parts))

    @property
    def over(self) -> bool:
        return self.cut or self.transport.closed

    # -- events

    def process(self) -> None:
        """Act on what proton noticed."""
        for _ in range(EVENTS_MAX):
            event = self.collector.peek()
            if event is None:
                break
            act = ACTIONS.get(event.type)
            if act is not None:
                act(self, event)
            self.collector.pop()

    def on_open(self, event: Event) -> None:
        self.connection.container = "understudy-servicebus"
        self.connection.open()

    def on_close(self, event: Event) -> None:
        self.connection.close()

    def on_begin(self, event: Event) -> None:
        session = cast(Session, event.session)
        session.incoming_capacity = WINDOW_BYTES
        session.open()

    def on_end(self, event: Event) -> None:
        session = cast(Session, event.session)
        for link in self.links.all():
            if link.session == session:
                self.links.detach(link)
        session.close()

    def on_attach(self, event: Event) -> None:
        self.links.attach(cast(Link, event.link))

    def on_detach(self, event: Event) -> None:
        link = cast(Link, event.link)
        self.links.detach(link)
        link.close()

    def on_flow(self, event: Event) -> None:
        outlet = self.links.outlets.get(cast(Link, event.link))
        if outlet is None:
            return
        if outlet.wants() and self.hub.broker.takes("detach", outlet.queue.name):
            outlet.end(Refusal(DETACHED, "The link is force-detached."))
            self.hub.leave(outlet)
        self.hub.stirred.add(outlet.queue.name)

    def on_delivery(self, event: Event) -> None:
        delivery, link = cast(Delivery, event.delivery), cast(Link, event.link)
        if not link.is_sender:
            if delivery.readable and not delivery.partial:
                self._arrive(link, delivery)
            return
        outlet = self.links.outlets.get(link)
        if outlet is not None and delivery.updated:
            outlet.settle(delivery)
            self.cut |= outlet.cut

    def _arrive(self, link: Link, delivery: Delivery) -> None:
        raw = bytes(link.recv(delivery.pending) or b"")
        form = self.filter.format_of(link.name)
        link.advance()
        intake = self.links.intakes.get(link)
        if intake is not None:
            intake.arrive(delivery, raw, form)
            self.cut |= intake.cut
        elif link in self.links.requests:
            delivery.update(Delivery.ACCEPTED)
            delivery.settle()
            try:
                self.links.respond(self.links.requests[link], raw)
            except (Malformed, Refusal) as no:  # Not a request at all, or its queue was deleted.
                end_link(link, Refusal(ARGUMENT_ERROR, str(no)))
        if link.credit < CREDIT // 2:
            link.flow(CREDIT - link.credit)


ACTIONS: dict[object, Callable[[Wire, Event], None]] = {
    Event.CONNECTION_REMOTE_OPEN: Wire.on_open,
    Event.CONNECTION_REMOTE_CLOSE: Wire.on_close,
    Event.SESSION_REMOTE_OPEN: Wire.on_begin,
    Event.SESSION_REMOTE_CLOSE: Wire.on_end,
    Event.LINK_REMOTE_OPEN: Wire.on_attach,
    Event.LINK_FLOW: Wire.on_flow,
    Event.LINK_REMOTE_CLOSE: Wire.on_detach,
    Event.LINK_REMOTE_DETACH: Wire.on_detach,
    Event.DELIVERY: Wire.on_delivery,
}
