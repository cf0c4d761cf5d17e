"""Network rule sets of Service Bus and Event Hubs namespaces: each has one, `default`, from birth.

After api-versions 2024-01-01 and 2026-01-01, service-bus-ip-filtering and event-hubs-ip-filtering:
subnets are for Service Bus's Premium tier only, and Event Hubs' Basic tier has no rules to set; to
read them works in every tier. The code of the refusals is a recollection. Nobody is let in or kept
out by them here.
"""

from rehearsal.arm_provider import Call, Provider, Refused, Reply, not_found
from rehearsal.world import Resource

VERSIONS = ("2024-01-01", "2026-01-01")
NAME = "default"
BUS = "Microsoft.ServiceBus/namespaces"
HUBS = "Microsoft.EventHub/namespaces"
OPEN = {
    "publicNetworkAccess": "Enabled",
    "defaultAction": "Allow",
    "virtualNetworkRules": [],
    "ipRules": [],
    "trustedServiceAccessEnabled": False,
}
ACTIONS = ("Allow", "Deny")
PROVIDERS = [
    Provider(
        f"{owner}/networkRuleSets",
        VERSIONS,
        created_status=200,
        methods=frozenset({"GET", "PUT"}),
    )
    for owner in (BUS, HUBS)
]


def shown(call: Call, namespace: Resource, kind: str) -> dict:
    """The rule set as ARM has it, whether anybody has set it or not."""
    id = f"{namespace.id}/networkRuleSets/{NAME}"
    known = call.world.resources.get(id)
    properties = {**OPEN, **(known.properties if known else {})}
    return {"id": id, "name": NAME, "type": kind, "properties": properties}


def read_rules(call: Call) -> Reply:
    """The one rule set of a namespace."""
    if call.route.name.lower() != NAME:
        raise not_found(call.route)
    return Reply(200, shown(call, call.parent(), call.route.type))


def list_rules(call: Call) -> list[dict]:
    """A list of one."""
    return [shown(call, call.found(), call.route.collection)]


def put_rules(call: Call, body: dict, known: Resource | None) -> None:
    """Who is let in, as far as the tier can say so."""
    namespace, given = call.parent(), body.get("properties") or {}
    tier = namespace.body.get("sku", {}).get("name")
    if given.get("defaultAction", ACTIONS[0]) not in ACTIONS:
        raise Refused(400, "BadRequest", f"defaultAction is one of {', '.join(ACTIONS)}.")
    if namespace.type == HUBS and tier == "Basic":
        raise Refused(400, "BadRequest", "Network rules are not in the Basic tier.")
    if namespace.type == BUS and given.get("virtualNetworkRules") and tier != "Premium":
        raise Refused(400, "BadRequest", "Virtual network rules are in the Premium tier only.")
    body.clear()
    body["properties"] = {**OPEN, **given}


for _rules in PROVIDERS:
    _rules.read(read_rules)
    _rules.listed(list_rules)
    _rules.put(put_rules)
