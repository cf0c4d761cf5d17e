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

if TYPE_CHECKING:
    from rehearsal.drill import Drill

A_LOOK = timedelta(seconds=2)  # From the question to its answer, and to its line in the journal.


def at_home(drill: "Drill", name: str) -> Flow | None:
    """A workflow of the home location at work."""
    found = drill.stage.world.resources.get(workflow_id(drill.stage.estate, drill.home, name))
    return cast("Workflows", drill.stage.world.workflows).flow(found) if found else None


def cut_off(drill: "Drill") -> list[tuple[str, Run]]:
    """(workflow, run) of what the loss of home cut off in the plan's workflows."""
    names = [c["name"] for c in drill.plan["components"] if c["kind"] == "logicWorkflow"]
    flows = [(name, flow) for name in names if (flow := at_home(drill, name))]
    return [
        (name, run)
        for name, flow in flows
        for run in flow.runs
        if (run.error or {}).get("code") == LOST["code"]
        or (run.ended_at is None and run.name not in flow.tasks)
    ]


def last_looks(drill: "Drill") -> dict[str, datetime]:
    """Workflow id -> when the standby's app last saw what is in flight, by ARM's journal."""
    app = drill.stage.estate.locations[drill.standby].app
    found: dict[str, datetime] = {}
    for row in drill.stage.world.journal.after(0):
        path, _, query = row["url"].partition("?")
        # The look at what waits is the second and last one at a workflow.
        look = path.endswith("/runs") and "'Waiting'" in query
        if look and row["principal"] == app and row["status"] == 200:
            id = urlsplit(path).path.removesuffix("/runs").lower()
            found[id] = datetime.fromisoformat(row["at"])
    return found


def judge(drill: "Drill", scenario: Scenario, listed: dict | None) -> None:
    """After a forced failover: everything that was cut off and could be known is listed."""
    if not scenario.moves or scenario.planned or not listed:
        return
    looks, known = last_looks(drill), {row["run"] for row in listed["abandoned"]}
    gone = []
    for name, run in cut_off(drill):
        seen_at = looks.get(workflow_id(drill.stage.estate, drill.home, name).lower())
        if seen_at and run.started_at < seen_at - A_LOOK and name not in listed["cut"]:
            gone.append(run.name)
    missing = [name for name in gone if name not in known]
    words = f"{len(gone)} of the runs that were cut off could be known, {len(missing)} are missing"
    drill.check("abandonedRunsKnown", not missing, words)
