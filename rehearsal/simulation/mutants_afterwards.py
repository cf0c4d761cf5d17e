"""Mutants of what comes afterwards: late requests, second fences, and what a run leaves open."""

from datetime import datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow, caretaker, chores, heartbeat, stages
from rehearsal.simulation.patches import Patch
from shared import resumption, stale
from shared.plan import Plan


def drop_the_guard() -> list[Patch]:
    def anything(record: dict, task: dict, now: datetime) -> str:
        return ""

    return [(stale, "contradiction", anything)]


def never_fence_again() -> list[Patch]:
    def forgotten(rows: list[dict]) -> dict:
        return {}

    return [(stages, "unfenced", forgotten)]


def never_look_after_what_was_left() -> list[Patch]:
    return without_chores("serve")


def never_look_whether_it_stands_still() -> list[Patch]:
    return without_chores("stop-here", "stop-there")


def without_chores(*names: str) -> list[Patch]:
    begin = chores.begin

    def fewer(plan: Plan, record: dict, here: str, clock: datetime, now: datetime) -> dict:
        begun = begin(plan, record, here, clock, now)
        return {name: chore for name, chore in begun.items() if name not in names}

    return [(caretaker, "begin", fewer)]


LATE_SECONDS = 90


def step_back_late() -> list[Patch]:
    """The heartbeat stops nothing until its region has been told so for a while."""
    return hold_back_the_heartbeat()


def step_back_and_look_late() -> list[Patch]:
    """And no caretaker makes up for it."""
    return hold_back_the_heartbeat() + without_chores("stop-here", "stop-there")


def hold_back_the_heartbeat() -> list[Patch]:
    stand_down = heartbeat.stand_down

    def late(
        context: DurableOrchestrationContext,
        plan: Plan,
        here: str,
        memory: dict,
        epoch: int | None,
        because: str,
    ) -> Flow:
        now = context.current_utc_datetime
        first = memory.get("first") or {}
        if first.get("epoch", "") != epoch:
            return {**memory, "first": {"epoch": epoch, "at": now.isoformat()}}
        if now < datetime.fromisoformat(first["at"]) + timedelta(seconds=LATE_SECONDS):
            return memory
        return (yield from stand_down(context, plan, here, memory, epoch, because))

    return [(heartbeat, "stand_down", late)]


def look_late() -> list[Patch]:
    """No caretaker looks for what lands late before its time is nearly over."""
    later: Patch = (chores, "FIRST_LOOK", timedelta(seconds=LATE_SECONDS + 30))
    return [later, *without_chores("stop-there")]


def never_take_up() -> list[Patch]:
    def nothing(record: dict, now: datetime) -> None:
        return None

    return [(resumption, "abandoned", nothing)]


AFTERWARDS = (
    drop_the_guard,
    never_fence_again,
    never_look_after_what_was_left,
    never_look_whether_it_stands_still,
    step_back_late,
    step_back_and_look_late,
    look_late,
    never_take_up,
)
