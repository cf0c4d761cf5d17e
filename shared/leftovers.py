"""Leftovers: messages that nobody will take any more, in this location's own slip namespace.

A slip that was no slip lies in the poison queue, one that failed ten times among a stage's dead
letters. A look opens one of those queues, the next look the next one, and keeps none of them open.
"""

import threading

from shared import clients, outbox, probe, slip
from shared.reply import Surprise

SECONDS_MAX = 3.0  # Opening a receiver takes half a second.
POISON = "slip-poison"
DEAD = tuple(f"slip-{stage}/$DeadLetterQueue" for stage in (*slip.STAGES, "relay"))
_SEEN: dict[tuple[str, str], bool] = {}
_NEXT: dict[str, int] = {}
_LOOKING = threading.Lock()


def look(location: str) -> list[str]:
    """The queues that are not empty, as far as they have been seen. Raises Surprise."""
    with _LOOKING:
        queue = DEAD[_NEXT.get(location, 0)]
        _NEXT[location] = (DEAD.index(queue) + 1) % len(DEAD)
        _SEEN[location, POISON] = outbox.peek(location, POISON) > 0
        _SEEN[location, queue] = probe.within(SECONDS_MAX, lambda: holds(location, queue))
        return [name for name in (POISON, *DEAD) if _SEEN.get((location, name))]


def holds(location: str, queue: str) -> bool:
    """Is there a message in this queue? Raises Surprise."""
    from azure.servicebus.exceptions import ServiceBusError

    try:
        with clients.bus(location).get_queue_receiver(queue, prefetch_count=0) as receiver:
            return bool(receiver.peek_messages(max_message_count=1, timeout=SECONDS_MAX))
    except (ServiceBusError, OSError, ValueError) as error:
        raise Surprise(f"{queue} in {location}: {error}") from error
