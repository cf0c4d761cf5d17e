"""Links coming and going on one connection: to queues, to sessions, to management nodes."""

from urllib.parse import urlsplit

from proton import Link, symbol

from rehearsal.servicebus import engine
from rehearsal.servicebus.engine import Pointer, pointer_of, send_raw
from rehearsal.servicebus.hub import Hub, Waiting
from rehearsal.servicebus.links import (
    CREDIT,
    MESSAGE_MAX_BYTES,
    Intake,
    Outlet,
    refuse_link,
)
from rehearsal.servicebus.management import Call, answer, token_answer
from rehearsal.servicebus.message import request_of
from rehearsal.servicebus.refusal import ARGUMENT_ERROR, NOT_ALLOWED, Refusal

CBS, MANAGEMENT = "$cbs", "/$management"
SESSION_FILTER = symbol("com.microsoft:session-filter")
LOCKED_UNTIL = symbol("com.microsoft:locked-until-utc")
TIMEOUT = symbol("com.microsoft:timeout")
TICKS_EPOCH, TICKS_PER_SECOND = 621_355_968_000_000_000, 10_000_000  # .NET's calendar.
SESSION_WAIT_SECONDS = 60.0
TAG_BYTES_MAX = 32  # AMQP's bound on a delivery tag.


def path_of(address: str | None) -> str:
    """`amqps://host:port/queue/$management` -> `queue/$management`, in lower case."""
    if not address:
        return ""
    return (urlsplit(address).path if "://" in address else address).strip("/").lower()


class Links:
    """The links of one connection, by what they are for."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.opened: dict[Pointer, Link] = {}  # All of them; below, what each is for.
        self.intakes: dict[Pointer, Intake] = {}
        self.outlets: dict[Pointer, Outlet] = {}
        self.requests: dict[Pointer, str] = {}  # Links on which requests come, and their node.
        self.answers: dict[str, list[Link]] = {}  # Links on which each node answers.

    def attach(self, link: Link) -> None:
        """Serve a link that the client opened, or refuse it with the reason."""
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
            return refuse_link(link, no)
        self.opened[pointer_of(link)] = link
        return None

    def _attach_node(self, link: Link, path: str) -> None:
        if path != CBS:
            self.hub.broker.find(path.removesuffix(MANAGEMENT))
        if link.is_sender:
            self.answers.setdefault(path, []).append(link)
            return link.open()
        self.requests[pointer_of(link)] = path
        return self._welcome(link)

    def _attach_intake(self, link: Link, path: str) -> None:
        queue = self.hub.broker.find(path)
        if queue.dead is None:
            raise Refusal(NOT_ALLOWED, "Messages cannot be sent to dead letters.")
        self.intakes[pointer_of(link)] = Intake(link, queue, self.hub)
        self._welcome(link)

    def _welcome(self, link: Link) -> None:
        link.max_message_size = MESSAGE_MAX_BYTES
        link.open()
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
        if not (wanted is None or isinstance(wanted, str)):
            raise Refusal(ARGUMENT_ERROR, "A session id is a string, or null for any session.")
        got = queue.accept_session(wanted, outlet, self.hub.clock(), outlet.deletes)
        if got is not None:
            return self._begin_session(outlet, got)
        self.outlets[outlet.pointer] = outlet
        until = self.hub.clock() + session_wait_seconds(link)
        self.hub.waiting.append(
            Waiting(
                outlet,
                until,
                lambda session_id: self._begin_session(outlet, session_id),
                lambda why: refuse_link(link, why),
            )
        )
        return None

    def _begin(self, outlet: Outlet) -> None:
        self.outlets[outlet.pointer] = outlet
        self.hub.join(outlet)
        outlet.link.open()

    def _begin_session(self, outlet: Outlet, session_id: str) -> None:
        outlet.session_id = session_id
        until = outlet.queue.sessions.holds[session_id].until
        outlet.link.properties = {LOCKED_UNTIL: TICKS_EPOCH + int(until * TICKS_PER_SECOND)}
        filters = outlet.link.source.filter
        filters.clear()
        filters.put_dict({SESSION_FILTER: session_id})
        self._begin(outlet)

    def detach(self, link: Link) -> None:
        """The client closed the link; its session, if it held one, is free. Safe to repeat."""
        pointer = pointer_of(link)
        for role in (self.opened, self.intakes, self.requests):
            role.pop(pointer, None)
        for links in self.answers.values():
            if link in links:
                links.remove(link)
        outlet = self.outlets.pop(pointer, None)
        if outlet is not None:
            self.hub.leave(outlet)

    def respond(self, path: str, raw: bytes) -> None:
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
            engine.settle(send_raw(pointer_of(link), message_id[:TAG_BYTES_MAX], reply))


def filters_of(link: Link) -> dict:
    data = link.remote_source.filter
    data.rewind()
    found = data.get_object() if data.next() is not None else None
    return found if isinstance(found, dict) else {}


def session_wait_seconds(link: Link) -> float:
    """How long the client lets an attach wait for a session."""
    given = (link.remote_properties or {}).get(TIMEOUT)
    return int(given) / 1000 if isinstance(given, int) else SESSION_WAIT_SECONDS
