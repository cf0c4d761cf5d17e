"""What a drill knows of work that was cut off: the app's list, and whether it is the truth.

The truth is the runtime's own: a run that was in flight in the lost location never ended, or failed
when the location came back.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from rehearsal.drill_story import Scenario
from rehearsal.estate_seed import workflow_id
from rehearsal.workflows import Workflows
from rehearsal.workflows_flow import LOST, Flow, Run
from shared import flow_runs
from shared.plan import Plan

if TYPE_CHECKING:
    from rehearsal.drill import Drill

A_LOOK = timedelta(seconds=2)  # From the question to its answer, and to its line in the journal.


def at_home(drill: "Drill", name: str) -> Flow | None:
    """A workflow of the home location at work."""
    found = drill.stage.world.resources.get(workflow_id(drill.stage.estate, drill.home, name))
    return cast("Workflows", drill.stage.world.workflows).flow(found) if found else None


def cut_off(drill: "Drill") -> list[tuple[dict, Run]]:
    """(component, run) of what the loss of home cut off in the plan's workflows of both kinds."""
    plan, world = Plan.model_validate(drill.plan), drill.stage.world
    parts = [one for one in plan.components if one.kind in flow_runs.KINDS]
    found: list[tuple[dict, Run]] = []
    for part in (plan.component(one.name, drill.home) for one in parts):
        own = f"/workflows/{part['workflow']}" if part["kind"] == flow_runs.STANDARD else ""
        if row := world.resources.get(f"{part['resource']}{own}"):
            flow = cast("Workflows", world.workflows).flow(row)
            found += [(part, run) for run in flow.runs if lost(flow, run)]
    return found


def lost(flow: Flow, run: Run) -> bool:
    """Was this run cut off: failed of it, or left without an end and at no work?"""
    failed = (run.error or {}).get("code") == LOST["code"]
    return failed or (run.ended_at is None and run.name not in flow.tasks)


def last_looks(drill: "Drill") -> dict[str, datetime]:
    """Root of a workflow's runs -> when the standby's app last saw what is in flight, by ARM."""
    app = drill.stage.estate.locations[drill.standby].app
    found: dict[str, datetime] = {}
    for row in drill.stage.world.journal.after(0):
        path, _, query = row["url"].partition("?")
        # The look at what waits is the second and last one at a workflow.
        look = path.endswith("/runs") and "'Waiting'" in query
        if look and row["principal"] == app and row["status"] == 200:
            root = urlsplit(path).path.removesuffix("/runs").lower()
            found[root] = datetime.fromisoformat(row["at"])
    return found


def judge(drill: "Drill", scenario: Scenario, listed: dict | None) -> None:
    """After a forced failover: everything that was cut off and could be known is listed."""
    if not scenario.moves or scenario.planned or not listed:
        return
    looks, known = last_looks(drill), {row["run"] for row in listed["abandoned"]}
    gone = []
    for part, run in cut_off(drill):
        seen_at = looks.get(flow_runs.root(part).lower())
        if seen_at and run.started_at < seen_at - A_LOOK and part["name"] not in listed["cut"]:
            gone.append(run.name)
    missing = [name for name in gone if name not in known]
    words = f"{len(gone)} of the runs that were cut off could be known, {len(missing)} are missing"
    drill.check("abandonedRunsKnown", not missing, words)
