"""Microsoft.Web/sites/hostruntime: runs, triggers and histories of Standard's workflows.

After api-version 2025-05-01. The site's host answers, so a stopped site says nothing of its runs.
A resubmission is a long-running operation; which run came of it is in no published answer. Error
codes are recollections.
Not emulated: actions and links of runs, versions, runs begun by a request to ARM, and whoever calls
a callback URL: its site's own process is the stage's, and no host of workflows.
"""

import re

from rehearsal.arm_provider import Call, Provider, Refused, Reply, Running, running
from rehearsal.providers.logic_names import signed
from rehearsal.providers.logic_runs import Shown, asked, cancelled
from rehearsal.providers.sites import BASE, READ, VERSIONS, host_of
from rehearsal.world import Resource

RUNTIME = f"{BASE}/hostruntime/webhooks/api/workflows"
URL_VERSION = "2022-05-01"  # What callback URLs of Standard's carry.

runs = Provider(f"{RUNTIME}/runs", VERSIONS, page_size=100, virtual=True, methods=READ)
triggers = Provider(f"{RUNTIME}/triggers", VERSIONS, virtual=True, methods=READ)
histories = Provider(
    f"{RUNTIME}/triggers/histories", VERSIONS, page_size=100, virtual=True, methods=READ
)
PROVIDERS = [runs, triggers, histories]


def _after(call: Call, word: str) -> str:
    """The name behind a word in the part of a path that the host reads."""
    parts = re.split("(?i)/api/management/", call.route.path, maxsplit=1)[-1].split("/")
    return dict(zip(map(str.lower, parts[::2]), parts[1::2], strict=False))[word]


def _flow(call: Call) -> Resource:
    """The workflow that a path of the host's runtime is about."""
    name = _after(call, "workflows")
    found = call.world.resources.get(f"{host_of(call).id}/workflows/{name}")
    if found is None:
        message = f"The workflow '{name}' could not be found."
        raise Refused(404, "WorkflowNotFound", message)
    return found


def _shown(call: Call, kind: Provider, row: dict) -> dict:
    """A run, trigger ... with id and type, below the path that was asked."""
    own = {"name": row["name"], "type": kind.type, "properties": dict(row.get("properties", {}))}
    return {"id": f"{call.route.path}/{row['name']}", **own}


def _one(rows: list[dict], name: str, word: str, code: str) -> dict:
    """The row of this name, or the host's 404."""
    for row in rows:
        if row["name"].lower() == name.lower():
            return row
    raise Refused(404, code, f"The {word} '{name}' could not be found.")


def _run(call: Call) -> dict:
    rows = call.world.workflows.runs(_flow(call))
    return _one(rows, call.route.name, "workflow run", "WorkflowRunNotFound")


def _trigger(call: Call) -> str:
    """The trigger that a path is about, as its workflow names it."""
    rows, name = call.world.workflows.triggers(_flow(call)), _after(call, "triggers")
    return _one(rows, name, "workflow trigger", "WorkflowTriggerNotFound")["name"]


@runs.listed
def list_runs(call: Call) -> Shown:
    """Runs, newest first, of the status and time that $filter asks for."""
    rows = asked(call, call.world.workflows.runs(_flow(call)))
    return Shown(rows, lambda row: _shown(call, runs, row))


@runs.read
def read_run(call: Call) -> dict:
    """One run."""
    return _shown(call, runs, _run(call)) | {"id": call.route.path}


@runs.action("cancel")
def cancel_run(call: Call) -> Reply:
    """Cancel a run that is still running."""
    return cancelled(call, _flow(call), _run(call))


@triggers.listed
def list_triggers(call: Call) -> list[dict]:
    """The workflow's triggers."""
    return [_shown(call, triggers, row) for row in call.world.workflows.triggers(_flow(call))]


@triggers.action("listCallbackUrl")
def list_trigger_url(call: Call) -> dict:
    """The signed URL of a request trigger, on the site's own host (azurewebsites.net)."""
    flow, name = _flow(call), _trigger(call)
    base = f"https://{host_of(call).name}.azurewebsites.net:443/api/{flow.name}"
    return signed(call.world, flow, name, f"{base}/triggers/{name}/invoke", URL_VERSION)


@histories.listed
def list_histories(call: Call) -> Shown:
    """What a trigger did, newest first."""
    rows = asked(call, call.world.workflows.histories(_flow(call), _trigger(call)))
    return Shown(rows, lambda row: _shown(call, histories, row))


@histories.action("resubmit")
def resubmit(call: Call) -> Running:
    """Run again with the same input, at once; disabled workflows may too."""
    if call.world.workflows.resubmit(_flow(call), _trigger(call), call.route.name) is None:
        message = f"The workflow trigger history '{call.route.name}' could not be found."
        raise Refused(404, "WorkflowTriggerHistoryNotFound", message)
    return running(call.world.timings["settle_seconds"], lambda: None)
