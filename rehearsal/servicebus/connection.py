"""One client's connection: proton's engine between a socket and the links.

Bytes go in by `feed`, come out by `pull`; nothing is pulled before the turn's commit, so that no
acknowledgement leaves before what it acknowledges is on disk.
"""

from collections.abc import Callable
from typing import cast

from proton import Connection, Event, Link, Session, Transport

from rehearsal.servicebus import engine
from rehearsal.servicebus.amqp import Malformed
from rehearsal.servicebus.attach import Links
from rehearsal.servicebus.engine import Events, Pointer
from rehearsal.servicebus.frames import FrameFilter
from rehearsal.servicebus.hub import Hub
from rehearsal.servicebus.links import CREDIT, end_link
from rehearsal.servicebus.refusal import ARGUMENT_ERROR, DETACHED, Refusal

IDLE_SECONDS = 120.0
WINDOW_BYTES = 64 << 20
PUSH_BYTES = 1 << 16


class Wire:
    """The AMQP side of one socket."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.filter, self.links = hub, FrameFilter(), Links(hub)
        self.cut = False
        self.answered = False  # Was a request answered since somebody last asked?
        self.connection, self.transport = Connection(), Transport(Transport.SERVER)
        self.events = Events(self.connection)
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
        for link in list(self.links.opened.values()):
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
        return self.filter.outbound(b"".join(parts)) if parts else b""

    @property
    def over(self) -> bool:
        return self.cut or self.transport.closed

    # -- events

    def process(self) -> None:
        """Act on what proton noticed."""
        for number, event in self.events.take():
            if number == engine.DELIVERY:
                self.on_delivery(*engine.delivery_of(event))
            elif number == engine.FLOW:
                self.on_flow(engine.link_of(event))
            elif number in ACTIONS:
                ACTIONS[number](self, engine.wrapped(event))

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
        for link in list(self.links.opened.values()):
            if link.session == session:
                self.links.detach(link)
        session.close()

    def on_attach(self, event: Event) -> None:
        self.links.attach(cast(Link, event.link))

    def on_detach(self, event: Event) -> None:
        link = cast(Link, event.link)
        self.links.detach(link)
        link.close()

    def on_flow(self, link: Pointer) -> None:
        outlet = self.links.outlets.get(link)
        if outlet is None:
            return
        if outlet.wants() and self.hub.broker.takes("detach", outlet.queue.name):
            outlet.end(Refusal(DETACHED, "The link is force-detached."))
            self.hub.leave(outlet)
        self.hub.stirred.add(outlet.queue.name)

    def on_delivery(self, link: Pointer, delivery: Pointer) -> None:
        outlet = self.links.outlets.get(link)
        if outlet is not None:
            said = engine.outcome_of(delivery)
            if said is not None:
                outlet.settle(delivery, said)
                self.cut |= outlet.cut
            return
        intake, path = self.links.intakes.get(link), self.links.requests.get(link)
        if intake is None and path is None:
            return
        raw = engine.read_whole(link, delivery)
        if raw is None:
            return
        if intake is not None:
            intake.arrive(delivery, raw, self.filter.format_of(intake.name))
            self.cut |= intake.cut
        elif path is not None:
            engine.settle(delivery, engine.ACCEPTED)
            self._answer(link, path, raw)
        credit = engine.credit_of(link)
        if credit < CREDIT // 2:
            engine.grant(link, CREDIT - credit)

    def _answer(self, link: Pointer, path: str, raw: bytes) -> None:
        try:
            self.links.respond(path, raw)
            self.answered = True
        except (Malformed, Refusal) as no:  # Not a request at all, or its queue was deleted.
            end_link(self.links.opened[link], Refusal(ARGUMENT_ERROR, str(no)))


ACTIONS: dict[int, Callable[[Wire, Event], None]] = {
    Event.CONNECTION_REMOTE_OPEN.number: Wire.on_open,
    Event.CONNECTION_REMOTE_CLOSE.number: Wire.on_close,
    Event.SESSION_REMOTE_OPEN.number: Wire.on_begin,
    Event.SESSION_REMOTE_CLOSE.number: Wire.on_end,
    Event.LINK_REMOTE_OPEN.number: Wire.on_attach,
    Event.LINK_REMOTE_CLOSE.number: Wire.on_detach,
    Event.LINK_REMOTE_DETACH.number: Wire.on_detach,
}
