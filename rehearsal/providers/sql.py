"""Microsoft.Sql: servers and their failover groups, one view of a group at each server.

After api-version 2025-01-01. Error codes are recollections. Not emulated: databases and their
data, listeners, seeding, automatic failover, instances.
"""

from rehearsal.arm_provider import (
    ASYNC_OPERATION,
    LOCATION,
    Call,
    Provider,
    Refused,
    Running,
    running,
)
from rehearsal.world import Resource

VERSIONS = ("2025-01-01",)
METHODS = frozenset({"GET"})
BASE = "Microsoft.Sql/servers"
servers = Provider(BASE, VERSIONS, methods=METHODS)
groups = Provider(f"{BASE}/failoverGroups", VERSIONS, methods=METHODS)
PROVIDERS = [servers, groups]
WORD = "/failoverGroups/"


def twin(call: Call, group: Resource) -> Resource:
    """The same group as its partner server has it."""
    partner = group.properties["partnerServers"][0]["id"]
    found = call.world.resources.get(f"{partner}{WORD}{group.name}")
    if found is None:
        message = f"Server '{partner}' has no failover group '{group.name}'."
        raise Refused(404, "FailoverGroupDoesNotExist", message)
    return found


@groups.shown
def show(call: Call, group: Resource) -> dict:
    """A group with where its partner is and what that is."""
    other = twin(call, group)
    id = group.properties["partnerServers"][0]["id"]
    role = other.properties["replicationRole"]
    partner = {"id": id, "location": other.location, "replicationRole": role}
    properties = {**group.properties, "partnerServers": [partner]}
    return {**group.shown(), "location": group.location, "properties": properties}


def moved(call: Call, forced: bool) -> Running:
    """This server becomes the primary, and the other one its secondary."""
    group = call.found()
    other = twin(call, group)
    if group.properties["replicationRole"] == "Primary":
        message = "The failover must be initiated on the secondary server."
        raise Refused(400, "FailoverGroupNotSecondary", message)
    if group.properties.get("replicationState") == "PENDING":
        raise Refused(409, "FailoverGroupBusy", "The failover group is being changed.")
    if not forced and not call.world.up(other.location, "data"):
        raise Refused(409, "PrimaryNotReachable", "A planned failover needs the primary server.")
    for one in (group, other):
        one.properties["replicationState"] = "PENDING"

    def then() -> dict:
        for one, role in ((group, "Primary"), (other, "Secondary")):
            one.properties.update({"replicationRole": role, "replicationState": "CATCH_UP"})
        return show(call, group)

    seconds = call.world.timings["settle_seconds"]
    return running(seconds, then, via=(LOCATION, ASYNC_OPERATION))


@groups.action("failover")
def fail_over(call: Call) -> Running:
    """Planned: nothing is lost, both servers are needed."""
    return moved(call, forced=False)


@groups.action("forceFailoverAllowDataLoss")
def force(call: Call) -> Running:
    """Forced: what was not copied is lost."""
    return moved(call, forced=True)
