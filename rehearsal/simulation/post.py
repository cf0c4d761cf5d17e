"""Post: a slip's way to a location while a namespace is away, as `shared.post` and the slip desk.

The outboxes are the product's own books; they lie in a location's own storage, which does not fail
here. A process that dies leaves what it was about to strike out, and sends it once more.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING

from rehearsal.simulation import bus
from rehearsal.simulation.world import Ask, Asking, Source, World
from shared import post, undelivered
from shared.outcome import succeeded
from shared.reply import Surprise

if TYPE_CHECKING:
    from rehearsal.simulation.apps import App

EVERY_SECONDS = 10.0
LOOK_SECONDS = 1.0
Way = Generator[Ask, object, str]


def send_slip(world: World, source: Source, payload: dict) -> Asking:
    """Send a slip by the first way that takes it; what none takes waits in the outbox."""
    app, location, paper = world.apps[source.here], payload["location"], payload["slip"]
    if not app.outboxes[location]["slips"]:
        try:
            return succeeded(how=(yield from deliver(app, location, payload["queue"], paper)))
        except Surprise as silent:
            world.tell(app.here, "keeps a slip for", location, silent)
    kept = undelivered.add(app.outboxes[location], payload["queue"], paper, app.now)
    if kept is None:
        raise Surprise(f"the outbox for {location} is full")
    app.outboxes[location] = kept
    wake(app)
    return succeeded(how="kept")


def deliver(app: "App", location: str, queue: str, paper: dict) -> Way:
    """To the location's own namespace, or by the relay in ours; a Surprise where none takes it."""
    try:
        yield from hand(app, location, queue, paper)
        return "sent"
    except Surprise:
        if location == app.here:
            raise
    yield from hand(app, app.here, bus.RELAY, paper)
    return "relayed"


def hand(app: "App", location: str, queue: str, paper: dict) -> Generator[Ask, object, None]:
    world = app.world
    if app.silent.get(location, 0.0) > world.now:
        raise Surprise(f"the namespace of {location} was silent just now")
    try:
        yield Ask(f"bus.{location}", lambda: world.buses[location].enqueue(queue, paper))
    except Surprise:
        app.silent[location] = world.now + post.SILENT_SECONDS
        raise


def wake(app: "App") -> None:
    """See to it that this process's timer looks after what waits."""
    if app.carries != app.life and any(book["slips"] for book in app.outboxes.values()):
        app.carries = app.life
        app.world.at(app.world.random.uniform(0, EVERY_SECONDS), turn, app, app.life)


def turn(app: "App", life: int) -> None:
    """The timers `carry_slips` and `forward_slips`."""
    if app.life == life:
        app.perform(carry(app, life), lambda ok, value: again(app, life))


def again(app: "App", life: int) -> None:
    if app.life != life:
        return
    app.carries = 0
    if undelivered.lively(app.outboxes[app.here], app.now):
        app.carries = life
        app.world.at(LOOK_SECONDS, turn, app, life)
    wake(app)


def carry(app: "App", life: int) -> Asking:
    """Start what waits for this location, send on what waits for the other, the oldest first."""
    for location in app.outboxes:
        for entry in app.outboxes[location]["slips"]:
            because, how = undelivered.over(entry, app.now), "over"
            if because:
                app.world.judge.alerted({"title": "slip not sent", "because": because})
            elif location == app.here:
                bus.begin(app, entry["slip"])
                how = "started"
            else:
                try:
                    how = yield from deliver(app, location, entry["queue"], entry["slip"])
                except Surprise:
                    break
            app.did()
            if app.life != life:
                return {}
            book = app.outboxes[location]
            app.outboxes[location] = undelivered.strike(book, entry["id"], how, because, app.now)
    return {}
