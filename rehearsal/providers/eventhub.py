"""Microsoft.EventHub: namespaces and event hubs, as ARM defines them; nobody streams.

After api-versions 2024-01-01 and 2026-01-01. Pairing and replication: providers/alias.py.
Not emulated: the data plane, consumer groups, authorization rules and keys,
clusters, capture.
"""

from rehearsal.arm_provider import ASYNC_OPERATION, Call, Provider, Refused, Running, running
from rehearsal.world import Resource

VERSIONS = ("2024-01-01", "2026-01-01")
namespaces = Provider("Microsoft.EventHub/namespaces", VERSIONS, states=True)
hubs = Provider("Microsoft.EventHub/namespaces/eventhubs", VERSIONS, created_status=200)
PROVIDERS = [namespaces, hubs]
TIERS = ("Basic", "Standard", "Premium")
PARTITIONS = 4
DAYS = 1


@namespaces.put
def put_namespace(call: Call, body: dict, known: Resource | None) -> Running | None:
    """A namespace has a location and a tier; making one takes a while."""
    if not isinstance(body.get("location"), str):
        raise Refused(400, "LocationRequired", "The location property is required.")
    sku = body.setdefault("sku", {"name": "Standard", "tier": "Standard"})
    if sku.get("name") not in TIERS:
        raise Refused(400, "BadRequest", f"sku.name is one of {', '.join(TIERS)}.")
    host = f"https://{call.route.name}.servicebus.windows.net:443/"
    properties = {"status": "Active", "serviceBusEndpoint": host}
    body["properties"] = {**properties, **body.get("properties", {})}
    if known:
        return None
    seconds = call.world.timings["settle_seconds"]
    return running(seconds, lambda: None, via=(ASYNC_OPERATION,), status=201)


@hubs.put
def put_hub(call: Call, body: dict, known: Resource | None) -> None:
    """A hub keeps the number of its partitions."""
    given = body.get("properties", {})
    shaped = {"partitionCount": PARTITIONS, "messageRetentionInDays": DAYS, **given}
    body.clear()
    body["properties"] = {**shaped, "status": "Active"}
