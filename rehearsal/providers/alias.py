"""Geo-DR pairings and replicated namespaces of Microsoft.ServiceBus and Microsoft.EventHub.

After api-versions 2024-01-01 and 2026-01-01 and service-bus-geo-dr: entities are carried over by
the clock, a failover is asked of the secondary and breaks the pairing, and only an empty namespace
can be paired. A replicated namespace stands in the table without a location: ARM reaches it while
its resource group's region is up. The codes of refusals are recollections, their words are not.
Not emulated: checkNameAvailability, keys of an alias, the alias's own DNS name, messages.
"""

from datetime import datetime, timedelta

from rehearsal.arm_provider import ASYNC_OPERATION, Call, Provider, Refused, Running, running
from rehearsal.providers import eventhub, servicebus
from rehearsal.world import Resource, World, normal

VERSIONS = ("2024-01-01", "2026-01-01")
ENTITIES = {
    "microsoft.servicebus": ("queues", "topics", "topics/subscriptions"),
    "microsoft.eventhub": ("eventhubs",),
}
ABLE = {"microsoft.servicebus": ("Premium",), "microsoft.eventhub": ("Standard", "Premium")}
PRIMARY, ALONE, SECONDARY = "Primary", "PrimaryNotReplicating", "Secondary"
SHOWN = ("provisioningState", "partnerNamespace", "role", "alternateName")
HELD = ("messageCount", "countDetails", "sizeInBytes")
CONFIG = "disasterRecoveryConfigs"
configs = [
    Provider(f"{owner}/namespaces/{CONFIG}", VERSIONS, created_status=201)
    for owner in ("Microsoft.ServiceBus", "Microsoft.EventHub")
]
PROVIDERS = configs


def bad(message: str) -> Refused:
    """The only code that is known of these services' refusals."""
    return Refused(400, "BadRequest", message)


def service(id: str) -> str:
    """`microsoft.servicebus` or `microsoft.eventhub`."""
    return id.lower().split("/providers/")[-1].split("/")[0]


def namespace_of(config: Resource) -> str:
    """The id of the namespace that a config stands under."""
    return config.id.rsplit(f"/{CONFIG}/", 1)[0]


def entities(world: World, namespace: str) -> list[Resource]:
    """What a namespace holds, of the kinds that a pairing carries over."""
    rows = ENTITIES[service(namespace)]
    kind = world.resources.get(namespace)
    base = kind.type if kind else ""
    return [row for name in rows for row in world.resources.under(namespace, f"{base}/{name}")]


def settle(world: World, config: Resource) -> None:
    """What the clock has brought about since somebody last looked."""
    due = config.body.get("due")
    if due and datetime.fromisoformat(due) <= world.now:
        config.body.pop("due")
        config.properties["provisioningState"] = "Succeeded"


def pending(world: World, config: Resource) -> int:
    """Carry over what had its time; how many entities of the primary are still to come."""
    if config.properties["role"] not in (PRIMARY, SECONDARY):
        return 0
    mine, theirs = namespace_of(config), config.properties["partnerNamespace"]
    source, target = (mine, theirs) if config.properties["role"] == PRIMARY else (theirs, mine)
    late, age = 0, timedelta(seconds=world.timings["settle_seconds"])
    for row in entities(world, source):
        copy = target + row.id[len(source) :]
        if world.resources.get(copy) is not None:
            continue
        if row.created_at + age > world.now:
            late += 1
        else:
            # Entities are replicated, what lies in them is not.
            kept = {key: v for key, v in row.properties.items() if key not in HELD}
            world.resources.place(copy, {"properties": kept})
    return late


def show(call: Call, config: Resource) -> dict:
    """A pairing as this side has it."""
    settle(call.world, config)
    known = {key: config.properties[key] for key in SHOWN if key in config.properties}
    count = pending(call.world, config)
    shown = {**known, "pendingReplicationOperationsCount": count}
    return {"id": config.id, "name": config.name, "type": config.type, "properties": shown}


def partner(call: Call, name: str) -> Resource:
    """The namespace to be paired with, which must be there, elsewhere and empty."""
    mine, other = call.parent(), call.world.resources.get(name)
    if other is None or other.type.lower() != mine.type.lower():
        raise bad(f"The partner namespace '{name}' could not be found.")
    for one in (mine, other):
        if one.body.get("sku", {}).get("name") not in ABLE[service(one.id)]:
            raise bad(f"Namespace '{one.name}': geo-disaster recovery is not in this tier.")
    if mine.location == other.location:
        raise bad("The primary and the secondary namespace must be in different regions.")
    if entities(call.world, other.id):
        raise bad(f"Namespace '{other.name}' is not empty: it cannot be a secondary.")
    return other


def put_config(call: Call, body: dict, known: Resource | None) -> None:
    """Pair this namespace, the primary, with an empty one elsewhere."""
    name = str(body.get("properties", {}).get("partnerNamespace") or "")
    if known and known.properties["role"] == SECONDARY:
        raise bad("Cannot update a namespace which is secondary.")
    if known and known.properties["partnerNamespace"].lower() == name.lower():
        body.clear()
        body.update(known.body)
        return
    if known and known.properties["role"] == PRIMARY:
        raise bad("The namespace is paired already: break the pairing first.")
    other = partner(call, name)
    for row in call.world.resources.of_type(call.route.type):
        own = known is not None and row.id == known.id
        if not own and (row.name == call.route.name or namespace_of(row) == other.id):
            raise bad(f"'{row.name}' of '{namespace_of(row)}' is in the way of this pairing.")
    due = call.world.now + timedelta(seconds=call.world.timings["settle_seconds"])
    told = {"provisioningState": "Accepted", "partnerNamespace": other.id, "role": PRIMARY}
    body.clear()
    body.update({"properties": told, "due": due.isoformat()})


def placed_config(call: Call, config: Resource, before: dict | None) -> None:
    """The secondary shows the pairing too."""
    other = config.properties["partnerNamespace"]
    mirrored = {**config.properties, "role": SECONDARY, "partnerNamespace": namespace_of(config)}
    body = {"properties": mirrored, "due": config.body.get("due", call.world.now.isoformat())}
    call.world.resources.place(f"{other}/{CONFIG}/{config.name}", body)


def left_alone(call: Call, config: Resource) -> None:
    """The pairing is over: this side is the primary of nobody."""
    other = f"{config.properties['partnerNamespace']}/{CONFIG}/{config.name}"
    call.world.resources.remove(other)
    told = {"provisioningState": "Accepted", "role": ALONE, "partnerNamespace": ""}
    due = call.world.now + timedelta(seconds=call.world.timings["settle_seconds"])
    call.world.resources.place(config.id, {"properties": told, "due": due.isoformat()})


def fail_over(call: Call) -> dict | None:
    """The secondary becomes the primary at once, whether the other one lives or not."""
    config = call.found()
    settle(call.world, config)
    late = pending(call.world, config)
    if config.properties["role"] != SECONDARY:
        raise bad("A failover must be initiated on the secondary namespace.")
    wanted = call.body.get("properties", {}).get("IsSafeFailover", False)
    if config.properties["provisioningState"] != "Succeeded" or (wanted and late):
        words = "Namespace Replication is still in progress, retry the operation after some time."
        raise Refused(409, "Conflict", words)
    left_alone(call, config)
    return None


def break_pairing(call: Call) -> dict | None:
    """The primary goes on alone."""
    config = call.found()
    if config.properties["role"] != PRIMARY:
        raise bad("A pairing must be broken on the primary namespace.")
    left_alone(call, config)
    return None


def removed_config(call: Call, config: Resource) -> None:
    """An alias goes when nobody is paired by it."""
    if config.properties["role"] != ALONE:
        raise bad("The alias is paired: break the pairing first.")


def promote(call: Call) -> Running:
    """Promote another location of a replicated namespace; a planned one needs both alive."""
    found, told = call.found(), call.body.get("properties", {})
    rows = (found.properties.get("geoDataReplication") or {}).get("locations", [])
    to = normal(str(told.get("primaryLocation", "")))
    roles = {normal(row["locationName"]): row for row in rows}
    if to not in roles:
        raise bad(f"The namespace is not replicated to '{to}'.")
    alive = all(call.world.up(place, "servicebus") for place in roles)
    if not told.get("force") and not alive:
        raise Refused(409, "Conflict", "A planned promotion needs every location: use force.")
    if found.properties.get("provisioningState") == "Updating" and not told.get("force"):
        raise Refused(409, "Conflict", "The namespace is being updated.")
    found.properties["provisioningState"] = "Updating"

    def then() -> None:
        for place, row in roles.items():
            row["roleType"] = "Primary" if place == to else "Secondary"
        found.properties["provisioningState"] = "Succeeded"

    return running(call.world.timings["settle_seconds"], then, via=(ASYNC_OPERATION,))


def show_namespace(call: Call, found: Resource) -> dict:
    """A replicated namespace is shown in the location that is its primary."""
    shown = found.shown()
    rows = (found.properties.get("geoDataReplication") or {}).get("locations", [])
    first = [row["locationName"] for row in rows if row.get("roleType") == "Primary"]
    return {**shown, "location": first[0]} if first and "location" not in found.body else shown


for _config in configs:
    _config.put(put_config)
    _config.placed(placed_config)
    _config.removed(removed_config)
    _config.shown(show)
    _config.action("failover")(fail_over)
    _config.action("breakPairing")(break_pairing)
for _namespaces in (servicebus.namespaces, eventhub.namespaces):
    _namespaces.action("failover")(promote)
    _namespaces.shown(show_namespace)
