"""Activities as the simulation knows them: request by request, with the product's own decisions.

Each is a generator of requests, named as in `activities.ACTIVITIES`. What a record may become is
asked of `shared.witness`; what is refused and what is raised is as in the activity of that name.
"""

from collections.abc import Callable
from datetime import datetime
from typing import cast

from rehearsal.simulation import components
from rehearsal.simulation.world import Ask, Asking, Source, World
from shared import witness
from shared.outcome import refused, succeeded
from shared.reply import Surprise, Unreachable

ROUNDS_MAX = 5
PROBE_SECONDS = 3.0
MONITOR = {"Online": True, "Degraded": False, "Inactive": False, "Disabled": None}
Change = Callable[[dict, datetime], dict]
Model = Callable[[World, Source, dict], Asking]


def changed(world: World, change: Change) -> Asking:
    """Read, change, write with If-Match, until it holds; as `activities.witness` does."""
    for _ in range(ROUNDS_MAX):
        seen = yield Ask("witness", lambda: (world.record, world.etag, world.server_time))
        record, etag, server_time = cast(tuple[dict, int, datetime], seen)
        wanted = change(record, server_time)
        if witness.refusal(wanted):
            return {**wanted, "record": record}
        if wanted is record:
            return succeeded(record=record)
        if (yield Ask("witness", lambda w=wanted, e=etag: put(world, w, e))):
            return succeeded(record=wanted)
    raise Surprise(f"the witness record changed {ROUNDS_MAX} times meanwhile")


def put(world: World, record: dict, etag: int) -> bool:
    """Write the record if nobody else has since `etag`."""
    if not matches(world, etag):
        return False
    before, world.record, world.etag = world.record, record, world.etag + 1
    world.judge.wrote(before, record)
    return True


def matches(world: World, etag: int) -> bool:
    return world.etag == etag


def reserve_run(world: World, app: Source, payload: dict) -> Asking:
    paper = payload["slip"]
    return (yield from changed(world, lambda r, now: witness.reserve(r, paper, now)))


def claim_epoch(world: World, app: Source, payload: dict) -> Asking:
    paper = payload["slip"]
    known = yield from changed(world, lambda r, now: r)
    if known["status"] != "succeeded":
        return known
    epoch = known["record"]["epoch"] + 1
    world.claims[app.here] = {"epoch": epoch, "mine": True}
    outcome = yield from changed(world, lambda r, now: witness.claim(r, paper, now))
    if outcome["status"] == "refused":
        world.claims[app.here] = {"epoch": epoch, "mine": False}
    return outcome


def ask_peer(world: World, app: Source, payload: dict) -> Asking:
    there = payload["location"]

    def vouches() -> bool:
        return world.apps[there].up and not world.claims[there]["mine"]

    try:
        vouched = yield Ask(there, vouches, PROBE_SECONDS)
    except Surprise as error:
        return refused(f"{there} does not answer either: {error}")
    return succeeded("it vouches") if vouched else refused(f"{there} does not vouch")


def yield_claim(world: World, app: Source, payload: dict) -> Asking:
    yield from ()
    held = world.claims[app.here]
    if held["epoch"] > payload["epoch"]:
        return refused(f"a claim of epoch {held['epoch']} has begun here")
    world.claims[app.here] = {"epoch": payload["epoch"], "mine": False}
    return succeeded()


def advance_run(world: World, app: Source, payload: dict) -> Asking:
    paper, phase = payload["slip"], payload["phase"]
    return (yield from changed(world, lambda r, now: witness.advance(r, paper, phase, now)))


def finish_run(world: World, app: Source, payload: dict) -> Asking:
    paper, quiet = payload["slip"], payload["quietMinutes"]
    return (yield from changed(world, lambda r, now: witness.finish(r, paper, now, quiet)))


def halt_run(world: World, app: Source, payload: dict) -> Asking:
    paper, because = payload["slip"], payload["because"]
    return (yield from changed(world, lambda r, now: witness.halt(r, paper, because, now)))


def renew_lease(world: World, app: Source, payload: dict) -> Asking:
    here, seconds = payload["location"], payload["witness"]["leaseSeconds"]
    try:
        return (yield from changed(world, lambda r, now: witness.renew(r, here, now, seconds)))
    except Unreachable as error:
        return refused(f"witness: {error}")


def read_witness(world: World, app: Source, payload: dict) -> Asking:
    try:
        return (yield from changed(world, lambda r, now: r))
    except Unreachable as error:
        return refused(f"witness: {error}")


def load_plan(world: World, app: Source, payload: dict) -> Asking:
    yield from ()
    return succeeded(plan=world.plan.document, digest=world.plan.digest)


def write_watch(world: World, app: Source, payload: dict) -> Asking:
    yield from ()
    return succeeded()


def alert(world: World, app: Source, payload: dict) -> Asking:
    world.judge.alerted(payload)
    yield Ask("internet", bool)
    return succeeded()


def send_slip(world: World, app: Source, payload: dict) -> Asking:
    bus, paper = world.buses[payload["location"]], payload["slip"]
    yield Ask(f"bus.{payload['location']}", lambda: bus.enqueue(payload["queue"], paper))
    return succeeded()


def observed(kind: str, ok: bool | None, because: str, **facts: dict) -> dict:
    return {**succeeded(observation={"kind": kind, "ok": ok, "because": because}), **facts}


def observe_health(world: World, app: Source, payload: dict) -> Asking:
    other = world.apps[payload["location"]]
    return (yield from looked("health", payload["location"], lambda: other.up, False))


def observe_gateway_status(world: World, app: Source, payload: dict) -> Asking:
    return (yield from looked("gateway", payload["location"], lambda: True, False))


def observe_traffic_manager(world: World, app: Source, payload: dict) -> Asking:
    place, where = payload["location"], f"arm.{world.profile_location}"
    return (yield from looked("trafficManager", where, lambda: MONITOR[world.monitor(place)], None))


def looked(kind: str, node: str, look: Callable[[], bool | None], silent: bool | None) -> Asking:
    """One look; `silent` is what it means when nobody answers."""
    try:
        ok = cast(bool | None, (yield Ask(node, look, PROBE_SECONDS)))
    except Unreachable as error:
        return observed(kind, silent, str(error))
    except Surprise as error:
        # A probe takes any answer for one, so that only what has to be read can be unclear.
        return observed(kind, False if silent is False else None, str(error))
    return observed(kind, ok, "answered")


def observe_lease(world: World, app: Source, payload: dict) -> Asking:
    def look() -> object:
        return world.record, world.server_time

    try:
        seen = yield Ask("witness", look, PROBE_SECONDS)
    except Surprise as error:
        return observed("lease", None, str(error))
    record, server_time = cast(tuple[dict, datetime], seen)
    if record["leaseUntil"] is None:
        return observed("lease", None, "no lease was taken yet", record=record)
    live = witness.lease_live(record, server_time)
    return observed("lease", live, f"until {record['leaseUntil']}", record=record)


def control_arm(world: World, app: Source, payload: dict) -> Asking:
    return (yield from controlled("arm", f"arm.{app.here}"))


def control_http(world: World, app: Source, payload: dict) -> Asking:
    return (yield from controlled(payload["url"], "internet"))


def controlled(name: str, node: str) -> Asking:
    try:
        yield Ask(node, bool, PROBE_SECONDS)
    except Unreachable as error:
        return succeeded(control={"name": name, "ok": False, "because": str(error)})
    except Surprise:
        return succeeded(control={"name": name, "ok": True, "because": "answered"})
    return succeeded(control={"name": name, "ok": True, "because": "answered"})


MODELS: dict[str, Model] = {
    model.__name__: model
    for model in (
        reserve_run,
        claim_epoch,
        advance_run,
        finish_run,
        halt_run,
        renew_lease,
        read_witness,
        ask_peer,
        yield_claim,
        load_plan,
        write_watch,
        alert,
        send_slip,
        observe_health,
        observe_gateway_status,
        observe_traffic_manager,
        observe_lease,
        control_arm,
        control_http,
        components.observe_workflow,
        components.promote_workflow,
        components.demote_workflow,
        components.observe_gateway,
        components.promote_gateway,
        components.ask_operation,
        components.verify_gateway,
        components.observe_traffic,
        components.promote_traffic,
        components.verify_traffic,
        components.call_hook,
    )
}
