"""The platform under the app: identities, roles, plans, workspaces, alerts.

What a template makes of these types is kept and shown as it was given, with what the service adds.
Nothing is carried out here: an alert rule never fires. After the api-versions that the project's
templates name. Sites are in sites.py.
"""

from rehearsal.arm_provider import Call, Provider, Refused
from rehearsal.arm_roles import ASSIGNMENT, within
from rehearsal.world import Resource

TYPES: dict[str, tuple[str, ...]] = {
    "Microsoft.Authorization/locks": ("2020-05-01",),
    "Microsoft.Authorization/roleAssignments": ("2022-04-01",),
    "Microsoft.Authorization/roleDefinitions": ("2022-04-01",),
    "Microsoft.Insights/actionGroups": ("2023-01-01",),
    "Microsoft.Insights/components": ("2020-02-02",),
    "Microsoft.Insights/scheduledQueryRules": ("2023-12-01", "2022-06-15"),
    "Microsoft.Insights/workbooks": ("2023-06-01",),
    "Microsoft.ManagedIdentity/userAssignedIdentities": ("2023-01-31",),
    "Microsoft.OperationalInsights/workspaces": ("2023-09-01",),
    "Microsoft.Web/serverfarms": ("2024-11-01", "2023-12-01"),
}
PROVIDERS = [Provider(kind, versions) for kind, versions in TYPES.items()]
KNOWN = {provider.type: provider for provider in PROVIDERS}


@KNOWN["Microsoft.ManagedIdentity/userAssignedIdentities"].put
def put_identity(call: Call, body: dict, known: Resource | None) -> None:
    """An identity gets its ids once, and somebody whom tokens can name."""
    world, properties = call.world, known.properties if known else {}
    if not properties:
        properties = {"principalId": world.uuid(), "clientId": world.uuid()}
        world.principals[properties["principalId"]] = (call.route.name, body.get("location", ""))
    body["properties"] = {"tenantId": world.tenant_id, **properties}


@KNOWN["Microsoft.Insights/components"].put
def put_component(call: Call, body: dict, known: Resource | None) -> None:
    """A component has a connection string, which names no secret worth the name."""
    key = call.world.uuid()
    added = {"InstrumentationKey": key, "ConnectionString": f"InstrumentationKey={key}"}
    body["properties"] = {**added, **(known.properties if known else {}), **body["properties"]}


@KNOWN["Microsoft.Authorization/roleAssignments"].put
def put_assignment(call: Call, body: dict, known: Resource | None) -> None:
    """Somebody who exists gets a role, once."""
    properties = body.get("properties", {})
    if properties.get("principalId") not in call.world.principals:
        message = f"Principal {properties.get('principalId')} does not exist in the directory."
        raise Refused(400, "PrincipalNotFound", message)
    fixed = ("principalId", "roleDefinitionId")
    if known and any(known.properties[key] != properties.get(key) for key in fixed):
        message = "Principal and role of an assignment are not allowed to be updated."
        raise Refused(400, "RoleAssignmentUpdateNotPermitted", message)


@KNOWN["Microsoft.Authorization/roleAssignments"].shown
def show_assignment(call: Call, assignment: Resource) -> dict:
    """An assignment with its scope, and what sort of principal it is for."""
    _, location = call.world.principals.get(assignment.properties.get("principalId", ""), ("", ""))
    added = {"scope": scope_of(assignment)}
    added["principalType"] = "ServicePrincipal" if location else "User"
    return {**assignment.shown(), "properties": {**added, **assignment.properties}}


@KNOWN["Microsoft.Authorization/roleAssignments"].listed
def list_assignments(call: Call) -> list[dict]:
    """Those that apply to a scope and those below it; with `atScope()` not those below.

    After "Role Assignments - List For Scope" and role-assignments-list-rest.
    """
    asked, kind = call.route.id.lower(), KNOWN["Microsoft.Authorization/roleAssignments"]
    only_here = call.query.get("$filter", "").lower().startswith("atscope()")
    return [
        kind.show(call, one)
        for one in call.world.resources.of_type(kind.type)
        if within(asked, scope_of(one).lower())
        or (not only_here and within(scope_of(one).lower(), asked))
    ]


def scope_of(assignment: Resource) -> str:
    """Where an assignment was made."""
    return assignment.id[: assignment.id.lower().rindex(ASSIGNMENT)]
