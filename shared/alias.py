"""Alias: geo-DR pairings and geo-replication of Service Bus and Event Hubs, as decisions.

A pairing carries entities over, and nothing that is in them; its alias moves to the secondary once,
and a namespace that was left must be empty before it is paired again. Replication carries data
too, in one namespace that has a primary location (service-bus-geo-dr, service-bus-geo-replication,
event-hubs/geo-replication).
"""

from typing import NamedTuple

from shared.arm_calls import call
from shared.outcome import refused

VERSION = "2026-01-01"  # The first in which namespaces/{name}/failover is published for both.
PRIMARY = ("Primary", "PrimaryNotReplicating")
SHOWN_MAX = 5


class Sort(NamedTuple):
    """What differs between the two services."""

    service: str
    entities: tuple[str, ...]
    tiers: dict[str, tuple[str, ...]]
    safe: bool  # Does its failover take a word on whether to wait?
    counts: bool  # Does ARM say how many messages an entity holds?


SORTS = {
    "serviceBusAlias": Sort(
        "Service Bus",
        ("queues", "topics"),
        {"pairing": ("Premium",), "replication": ("Premium",)},
        True,
        True,
    ),
    "eventHubsAlias": Sort(
        "Event Hubs",
        ("eventhubs",),
        {"pairing": ("Standard", "Premium"), "replication": ("Premium",)},
        False,
        False,
    ),
}


def path(part: dict) -> str:
    """The alias as the namespace of this side has it."""
    return f"{part['resource']}/disasterRecoveryConfigs/{part['alias']}"


def name_of(resource: str) -> str:
    """The last name of an id."""
    return resource.rsplit("/", 1)[-1]


def normal(location: str) -> str:
    """`West Europe` as `westeurope`."""
    return location.replace(" ", "").lower()


def promotion(part: dict, location: str, graceful: bool) -> dict:
    """The call that makes `location` the primary; a graceful one loses nothing or does nothing."""
    if part["mode"] == "replication":
        told = {"primaryLocation": location, "force": not graceful}
        return call("POST", f"{part['resource']}/failover", VERSION, {"properties": told})
    body = {"properties": {"IsSafeFailover": graceful}} if SORTS[part["kind"]].safe else None
    return call("POST", f"{path(part)}/failover", VERSION, body)


def pairing(part: dict) -> dict:
    """The call that pairs the other side, which is primary, with this side."""
    told = {"properties": {"partnerNamespace": part["resource"]}}
    return call("PUT", path({**part, **part["other"]}), VERSION, told)


def breaking(part: dict) -> dict:
    """The call that breaks the pairing of the other side, which is primary, with this side."""
    return call("POST", f"{path({**part, **part['other']})}/breakPairing", VERSION)


def removal(part: dict, entity: dict) -> dict:
    """The call that deletes a queue, topic or event hub that is left in this side's namespace."""
    return call("DELETE", f"{part['resource']}/{entity['kind']}/{entity['name']}", VERSION)


def alias_of(properties: dict) -> dict:
    """{"role", "state", "partner", "pending"} of a pairing as one side shows it."""
    return {
        "role": str(properties.get("role", "")),
        "state": str(properties.get("provisioningState", "")),
        "partner": str(properties.get("partnerNamespace") or ""),
        "pending": int(properties.get("pendingReplicationOperationsCount") or 0),
    }


def replica_of(properties: dict) -> dict:
    """{"primary", "places", "state", "lagSeconds"} of a namespace; no places: not replicated."""
    geo = properties.get("geoDataReplication") or {}
    rows = geo.get("locations") or []
    first = [row for row in rows if row.get("roleType") == "Primary"]
    return {
        "primary": normal(str(first[0].get("locationName", ""))) if first else "",
        "places": [normal(str(row.get("locationName", ""))) for row in rows],
        "state": str(properties.get("provisioningState", "")),
        "lagSeconds": geo.get("maxReplicationLagDurationInSeconds"),
    }


def lag_of(seen: dict) -> str:
    """How late the copy of a replicated namespace may be; beyond it the primary takes no more."""
    known = {None: "with a lag that it does not show", 0: "synchronously"}
    return known.get(seen["lagSeconds"], f"up to {seen['lagSeconds']} s late")


def losing(part: dict, seen: dict, graceful: bool) -> dict:
    """What a failover would lose; `seen`: the outcome of a look. Empty where it serves already.

    A pairing carries no messages. A replicated namespace refuses what would put its copy further
    behind than maxReplicationLagDurationInSeconds (GeoDataReplicationProperties).
    """
    if seen["serving"]:
        return {}
    if graceful:
        return {"rpoSeconds": 0.0}
    if part["mode"] == "pairing":
        words = "a pairing carries no messages, and ARM does not show how old those are"
        return {"rpoSeconds": None, "rpoBecause": words}
    late = seen["lagSeconds"]
    words = f"is replicated {lag_of(seen)}"
    return {"rpoSeconds": None if late is None else float(late), "rpoBecause": words}


def words_of(seen: dict) -> str:
    """A pairing in words."""
    beside = f" of {name_of(seen['partner'])}" if seen["partner"] else ""
    return f"is {seen['role']}{beside}, {seen['state']}, {seen['pending']} operations pending"


def not_yet(seen: dict, graceful: bool) -> dict | None:
    """Why the alias is not failed over to a secondary that shows `seen`; None when it may be."""
    if seen["state"] == "Accepted":
        return refused(f"{words_of(seen)}: it is being paired or failed over", busy=True)
    if seen["state"] == "Failed":
        return refused(f"{words_of(seen)}: break the pairing and pair anew")
    if seen["role"] != "Secondary":
        return refused(f"{words_of(seen)}: only a secondary can be failed over to")
    if graceful and seen["pending"]:
        return refused(f"{words_of(seen)}: a forced run does not wait for them", busy=True)
    return None


def held(entities: list[dict], sort: Sort) -> str:
    """Why leftovers must not be deleted: what is in them; empty when nothing is."""
    if not sort.counts:
        return f"{sort.service} does not say whether they are empty"
    full = [one["name"] for one in entities if one["messages"]]
    if full:
        return f"messages lie in {shown(full)}"
    # A topic's size is all that ARM says of it, and says nothing of its subscriptions' messages.
    read = [one["name"] for one in entities if one["subscriptions"]]
    return f"whether {shown(read)}, with subscriptions, hold messages is not known" if read else ""


def shown(names: list[str]) -> str:
    """Some names, and how many more there are."""
    more = f" and {len(names) - SHOWN_MAX} more" if len(names) > SHOWN_MAX else ""
    return ", ".join(names[:SHOWN_MAX]) + more


def condition(part: dict, left: list[dict]) -> str:
    """What has to come before a namespace is paired anew, in words."""
    if not left:
        return ""
    empty = "" if part["leftovers"] == "delete" else ", if no messages lie there then"
    return f", once {shown([one['name'] for one in left])} are deleted{empty}"


def entity(kind: str, row: dict) -> dict:
    """{"kind", "name", "messages", "subscriptions"} of one in a list; a topic counts by its size.

    After SBTopicProperties of Microsoft.ServiceBus, which has no count of messages.
    """
    properties = row.get("properties", {})
    count = properties.get("messageCount") or properties.get("sizeInBytes") or 0
    known = {"kind": kind, "name": str(row.get("name", "")), "messages": int(count)}
    return {**known, "subscriptions": int(properties.get("subscriptionCount") or 0)}
