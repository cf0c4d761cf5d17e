"""Microsoft.Resources/deployments: templates, validated, compared (what-if) and carried out.

After api-version 2022-09-01 and later. Scope is a resource group, mode is Incremental. Each
resource is put through this ARM itself, in the caller's name, so that providers refuse what they
would refuse from anybody.
Not emulated: other scopes, Complete mode, linked templates, deployment stacks, nested operations.
"""

from dataclasses import dataclass

from rehearsal.arm_provider import (
    ASYNC_OPERATION,
    LOCATION,
    Call,
    Provider,
    Refused,
    Reply,
    Running,
    running,
)
from rehearsal.deployments.expressions import BadExpression
from rehearsal.deployments.template import BadTemplate, Template, Wanted
from rehearsal.world import GROUP_TYPE, Resource

VERSIONS = ("2025-04-01", "2024-11-01", "2024-07-01", "2024-03-01", "2022-09-01", "2021-04-01")
# Virtual, since one that is not there yet can be validated and compared.
deployments = Provider("Microsoft.Resources/deployments", VERSIONS, virtual=True)
PROVIDERS = [deployments]
SECURE = ("securestring", "secureobject")
# What a service adds by itself is no difference to a template.
ADDED = "provisioningState"


@dataclass
class Work:
    """One deployment: what is asked for, and ARM to ask."""

    call: Call
    template: Template
    wanted: list[Wanted]

    async def made(self, one: Wanted) -> dict | None:
        """The resource as ARM shows it, or None."""
        assert self.call.ask
        try:
            reply = await self.call.ask("GET", one.id, one.api_version, {})
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return reply.body if isinstance(reply.body, dict) else {}

    def reference(self, target: str, version: str) -> dict:
        """What `reference()` sees."""
        found = self.call.world.resources.get(target)
        if found is None:
            message = f"The resource '{target}' is not defined."
            raise Refused(404, "ResourceNotFound", message)
        return found.body

    async def carry_out(self) -> dict:
        """Put every resource; gives the outputs."""
        assert self.call.ask
        for one in self.wanted:
            body = self.template.body(one, self.reference)
            try:
                await self.call.ask("PUT", one.id, one.api_version, body)
            except Refused as refused:
                message = f"{one.id}: {refused.code}: {refused.message}"
                raise Refused(refused.status, "DeploymentFailed", message) from refused
        return self.template.outputs(self.reference)

    async def compared(self) -> list[dict]:
        """What-if: each resource beside what is there. What cannot be known yet is not guessed."""
        changes = []
        for one in self.wanted:
            before = await self.made(one)
            try:
                after = self.template.body(one, self.reference)
            except (Refused, BadExpression):
                after = {}  # It refers to what this very deployment makes.
            row: dict = {"resourceId": one.id, "changeType": "NoChange"}
            if before is None:
                shown = {"id": one.id, "type": one.type, "apiVersion": one.api_version}
                row |= {"changeType": "Create", "after": shown}
            elif changed := delta(before, after):
                row |= {"changeType": "Modify", "before": before, "after": after, "delta": changed}
            changes.append(row)
        return changes


def delta(before: object, after: object, path: str = "") -> list[dict]:
    """Where what the template says is not what there is; what it leaves out stays as it is."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            row
            for key, value in after.items()
            if key != ADDED
            for row in delta(before.get(key), value, f"{path}.{key}" if path else key)
        ]
    if before == after or (path == "location" and same_place(before, after)):
        return []
    kind = "Create" if before is None else "Modify"
    return [{"path": path, "propertyChangeType": kind, "before": before, "after": after}]


def same_place(one: object, other: object) -> bool:
    return str(one).replace(" ", "").lower() == str(other).replace(" ", "").lower()


def work_of(call: Call, body: dict) -> Work:
    """The template in a request, read as a whole; refused with every problem."""
    properties = body.get("properties") or {}
    if str(properties.get("mode", "")).lower() != "incremental":
        raise Refused(501, "NotEmulated", "The rehearsal deploys in Incremental mode only.")
    if not isinstance(properties.get("template"), dict):
        raise Refused(400, "InvalidTemplate", "properties.template is no object.")
    group = call.world.resources.get(
        f"/subscriptions/{call.route.subscription}/resourceGroups/{call.route.group}"
    )
    if group is None or group.type != GROUP_TYPE:
        raise Refused(501, "NotEmulated", "The rehearsal deploys to resource groups only.")
    given = properties.get("parameters") or {}
    try:
        template = Template(
            properties["template"], given, group.id, group.location, call.world.tenant_id
        )
        return Work(call, template, template.wanted())
    except BadTemplate as bad:
        told = "; ".join(bad.problems)
        message = f"Deployment template validation failed: {told}."
        raise Refused(400, "InvalidTemplate", message) from bad
    except BadExpression as bad:
        raise Refused(400, "InvalidTemplate", f"Unable to process template: {bad}.") from bad


def shown(work: Work, properties: dict) -> dict:
    """The properties that GET shows: no template, and of secure parameters no value."""
    rules = work.template.raw.get("parameters", {})
    parameters = {
        name: {"type": rules[name]["type"]}
        | ({} if rules[name]["type"].lower() in SECURE else {"value": value})
        for name, value in work.template.parameters.items()
    }
    return {
        "mode": "Incremental",
        "parameters": parameters,
        "correlationId": work.call.world.uuid(),
        "timestamp": work.call.world.now.isoformat(),
        "outputResources": [{"id": one.id} for one in work.wanted],
        "provisioningState": properties.get("provisioningState", "Accepted"),
    }


@deployments.put
def put_deployment(call: Call, body: dict, known: Resource | None) -> Running:
    """Accept a template; what is wrong with it is said at once, what goes wrong later is kept."""
    work = work_of(call, body)
    body["properties"] = shown(work, {})

    async def then() -> None:
        deployment = call.world.resources.get(call.route.id)
        assert deployment is not None
        try:
            deployment.properties["outputs"] = await work.carry_out()
        except Refused as refused:
            deployment.properties.update(provisioningState="Failed", **refused.body)
            raise
        except BadExpression as bad:
            raise Refused(400, "InvalidTemplate", str(bad)) from bad
        deployment.properties["provisioningState"] = "Succeeded"

    return running(0, then, via=(ASYNC_OPERATION,), status=201)


@deployments.action("validate")
def validate(call: Call) -> Reply:
    """Would this template be accepted?"""
    work = work_of(call, call.body)
    rows = [{"id": one.id} for one in work.wanted]
    properties = {**shown(work, {"provisioningState": "Succeeded"}), "validatedResources": rows}
    return Reply(200, {"id": call.route.id, "name": call.route.name, "properties": properties})


@deployments.action("whatIf")
def what_if(call: Call) -> Running:
    """What this template would change, changing nothing."""
    work = work_of(call, call.body)

    async def then() -> dict:
        return {"status": "Succeeded", "properties": {"changes": await work.compared()}}

    return running(0, then, via=(LOCATION, ASYNC_OPERATION))
