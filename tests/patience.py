"""Patience: who gives up on a silent region does so by a bound of their own, and by which one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from rehearsal.world import ALL
from shared import clients
from tests.doors import Doors

HELD_SECONDS = 60.0  # Longer than any client waits: no answer of the front end comes before.
HURRIED_WORDS = f"read timeout={clients.HURRIED['read_timeout']}"
# What a client that repeats would wait at least; on a busy machine one wait may double.
REPEATED_SECONDS = (clients.RETRIES + 1) * clients.HURRIED["read_timeout"]
POLLS_MAX, POLL_SECONDS = 400, 0.05


@contextmanager
def silent(
    doors: Doors, location: str, *scopes: str, seconds: float = REPEATED_SECONDS
) -> Iterator[None]:
    """A region that says nothing, and whoever asks it in the block has given up in `seconds`.

    By which bound they gave up is what their own words say: HURRIED_WORDS.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doors.world, "hold_seconds", HELD_SECONDS)
        doors.world.lose(location, set(scopes) or ALL)
        started = time.monotonic()
        yield
        assert time.monotonic() - started < seconds


def asked_until(ask: Callable[[], dict], *statuses: str) -> dict:
    """The outcome of asking again and again until it has one of them, or of the last time."""
    outcome = ask()
    for _ in range(POLLS_MAX):
        if outcome["status"] in statuses:
            break
        time.sleep(POLL_SECONDS)
        outcome = ask()
    return outcome
