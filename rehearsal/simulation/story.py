"""Story: one seed from its first event to its conclusion."""

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import cast

from orchestrations import again, quiesce, stepback, waves
from rehearsal.simulation import desk, variants, weather
from rehearsal.simulation.apps import ETERNAL, App
from rehearsal.simulation.bus import Bus
from rehearsal.simulation.patches import Patch, planted
from rehearsal.simulation.properties import Judge
from rehearsal.simulation.world import Asking, World
from shared import witness
from shared.outcome import refused
from shared.plan import Plan

SETTLE_SECONDS = 32.0  # Three rounds of a watchdog.
CHECK_SECONDS = 5.0
BOUND_SECONDS = 900.0  # No run may take longer than this after everything went well again.


@dataclass
class Told:
    """What came of a seed."""

    seed: int
    violations: list[tuple[str, str]]
    notes: Counter[str]
    claims: int
    losses: int  # Of an active location that was watched; how many of them were seen in time.
    seen: int
    seconds: float
    lines: list[str]


def tell(seed: int, plan: Plan, telling: bool = True) -> Told:
    """Play one seed against `plan` to its end. Without `telling` no lines are written."""
    random = Random(seed)
    names = [plan.home, plan.other(plan.home)]
    sky = weather.draw(random, names)
    with planted(knobs(sky)):
        world = build(random, sky, plan, names)
        world.telling = telling
        for when, what, whom in sky.events:
            world.at(when, happen, world, what, whom)
        world.run(sky.calm_seconds)
        clear(world)
        settle(world)
        world.judge.conclude()
    lines = [f"{at:9.3f}  {text}" for at, text in world.lines]
    judge = world.judge
    world.forget()
    saw = judge.detection
    return Told(
        seed,
        judge.violations,
        judge.notes,
        judge.claims,
        saw.losses,
        saw.seen,
        world.now,
        lines,
    )


def knobs(sky: weather.Weather) -> list[Patch]:
    """The product's bounds as this seed has drawn them, and plans that are read only once."""
    return [
        (witness, "REQUEST_MINUTES", sky.request_minutes),
        (witness, "STALLED_MINUTES", sky.stalled_minutes),
        *piecemeal(sky),
        *variants.QUICK,
    ]


def piecemeal(sky: weather.Weather) -> list[Patch]:
    """The parts that a large plan is done in, where this seed has them small."""
    if not sky.sizes:
        return []
    users = (again, quiesce, stepback, waves)
    chunks: list[Patch] = [(user, "CHUNK", sky.sizes["chunk"]) for user in users]
    sizes: list[Patch] = [(user, "SIZES", sky.sizes) for user in (stepback, waves)]
    return [*chunks, *sizes, (waves, "ALONE_MAX", sky.alone)]


def build(random: Random, sky: weather.Weather, plan: Plan, names: list[str]) -> World:
    """Two locations, the first one active, everything well."""
    world = World(random, sky, variants.of(plan, sky.options, sky.copies), names)
    world.judge = Judge(world)
    world.buses = {name: Bus(world, name) for name in names}
    for name in names:
        world.apps[name] = App(world, name)
    for app in world.apps.values():
        app.boot()
    return world


def happen(world: World, what: str, whom: tuple) -> None:
    """One event of the weather."""
    world.tell("weather:", what, *whom)
    HAPPENINGS[what](world, *whom)
    world.judge.beside.look()


def lose(world: World, location: str) -> None:
    world.lose(location)
    world.apps[location].kill()
    world.judge.detection.lost(location)


def fail(world: World, location: str) -> None:
    """Lost, but what stands before it answers for it, and at once."""
    lose(world, location)
    world.curt |= {location, f"arm.{location}", f"bus.{location}"}


def recover(world: World, location: str) -> None:
    world.recover(location)
    world.at(world.random.uniform(0, 10), world.apps[location].boot)


def heal(world: World, source: str, node: str) -> None:
    if (source, node) in world.cuts:
        world.cuts.discard((source, node))
        world.mended[source, node] = world.now


def rise(world: World, node: str) -> None:
    world.down.discard(node)
    world.mended |= {(name, node): world.now for name in world.apps}
    for bus in world.buses.values():
        world.at(1.0, bus.offer)  # Its listener connects again.


def order(world: World, location: str, to: str | None, key: str | None, mode: str) -> None:
    app = world.apps[location]
    asked(world, app, desk.order(world, app, to, key, mode))


def say(world: World, location: str, word: str, looks: int = 40) -> None:
    """Say a word to the run in progress, as soon as there is one."""
    app, run = world.apps[location], world.record["run"]
    if looks and (not run or not app.up):
        world.at(1.0, say, world, location, word, looks - 1)
        return
    asked(world, app, desk.say(world, app, word))
    if word == "pause":  # Nobody leaves it at that; for who does, the next release is a day away.
        for name in world.apps:
            world.at(world.random.uniform(3, 60), say, world, name, "resume")


def asked(world: World, app: App, work: Asking) -> None:
    """A person at the desk of an app, if it is there."""
    if app.up:
        app.perform(work, lambda ok, value: ordered(world, ok, value))


def ordered(world: World, ok: bool, value: object) -> None:
    answer = cast(dict, value) if ok else refused(str(value))
    world.tell("desk:", answer["status"], answer["because"])
    if answer["status"] == "refused" and not answer["because"]:
        world.judge.breach("unexplained", "an order is refused without a reason")


def decide(world: World, word: str) -> None:
    app = next((a for a in world.apps.values() if a.up), None)
    if app:
        asked(world, app, desk.decide(world, word))


HAPPENINGS = {
    "lose": lose,
    "fail": fail,
    "recover": recover,
    "cut": lambda world, source, node: world.cuts.add((source, node)),
    "heal": heal,
    "down": lambda world, node: world.down.add(node),
    "up": rise,
    "order": order,
    "say": say,
    "pause": lambda world: decide(world, "pause"),
    "resume": lambda world: decide(world, "resume"),
    "acknowledge": lambda world: decide(world, "acknowledge"),
}


def clear(world: World) -> None:
    """Everything goes well from here on."""
    world.tell("weather: calm")
    world.calm = True
    for location in world.apps:
        world.recover(location)
    world.mended |= {(name, f"arm.{name}"): world.now for name in world.apps}
    world.down.clear()
    world.cuts.clear()
    world.judge.beside.look()
    for app in world.apps.values():
        world.at(0.1, app.boot)
        world.at(1.0, world.buses[app.here].offer)


def settle(world: World) -> None:
    """Let it come to rest: at most until BOUND_SECONDS after the calm."""
    sky = world.weather
    late = sky.late_seconds + 10 if sky.trouble or sky.lagging or sky.strays else 0.0
    last = max([when for when, *_ in sky.events], default=0.0) + 1
    world.run(max(last, sky.calm_seconds + max(SETTLE_SECONDS, late)))
    while world.now < sky.calm_seconds + BOUND_SECONDS and not at_rest(world):
        world.run(world.now + CHECK_SECONDS)


def at_rest(world: World) -> bool:
    """Is nothing under way any more?"""
    if any(bus.messages for bus in world.buses.values()):
        return False
    if any(book["slips"] for app in world.apps.values() for book in app.outboxes.values()):
        return False
    busy = any(
        not i.done and i.name not in ETERNAL
        for app in world.apps.values()
        for i in app.hub.values()
    )
    if world.judge.held(world.record):
        return True
    under_way = world.judge.in_progress(world.record) or world.record["unfinished"]
    claimed = world.claims[world.plan.other(world.record["active"])]["mine"]
    wrong = world.judge.wanting() or world.judge.astray()
    return not (busy or under_way or claimed or wrong)
