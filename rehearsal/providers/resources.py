"""Microsoft.Resources, Microsoft.Authorization: subscriptions, groups, lists of what there is.

After api-version 2025-04-01 of Microsoft.Resources and 2022-04-01 of Microsoft.Authorization.
Everyone whom this world knows may do everything.
Not emulated: deployments, tags, moves, exports, locks, policies, role assignments, registration.
"""

import re

from rehearsal.arm_provider import Call, Provider, Refused, Reply, Running, running
from rehearsal.arm_roles import granted
from rehearsal.world import GROUP_TYPE, SUBSCRIPTION_TYPE, Resource

VERSIONS = (
    "2025-04-01",
    "2024-11-01",
    "2024-03-01",
    "2023-07-01",
    "2022-12-01",
    "2022-09-01",
    "2021-04-01",
    "2020-10-01",
    "2020-01-01",
    "2019-11-01",
    "2019-07-01",
)
subscriptions = Provider(SUBSCRIPTION_TYPE, VERSIONS, methods=frozenset({"GET"}))
groups = Provider(GROUP_TYPE, VERSIONS)
tenants = Provider("tenants", VERSIONS, methods=frozenset())
permissions = Provider("Microsoft.Authorization/permissions", ("2022-04-01",), methods=frozenset())
PROVIDERS = [subscriptions, groups, tenants, permissions]


@subscriptions.shown
def show_subscription(call: Call, subscription: Resource) -> dict:
    """A subscription as GET /subscriptions shows it."""
    world = call.world
    return {
        "id": subscription.id,
        "subscriptionId": subscription.name,
        "tenantId": world.tenant_id,
        "displayName": subscription.body.get("displayName", "Rehearsal"),
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


@tenants.listed
def list_tenants(call: Call) -> list[dict]:
    """The one tenant."""
    id = call.world.tenant_id
    return [{"id": f"/tenants/{id}", "tenantId": id, "countryCode": "DE", "displayName": "Contoso"}]


@permissions.listed
def list_permissions(call: Call) -> list[dict]:
    """What the caller may do here; where roles are not enforced, everything."""
    actions = ["*"]
    if call.world.roles_enforced and call.principal.location:
        scope = call.route.id.lower().partition("/providers/microsoft.authorization")[0]
        actions = sorted(set(granted(call.world, call.principal.oid, scope)))
    return [{"actions": actions, "notActions": [], "dataActions": [], "notDataActions": []}]


@groups.put
def put_group(call: Call, body: dict, known: Resource | None) -> None:
    """A group stays where it was made."""
    if not isinstance(body.get("location"), str):
        raise Refused(400, "LocationRequired", "The location property is required.")
    if known and known.location != body["location"].replace(" ", "").lower():
        message = f"The resource group '{known.name}' is in '{known.location}' and cannot move."
        raise Refused(409, "InvalidResourceGroupLocation", message)
    body["properties"] = {"provisioningState": "Succeeded"}


@groups.removed
def remove_group(call: Call, group: Resource) -> Running:
    """A group goes with all that is in it, and that takes a while."""
    return running(call.world.timings["settle_seconds"], lambda: None)


@groups.action("resources", "GET")
def list_group_resources(call: Call) -> Reply:
    """What is in one group."""
    return _listing(call)


@subscriptions.action("resources", "GET")
def list_resources(call: Call) -> Reply:
    """What is in the subscription."""
    return _listing(call)


def _listing(call: Call) -> Reply:
    """Top-level resources under the path, of one type or group when $filter says so."""
    wanted, prefix = _filter(call.query.get("$filter", "")), f"{call.route.id.lower()}/"
    shown = []
    for row in call.world.resources:
        above = row.type.count("/") == 1 and row.type not in (GROUP_TYPE, SUBSCRIPTION_TYPE)
        facts = {"resourcetype": row.type.lower(), "resourcegroup": row.group}
        meant = all(facts[key] == value for key, value in wanted.items())
        if above and meant and row.id.lower().startswith(prefix):
            kept = ("location", "tags", "sku", "identity", "kind")
            some = {key: row.body[key] for key in kept if row.body.get(key)}
            shown.append({"id": row.id, "name": row.name, "type": row.type, **some})
    return Reply(200, {"value": shown})


def _filter(text: str) -> dict[str, str]:
    """`resourceType eq 'X' and resourceGroup eq 'Y'`; other filters are refused by name."""
    clauses = re.split(r"(?i)\s+and\s+", text) if text else []
    found = {}
    for clause in clauses:
        match = re.fullmatch(r"(?i)\s*(resourceType|resourceGroup)\s+eq\s+'([^']*)'\s*", clause)
        if match is None:
            raise Refused(501, "NotEmulated", f"The rehearsal does not emulate $filter={text}.")
        found[match[1].lower()] = match[2].lower()
    return found


def _provider_json(call: Call, namespace: str) -> dict:
    """One provider as the providers list shows it, from what is registered."""
    types = {
        provider.type.partition("/")[2]: provider for provider in call.namespaces.get(namespace, [])
    }
    return {
        "id": f"/subscriptions/{call.route.subscription}/providers/{namespace}",
        "namespace": namespace,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [
            {
                "resourceType": name,
                "locations": sorted(call.world.locations),
                "apiVersions": list(provider.versions),
                "capabilities": "None",
            }
            for name, provider in sorted(types.items())
        ],
    }


@subscriptions.action("providers", "GET")
def list_providers(call: Call) -> dict:
    """Every namespace that is played."""
    return {"value": [_provider_json(call, name) for name in sorted(call.namespaces)]}


def one_provider(call: Call, namespace: str) -> dict:
    """`GET .../providers/{namespace}`, by which clients find the newest api-version."""
    for name in call.namespaces:
        if name.lower() == namespace.lower():
            return _provider_json(call, name)
    message = f"The resource namespace '{namespace}' is invalid."
    raise Refused(404, "InvalidResourceNamespace", message)
