"""How a drill holds the app's list of abandoned runs against the truth."""

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

from rehearsal import estate as estates
from rehearsal.drill import Drill
from rehearsal.drill_ledger import judge
from rehearsal.drill_story import Scenario
from rehearsal.estate_seed import seed, workflow_id
from rehearsal.workflows import Workflows
from rehearsal.workflows_flow import Run
from rehearsal.world import World

NAME = "nightly-invoices"


async def no_story(drill: Drill) -> None:
    """Nothing happens in it."""


FORCED = Scenario("region-outage", "", no_story, 1, True)


class Checked:
    """A drill after the loss of home, whose last look was now: as much of one as is judged."""

    def __init__(self, began_seconds: float) -> None:
        """A run of NAME began so long before that look, and was cut off."""
        scene, self.world = estates.load(), World(latency_seconds=0)
        seed(self.world, scene.estate)
        self.world.workflows = Workflows(self.world)
        home, standby = scene.estate.home, scene.estate.standby
        self.id = workflow_id(scene.estate, home, NAME)
        found, now = self.world.resources.get(self.id), self.world.now
        assert found is not None
        began = now - timedelta(seconds=began_seconds)
        run = Run("r1", "every_night", "k", "r1", began, began)
        self.world.workflows.flow(found).runs.appendleft(run)
        app = scene.estate.locations[standby].app
        url = f"https://management.azure.com{self.id}/runs?$filter=status%20eq%20'Waiting'"
        row = {"at": now.isoformat(), "principal": app, "method": "GET", "url": url, "status": 200}
        self.world.journal.append(row)
        self.checks: dict[str, bool] = {}
        self.stage = SimpleNamespace(world=self.world, estate=scene.estate)
        self.plan = {"components": [{"name": NAME, "kind": "logicWorkflow"}]}
        self.home, self.standby = home, standby

    def check(self, name: str, held: bool, because: str) -> None:
        self.checks[name] = held


def judged(listed: list[str], began_seconds: float = 30, cut: dict | None = None) -> dict:
    drill = Checked(began_seconds)
    rows = [{"run": name} for name in listed]
    judge(cast(Drill, drill), FORCED, {"abandoned": rows, "cut": cut or {}})
    return drill.checks


def test_a_run_that_could_be_known_and_is_not_listed_breaks_the_drill():
    assert judged([]) == {"abandonedRunsKnown": False}


def test_a_run_that_is_listed_is_well():
    assert judged(["r1"]) == {"abandonedRunsKnown": True}


def test_a_run_that_began_after_the_last_look_could_not_be_known():
    assert judged([], began_seconds=0) == {"abandonedRunsKnown": True}


def test_what_was_said_to_be_left_out_is_not_missing():
    assert judged([], cut={NAME: 1}) == {"abandonedRunsKnown": True}
