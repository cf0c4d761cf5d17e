"""Heartbeat: keep the lease while active, and step back in time when it cannot be kept.

One eternal orchestration per plan in every location. The active side renews; when it has been
silent for half a lease, and the standby does not vouch that nobody has claimed, it stops its own
exclusive workflows, so that they stand still before anyone else may take the lease. A location
that finds another one active does the same: a lost region that comes back comes back as standby.
"""

from datetime import datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.steps import attempt, told_to
from orchestrations.waves import act
from shared.kinds import KINDS
from shared.plan import Plan

BEATS_PER_GENERATION = 12
BEATS_PER_LEASE = 4  # Two may be lost before half the lease is gone.
ONE_TRY = 1  # The next beat is the retry.


def heartbeat(context: DurableOrchestrationContext) -> Flow:
    """Beat for ever. Input: {"plan", "location": mine, "memory": of the last generation}.

    Memory: `renewedAt` (when the lease was last known to be ours), `stoodDown` (null, or
    {"epoch", "because"} since our exclusive workflows were stopped), `turn` (keeps ids apart).
    """
    told = told_to(context)
    memory = told.get("memory") or {
        "renewedAt": context.current_utc_datetime.isoformat(),
        "stoodDown": None,
        "turn": 0,
    }
    for _ in range(BEATS_PER_GENERATION):
        started, pause = context.current_utc_datetime, timedelta(seconds=10)
        loaded = yield from attempt(context, "load_plan", {"plan": told["plan"]}, ONE_TRY)
        if loaded["status"] == "succeeded":
            plan = Plan.model_validate(loaded["plan"])
            memory = yield from beat(context, plan, loaded["plan"], told["location"], memory)
            pause = timedelta(seconds=plan.witness.lease_seconds / BEATS_PER_LEASE)
        due = started + pause
        if due > context.current_utc_datetime:
            yield context.create_timer(due)
    context.continue_as_new({**told, "memory": memory})
    return None


def beat(
    context: DurableOrchestrationContext, plan: Plan, document: dict, here: str, memory: dict
) -> Flow:
    """One renewal and what follows from its answer."""
    payload = {"plan": plan.name, "location": here, "witness": document["witness"]}
    renewed = yield from attempt(context, "renew_lease", payload, ONE_TRY)
    now = context.current_utc_datetime
    if renewed["status"] == "succeeded":
        memory = {**memory, "renewedAt": now.isoformat()}
        return (yield from serve_again(context, plan, here, memory, renewed["record"]["epoch"]))
    record = renewed.get("record")
    if record:
        because = f"{record['active']} is active at epoch {record['epoch']}"
        if memory["stoodDown"] and memory["stoodDown"]["epoch"] == record["epoch"]:
            return memory
        return (yield from stand_down(context, plan, here, memory, record["epoch"], because))
    silence = (now - datetime.fromisoformat(memory["renewedAt"])).total_seconds()
    if memory["stoodDown"] or silence < plan.witness.lease_seconds / 2:
        return memory
    vouched = yield from attempt(
        context, "ask_peer", {"plan": document, "location": plan.other(here)}, ONE_TRY
    )
    if vouched["status"] == "succeeded":
        return memory
    because = f"the lease cannot be renewed ({renewed['because']}) and {vouched['because']}"
    return (yield from stand_down(context, plan, here, memory, None, because))


def stand_down(
    context: DurableOrchestrationContext,
    plan: Plan,
    here: str,
    memory: dict,
    epoch: int | None,
    because: str,
) -> Flow:
    """Stop this location's exclusive workflows; what runs in both places safely goes on."""
    rows = yield from move(context, plan, here, "demote", memory["turn"], epoch)
    if any(row["outcome"] == "succeeded" for row in rows):
        yield from tell(context, plan.name, f"{here} stands down", because)
    left = [row["component"] for row in rows if row["outcome"] == "refused"]
    if epoch is not None:
        yield from attempt(context, "yield_claim", {"plan": plan.name, "epoch": epoch}, ONE_TRY)
    done = None if left else {"epoch": epoch, "because": because}
    return {**memory, "stoodDown": done, "turn": memory["turn"] + 1}


def serve_again(
    context: DurableOrchestrationContext, plan: Plan, here: str, memory: dict, epoch: int
) -> Flow:
    """The lease is ours and nobody claimed meanwhile: what stepped back for caution comes back.

    Only what this heartbeat stopped itself, and only while the epoch is the one it stopped in.
    """
    down = memory["stoodDown"]
    if down is None:
        return memory
    if down["epoch"] is None:
        yield from move(context, plan, here, "promote", memory["turn"], epoch)
        yield from tell(context, plan.name, f"{here} serves again", "the lease is renewed")
    return {**memory, "stoodDown": None, "turn": memory["turn"] + 1}


def move(
    context: DurableOrchestrationContext,
    plan: Plan,
    here: str,
    verb: str,
    turn: int,
    epoch: int | None,
) -> Flow:
    """Promote or demote every exclusive component of this location."""
    names = [
        part.name
        for part in plan.components
        if part.role == "activePassive" and "demote" in KINDS[part.kind]
    ]
    paper = {
        "plan": plan.name,
        "run": f"{plan.name}-heartbeat-{here}",
        "stage": verb,
        "epoch": epoch,
        "to": here,
    }
    return (yield from act(context, plan, paper, verb, here, names, ONE_TRY, turn=turn))


def tell(context: DurableOrchestrationContext, plan: str, title: str, because: str) -> Flow:
    payload = {"plan": plan, "title": title, "because": because}
    yield from attempt(context, "alert", payload, ONE_TRY)
