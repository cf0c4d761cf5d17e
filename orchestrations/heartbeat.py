"""Heartbeat: keep the lease while active, and step back in time when it cannot be kept.

One eternal orchestration per plan in every location. The active side renews; when it has been
silent for half a lease, and the standby does not vouch that nobody has claimed, it stops its own
exclusive workflows, so that they stand still before anyone else may take the lease. A location
that finds another one active does the same: a lost region that comes back comes back as standby.
"""

from datetime import datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.absence import outwait, overslept
from orchestrations.audit import write_behind
from orchestrations.stepback import ONE_TRY, STOPS_MAX, move, stop
from orchestrations.steps import attempt, newest, plan_of, told_to
from shared import missed, witness
from shared.plan import Plan

BEATS_PER_GENERATION = 12
BEATS_PER_LEASE = 4  # Two may be lost before half the lease is gone.
TITLE_MAX = 200
AGAIN = (timedelta(seconds=15), timedelta(seconds=60))  # After serving again; later none lands.


def heartbeat(context: DurableOrchestrationContext) -> Flow:
    """Beat for ever. Input: {"plan", "location": mine, "memory": of the last generation}.

    Memory: `renewedAt` (when the beat began that renewed last), `stoodDown` (null, or {"epoch",
    "because", "stopped": names, "left": names that would not stop} since our exclusive workflows
    were stopped), `turn` (keeps ids apart), `again` (null, or {"names", "epoch", "since", "looks"}
    of what serves again since lately), `audited` (the last transition that the audit has), `epoch`
    (of the lease that was renewed last), `drained` (the last drain of here that is known).
    """
    told = told_to(context)
    memory = told.get("memory") or {
        "renewedAt": context.current_utc_datetime.isoformat(),
        "stoodDown": None,
        "turn": 0,
    }
    known: dict | None = None
    for _ in range(BEATS_PER_GENERATION):
        started, pause = context.current_utc_datetime, timedelta(seconds=10)
        loaded = yield from newest(context, told["plan"], known)
        if loaded["status"] == "succeeded":
            known, plan = loaded, plan_of(loaded)
            begun = started.isoformat()
            memory = yield from beat(context, plan, loaded["plan"], told["location"], memory, begun)
            pause = timedelta(seconds=plan.witness.lease_seconds / BEATS_PER_LEASE)
        due = started + pause
        if due > context.current_utc_datetime:
            yield context.create_timer(due)
    context.continue_as_new({**told, "memory": memory})
    return None


def beat(
    context: DurableOrchestrationContext,
    plan: Plan,
    document: dict,
    here: str,
    memory: dict,
    begun: str,
) -> Flow:
    """One renewal, `begun` before it was asked for, and what follows from its answer."""
    payload = {"plan": plan.name, "location": here, "witness": document["witness"]}
    renewed = yield from attempt(context, "renew_lease", payload, ONE_TRY)
    memory = yield from heed(context, plan, document, here, memory, {**renewed, "askedAt": begun})
    if renewed["status"] != "succeeded":
        return memory
    known = memory.get("audited", 0)
    known = yield from write_behind(context, document, renewed["record"], known)
    return {**memory, "audited": known}


def heed(
    context: DurableOrchestrationContext,
    plan: Plan,
    document: dict,
    here: str,
    memory: dict,
    renewed: dict,
) -> Flow:
    """Do what follows from the answer to a renewal.

    Whether its run goes on is asked of storage's clock, as the witness did: by our own one we
    might take a drain that lives for over, and forget what it stops.
    """
    now = context.current_utc_datetime
    told = renewed.get("serverTime")
    there = datetime.fromisoformat(told) if told else now
    if renewed["status"] == "succeeded":
        record, since = renewed["record"], memory["renewedAt"]
        memory = {**memory, "renewedAt": renewed["askedAt"]}
        if leaving(record, here, there):
            return (yield from let_go(context, plan, here, memory, record["run"]))
        memory = overslept(plan, here, memory, record, there, since)
        memory = yield from outwait(context, plan, here, memory, record)
        memory = {**memory, "epoch": record["epoch"]}
        if missed.doubted(memory["stoodDown"] or {}, now):
            return memory
        return (yield from serve_again(context, plan, here, memory, record["epoch"]))
    record, down = renewed.get("record"), memory["stoodDown"]
    if record and leaving(record, here, there):
        return (yield from let_go(context, plan, here, memory, record["run"]))
    if record:
        because = f"{record['active']} is active at epoch {record['epoch']}"
        if down and down["epoch"] == record["epoch"] and not down["left"]:
            return memory
        return (yield from stand_down(context, plan, here, memory, record["epoch"], because))
    silence = (now - datetime.fromisoformat(memory["renewedAt"])).total_seconds()
    if (down and not down["left"]) or silence < plan.witness.lease_seconds / 2:
        return memory
    vouched = yield from attempt(
        context, "ask_peer", {"plan": document, "location": plan.other(here)}, ONE_TRY
    )
    if vouched["status"] == "succeeded":
        return memory
    because = f"the lease cannot be renewed ({renewed['because']}) and {vouched['because']}"
    return (yield from stand_down(context, plan, here, memory, None, because))


def leaving(record: dict, here: str, now: datetime) -> bool:
    """Is a run draining this location, or has the lease of here been given up to it already?"""
    run = record["run"]
    if record["active"] != here or not witness.in_progress(run, now):
        return False
    return run["from"] == here and (run["phase"] == "quiesce" or run["released"])


def let_go(
    context: DurableOrchestrationContext, plan: Plan, here: str, memory: dict, run: dict
) -> Flow:
    """A person moves the plan away: that is an answer, no alarm.

    Remembered is what the run stops, so that it starts again here should the run end without a
    claim. Once the lease is given up, what the run could not reach is stopped from here, once.
    """
    down = memory["stoodDown"]
    told = {"epoch": None, "because": f"run {run['id']} drains {here}", "run": run["id"]}
    told |= {"of": memory.get("epoch")}
    if down is None or down.get("run") != run["id"]:
        down = {**told, "stopped": plan.movers(), "left": plan.exclusive(here)}
    if not run["released"] or not down["left"]:
        return {**memory, "stoodDown": down}
    rows = yield from move(context, plan, here, "demote", memory["turn"], None, down["left"])
    left = [row["component"] for row in rows if row["outcome"] == "refused"]
    return {**memory, "stoodDown": {**down, "left": left}, "turn": memory["turn"] + 1}


def stand_down(
    context: DurableOrchestrationContext,
    plan: Plan,
    here: str,
    memory: dict,
    epoch: int | None,
    because: str,
) -> Flow:
    """Stop this location's exclusive workflows; what runs in both places safely goes on.

    What would not stop is tried again at the next beat, alone.
    """
    down, noted = memory["stoodDown"], []
    if down is None or down["epoch"] != epoch:
        noted = plan.movers() if epoch is None else []
        down = {"epoch": epoch, "because": because, "stopped": [], "left": plan.exclusive(here)}
        down |= {"of": memory.get("epoch")}
    since = datetime.fromisoformat(memory["renewedAt"]) if noted else None
    rows, on = yield from stop(
        context, plan, here, memory["turn"], epoch, down["left"], noted, since
    )
    down = {**down, "stopped": [*down["stopped"], *on]}
    stopped = [row["component"] for row in rows if row["outcome"] == "succeeded"]
    left = [row["component"] for row in rows if row["outcome"] == "refused"]
    if stopped:
        yield from tell(context, plan.name, f"{here} stands down", because)
    if epoch is not None:
        yield from attempt(context, "yield_claim", {"plan": plan.name, "epoch": epoch}, ONE_TRY)
    also = [name for name in plan.movers() if name in stopped and name not in down["stopped"]]
    down = {**down, "stopped": [*down["stopped"], *also], "left": left}
    return {**memory, "stoodDown": down, "turn": memory["turn"] + STOPS_MAX}


def serve_again(
    context: DurableOrchestrationContext, plan: Plan, here: str, memory: dict, epoch: int
) -> Flow:
    """The lease is ours and nobody claimed meanwhile: what stepped back for caution comes back.

    What this heartbeat stopped, in the same epoch. What will not start is tried again next time.
    """
    down = memory["stoodDown"]
    if down is None:
        return (yield from look_again(context, plan, here, memory, epoch))
    stopped = down["stopped"] if down["epoch"] is None else []
    rows = yield from move(context, plan, here, "promote", memory["turn"], epoch, stopped)
    still = [row["component"] for row in rows if row["outcome"] == "refused"]
    if still and still != down.get("told"):
        title = f"{here} cannot serve again: {', '.join(still)}"
        yield from tell(context, plan.name, title[:TITLE_MAX], rows[0]["because"])
    if stopped and not still:
        yield from tell(context, plan.name, f"{here} serves again", "the lease is renewed")
    now = context.current_utc_datetime.isoformat()
    before = (memory.get("again") or {}).get("names", [])
    names = [*stopped, *(name for name in before if name not in stopped)]
    again = {"names": names, "epoch": epoch, "since": now, "looks": 0} if stopped else None
    down = {**down, "stopped": still, "left": [], "told": still} if still else None
    return {**memory, "stoodDown": down, "again": again, "turn": memory["turn"] + 1}


def look_again(
    context: DurableOrchestrationContext, plan: Plan, here: str, memory: dict, epoch: int
) -> Flow:
    """Serve once more what was stopped for caution: a stop whose caller gave up may land late."""
    late = memory.get("again")
    if late is None or late["epoch"] != epoch:
        return {**memory, "again": None} if late else memory
    due = datetime.fromisoformat(late["since"]) + AGAIN[late["looks"]]
    if context.current_utc_datetime < due:
        return memory
    turn, names = memory["turn"], late["names"]
    rows = yield from move(context, plan, here, "promote", turn, epoch, names)
    looks = late["looks"] + all(row["outcome"] != "refused" for row in rows)
    late = {**late, "looks": looks} if looks < len(AGAIN) else None
    return {**memory, "again": late, "turn": turn + 1}


def tell(context: DurableOrchestrationContext, plan: str, title: str, because: str) -> Flow:
    payload = {"plan": plan, "title": title, "because": because}
    yield from attempt(context, "alert", payload, ONE_TRY)
