"""How a drill sees that what may not run twice stands still, of every kind: by planted faults."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from rehearsal import estate as estates
from rehearsal.drill import Drill
from rehearsal.drill_still import LOOKS, at_work, unlike
from rehearsal.estate_seed import seed
from rehearsal.scenarios_everything import judge_code, judge_served, judge_still
from rehearsal.world import Resource, World
from shared.kinds import KINDS
from shared.plan import Plan, load

SCENE = estates.load(estates.DEFAULT.parent / "everything.yaml")
HOME, STANDBY = SCENE.estate.home, SCENE.estate.standby


def planned(role: str = "") -> Plan:
    """The plan; with a role its machines run in one location at a time."""
    document = load(SCENE.plan_text).document
    machines = next(part for part in document["components"] if part["kind"] == "scaleSet")
    machines |= {"role": role} if role else {}
    return Plan.model_validate(document)


class Watched:
    """A drill of that estate as it opens: home at work, the standby still."""

    def __init__(self, plan: Plan) -> None:
        self.world = World(latency_seconds=0)
        seed(self.world, SCENE.estate)
        self.stage = SimpleNamespace(world=self.world)
        self.home, self.standby = HOME, STANDBY
        self.plan, self.checks = plan.document, dict[str, tuple[bool, str]]()

    def check(self, name: str, held: bool, because: str) -> None:
        self.checks[name] = held, because


@pytest.fixture
def plan() -> Plan:
    return planned("activePassive")


@pytest.fixture
def drill(plan: Plan) -> Watched:
    return Watched(plan)


def rows(plan: Plan, verb: str = "demote", **would: str) -> list[dict]:
    """What a dry run says of the exclusive components of the standby; all stay as they are."""
    return [
        {
            "verb": verb,
            "component": name,
            "kind": plan.part(name).kind,
            "seen": "is so",
            "would": would.get(name.replace("-", "_"), "stay as it is"),
        }
        for name in plan.exclusive(STANDBY)
    ]


def still(drill: Watched, found: list[dict]) -> tuple[bool, str]:
    judge_still(cast(Drill, drill), found, STANDBY, "stands")
    return drill.checks["stands"]


def enable(found: Resource) -> None:
    found.properties["state"] = "Enabled"


def run(found: Resource) -> None:
    found.properties["state"] = "Running"


def fire(found: Resource) -> None:
    found.properties["runtimeState"] = "Started"


def schedule(found: Resource) -> None:
    found.body["jobSchedules"]["nightly-settlement"]["state"] = "active"


def grow(found: Resource) -> None:
    found.body["sku"]["capacity"] += 1


PLANTED: dict[str, tuple[str, str, Callable[[Resource], None]]] = {
    "logicWorkflow": ("stock-sync", "", enable),
    "logicAppWorkflow": ("settlement-flow", "/workflows/nightly-settlement", enable),
    "functionApp": ("pricing-functions", "", run),
    "dataFactory": ("warehouse-load", "/triggers/new-files", fire),
    "batch": ("clearing", "", schedule),
    "scaleSet": ("pricing-machines", "", grow),
}


def test_every_kind_that_can_be_stopped_is_looked_at() -> None:
    stopped = {kind for kind, verbs in KINDS.items() if "demote" in verbs}
    assert stopped == set(LOOKS) == set(PLANTED)


@pytest.mark.parametrize("kind", PLANTED)
def test_one_component_at_work_in_the_standby_is_found_by_name(
    drill: Watched, plan: Plan, kind: str
) -> None:
    """The dry run calls it still: the world knows better."""
    name, child, plant = PLANTED[kind]
    found = drill.world.resources.get(f"{plan.component(name, STANDBY)['resource']}{child}")
    assert found is not None and at_work(drill.world, plan, STANDBY) == []
    plant(found)
    held, because = still(drill, rows(plan))
    assert not held and because.endswith(f": {name} (by the world)")


@pytest.mark.parametrize("kind", PLANTED)
def test_one_component_that_a_dry_run_would_stop_is_found_by_name(
    drill: Watched, plan: Plan, kind: str
) -> None:
    name = PLANTED[kind][0]
    held, because = still(drill, rows(plan, **{name.replace("-", "_"): "be stopped"}))
    assert not held and because.endswith(f": {name} (is so)")


def test_a_component_that_a_dry_run_leaves_out_does_not_count_as_still(
    drill: Watched, plan: Plan
) -> None:
    held, because = still(drill, rows(plan)[1:])
    assert not held and "(not looked at)" in because


def test_a_dry_run_of_what_would_start_says_nothing_of_what_would_stop(
    drill: Watched, plan: Plan
) -> None:
    assert not still(drill, rows(plan, "promote"))[0]


def test_a_standby_that_stands_still_in_every_kind_passes(drill: Watched, plan: Plan) -> None:
    assert still(drill, rows(plan)) == (True, drill.checks["stands"][1])
    assert drill.checks["stands"][1].endswith("still: none")


def test_what_moves_is_at_work_at_home_when_the_estate_opens(drill: Watched, plan: Plan) -> None:
    """But for the half that stands in the standby: at home it stands still."""
    assert sorted(at_work(drill.world, plan, HOME)) == sorted(plan.movers())


def test_machines_that_serve_in_both_locations_may_run_in_both() -> None:
    drill, plan = Watched(planned()), planned()
    found = drill.world.resources.get(plan.component("pricing-machines", STANDBY)["resource"])
    assert found is not None
    grow(found)
    assert at_work(drill.world, plan, STANDBY) == []


def test_an_app_that_is_stopped_runs_none_of_its_workflows(drill: Watched, plan: Plan) -> None:
    site = drill.world.resources.get(plan.component("settlement-flow", HOME)["resource"])
    assert site is not None
    site.properties["state"] = "Stopped"
    assert "settlement-flow" not in at_work(drill.world, plan, HOME)


def test_what_a_location_does_not_have_is_at_work_nowhere_in_it(plan: Plan) -> None:
    assert at_work(World(latency_seconds=0), plan, HOME) == []


def test_what_a_dry_run_would_still_start_does_not_serve(drill: Watched, plan: Plan) -> None:
    found = rows(plan, "promote", stock_sync="be Enabled")
    judge_served(cast(Drill, drill), found, STANDBY, "serves")
    held, because = drill.checks["serves"]
    assert not held and because.endswith(": stock-sync (is so)")


def test_a_dry_run_of_nothing_is_no_proof(drill: Watched) -> None:
    judge_served(cast(Drill, drill), [], STANDBY, "serves")
    assert not drill.checks["serves"][0]


def test_what_is_done_by_another_verb_is_not_looked_at(plan: Plan) -> None:
    assert unlike(rows(plan, "protect"), "demote", ["clearing"]) == ["clearing (not looked at)"]


def test_code_that_the_standby_was_not_given_is_found_by_name(drill: Watched) -> None:
    """As the estate opens its factory has an older state of it."""
    judge_code(cast(Drill, drill))
    held, because = drill.checks["codeDeployed"]
    kinds = "Microsoft.DataFactory/factories"
    assert not held and because.endswith(f": {kinds}/datasets customers, {kinds}/pipelines load")


def test_code_that_is_the_same_in_both_factories_passes(drill: Watched, plan: Plan) -> None:
    drill.home, drill.standby = STANDBY, STANDBY
    judge_code(cast(Drill, drill))
    assert drill.checks["codeDeployed"] == (True, "4 parts of warehouse-load, not as at home: none")
