"""The judge of drills sees two at work, and nobody, of every kind that may not run twice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from rehearsal import drill_never, estate_seed
from rehearsal.drill import Drill
from rehearsal.drill_never import BESIDE_SECONDS_MAX
from rehearsal.drill_story import Scenario
from rehearsal.drill_switches import Switches
from rehearsal.drill_watch import Watcher
from rehearsal.estate import DEFAULT, Scene, load
from rehearsal.providers.batch import SCHEDULES
from rehearsal.stage import Stage
from rehearsal.timeline import Timeline
from rehearsal.workflows_flow import Run
from shared.kinds import KINDS as TABLE
from shared.plan import Plan
from tests.doors import HERE, THERE, Doors, made_doors
from tests.patience import asked_until

START = datetime.now(UTC) - timedelta(minutes=10)
HOME, STANDBY = "westeurope", "northeurope"
EVERYTHING = DEFAULT.parent / "everything.yaml"
# One component of each kind, the resource below it that is switched, and how: as a provider does.
Switch = Callable[[dict, bool], None]


def flow(body: dict, on: bool) -> None:
    body["properties"]["state"] = "Enabled" if on else "Disabled"


def site(body: dict, on: bool) -> None:
    body["properties"]["state"] = "Running" if on else "Stopped"


def schedule(body: dict, on: bool) -> None:
    body[SCHEDULES]["nightly-settlement"]["state"] = "active" if on else "disabled"


def trigger(body: dict, on: bool) -> None:
    body["properties"]["runtimeState"] = "Started" if on else "Stopped"


def capacity(body: dict, on: bool) -> None:
    body["sku"]["capacity"] = 3 if on else 1


KINDS: dict[str, tuple[str, tuple[str, ...], Switch]] = {
    "logicAppWorkflow": ("settlement-flow", ("/workflows/nightly-settlement",), flow),
    "functionApp": ("pricing-functions", ("",), site),
    "batch": ("clearing", ("",), schedule),
    "dataFactory": ("warehouse-load", ("/triggers/nightly-load", "/triggers/new-files"), trigger),
    "scaleSet": ("pricing-machines", ("",), capacity),
}


async def nothing(drill: Drill) -> None:
    """A story in which nothing happens."""


DONE = ("succeeded", "skipped")
STILL = Scenario("still", "Nothing happens.", nothing, 2, False)
MOVES = Scenario("moves", "It moves.", nothing, 2, True)


@cache
def scene() -> Scene:
    """The estate with every kind; its machines run in one location at a time."""
    found, line = load(EVERYTHING), "    capacity: {westeurope: 3"
    assert line in found.plan_text
    return replace(
        found, plan_text=found.plan_text.replace(line, f"    role: activePassive\n{line}")
    )


class Told:
    """A drill of that estate as it opens, and a clock that a test moves."""

    def __init__(self, folder: Path) -> None:
        self.seconds = 0.0
        stage = Stage(scene(), folder)
        stage.world.clock = lambda: START + timedelta(seconds=self.seconds)
        estate_seed.seed(stage.world, stage.estate)
        self.drill = Drill(stage, Timeline("test", 2), Watcher(stage, lambda lane, what: None))

    def switch(self, seconds: float, kind: str, location: str, on: bool) -> None:
        """The world changes something of this kind."""
        self.seconds = seconds
        name, children, do = KINDS[kind]
        resource = self.drill.switches.parts[name, location]["resource"]
        for child in children:
            found = self.drill.stage.world.resources.get(f"{resource}{child}")
            assert found is not None
            do(found.body, on)
            self.drill.stage.world.resources.touch(found)

    def lost(self, seconds: float, lost: bool) -> None:
        """Home's data plane goes, or comes back."""
        at = (START + timedelta(seconds=seconds)).isoformat()
        row = {"at": at, "location": HOME, "lost": lost, "scopes": ["data"]}
        self.drill.stage.losses.append(row)

    def judge(self, scenario: Scenario = MOVES, seconds: float = 100.0) -> dict:
        self.seconds = seconds
        return drill_never.judge(self.drill, scenario)

    def held(self, name: str) -> bool:
        return self.drill.checks[name][0]

    def row(self, found: dict, kind: str) -> dict:
        return next(r for r in found["components"] if r["component"] == KINDS[kind][0])


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def test_every_kind_that_may_not_run_twice_is_judged(told: Told):
    judged = {row["kind"] for row in told.judge()["components"]}
    assert judged == {*KINDS, "logicWorkflow"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_works_in_both_locations_breaks_never_two(told: Told, kind: str):
    """Stopped in time for the end: where each stands then shows nothing of it."""
    told.switch(11, kind, STANDBY, on=True)
    told.switch(14, kind, HOME, on=False)
    found = told.judge()
    assert not told.held("neverTwo")
    words = f"{KINDS[kind][0]} was at work in both for 3.0 s"
    assert told.drill.checks["neverTwo"][1] == words
    assert (told.row(found, kind)["bothSeconds"], found["bothSeconds"]) == (3.0, 3.0)


@pytest.mark.parametrize("kind", KINDS)
def test_what_works_nowhere_for_longer_than_the_objective_breaks_never_none(told: Told, kind: str):
    """At work at the end, so where it stands shows nothing of it."""
    told.switch(10, kind, HOME, on=False)
    told.switch(131, kind, STANDBY, on=True)
    found = told.judge(seconds=200.0)
    assert not told.held("neverNone") and told.held("neverTwo")
    assert told.drill.checks["neverNone"][1].endswith(f": {KINDS[kind][0]}")
    assert told.row(found, kind)["nobodySeconds"] == 121.0


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_lost_region_keeps_switched_on_is_not_at_work_in_it(told: Told, kind: str):
    told.lost(10, lost=True)
    told.switch(15, kind, STANDBY, on=True)
    found = told.row(told.judge(), kind)
    assert (found["bothSeconds"], found["nobodySeconds"]) == (0.0, 5.0)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"batch"}))
def test_what_comes_back_switched_on_breaks_never_two(told: Told, kind: str):
    told.lost(10, lost=True)
    told.switch(15, kind, STANDBY, on=True)
    told.lost(60, lost=False)
    told.switch(61, kind, HOME, on=False)
    told.judge()
    assert not told.held("neverTwo")


def returned(told: Told, stopped: float) -> dict:
    """Home comes back at 60 s with its job schedules, which are stopped then."""
    told.lost(10, lost=True)
    told.switch(15, "batch", STANDBY, on=True)
    told.lost(60, lost=False)
    told.switch(stopped, "batch", HOME, on=False)
    return told.row(told.judge(seconds=stopped + 100), "batch")


def test_job_schedules_that_nobody_could_stop_before_are_shown_by_themselves(told: Told):
    """Batch is told over the data plane that comes back with them."""
    found = returned(told, stopped=63)
    assert (found["bothSeconds"], found["besideSeconds"]) == (0.0, 3.0)
    assert told.held("neverTwo")
    assert told.drill.checks["neverTwo"][1].endswith("clearing for 3.0 s until it could be told")


def test_job_schedules_that_nobody_stops_then_break_never_two(told: Told):
    assert returned(told, stopped=61 + BESIDE_SECONDS_MAX)["bothSeconds"] > BESIDE_SECONDS_MAX
    assert not told.held("neverTwo")


def test_job_schedules_started_beside_the_other_side_break_never_two(told: Told):
    """No return began it."""
    told.lost(10, lost=True)
    told.lost(12, lost=False)
    told.switch(15, "batch", STANDBY, on=True)
    told.switch(16, "batch", HOME, on=False)
    told.judge()
    assert not told.held("neverTwo")


def effect(told: Told, location: str, period: str) -> None:
    row = {"at": START.isoformat(), "location": location, "workflow": "nightly-settlement"}
    row |= {"run": "r", "key": f"nightly-settlement:{period}", "kind": "recurrence"}
    told.drill.stage.world.effects.append(row)


def test_a_period_of_a_standard_workflow_that_both_worked_on_breaks_never_two(told: Told):
    effect(told, HOME, "2026-11-21T10:00:00+00:00")
    effect(told, STANDBY, "2026-11-21T10:00:00+00:00")
    assert told.judge(STILL)["periods"] == 1
    words = "settlement-flow worked on 2026-11-21T10:00:00+00:00 in both"
    assert told.drill.checks["neverTwo"] == (False, words)


def test_periods_one_after_the_other_hold(told: Told):
    effect(told, HOME, "2026-11-21T10:00:00+00:00")
    effect(told, STANDBY, "2026-11-21T10:00:05+00:00")
    assert told.judge(STILL)["periods"] == 2
    assert told.held("neverTwo")


class History:
    """A site's run history: a run of one period in each location."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def runs(self, workflow: object) -> list[dict]:
        return [Run("r", "every", "k", "t", self.at, self.at).shown()]


def test_a_period_that_both_histories_have_breaks_never_two(told: Told):
    """What a run did may be unknown: that it ran is enough."""
    told.drill.stage.world.workflows = History(START)  # type: ignore[assignment]
    assert told.drill.switches.flow("settlement-flow", HOME)
    found, _ = drill_never.doubles(told.drill, ["settlement-flow"])
    assert [name for name, _ in found] == ["settlement-flow"]


def test_a_move_one_after_the_other_holds(told: Told):
    for kind in KINDS:
        told.switch(10, kind, HOME, on=False)
    for kind in KINDS:
        told.switch(12, kind, STANDBY, on=True)
    found = told.judge()
    assert told.held("neverTwo") and told.held("neverNone")
    rows = [told.row(found, kind) for kind in KINDS]
    assert {row["nobodySeconds"] for row in rows} == {2.0}
    assert {tuple(row["seconds"].values()) for row in rows} == {(10.0, 88.0)}


def test_an_estate_at_rest_holds(told: Told):
    found = told.judge(STILL)
    assert told.held("neverTwo") and told.held("neverNone")
    assert (found["bothSeconds"], found["nobodySeconds"]) == (0.0, 0.0)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with made_doors(tmp_path_factory.mktemp("never"), EVERYTHING) as doors, doors.led():
        yield doors


def document(doors: Doors) -> dict:
    """The plan of that estate, whose machines run in one location at a time."""
    machines = next(p for p in doors.plan.document["components"] if p["kind"] == "scaleSet")
    alone = {**machines, "role": "activePassive"}
    parts = [alone if part is machines else part for part in doors.plan.document["components"]]
    return {**doors.plan.document, "components": parts}


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_app_stops_and_starts_is_noted(doors: Doors, kind: str):
    """At the wire: every provider tells of what it changed, when that is so."""
    name, plan = KINDS[kind][0], Plan.model_validate(document(doors))
    switches = Switches(doors.world, plan)
    for verb, location in (("demote", THERE), ("promote", HERE)):
        own = {**doors.task(name, verb, location), "component": plan.component(name, location)}
        activity = TABLE[kind][verb].activity
        told = asked_until(lambda call=(activity, own): doors.call(*call), *DONE)
        assert told["status"] in DONE, told
    assert [on for _, on in switches.told[name][THERE]] == [True, False]
    assert [on for _, on in switches.told[name][HERE]] == [False, True]
    assert switches.told[name][THERE][1][0] <= switches.told[name][HERE][1][0]
