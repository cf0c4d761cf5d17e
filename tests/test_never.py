"""The judge of drills sees two at work, and nobody at work, from the journal and the effects."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rehearsal import drill_never, drill_parts, estate_seed
from rehearsal.drill import Drill
from rehearsal.drill_never import common, gap, lasted
from rehearsal.drill_story import Scenario, laid_over
from rehearsal.drill_watch import Watcher
from rehearsal.estate import load
from rehearsal.estate_seed import workflow_id
from rehearsal.stage import Stage
from rehearsal.timeline import Timeline
from shared.plan import BadPlan

START = datetime.now(UTC) - timedelta(minutes=10)
HOME, STANDBY = "westeurope", "northeurope"


async def nothing(drill: Drill) -> None:
    """A story in which nothing happens."""


STILL = Scenario("still", "Nothing happens.", nothing, 2, False)
MOVES = Scenario("moves", "It moves.", nothing, 2, True)


@pytest.fixture
def drill(tmp_path: Path) -> Drill:
    """A drill on a stage that was furnished and never opened."""
    stage = Stage(load(), tmp_path)
    estate_seed.seed(stage.world, stage.estate)
    return Drill(stage, Timeline("test", 2), Watcher(stage, lambda lane, what: None))


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def told(drill: Drill, seconds: float, location: str, verb: str, name: str, status: int = 200):
    """ARM was told to enable or disable a workflow."""
    url = f"https://arm{workflow_id(drill.stage.estate, location, name)}/{verb}?api-version=1"
    row = {"at": at(seconds), "method": "POST", "url": url, "status": status, "principal": "x"}
    drill.stage.world.journal.append(row)


def move(drill: Drill, off: float, on: float) -> None:
    """Every exclusive workflow is stopped at home and started in the standby."""
    for name in drill_never.exclusive(drill):
        told(drill, off, HOME, "disable", name)
        told(drill, on, STANDBY, "enable", name)


def worked(drill: Drill, location: str, period: str) -> None:
    """A run of stock-sync had its effect."""
    row = {"at": at(1), "location": location, "workflow": "stock-sync", "run": "r", "key": period}
    drill.stage.world.effects.append({**row, "kind": "recurrence"})


def held(drill: Drill, scenario: Scenario, name: str) -> bool:
    drill_never.judge(drill, scenario)
    return drill.checks[name][0]


def test_a_workflow_enabled_in_both_locations_breaks_never_two(drill: Drill):
    move(drill, off=12, on=11)
    assert not held(drill, MOVES, "neverTwo")


def test_a_period_worked_on_in_both_locations_breaks_never_two(drill: Drill):
    worked(drill, HOME, "stock-sync:2026-11-21T10:00:00+00:00")
    worked(drill, STANDBY, "stock-sync:2026-11-21T10:00:00+00:00")
    assert not held(drill, STILL, "neverTwo")


def test_a_lost_region_that_returns_enabled_breaks_never_two(drill: Drill):
    loss = {"location": HOME, "scopes": ["data"]}
    drill.stage.losses += [{"at": at(5), "lost": True, **loss}]
    for name in drill_never.exclusive(drill):
        told(drill, 40, STANDBY, "enable", name)
    drill.stage.losses += [{"at": at(60), "lost": False, **loss}]
    assert not held(drill, MOVES, "neverTwo")


def test_a_refused_stop_is_no_stop(drill: Drill):
    told(drill, 10, HOME, "disable", "stock-sync", status=504)
    told(drill, 11, STANDBY, "enable", "stock-sync")
    assert not held(drill, MOVES, "neverTwo")


def test_a_pause_longer_than_the_objective_breaks_never_none(drill: Drill):
    move(drill, off=10, on=131)
    assert not held(drill, MOVES, "neverNone")


def test_a_stop_without_a_reason_breaks_never_none(drill: Drill):
    told(drill, 10, HOME, "disable", "stock-sync")
    assert not held(drill, STILL, "neverNone")


def test_a_move_one_after_the_other_holds(drill: Drill):
    move(drill, off=10, on=11)
    worked(drill, HOME, "stock-sync:2026-11-21T10:00:00+00:00")
    worked(drill, STANDBY, "stock-sync:2026-11-21T10:00:05+00:00")
    drill_never.judge(drill, MOVES)
    assert all(held for held, _ in drill.checks.values())


def test_an_estate_at_rest_holds(drill: Drill):
    assert drill_never.judge(drill, STILL)["nobodySeconds"] == 0


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 50)), max_size=4), st.data())
def test_no_overlap_is_longer_than_either_side(
    rows: list[tuple[float, float]], data: st.DataObject
):
    ones = [(start, start + length) for start, length in rows]
    other = data.draw(st.floats(0, 100))
    assert lasted(common(ones[:1], [(other, other + 10)])) <= 10 + 1e-9


@given(st.floats(0, 50), st.floats(0, 50))
def test_a_gap_is_what_lies_between_two_sides(stop: float, start: float):
    longest = gap([[(0.0, stop + 1)], [(start + 1, 60.0)]], 60.0)
    assert longest == pytest.approx(max(0.0, start - stop))


def seen(drill: Drill, seconds: float, lease: bool) -> None:
    """One round of the standby's watchdog, in which home does not answer."""
    kinds = {"health": False, "gateway": False, "lease": lease}
    rows = [{"kind": kind, "ok": ok, "because": ""} for kind, ok in kinds.items()]
    row = {"at": at(seconds), "judgedAt": START + timedelta(seconds=seconds)}
    ends = [{"name": "arm", "ok": True, "because": ""}]
    row |= {"location": STANDBY, "observations": rows, "controls": ends}
    drill.watcher.rounds.append(row)


def moments() -> dict:
    """A run that was reserved at 42 s."""
    times = {"detectedAt": 42, "claimedAt": 43, "redirectedAt": 48, "servedAt": 57}
    return {name: at(seconds) for name, seconds in times.items()}


def test_the_lease_has_its_own_part_of_the_rto(drill: Drill):
    drill.facts["outageAt"] = at(0)
    drill.watcher.records.append({"at": at(0), "record": {"leaseUntil": at(37)}})
    for seconds in (10, 20, 30, 40):
        seen(drill, seconds, lease=seconds < 40)
    made = {part["name"]: part["seconds"] for part in drill_parts.parts(drill, MOVES, moments())}
    assert (made["detection"], made["lease"], made["next round"]) == (30, 7, 5)


def test_the_parts_make_up_the_rto(drill: Drill):
    drill.facts["outageAt"] = at(0)
    made = drill_parts.parts(drill, MOVES, moments())
    assert sum(part["seconds"] for part in made) == 57


def test_callers_that_turned_before_the_redirect_shorten_its_part(drill: Drill):
    drill.facts["outageAt"] = at(0)
    made = drill_parts.parts(drill, MOVES, {**moments(), "servedAt": at(46)})
    assert [part["seconds"] for part in made[-2:]] == [3, 0]


def test_a_lease_that_adds_more_than_itself_is_broken(drill: Drill):
    length = drill.plan["witness"]["leaseSeconds"]
    late = [{"name": "lease", "seconds": length + 0.1}, {"name": "next round", "seconds": 0}]
    drill_parts.judge(drill, late)
    assert not drill.checks["leaseAddsAtMostItself"][0]


def test_a_change_that_breaks_the_plan_is_refused():
    with pytest.raises(BadPlan):
        laid_over(load(), {"watch": {"rounds": 0}})


def test_a_change_leaves_the_rest_of_the_plan():
    scene = load()
    plan, was = yaml.safe_load(laid_over(scene, {"watch": {"rounds": 2}}).plan_text), scene
    expected = yaml.safe_load(was.plan_text)
    expected["watch"]["rounds"] = 2
    assert plan == expected
