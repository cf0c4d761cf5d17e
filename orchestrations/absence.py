"""Absence: what a heartbeat makes of the time in which it could not read the record.

A run may have drained its location meanwhile, and have ended; or the plan may have gone and been
given back, and may still work over there.
"""

from datetime import datetime

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.steps import attempt
from shared import missed
from shared.plan import Plan


def overslept(
    plan: Plan, here: str, memory: dict, record: dict, there: datetime, since: str
) -> dict:
    """The memory with what a drain has stopped here, as `record` shows at `there`, storage's time.

    The run's own undo knows nothing of a stop that landed when its caller had given up, and a
    carrier that died has no undo at all. `since`: when the record was read last.
    """
    drain = missed.drained(record, there, datetime.fromisoformat(since))
    if drain <= memory.get("drained", 0):
        return memory
    known = {"of": memory.get("epoch"), "because": f"a run has drained {here}", "left": []}
    known |= memory["stoodDown"] or {}
    down = {**known, "epoch": None, "stopped": plan.movers()}
    return {**memory, "stoodDown": down, "drained": drain}


def outwait(
    context: DurableOrchestrationContext, plan: Plan, here: str, memory: dict, record: dict
) -> Flow:
    """The memory with `until` when to wait for a side that may work by a lease that was ended.

    That is so where a cancel has given the plan back in an epoch in which nothing was stopped here
    yet. From now on that side is not vouched for.
    """
    down, epoch = memory["stoodDown"], record["epoch"]
    if down is None or down["epoch"] is not None or down.get("of") == epoch:
        return memory
    if not missed.given_back(record, here):
        return memory
    told = {"plan": plan.name, "epoch": epoch}
    noted = yield from attempt(context, "note_claim", told, 1)
    # What could not be noted is noted with the next beat, and waited for from then on.
    known = {} if noted["status"] == "refused" else {"of": epoch}
    until = missed.doubted_until(plan, context.current_utc_datetime)
    return {**memory, "stoodDown": {**down, **known, "until": until}}
