"""Proton's C library without its Python objects, for what happens with every message.

To wrap an event, a link and a delivery costs several times what is then done with them. So these
few functions work on the library's own pointers, which may be compared and used as keys; whatever
happens once per link or session goes on with proton's objects.
"""

from collections.abc import Hashable, Iterator
from typing import NamedTuple, cast

import cproton as c
from proton import Connection, Delivery, Event, Link

EVENTS_MAX = 1_000_000
ACCEPTED, REJECTED = int(Delivery.ACCEPTED), int(Delivery.REJECTED)
RELEASED, MODIFIED = int(Delivery.RELEASED), int(Delivery.MODIFIED)
DELIVERY, FLOW = Event.DELIVERY.number, Event.LINK_FLOW.number

Pointer = Hashable


class Outcome(NamedTuple):
    """What the client said of a delivery: the number of the state (0: none), and if settled."""

    state: int
    settled: bool


class Events:
    """What proton noticed on one connection, each event once."""

    def __init__(self, connection: Connection) -> None:
        self.collector = c.pn_collector()
        c.pn_connection_collect(connection._impl, self.collector)

    def take(self) -> Iterator[tuple[int, Pointer]]:
        """(number of the type, event); the event is gone when the next one is asked for."""
        for _ in range(EVENTS_MAX):
            event = c.pn_collector_peek(self.collector)
            if c.isnull(event):
                break
            yield c.pn_event_type(event), event
            c.pn_collector_pop(self.collector)

    def __del__(self) -> None:
        c.pn_collector_free(self.collector)


def wrapped(event: Pointer) -> Event:
    """Proton's own object for an event."""
    return cast(Event, Event.wrap(event))


def delivery_of(event: Pointer) -> tuple[Pointer, Pointer]:
    """The link of an event of type `DELIVERY`, and the delivery."""
    delivery = c.pn_event_delivery(event)
    return c.pn_delivery_link(delivery), delivery


def link_of(event: Pointer) -> Pointer:
    """The link of an event of type `FLOW`."""
    return c.pn_event_link(event)


def pointer_of(link: Link) -> Pointer:
    return link._impl


def read_whole(link: Pointer, delivery: Pointer) -> bytes | None:
    """The bytes of a delivery that has come in; None while there are more to come."""
    if not c.pn_delivery_readable(delivery) or c.pn_delivery_partial(delivery):
        return None
    _, raw = c.pn_link_recv(link, c.pn_delivery_pending(delivery))
    c.pn_link_advance(link)
    return bytes(raw)


def send_raw(link: Pointer, tag: bytes, raw: bytes) -> Pointer:
    """A new delivery on a link, its bytes written."""
    delivery = c.pn_delivery(link, tag)
    c.pn_link_send(link, raw)
    c.pn_link_advance(link)
    return delivery


def outcome_of(delivery: Pointer) -> Outcome | None:
    """What the client said of this delivery since it was last asked; None: nothing."""
    if not c.pn_delivery_updated(delivery):
        return None
    return Outcome(c.pn_delivery_remote_state(delivery), c.pn_delivery_settled(delivery))


def settle(delivery: Pointer, state: int | None = None) -> None:
    """Settle a delivery, with an outcome that says no more than its name; forget the pointer."""
    if state is not None:
        c.pn_delivery_update(delivery, state)
    c.pn_delivery_settle(delivery)


def told(delivery: Pointer) -> Delivery:
    """Proton's own object for a delivery, for outcomes that say more."""
    return Delivery(delivery)


def credit_of(link: Pointer) -> int:
    return c.pn_link_credit(link)


def grant(link: Pointer, credit: int) -> None:
    """Let the client send that many more."""
    c.pn_link_flow(link, credit)
