"""Microsoft.ServiceBus: namespaces and queues; what ARM defines, `world.buses` serves.

After api-versions 2024-01-01 and 2026-01-01.
Pairing and replication: providers/alias.py; network rules: providers/network_rules.py.
Not emulated: rules of subscriptions, authorization rules and keys, migration, name availability;
nobody plays a topic: its subscriptions hold what was put into the table.
"""

from datetime import UTC

from rehearsal.arm_provider import ASYNC_OPERATION, Call, Provider, Refused, Reply, Running, running
from rehearsal.world import Resource

VERSIONS = ("2024-01-01", "2026-01-01", "2022-10-01-preview", "2021-11-01")
namespaces = Provider("Microsoft.ServiceBus/namespaces", VERSIONS, states=True)
queues = Provider("Microsoft.ServiceBus/namespaces/queues", VERSIONS, created_status=200)
topics = Provider("Microsoft.ServiceBus/namespaces/topics", VERSIONS, created_status=200)
subscriptions = Provider(f"{topics.type}/subscriptions", VERSIONS, created_status=200)
PROVIDERS = [namespaces, queues, topics, subscriptions]
TIERS = ("Basic", "Standard", "Premium")
DEFAULTS = {
    "lockDuration": "PT1M",
    "maxSizeInMegabytes": 1024,
    "requiresDuplicateDetection": False,
    "requiresSession": False,
    "defaultMessageTimeToLive": "P10675199DT2H48M5.4775807S",
    "deadLetteringOnMessageExpiration": False,
    "duplicateDetectionHistoryTimeWindow": "PT10M",
    "maxDeliveryCount": 10,
    "enableBatchedOperations": True,
    "enablePartitioning": False,
    "enableExpress": False,
    "status": "Active",
}
FIXED = ("requiresSession", "requiresDuplicateDetection", "enablePartitioning")
NONE = dict.fromkeys(
    (
        "activeMessageCount",
        "deadLetterMessageCount",
        "scheduledMessageCount",
        "transferMessageCount",
        "transferDeadLetterMessageCount",
    ),
    0,
)
READ_ONLY = ("countDetails", "createdAt", "updatedAt", "accessedAt", "sizeInBytes", "messageCount")


@namespaces.put
def put_namespace(call: Call, body: dict, known: Resource | None) -> Running | None:
    """A namespace has a location and a tier; making one takes a while."""
    if not isinstance(body.get("location"), str):
        raise Refused(400, "LocationRequired", "The location property is required.")
    sku = body.setdefault("sku", {"name": "Standard", "tier": "Standard"})
    if sku.get("name") not in TIERS:
        raise Refused(400, "BadRequest", f"sku.name is one of {', '.join(TIERS)}.")
    sku.setdefault("tier", sku["name"])
    host = f"https://{call.route.name}.servicebus.windows.net:443/"
    properties = {"status": "Active", "serviceBusEndpoint": host, **body.get("properties", {})}
    body["properties"] = properties
    if known:
        return None
    seconds = call.world.timings["settle_seconds"]
    return running(seconds, lambda: None, via=(ASYNC_OPERATION,), status=201)


@namespaces.removed
def remove_namespace(call: Call, namespace: Resource) -> Running:
    """A namespace goes with its queues."""
    return running(call.world.timings["settle_seconds"], lambda: None)


@queues.put
async def put_queue(call: Call, body: dict, known: Resource | None) -> None:
    """What a queue is made with it keeps: sessions, duplicate detection, partitions."""
    given = {key: v for key, v in body.get("properties", {}).items() if key not in READ_ONLY}
    properties = {**DEFAULTS, **given}
    for key in FIXED:
        if known and known.properties.get(key, False) != properties[key]:
            message = f"The value for the '{key}' property of an existing Queue cannot be changed."
            raise Refused(400, "BadRequest", message)
    await call.world.buses.create_queue(call.parent().name, call.route.name, properties)
    body.clear()
    body["properties"] = properties


@queues.removed
async def remove_queue(call: Call, queue: Resource) -> None:
    """The player drops it with its messages."""
    await call.world.buses.delete_queue(call.parent().name, queue.name)


@queues.read
async def read_queue(call: Call) -> Reply:
    """A queue with the counts that its player gives."""
    queue = call.found()
    return Reply(200, await _counted(call, call.parent(), queue), {"ETag": f'"{queue.etag}"'})


@queues.listed
async def list_queues(call: Call) -> list[dict]:
    """Every queue with its counts, as a single one has them."""
    namespace = call.found()
    rows = call.world.resources.under(namespace.id, queues.type)
    return [await _counted(call, namespace, row) for row in rows]


async def _counted(call: Call, namespace: Resource, queue: Resource) -> dict:
    counts = await call.world.buses.counts(namespace.name, queue.name)
    times = {
        "createdAt": queue.created_at.astimezone(UTC).isoformat(),
        "updatedAt": queue.changed_at.astimezone(UTC).isoformat(),
    }
    properties = {**DEFAULTS, "messageCount": 0, **counts, **queue.properties, **times}
    return {**queue.shown(), "type": queues.type, "properties": properties}


@topics.shown
def show_topic(call: Call, topic: Resource) -> dict:
    """A topic with the number of its subscriptions."""
    count = len(call.world.resources.under(topic.id, subscriptions.type))
    return _empty_but(topic, {"subscriptionCount": count})


@subscriptions.shown
def show_subscription(call: Call, subscription: Resource) -> dict:
    """A subscription with what lies in it."""
    return _empty_but(subscription, {"messageCount": 0})


def _empty_but(known: Resource, added: dict) -> dict:
    return {
        **known.shown(),
        "properties": {"countDetails": dict(NONE), **added, **known.properties},
    }
