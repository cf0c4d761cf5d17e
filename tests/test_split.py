"""A drill tells what a split schedule saved, and notices a half that ran in both places."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal import drill_split
from rehearsal.drill import Drill
from rehearsal.drill_split import longest, ticks
from rehearsal.estate_seed import workflow_id
from rehearsal.runtimes import IdleWorkflows
from rehearsal.workflows_flow import Run
from rehearsal.world import Resource
from tests.test_never import HOME, MOVES, STANDBY, START, STILL, drill, told

__all__ = ["drill"]  # The fixture of a drill on a stage that was never opened.
ZERO = datetime.fromtimestamp(START.timestamp() // 20 * 20, UTC)


class History(IdleWorkflows):
    """A runtime that has run what it was told, and runs nothing."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict]] = {}

    def runs(self, workflow: Resource) -> list[dict]:
        return self.rows.get(workflow.id.lower(), [])


def ran(drill: Drill, half: str, location: str, *seconds: float) -> None:
    """Runs of a half in the run history of a location, so many seconds after ZERO."""
    world = drill.stage.world
    known = world.workflows if isinstance(world.workflows, History) else History()
    world.workflows = known
    place = workflow_id(drill.stage.estate, location, half).lower()
    for second in seconds:
        at = ZERO + timedelta(seconds=second)
        run = Run(f"r{second}", "every_other_time", f"{half}:{at}", "t", at, at)
        known.rows.setdefault(place, []).insert(0, run.shown())


def take_turns(drill: Drill) -> None:
    """Home's half runs until the outage at 45 s and, in the standby, from 105 s on."""
    ran(drill, "rates-sync-we", HOME, 0, 20, 40)
    ran(drill, "rates-sync-ne", STANDBY, 10, 30, 50, 70, 90, 110, 130)
    ran(drill, "rates-sync-we", STANDBY, 120)
    after = (ZERO - START).total_seconds()
    drill.stage.losses += [{"location": HOME, "scopes": ["data"], "lost": True, "at": stamp(45)}]
    told(drill, after + 105, STANDBY, "enable", "rates-sync-we")


def stamp(second: float) -> str:
    return (ZERO + timedelta(seconds=second)).isoformat()


def test_a_half_that_ran_in_both_locations_is_noticed(drill: Drill):
    ran(drill, "rates-sync-we", HOME, 0)
    ran(drill, "rates-sync-we", STANDBY, 0)
    drill_split.judge(drill, STILL)
    assert not drill.checks["noHalfTwice"][0]


def test_a_job_of_which_no_half_went_on_is_noticed(drill: Drill):
    ran(drill, "rates-sync-ne", STANDBY, 10, 30, 90)
    drill_split.judge(drill, MOVES)
    assert not drill.checks["otherHalfWentOn"][0]


def test_halves_that_take_turns_hold(drill: Drill):
    take_turns(drill)
    drill_split.judge(drill, MOVES)
    assert all(held for held, _ in drill.checks.values())


def test_the_gap_is_told_beside_that_of_one_whole_schedule(drill: Drill):
    take_turns(drill)
    row = drill_split.judge(drill, MOVES)[0]
    assert (row["gapSeconds"], row["wholeGapSeconds"]) == (20.0, 70.0)


def test_a_half_that_saved_nothing_while_the_plan_moved_is_noticed(drill: Drill):
    """The other half missed a tick, within what may come late: one whole schedule did as well."""
    ran(drill, "rates-sync-we", HOME, 0, 20, 40)
    ran(drill, "rates-sync-ne", STANDBY, 10, 30, 70, 90)
    ran(drill, "rates-sync-we", STANDBY, 80)
    drill.stage.losses += [{"location": HOME, "scopes": ["data"], "lost": True, "at": stamp(45)}]
    told(drill, (ZERO - START).total_seconds() + 65, STANDBY, "enable", "rates-sync-we")
    row = drill_split.judge(drill, MOVES)[0]
    assert (row["gapSeconds"], row["wholeGapSeconds"]) == (30.0, 30.0)
    assert not drill.checks["otherHalfWentOn"][0]


def test_a_job_that_has_not_run_has_no_gap(drill: Drill):
    row = drill_split.judge(drill, STILL)[0]
    assert row["runs"] == 0 and row["gapSeconds"] is None and row["wholeGapSeconds"] is None


def test_the_job_runs_twice_as_often_as_its_halves(drill: Drill):
    assert drill_split.judge(drill, STILL)[0]["periodSeconds"] == 10


@pytest.mark.parametrize(("times", "gap"), [([], None), ([5.0], None), ([5.0, 6.0, 16.0], 10.0)])
def test_the_longest_gap_is_between_neighbours(times: list[float], gap: float | None):
    assert longest(times) == gap


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 100)), max_size=5),
    st.integers(1, 30),
    st.integers(0, 600),
)
def test_an_imagined_run_falls_on_a_tick_at_work(rows: list, period: int, last: int):
    at_work = [(float(start), float(start + long)) for start, long in rows]
    found = ticks(at_work, 0.0, float(last), float(period))
    assert all(at % period == 0 and at <= last for at in found)
    assert all(any(start <= at < to for start, to in at_work) for at in found)
