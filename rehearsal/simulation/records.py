"""Records: what activities do to the witness record, request by request, as `activities.witness`.

What a record may become is asked of the product's own transitions; what is refused and what is
raised is as in the activity of that name.
"""

from collections.abc import Callable
from datetime import datetime

from rehearsal.simulation.world import Ask, Asking, Source, World
from shared import claims, handover, resumption, runs, watch, witness
from shared.outcome import refused, succeeded
from shared.reply import Surprise, Unreachable

ROUNDS_MAX = 5
PEER_SECONDS = 3.0
REQUESTS_PER_LEASE = 8
Change = Callable[[dict, datetime], dict]


def changed(world: World, change: Change, seconds: float = 10.0) -> Asking:
    """Read, change, write with If-Match, until it holds; as `activities.witness` does."""
    for _ in range(ROUNDS_MAX):
        look = Ask("witness", lambda: (world.record, world.etag, world.server_time), seconds)
        record, etag, server_time = yield look
        wanted = change(record, server_time)
        if witness.refusal(wanted):
            return {**wanted, "record": record}
        if wanted is record:
            return succeeded(record=record)
        if (yield Ask("witness", lambda w=wanted, e=etag: put(world, w, e), seconds)):
            return succeeded(record=wanted)
    raise Surprise(f"the witness record changed {ROUNDS_MAX} times meanwhile")


def timed(world: World, outcome: dict) -> dict:
    """With storage's own time, for those activities whose callers look at it."""
    return {**outcome, "serverTime": world.server_time.isoformat()}


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
    paper, minutes = payload["slip"], payload.get("approvalMinutes")
    evidence = payload.get("evidence", "")
    return (
        yield from changed(world, lambda r, now: witness.reserve(r, paper, now, minutes, evidence))
    )


def claim_epoch(world: World, app: Source, payload: dict) -> Asking:
    paper = payload["slip"]
    known = yield from changed(world, lambda r, now: r)
    if known["status"] != "succeeded":
        return known
    noted = {"epoch": known["record"]["epoch"] + 1, "run": paper["run"]}
    world.claims[app.here] = {**noted, "mine": True}
    windows = payload.get("maintenance", [])
    outcome = yield from changed(world, lambda r, now: witness.claim(r, paper, now, windows))
    if outcome["status"] == "refused":
        world.claims[app.here] = {**noted, "mine": False}
    return outcome


def advance_run(world: World, app: Source, payload: dict) -> Asking:
    paper, phase, quiet = payload["slip"], payload["phase"], payload.get("quietMinutes")
    return (yield from changed(world, lambda r, now: witness.advance(r, paper, phase, now, quiet)))


def release_lease(world: World, app: Source, payload: dict) -> Asking:
    paper, proven = payload["slip"], payload["proven"]
    given = yield from changed(world, lambda r, now: handover.release(r, paper, now, proven))
    return timed(world, given)


def finish_run(world: World, app: Source, payload: dict) -> Asking:
    paper, quiet = payload["slip"], payload["quietMinutes"]
    left = payload.get("because", "")
    return (yield from changed(world, lambda r, now: witness.finish(r, paper, now, quiet, left)))


def halt_run(world: World, app: Source, payload: dict) -> Asking:
    paper, because = payload["slip"], payload["because"]
    end = payload.get("end", "halted")
    return (yield from changed(world, lambda r, now: witness.halt(r, paper, because, now, end)))


def take_up_run(world: World, app: Source, payload: dict) -> Asking:
    paper = payload["slip"]
    return (yield from changed(world, lambda r, now: resumption.take_up(r, paper, now)))


def give_back(world: World, app: Source, payload: dict) -> Asking:
    paper, quiet = payload["slip"], payload["quietMinutes"]
    return (yield from changed(world, lambda r, now: runs.give_back(r, paper, now, quiet)))


def renew_lease(world: World, app: Source, payload: dict) -> Asking:
    here, seconds = payload["location"], payload["witness"]["leaseSeconds"]
    bound = max(1.0, seconds / REQUESTS_PER_LEASE)
    try:
        renewed = changed(world, lambda r, now: witness.renew(r, here, now, seconds), bound)
        return timed(world, (yield from renewed))
    except Unreachable as error:
        return refused(f"witness: {error}")


def read_witness(world: World, app: Source, payload: dict) -> Asking:
    try:
        return timed(world, (yield from changed(world, lambda r, now: r)))
    except Unreachable as error:
        return refused(f"witness: {error}")


def ask_peer(world: World, app: Source, payload: dict) -> Asking:
    there = payload["location"]

    def vouches() -> bool:
        seen = world.watches.get(there)
        doubts = seen and watch.suspects(seen, world.server_time)
        return world.apps[there].up and not world.claims[there]["mine"] and not doubts

    try:
        vouched = yield Ask(there, vouches, PEER_SECONDS)
    except Surprise as error:
        return refused(f"{there} does not answer either: {error}")
    return succeeded("it vouches") if vouched else refused(f"{there} does not vouch")


def yield_claim(world: World, app: Source, payload: dict) -> dict:
    outcome = claims.yielded(world.claims[app.here], payload["epoch"])
    if outcome["status"] == "succeeded":
        world.claims[app.here] = {"epoch": payload["epoch"], "mine": False}
    return outcome


def note_claim(world: World, app: Source, payload: dict) -> dict:
    outcome = claims.taken(world.claims[app.here])
    if outcome["status"] == "succeeded":
        world.claims[app.here] = {"epoch": payload["epoch"], "mine": True}
    return outcome


def settle_claim(world: World, app: Source, payload: dict) -> dict:
    held, now = world.claims[app.here], datetime.fromisoformat(payload["now"])
    outcome = claims.settled(held, payload["record"], app.here, now)
    if outcome["status"] == "succeeded":
        world.claims[app.here] = {**held, "mine": False}
    return outcome
