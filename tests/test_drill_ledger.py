"""How a drill holds the app's list of abandoned runs against the truth."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from rehearsal import estate as estates
from rehearsal.drill import Drill
from rehearsal.drill_ledger import judge
from rehearsal.drill_story import Scenario
from rehearsal.estate_seed import seed
from rehearsal.workflows import Workflows
from rehearsal.workflows_flow import Run
from rehearsal.world import World
from shared import flow_runs
from shared.plan import load

NAME, STANDARD = "nightly-invoices", "settlement-flow"
EVERYTHING = estates.DEFAULT.parent / "everything.yaml"


async def no_story(drill: Drill) -> None:
    """Nothing happens in it."""


FORCED = Scenario("region-outage", "", no_story, 1, True)


class Checked:
    """A drill after the loss of home, whose last look was now: as much of one as is judged."""

    def __init__(self, began_seconds: float, name: str, estate: Path) -> None:
        """A run of workflow `name` began so long before that look, and was cut off."""
        scene, self.world = estates.load(estate), World(latency_seconds=0)
        seed(self.world, scene.estate)
        self.world.workflows = Workflows(self.world)
        home, standby = scene.estate.home, scene.estate.standby
        plan = load(scene.plan_text)
        part, now = plan.component(name, home), self.world.now
        own = f"/workflows/{part['workflow']}" if "workflow" in part else ""
        found = self.world.resources.get(f"{part['resource']}{own}")
        assert found is not None
        began = now - timedelta(seconds=began_seconds)
        run = Run("r1", "any", "k", "r1", began, began)
        self.world.workflows.flow(found).runs.appendleft(run)
        app = scene.estate.locations[standby].app
        root = f"https://management.azure.com{flow_runs.root(part)}"
        url = f"{root}/runs?$filter=status%20eq%20'Waiting'"
        row = {"at": now.isoformat(), "principal": app, "method": "GET", "url": url, "status": 200}
        self.world.journal.append(row)
        self.checks: dict[str, bool] = {}
        self.stage = SimpleNamespace(world=self.world, estate=scene.estate)
        self.plan = plan.document
        self.home, self.standby = home, standby

    def check(self, name: str, held: bool, because: str) -> None:
        self.checks[name] = held


def judged(
    listed: list[str],
    began_seconds: float = 30,
    cut: dict | None = None,
    name: str = NAME,
    estate: Path = estates.DEFAULT,
) -> dict:
    drill = Checked(began_seconds, name, estate)
    rows = [{"run": name} for name in listed]
    judge(cast(Drill, drill), FORCED, {"abandoned": rows, "cut": cut or {}})
    return drill.checks


def test_a_run_that_could_be_known_and_is_not_listed_breaks_the_drill():
    assert judged([]) == {"abandonedRunsKnown": False}


@pytest.mark.parametrize(("listed", "held"), [([], False), (["r1"], True)])
def test_a_run_of_a_standard_workflow_is_judged_too(listed: list[str], held: bool):
    assert judged(listed, name=STANDARD, estate=EVERYTHING) == {"abandonedRunsKnown": held}


def test_a_run_that_is_listed_is_well():
    assert judged(["r1"]) == {"abandonedRunsKnown": True}


def test_a_run_that_began_after_the_last_look_could_not_be_known():
    assert judged([], began_seconds=0) == {"abandonedRunsKnown": True}


def test_what_was_said_to_be_left_out_is_not_missing():
    assert judged([], cut={NAME: 1}) == {"abandonedRunsKnown": True}
