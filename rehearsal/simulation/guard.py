"""Guard: the epoch guard of `shared.guard` in virtual time, with the product's own `shared.stale`.

Each process remembers for a moment what the witness said, as there.
"""

from collections.abc import Callable, Generator
from datetime import datetime
from functools import wraps
from typing import Any, NamedTuple

from rehearsal.simulation.world import Ask, Asking, Source, World
from shared import guard, stale
from shared.outcome import refused
from shared.reply import Surprise

Model = Callable[[World, Source, dict], Asking]


class Seen(NamedTuple):
    """What a process last heard of the record."""

    asked_at: float
    record: dict
    server_time: datetime


def guarded(model: Model) -> Model:
    """Refuse a stale task as a value, before anything is sent and between two requests."""

    @wraps(model)
    def weighed(world: World, app: Source, task: dict) -> Asking:
        try:
            yield from weigh(world, app, task)
            return (yield from model(world, app, task))
        except guard.Stale as old:
            return refused(f"stale, nothing was sent: {old.because}", stale=True)

    return weighed


def weigh(world: World, app: Source, task: dict) -> Asking:
    """Raise Stale when the record contradicts the task; a silent witness raises a Surprise."""
    if stale.stands_down(task, app.here):
        return {}
    begun, because = world.now, ""
    for youngest in (begun - guard.AGE_SECONDS_MAX, begun):
        seen: Seen | None = app.seen
        if seen is None or seen.asked_at < youngest:
            seen = yield from ask(world, app)
        because = stale.contradiction(seen.record, task, seen.server_time)
        if not because:
            return {}
    raise guard.Stale(because)


def ask(world: World, app: Source) -> Generator[Ask, Any, Seen]:
    asked_at, app.seen = world.now, None
    try:
        answer = yield Ask("witness", lambda: (world.record, world.server_time), guard.READ_SECONDS)
    except Surprise as silent:  # Not the component's region is silent: nobody knows of the epoch.
        raise Surprise(f"the epoch cannot be read: {silent}") from None
    app.seen = seen = Seen(asked_at, *answer)
    return seen
