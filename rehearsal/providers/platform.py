"""The platform under the app: identities, roles, plans, workspaces, alerts.

What a template makes of these types is kept and shown as it was given, with what the service adds.
Nothing is carried out here: an alert rule never fires. After the api-versions that the project's
templates name. Sites are in sites.py.
"""

from rehearsal.arm_provider import Call, Provider, Refused
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
    "Microsoft.ServiceBus/namespaces/networkRuleSets": ("2024-01-01",),
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
