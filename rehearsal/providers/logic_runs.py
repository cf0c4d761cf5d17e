"""Microsoft.Logic/workflows/runs, triggers, histories and versions, as the runtime knows them.

After api-version 2019-05-01. setState is in the public SDK and takes over the state of another
workflow's trigger, whose region must answer: so it is for graceful switch-overs.
Not emulated: expression traces, trigger schemas, links to inputs and outputs, older versions,
$filter other than by status and startTime; originHistoryName and sourceHistoryName, which the
service shows of a run's trigger and its published contract does not have.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from rehearsal.arm_provider import Call, Provider, Refused, Reply, not_found
from rehearsal.providers.logic import show_workflow
from rehearsal.providers.logic_names import (
    BASE,
    VERSIONS,
    callback,
    item,
    part,
    reference,
    stamp,
    workflow_of,
)
from rehearsal.world import Resource

READ = frozenset({"GET"})
runs = Provider(f"{BASE}/runs", VERSIONS, page_size=100, virtual=True, methods=READ)
actions = Provider(f"{BASE}/runs/actions", VERSIONS, virtual=True, methods=READ)
triggers = Provider(f"{BASE}/triggers", VERSIONS, virtual=True, methods=READ)
histories = Provider(f"{BASE}/triggers/histories", VERSIONS, virtual=True, methods=READ)
versions = Provider(f"{BASE}/versions", VERSIONS, virtual=True, methods=READ)
PROVIDERS = [runs, actions, triggers, histories, versions]
FILTER = re.compile(r"(status|startTime)\s+(eq|gt|ge|lt|le)\s+'?([^'\s]+)'?", re.IGNORECASE)


@dataclass(frozen=True)
class Shown:
    """Rows that are put in ARM's words only where a page has them: there may be thousands."""

    rows: list[dict]
    show: Callable[[dict], dict]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, page: slice) -> list[dict]:
        return [self.show(row) for row in self.rows[page]]


@runs.listed
def list_runs(call: Call) -> Shown:
    """Runs, newest first, of the status and time that $filter asks for."""
    workflow = workflow_of(call)
    rows = asked(call, call.world.workflows.runs(workflow))
    return Shown(rows, lambda row: _run(call, workflow, row))


def asked(call: Call, rows: list[dict]) -> list[dict]:
    """The rows that $filter asks for."""
    text = call.query.get("$filter", "")
    clauses = FILTER.findall(text)
    if text and len(clauses) != len(re.split(r"(?i)\s+and\s+", text)):
        raise Refused(501, "NotEmulated", f"The rehearsal does not emulate $filter={text}.")
    return [row for row in rows if all(_fits(row["properties"], c) for c in clauses)]


def _fits(properties: dict, clause: tuple[str, str, str]) -> bool:
    key, operator, wanted = clause
    name = "status" if key.lower() == "status" else "startTime"
    have = str(properties.get(name, ""))[: len(wanted) if name == "startTime" else None]
    want = wanted.rstrip("Z") if name == "startTime" else wanted
    have = have.rstrip("Z") if name == "startTime" else have
    compared = (have > want) - (have < want)
    return (
        compared
        in {"eq": (0,), "gt": (1,), "ge": (0, 1), "lt": (-1,), "le": (-1, 0)}[operator.lower()]
    )


def _run(call: Call, workflow: Resource, row: dict) -> dict:
    shown = item(call, workflow, "runs", row)
    shown["properties"].setdefault("workflow", reference(workflow))
    return shown


@runs.read
def read_run(call: Call) -> dict:
    """One run."""
    workflow, name = workflow_of(call), call.route.name.lower()
    for row in call.world.workflows.runs(workflow):
        if row["name"].lower() == name:
            return _run(call, workflow, row)
    message = f"The workflow '{workflow.name}' run '{call.route.name}' could not be found."
    raise Refused(404, "WorkflowRunNotFound", message)


@runs.action("cancel")
def cancel_run(call: Call) -> Reply:
    """Cancel a run that is still running."""
    return cancelled(call, workflow_of(call), read_run(call))


def cancelled(call: Call, workflow: Resource, run: dict) -> Reply:
    """The answer to a cancel, for runs of both kinds of workflows."""
    if not call.world.workflows.cancel(workflow, run["name"]):
        message = f"The run '{run['name']}' is in state '{run['properties'].get('status')}'."
        raise Refused(409, "WorkflowRunNotCancellable", message)
    return Reply(200)


@actions.listed
def list_actions(call: Call) -> list[dict]:
    """The actions of one run."""
    workflow, run = workflow_of(call), part(call, "runs")
    rows = call.world.workflows.actions(workflow, run)
    return [item(call, workflow, "actions", row, f"/runs/{run}") for row in rows]


@actions.read
def read_action(call: Call) -> dict | None:
    """One action of a run."""
    rows = list_actions(call)
    return next((row for row in rows if row["name"].lower() == call.route.name.lower()), None)


@versions.listed
def list_versions(call: Call) -> list[dict]:
    """The current version; older ones are not kept."""
    workflow = workflow_of(call)
    shown = show_workflow(call, workflow)
    shown["properties"].pop("provisioningState")
    return [{**shown, **reference(workflow)}]


@versions.read
def read_version(call: Call) -> dict | None:
    """One version."""
    rows = list_versions(call)
    return next((row for row in rows if row["name"] == call.route.name), None)


@triggers.listed
def list_triggers(call: Call) -> list[dict]:
    """The triggers of a workflow."""
    workflow = workflow_of(call)
    return [_trigger(call, workflow, row) for row in call.world.workflows.triggers(workflow)]


def _trigger(call: Call, workflow: Resource, row: dict) -> dict:
    shown = item(call, workflow, "triggers", row)
    added = {
        "provisioningState": "Succeeded",
        "createdTime": stamp(workflow.created_at),
        "changedTime": stamp(workflow.changed_at),
        "state": workflow.properties.get("state", "Enabled"),
        "workflow": reference(workflow),
    }
    return {**shown, "properties": {**added, **shown["properties"]}}


@triggers.read
def read_trigger(call: Call) -> dict:
    """The trigger that the path names, or is under."""
    workflow, name = workflow_of(call), part(call, "triggers")
    for row in call.world.workflows.triggers(workflow):
        if row["name"].lower() == name.lower():
            return _trigger(call, workflow, row)
    message = f"The workflow '{workflow.name}' trigger '{name}' could not be found."
    raise Refused(404, "WorkflowTriggerNotFound", message)


@triggers.action("run")
def run_trigger(call: Call) -> Reply:
    """Fire a trigger now: 202 with the run's name, 200 when it found nothing to do."""
    workflow, name = workflow_of(call), read_trigger(call)["name"]
    if workflow.properties.get("state", "Enabled") != "Enabled":
        message = f"The workflow '{workflow.name}' trigger '{name}' is not enabled."
        raise Refused(409, "WorkflowTriggerIsNotEnabled", message)
    run = call.world.workflows.fire(workflow, name)
    return Reply(202, None, {"x-ms-workflow-run-id": run}) if run else Reply(200)


@triggers.action("reset")
def reset_trigger(call: Call) -> Reply:
    """Forget what the trigger remembers."""
    call.world.workflows.reset(workflow_of(call), read_trigger(call)["name"])
    return Reply(200)


@triggers.action("setState")
def set_trigger_state(call: Call) -> Reply:
    """Take over the state of another workflow's trigger, if that one can be read."""
    name, source = read_trigger(call)["name"], call.body.get("source")
    if not isinstance(source, dict) or not isinstance(source.get("id"), str):
        raise Refused(400, "InvalidRequestContent", "The property 'source.id' is required.")
    id, _, other = source["id"].partition("/triggers/")
    known = call.world.resources.get(id)
    if known is None:
        raise not_found(call.route)
    if not call.world.up(known.location, "arm"):
        message = f"The source workflow in '{known.location}' did not answer."
        raise Refused(502, "BadGateway", message)
    call.world.workflows.set_state(
        workflow_of(call), name, known, other or source.get("triggerName") or name
    )
    return Reply(200)


@triggers.action("listCallbackUrl")
def list_trigger_url(call: Call) -> dict:
    """The signed URL of a request trigger."""
    return callback(call.world, workflow_of(call), read_trigger(call)["name"])


@histories.listed
def list_histories(call: Call) -> Shown:
    """What a trigger did, newest first, of the status and time that $filter asks for."""
    workflow, name = workflow_of(call), read_trigger(call)["name"]
    rows = asked(call, call.world.workflows.histories(workflow, name))
    return Shown(rows, lambda row: item(call, workflow, "histories", row, f"/triggers/{name}"))


@histories.read
def read_history(call: Call) -> dict | None:
    """One history."""
    rows = list_histories(call)[:]
    return next((row for row in rows if row["name"].lower() == call.route.name.lower()), None)


@histories.action("resubmit")
def resubmit(call: Call) -> Reply:
    """Run again with the same input; disabled workflows may too."""
    workflow, name = workflow_of(call), read_trigger(call)["name"]
    run = call.world.workflows.resubmit(workflow, name, call.route.name)
    if run is None:
        raise not_found(call.route)
    return Reply(202, None, {"x-ms-workflow-run-id": run})
