"""Aliases to test: two namespaces of either kind, paired or replicated, and the tasks of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from rehearsal.world import Resource
from shared import alias
from tests.doors import HERE, THERE, Doors
from tests.parts import MARKER, ended, forced, own
from tests.wire import check_exchanges

KINDS = ("serviceBusAlias", "eventHubsAlias")
SORTS = {
    "serviceBusAlias": ("Microsoft.ServiceBus/namespaces", "queues"),
    "eventHubsAlias": ("Microsoft.EventHub/namespaces", "eventhubs"),
}
both_kinds = pytest.mark.parametrize("kind", KINDS)


@contextmanager
def emptied(doors: Doors) -> Iterator[None]:
    """A test begins without namespaces of its own, and its exchanges are judged."""
    since = doors.mark()
    yield
    doors.world.recover(HERE)
    doors.world.recover(THERE)
    for kind in KINDS:
        for one in (side(doors, kind, THERE), side(doors, kind, HERE)):
            doors.world.resources.remove(one["resource"])
    check_exchanges(doors.world.journal.after(since))


def side(doors: Doors, kind: str, location: str, **more: object) -> dict:
    """The component as it is seen from `location`."""
    common = {"name": "bus", "kind": kind, "mode": "pairing", "alias": "contoso-bus"}
    id = own(doors, location, f"{SORTS[kind][0]}/ns-alias-{location}")
    return {**common, "resource": id, "leftovers": "empty", **more}


def namespace(doors: Doors, kind: str, location: str) -> str:
    """The id of a location's namespace."""
    return side(doors, kind, location)["resource"]


def task(doors: Doors, kind: str, verb: str, location: str = HERE, **more: object) -> dict:
    """A task of a forced run; `mode` and `dryRun` go to the task, the rest to the component."""
    doors.hold()
    options = {key: more.pop(key) for key in ("mode", "dryRun") if key in more}
    other = THERE if location == HERE else HERE
    part = {**side(doors, kind, location, **more), "other": side(doors, kind, other, **more)}
    return forced(doors, part, verb, location, **options)


def placed(doors: Doors, kind: str, location: str, tier: str = "Premium") -> Resource:
    part = side(doors, kind, location)
    properties = {"provisioningState": "Succeeded", "status": "Active"}
    body = {"location": location, "sku": {"name": tier, "tier": tier}, "properties": properties}
    return doors.world.resources.place(part["resource"], {**body, "tags": {"note": MARKER}})


def entity(doors: Doors, kind: str, location: str, name: str, **properties: object) -> Resource:
    id = f"{side(doors, kind, location)['resource']}/{SORTS[kind][1]}/{name}"
    return doors.world.resources.place(id, {"properties": {"status": "Active", **properties}})


def topic(doors: Doors, location: str, **counts: int) -> None:
    """A topic with a subscription in which so many messages lie."""
    id = f"{namespace(doors, KINDS[0], location)}/topics/news"
    doors.world.resources.place(id, {"properties": {}})
    told = {"messageCount": sum(counts.values()), "countDetails": counts}
    doors.world.resources.place(f"{id}/subscriptions/audit", {"properties": told})


def paired(doors: Doors, kind: str, entities: int = 1) -> None:
    """westeurope's namespace is primary, northeurope's its secondary, all is carried over."""
    for location in (THERE, HERE):
        placed(doors, kind, location)
        for number in range(entities):
            entity(doors, kind, location, f"e{number}")
    for location, role in ((THERE, "Primary"), (HERE, "Secondary")):
        other = side(doors, kind, HERE if location == THERE else THERE)
        told = {"role": role, "provisioningState": "Succeeded", "partnerNamespace": ""}
        told["partnerNamespace"] = other["resource"]
        doors.world.resources.place(alias.path(side(doors, kind, location)), {"properties": told})


def role(doors: Doors, kind: str, location: str) -> str | None:
    found = doors.world.resources.get(alias.path(side(doors, kind, location)))
    return found.properties["role"] if found else None


def late(doors: Doors, kind: str) -> Resource:
    """An entity of the primary that is not carried over for an hour."""
    made = entity(doors, kind, THERE, "late")
    made.created_at += timedelta(hours=1)
    return made


def moved(doors: Doors, kind: str) -> None:
    """A forced run has failed the alias over to northeurope."""
    paired(doors, kind)
    assert ended(doors, doors.call("promote_alias", task(doors, kind, "promote")))


def protect(doors: Doors, kind: str, **more: object) -> dict:
    return doors.call("protect_alias", task(doors, kind, "protect", THERE, **more))


def checks(doors: Doors, kind: str, **more: object) -> dict[str, dict]:
    found = doors.call("check_alias", task(doors, kind, "check", HERE, **more))
    return {one["name"]: one for one in found["checks"]}


def replicated(doors: Doors, kind: str, *places: str) -> Resource:
    """One namespace for both locations, in the group of the standby; it has no own location."""
    found = placed(doors, kind, HERE)
    rows = [
        {"locationName": place, "roleType": "Primary" if place == THERE else "Secondary"}
        for place in places
    ]
    found.body.pop("location")
    found.properties["geoDataReplication"] = {"locations": rows}
    return found


def replica(doors: Doors, kind: str, verb: str, **more: object) -> dict:
    told = task(doors, kind, verb, HERE, **more)
    part = {k: v for k, v in told["component"].items() if k != "alias"} | {"mode": "replication"}
    return {**told, "component": {**part, "other": dict(part)}}
