"""Waves: many components at once, in the order that is safe and at the pace that ARM allows."""

from datetime import timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.steps import ATTEMPTS_MAX
from shared import pace
from shared.kinds import KINDS
from shared.plan import Plan

CHUNK = 25  # Side by side: enough to use ARM's rate, few enough for one host's threads.


def promote_wave_by_wave(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Promote every component whose kind is promoted in this stage; give the rows.

    What waits for a component that was refused is not tried: its row says for whom it waited.
    """
    rows: list[dict] = []
    broken: list[str] = []
    for wave in plan.waves(paper["stage"], paper["to"]):
        ready = [name for name in wave if not blockers(plan, name, broken)]
        held = [name for name in wave if blockers(plan, name, broken)]
        rows += yield from act(context, plan, paper, "promote", paper["to"], ready, spent=len(rows))
        rows += [untried(context, plan, paper, name, blockers(plan, name, broken)) for name in held]
        broken = [row["component"] for row in rows if row["outcome"] == "refused"]
    return rows


def act(
    context: DurableOrchestrationContext,
    plan: Plan,
    paper: dict,
    verb: str,
    location: str,
    names: list[str],
    attempts: int = ATTEMPTS_MAX,
    spent: int = 0,
    turn: int = 0,
) -> Flow:
    """Do `verb` on `names` in `location`, in chunks held back to ARM's token bucket.

    `spent`: requests of this stage that the bucket has already paid for. `turn` keeps the ids of
    a second try apart from the first.
    """
    started = context.current_utc_datetime
    rows: list[dict] = []
    for first in range(0, len(names), CHUNK):
        chunk = names[first : first + CHUNK]
        due = started + timedelta(seconds=pace.delay_seconds(spent + first + len(chunk)))
        if due > context.current_utc_datetime:
            yield context.create_timer(due)
        orders = [order(plan, paper, verb, location, name, attempts) for name in chunk]
        steps = [
            context.call_sub_orchestrator("component", o, instance_of(paper, o["task"], turn))
            for o in orders
        ]
        rows += yield context.task_all(steps)
        context.set_custom_status({"stage": paper["stage"], "done": len(rows), "of": len(names)})
    return rows


def order(plan: Plan, paper: dict, verb: str, location: str, name: str, attempts: int) -> dict:
    """What the sub-orchestration `component` is told: a Task, and who does and who proves it."""
    part = plan.component(name, location)
    kind = KINDS[part["kind"]]
    task = {
        "plan": paper["plan"],
        "run": paper["run"],
        "stage": paper["stage"],
        "epoch": paper["epoch"],
        "verb": verb,
        "location": location,
        "component": part,
    }
    observe = kind["observe"].activity if verb == "promote" and "observe" in kind else None
    return {"task": task, "activity": kind[verb].activity, "observe": observe, "attempts": attempts}


def instance_of(paper: dict, task: dict, turn: int) -> str:
    return f"{paper['run']}.{paper['stage']}.{task['component']['name']}.{turn}"


def blockers(plan: Plan, name: str, broken: list[str]) -> list[str]:
    """Which of the refused components `name` waits for."""
    return [other for other in plan.part(name).waits_for if other in broken]


def untried(
    context: DurableOrchestrationContext, plan: Plan, paper: dict, name: str, waited: list[str]
) -> dict:
    now = context.current_utc_datetime.isoformat()
    return {
        "run": paper["run"],
        "stage": paper["stage"],
        "component": name,
        "verb": "promote",
        "location": paper["to"],
        "epoch": paper["epoch"],
        "startedAt": now,
        "endedAt": now,
        "attempts": 0,
        "outcome": "refused",
        "because": f"not tried: it waits for {', '.join(waited)}, which was refused",
    }
