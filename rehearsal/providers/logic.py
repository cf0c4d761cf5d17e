"""Microsoft.Logic/workflows: definitions, states, and the doors to runs and triggers.

After api-version 2019-05-01. What runs lives in `world.workflows`, a `WorkflowRuntime`.
Not emulated: swagger, upgraded definitions, regenerated keys, $filter.
"""

from typing import cast

from rehearsal.arm_provider import Call, Provider, Refused, Reply
from rehearsal.providers.logic_names import BASE, VERSIONS, callback, host_of, stamp, version_of
from rehearsal.runtimes import WorkflowRuntime
from rehearsal.world import Resource

__all__ = ["PROVIDERS", "WorkflowRuntime"]

workflows = Provider(BASE, VERSIONS, page_size=100, head_status=200)
checks = Provider(
    "Microsoft.Logic/locations/workflows", VERSIONS, virtual=True, methods=frozenset()
)
PROVIDERS = [workflows, checks]
STATES = ("Enabled", "Disabled")


@workflows.put
def put_workflow(call: Call, body: dict, known: Resource | None) -> None:
    """A workflow needs a location and a definition; it stays in its location."""
    location = body.get("location")
    if not isinstance(location, str):
        raise Refused(400, "LocationRequired", "The location property is required.")
    if known and known.location != location.replace(" ", "").lower():
        message = f"The resource '{known.name}' already exists in location '{known.location}'."
        raise Refused(409, "InvalidResourceLocation", message)
    properties = body.setdefault("properties", {})
    _check_definition(properties.get("definition"))
    state = properties.setdefault("state", "Enabled")
    if state not in STATES:
        message = f"The workflow state '{state}' is not one of {', '.join(STATES)}."
        raise Refused(400, "InvalidWorkflowState", message)


def _check_definition(definition: object) -> None:
    """The parts that Azure refuses a definition for at once."""
    if not isinstance(definition, dict):
        message = "The request content is not valid: the property 'definition' is required."
        raise Refused(400, "InvalidRequestContent", message)
    body = cast("dict", definition)
    for part in ("triggers", "actions"):
        if not isinstance(body.get(part, {}), dict):
            message = f"The template validation failed: '{part}' must be an object."
            raise Refused(400, "InvalidTemplate", message)
    if "$schema" not in body or "contentVersion" not in body:
        message = "The template validation failed: '$schema' and 'contentVersion' are required."
        raise Refused(400, "InvalidTemplate", message)


@workflows.placed
def placed_workflow(call: Call, workflow: Resource, before: dict | None) -> None:
    """Tell the runtime; saving a workflow again resets its triggers' state."""
    runtime, state = call.world.workflows, workflow.properties["state"]
    was = (before or {}).get("properties", {}).get("state", "Enabled") if before else None
    if before is not None:
        runtime.updated(workflow)
    if state == "Enabled" and was != "Enabled":
        runtime.enabled(workflow)
    if state == "Disabled" and was == "Enabled":
        runtime.disabled(workflow)


@workflows.removed
def removed_workflow(call: Call, workflow: Resource) -> None:
    """Deleting a workflow cancels its runs."""
    call.world.workflows.deleted(workflow)


@workflows.shown
def show_workflow(call: Call, workflow: Resource) -> dict:
    """A workflow with what Azure adds: times, version, access endpoint."""
    kept = {
        key: workflow.body[key] for key in ("location", "tags", "identity") if key in workflow.body
    }
    added = {
        "provisioningState": "Succeeded",
        "createdTime": stamp(workflow.created_at),
        "changedTime": stamp(workflow.changed_at),
        "state": "Enabled",
        "version": version_of(workflow),
        "accessEndpoint": f"https://{host_of(call.world, workflow)}:443/workflows/{workflow.name}",
        "endpointsConfiguration": {"workflow": {}, "connector": {}},
    }
    properties = {**added, **workflow.properties}
    return {
        "id": workflow.id,
        "type": BASE,
        "name": workflow.name,
        **kept,
        "properties": properties,
    }


def _switch(call: Call, state: str) -> Reply:
    """Enable and disable answer 200 without a body, also when nothing changed."""
    workflow = call.found()
    if workflow.properties.get("state", "Enabled") != state:
        workflow.properties["state"] = state
        call.world.resources.touch(workflow)
        runtime = call.world.workflows
        (runtime.enabled if state == "Enabled" else runtime.disabled)(workflow)
    return Reply(200)


@workflows.action("enable")
def enable(call: Call) -> Reply:
    """New runs may start; triggers take up what they remember."""
    return _switch(call, "Enabled")


@workflows.action("disable")
def disable(call: Call) -> Reply:
    """No new runs; runs in flight go on to their end."""
    return _switch(call, "Disabled")


@workflows.action("validate")
@checks.action("validate")
def validate(call: Call) -> Reply:
    """Check a definition and change nothing."""
    _check_definition(call.body.get("properties", {}).get("definition"))
    return Reply(200)


@workflows.action("listCallbackUrl")
def list_workflow_url(call: Call) -> dict:
    """The URL of the first trigger that has one."""
    workflow = call.found()
    named = workflow.properties.get("definition", {}).get("triggers", {})
    for name, trigger in named.items():
        if str(trigger.get("type", "")).lower() == "request":
            return callback(call.world, workflow, name)
    message = f"The workflow '{workflow.name}' has no trigger with a callback URL."
    raise Refused(400, "WorkflowTriggerNotFound", message)
