"""Mutants of what comes afterwards: late requests, second fences, and what a run leaves open."""

from datetime import datetime

from orchestrations import caretaker, chores, stages
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


def never_take_up() -> list[Patch]:
    def nothing(record: dict, now: datetime) -> None:
        return None

    return [(resumption, "abandoned", nothing)]


AFTERWARDS = (
    drop_the_guard,
    never_fence_again,
    never_look_after_what_was_left,
    never_look_whether_it_stands_still,
    never_take_up,
)
