"""Components as the simulation knows them: workflows, the gateway, the traffic, request by request.

What an answer means is decided as in `activities.workflow`, `gateway`, `traffic` and `hook`.
"""

from functools import partial

from rehearsal.simulation.guard import guarded, weigh
from rehearsal.simulation.world import Ask, Asking, Source, World
from shared.outcome import refused, running, skipped, succeeded
from shared.reply import Surprise, Unreachable

HURRIED_SECONDS = 5.0
OPERATION_SECONDS = 2.0
RUNS_SECONDS = (0, 0, 2, 20, 200)  # How long what runs in a workflow may take to its end.


def spot(task: dict) -> tuple[str, str]:
    return task["location"], task["component"]["name"]


def observe_workflow(world: World, app: Source, task: dict) -> Asking:
    bound = HURRIED_SECONDS if task["verb"] in ("demote", "verify") else 10.0
    on = yield Ask(f"arm.{task['location']}", lambda: world.enabled[spot(task)], bound)
    if task["verb"] == "verify" and not on:
        return refused(f"{task['component']['name']} is Disabled, not Enabled", serving=False)
    return succeeded("is Enabled" if on else "is Disabled", serving=bool(on))


@guarded
def promote_workflow(world: World, app: Source, task: dict) -> Asking:
    return (yield from bring(world, app, task, True, 10.0))


@guarded
def demote_workflow(world: World, app: Source, task: dict) -> Asking:
    try:
        return (yield from bring(world, app, task, False, HURRIED_SECONDS))
    except Unreachable as error:
        return refused(f"{task['component']['name']} is unreachable: {error}")


def bring(world: World, app: Source, task: dict, wanted: bool, seconds: float) -> Asking:
    node = f"arm.{task['location']}"
    on = yield Ask(node, lambda: world.enabled[spot(task)], seconds)
    if on == wanted:
        return skipped("is so already")
    yield from weigh(world, app, task)
    sent = world.now
    yield Ask(node, lambda: switch(world, task, wanted, sent), seconds, True)
    return succeeded("is told so")


def switch(world: World, task: dict, wanted: bool, sent: float) -> None:
    """What enabling or disabling does, unless it is accepted and then forgotten."""
    if wanted and not world.calm and world.random.random() < world.weather.lost_202:
        world.troubled += 1
        return
    if world.enabled[spot(task)] != wanted:
        world.enabled[spot(task)] = wanted
        if not wanted:  # Runs that have begun go on to their end.
            world.empty_at[spot(task)] = world.now + world.random.choice(RUNS_SECONDS)
        world.judge.switched(task, wanted, sent)


def drain_workflow(world: World, app: Source, task: dict) -> Asking:
    """How many runs are still in flight in a workflow that starts no new ones?"""
    name = task["component"]["name"]

    def flying() -> bool:
        return world.enabled[spot(task)] or world.now < world.empty_at.get(spot(task), 0.0)

    try:
        busy = yield Ask(f"arm.{task['location']}", flying, HURRIED_SECONDS)
    except Unreachable as error:
        return refused(f"{name} is unreachable: {error}", unseen=True)
    return refused("1 runs are in flight", count=1, runs=["1"]) if busy else succeeded(count=0)


def transfer_workflow(world: World, app: Source, task: dict) -> Asking:
    """Carry the triggers' memory over, unless the copy runs already."""
    there, other = task["location"], world.plan.other(task["location"])
    try:
        if (yield Ask(f"arm.{there}", lambda: world.enabled[spot(task)], HURRIED_SECONDS)):
            return skipped("it runs already")
        yield Ask(f"arm.{other}", bool, HURRIED_SECONDS)
        yield Ask(f"arm.{there}", bool, HURRIED_SECONDS)
    except Unreachable as error:
        return refused(f"the state cannot be carried over: {error}")
    return succeeded("goes on where its source stopped")


def observe_gateway(world: World, app: Source, task: dict) -> Asking:
    laid = yield Ask(f"arm.{task['location']}", lambda: world.laid[task["location"]])
    return succeeded("looked", serving=bool(laid))


@guarded
def promote_gateway(world: World, app: Source, task: dict) -> Asking:
    place = task["location"]
    if (yield Ask(f"arm.{place}", lambda: world.laid[place])):
        return skipped("is laid already")
    yield from weigh(world, app, task)
    yield Ask(f"arm.{place}", lambda: world.laid.__setitem__(place, True))
    return running(f"arm.{place}", OPERATION_SECONDS)


def ask_operation(world: World, app: Source, payload: dict) -> Asking:
    yield Ask(payload["operation"], bool)
    return succeeded("has ended")


def verify_gateway(world: World, app: Source, task: dict) -> Asking:
    try:
        yield Ask(task["location"], bool)
    except Surprise as error:
        return refused(str(error))
    return succeeded("answered 200")


def observe_traffic(world: World, app: Source, task: dict) -> Asking:
    seen = yield Ask(f"arm.{world.profile_location}", lambda: dict(world.endpoints))
    alone = [name for name, on in seen.items() if on] == [task["location"]]
    return succeeded(str(seen), serving=alone)


@guarded
def promote_traffic(world: World, app: Source, task: dict) -> Asking:
    node, mine = f"arm.{world.profile_location}", task["location"]
    seen = yield Ask(node, lambda: dict(world.endpoints))
    wanted = [(mine, True), *((name, False) for name in seen if name != mine)]
    wrong = [(name, on) for name, on in wanted if seen[name] != on]
    for name, on in wrong:
        yield from weigh(world, app, task)
        yield Ask(node, partial(point, world, task, name, on, world.now))
    return succeeded("only that endpoint is enabled") if wrong else skipped("is so already")


def point(world: World, task: dict, name: str, on: bool, sent: float) -> None:
    world.endpoints[name] = on
    world.judge.pointed(task, sent)


def verify_traffic(world: World, app: Source, task: dict) -> Asking:
    seen = yield from observe_traffic(world, app, task)
    if not seen["serving"]:
        return refused(f"not the only endpoint: {seen['because']}")
    shown = world.monitor(task["location"])
    return seen if shown == "Online" else refused(f"is {shown}, not yet Online")


@guarded
def call_hook(world: World, app: Source, task: dict) -> Asking:
    yield Ask("internet", bool)
    return succeeded("answered")
