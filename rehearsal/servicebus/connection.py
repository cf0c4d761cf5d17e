"""One client's connection: proton's engine between a socket and the links.

Bytes go in by `feed`, come out by `pull`; nothing is pulled before the turn's commit, so that no
acknowledgement leaves before what it acknowledges is on disk.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from proton import Collector, Connection, Delivery, Event, Link, Transport, symbol

from rehearsal.servicebus.amqp import Malformed
from rehearsal.servicebus.frames import FrameFilter
from rehearsal.servicebus.hub import Hub, Waiting
from rehearsal.servicebus.links import (
    CREDIT,
    MESSAGE_MAX_BYTES,
    Intake,
    Outlet,
    end_link,
    refuse_link,
)
from rehearsal.servicebus.management import Call, answer, token_answer
from rehearsal.servicebus.message import request_of
from rehearsal.servicebus.refusal import NOT_ALLOWED, NOT_FOUND, Refusal

CBS, MANAGEMENT = "$cbs", "/$management"
SESSION_FILTER = symbol("com.microsoft:session-filter")
LOCKED_UNTIL = symbol("com.microsoft:locked-until-utc")
TIMEOUT = "com.microsoft:timeout"
TICKS_EPOCH, TICKS_PER_SECOND = 621_355_968_000_000_000, 10_000_000  # .NET's calendar.
SESSION_WAIT_SECONDS = 60.0
IDLE_SECONDS = 120.0
WINDOW_BYTES = 64 << 20
PUSH_BYTES = 1 << 16
EVENTS_MAX = 1_000_000


def path_of(address: str | None) -> str:
    """`amqps://host:port/queue/$management` -> `queue/$management`, in lower case."""
    if not address:
        return ""
    return (urlsplit(address).path if "://" in address else address).strip("/").lower()


class Wire:
    """The AMQP side of one socket."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.filter = hub, FrameFilter()
        self.cut = False
        self.connection, self.collector = Connection(), Collector()
        self.transport = Transport(Transport.SERVER)
        self.connection.collect(self.collector)
        self.transport.sasl().allowed_mechs("ANONYMOUS")
        self.transport.require_auth(False)
        self.transport.idle_timeout = IDLE_SECONDS
        self.transport.bind(self.connection)
        self.intakes: dict[Link, Intake] = {}
        self.outlets: dict[Link, Outlet] = {}
        self.requests: dict[Link, str] = {}  # Links on which requests come, and their node.
        self.answers: dict[str, list[Link]] = {}  # Links on which each node answers.

    # -- bytes

    def feed(self, data: bytes) -> None:
        """Bytes from the client; ends the connection if they are not AMQP."""
        try:
            data = self.filter.inbound(data)
        except Malformed:
            self.cut = True
            return
        for at in range(0, len(data), PUSH_BYTES):
            rest = data[at : at + PUSH_BYTES]
            while rest and (room := self.transport.capacity()) > 0:  # Bounded: rest shrinks.
                self.transport.push(rest[:room])
                rest = rest[room:]
                self.process()

    def hang_up(self) -> None:
        """The client is gone: its sessions are free, its other locks run on."""
        for outlet in list(self.outlets.values()):
            self.hub.leave(outlet)
        self.outlets.clear()
        self.transport.unbind()

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

    def on_begin(self, event: Event) -> None:
        event.session.incoming_capacity = WINDOW_BYTES
        event.session.open()

    def on_end(self, event: Event) -> None:
        for link, outlet in list(self.outlets.items()):
            if link.session == event.session:
                self.hub.leave(outlet)
                del self.outlets[link]
        event.session.close()

    def on_close(self, event: Event) -> None:
        self.connection.close()

    def on_attach(self, event: Event) -> None:
        link = event.link
        far = link.remote_source if link.is_sender else link.remote_target
        path = path_of(far.address)
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        link.snd_settle_mode = link.remote_snd_settle_mode
        link.rcv_settle_mode = link.remote_rcv_settle_mode
        try:
            if path == CBS or path.endswith(MANAGEMENT):
                self._attach_node(link, path)
            elif link.is_sender:
                self._attach_outlet(link, path)
            else:
                self._attach_intake(link, path)
        except Refusal as no:
            self._refuse(link, no)

    def _refuse(self, link: Link, why: Refusal) -> None:
        link.source.type = link.target.type = 0
        refuse_link(link, why)

    def _attach_node(self, link: Link, path: str) -> None:
        if path != CBS:
            self.hub.broker.find(path.removesuffix(MANAGEMENT))
        if link.is_sender:
            self.answers.setdefault(path, []).append(link)
        else:
            self.requests[link] = path
        self._open(link)

    def _attach_intake(self, link: Link, path: str) -> None:
        queue = self.hub.broker.find(path)
        if queue.dead is None:
            raise Refusal(NOT_ALLOWED, "Messages cannot be sent to dead letters.")
        self.intakes[link] = Intake(link, queue, self.hub)
        self._open(link)

    def _open(self, link: Link) -> None:
        if not link.is_sender:
            link.max_message_size = MESSAGE_MAX_BYTES
        link.open()
        if not link.is_sender:
            link.flow(CREDIT)

    def _attach_outlet(self, link: Link, path: str) -> None:
        queue = self.hub.broker.find(path)
        outlet = Outlet(link, queue, self.hub, link.remote_snd_settle_mode == Link.SND_SETTLED)
        filters = filters_of(link)
        if (SESSION_FILTER in filters) != queue.needs_session:
            need = "requires" if queue.needs_session else "does not have"
            raise Refusal(NOT_ALLOWED, f"The entity '{path}' {need} sessions.")
        if not queue.needs_session:
            return self._begin(outlet)
        wanted = filters[SESSION_FILTER]
        got = queue.accept_session(wanted, outlet, self.hub.clock())
        if got is not None:
            return self._begin_session(outlet, got)
        until = self.hub.clock() + session_wait_seconds(link)
        self.outlets[link] = outlet
        self.hub.waiting.append(
            Waiting(
                outlet,
                until,
                lambda session_id: self._begin_session(outlet, session_id),
                lambda why: self._refuse(link, why),
            )
        )
        return None

    def _begin(self, outlet: Outlet) -> None:
        self.outlets[outlet.link] = outlet
        self.hub.join(outlet)
        outlet.link.open()

    def _begin_session(self, outlet: Outlet, session_id: str) -> None:
        outlet.session_id = session_id
        until = outlet.queue.sessions.holds[session_id].until
        ticks = TICKS_EPOCH + int(until * TICKS_PER_SECOND)
        outlet.link.properties = {LOCKED_UNTIL: ticks}
        filters = outlet.link.source.filter
        filters.clear()
        filters.put_dict({SESSION_FILTER: session_id})
        self._begin(outlet)

    def on_flow(self, event: Event) -> None:
        outlet = self.outlets.get(event.link)
        if outlet is not None:
            if self.hub.broker.takes("detach", outlet.queue.name):
                outlet.end(Refusal("amqp:link:detach-forced", "The link is force-detached."))
                return
            self.hub.stirred.add(outlet.queue.name)

    def on_detach(self, event: Event) -> None:
        link = event.link
        self.intakes.pop(link, None)
        node = self.requests.pop(link, None)
        for links in self.answers.values() if node is None else ():
            if link in links:
                links.remove(link)
        outlet = self.outlets.pop(link, None)
        if outlet is not None:
            self.hub.leave(outlet)
        link.close()

    def on_delivery(self, event: Event) -> None:
        delivery, link = event.delivery, event.link
        if link.is_sender:
            outlet = self.outlets.get(link)
            if outlet is not None and delivery.updated:
                outlet.settle(delivery)
                self.cut |= outlet.cut
        elif delivery.readable and not delivery.partial:
            self._arrive(link, delivery)

    def _arrive(self, link: Link, delivery: Delivery) -> None:
        raw = bytes(link.recv(delivery.pending) or b"")
        form = self.filter.format_of(link.name)
        link.advance()
        intake = self.intakes.get(link)
        if intake is not None:
            intake.arrive(delivery, raw, form)
            self.cut |= intake.cut
        elif link in self.requests:
            delivery.update(Delivery.ACCEPTED)
            delivery.settle()
            self._respond(self.requests[link], raw)
        if link.credit < CREDIT // 2:
            link.flow(CREDIT - link.credit)

    def _respond(self, path: str, raw: bytes) -> None:
        """Answer a request on the newest link that the client opened for this node."""
        message_id, properties, body = request_of(raw)
        if path == CBS:
            entity = path_of(str(properties.get("name"))).removesuffix(MANAGEMENT)
            reply = token_answer(message_id, entity in self.hub.broker.queues)
        else:
            queue = self.hub.broker.find(path.removesuffix(MANAGEMENT))
            call = Call(queue, body if isinstance(body, dict) else {}, self.hub.clock())
            reply = answer(message_id, properties.get("operation"), call)
            self.hub.stir(queue)
        for link in self.answers.get(path, [])[-1:]:
            delivery = link.delivery(message_id[:32])
            link.stream(reply)
            link.advance()
            delivery.settle()


def filters_of(link: Link) -> dict:
    data = link.remote_source.filter
    data.rewind()
    found = data.get_object() if data.next() is not None else None
    return found if isinstance(found, dict) else {}


def session_wait_seconds(link: Link) -> float:
    """How long the client lets an attach wait for a session."""
    given = (link.remote_properties or {}).get(symbol(TIMEOUT))
    return SESSION_WAIT_SECONDS if given is None else int(given) / 1000


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
