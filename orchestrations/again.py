"""Again: what the fence missed is fenced once more right before its copy wakes, and what would not
start is tried once more at the end of its stage.

Once and within seconds: every second of a run is outage. What is left then is the caretaker's.
"""

from datetime import datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.waves import CHUNK, act, order, promote_wave_by_wave, refusals
from shared import pace, slip
from shared.plan import Plan

ONE_TRY = 1
SECOND_TURN, FENCE_TURN = 1, 2  # They keep the ids apart from those of the stage's own story.
UNFENCED_MAX = 100  # Names in a slip, whose message is bounded; more are told as slip.ALL.
CHEAP = timedelta(seconds=10)  # What took longer is out of reach, and would take as long again.


def unfenced(rows: list[dict]) -> dict:
    """The fact of the slip that names what the fence could not stop."""
    missed = [row["component"] for row in rows if row["outcome"] == "refused"]
    if not missed:
        return {}
    return {"unfenced": missed if len(missed) <= UNFENCED_MAX else [slip.ALL]}


def wake(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Promote wave by wave; beside the first that may overlap, fence again what was missed.

    A region that came back since would else work beside the new side until its own app is up. The
    exclusive ones wait for the answer: as long as one try at a dead region takes.
    """
    missed, buckets = paper["facts"].get("unfenced", []), pace.Buckets()
    away = paper["from"]
    names = plan.exclusive(away) if missed == [slip.ALL] else missed
    waves = plan.waves(paper["stage"], paper["to"])
    safe = overlapping(plan, waves) if names else 0
    first = [order(plan, paper, "demote", away, name, ONE_TRY) for name in names[:CHUNK]]
    beside = [{**one, "turn": FENCE_TURN} for one in first]
    rows = yield from promote_wave_by_wave(
        context, plan, paper, waves[:safe] or [[]], buckets=buckets, beside=beside
    )
    if answered(rows):
        rows += yield from act(
            context,
            plan,
            paper,
            "demote",
            away,
            names[CHUNK:],
            ONE_TRY,
            turn=FENCE_TURN,
            futile=True,
        )
    rows = yield from promote_wave_by_wave(
        context, plan, paper, waves[safe:], before=rows, buckets=buckets
    )
    return (yield from once_more(context, plan, paper, rows))


def answered(rows: list[dict]) -> bool:
    """Is the region back, as one of its workflows says that was told to stop?"""
    return any(row.get("verb") == "demote" and row["outcome"] != "refused" for row in rows)


def overlapping(plan: Plan, waves: list[list[str]]) -> int:
    """How many of the first waves hold nothing that must run in one place only."""
    alone = set(plan.exclusive())
    return next((n for n, wave in enumerate(waves) if alone & set(wave)), len(waves))


def promote_twice(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Promote what this stage promotes, and once more what would not at first."""
    rows = yield from promote_wave_by_wave(context, plan, paper)
    return (yield from once_more(context, plan, paper, rows))


def once_more(
    context: DurableOrchestrationContext, plan: Plan, paper: dict, rows: list[dict]
) -> Flow:
    """The rows, with those of a second try in the place of what was refused quickly."""
    left = set(refusals(rows))
    slow = [row for row in rows if row["component"] in left and took(row) > CHEAP]
    if not left or slow or len(left) > CHUNK:
        return rows
    waves = plan.waves(paper["stage"], paper["to"])
    again = yield from promote_wave_by_wave(
        context,
        plan,
        paper,
        [[name for name in wave if name in left] for wave in waves],
        turn=SECOND_TURN,
    )
    tried = {row["component"]: row for row in again}
    return [
        row if row.get("verb") == "demote" else tried.get(row["component"], row) for row in rows
    ]


def took(row: dict) -> timedelta:
    return datetime.fromisoformat(row["endedAt"]) - datetime.fromisoformat(row["startedAt"])
