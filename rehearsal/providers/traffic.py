"""Microsoft.Network/trafficmanagerprofiles: profiles and their endpoints.

After api-versions 2022-04-01 and 2026-09-01 (the az CLI's). Whoever probes writes
endpointMonitorStatus into the endpoints' properties and profileMonitorStatus into the profile's
monitorConfig.
Not emulated: geographic hierarchies, heat maps, real user metrics, name availability, and
nestedEndpoints and azureEndpoints whose target must be looked up.
"""

from rehearsal.arm_provider import Call, Provider, Refused
from rehearsal.world import Resource

BASE = "Microsoft.Network/trafficManagerProfiles"
VERSIONS = ("2022-04-01", "2026-09-01", "2022-04-01-preview", "2018-08-01", "2018-04-01")
ENDPOINTS = tuple(f"{BASE}/{kind}" for kind in ("externalEndpoints", "azureEndpoints"))
METHODS = ("Performance", "Priority", "Weighted", "Geographic", "MultiValue", "Subnet")
STATES = ("Enabled", "Disabled")
DELETED = {"boolean": True}  # The published name of the one property.
profiles = Provider(BASE, VERSIONS, deleted_body=DELETED)
endpoints = [Provider(type, VERSIONS, deleted_body=DELETED) for type in ENDPOINTS]
PROVIDERS = [profiles, *endpoints]


def _invalid(message: str) -> Refused:
    return Refused(400, "BadRequest", message)


@profiles.put
def put_profile(call: Call, body: dict, known: Resource | None) -> None:
    """A profile has a name in DNS, a TTL, a way to probe and a way to route."""
    properties = body.setdefault("properties", {})
    dns = properties.get("dnsConfig") or {}
    ttl, relative = dns.get("ttl"), dns.get("relativeName")
    if not relative or not isinstance(ttl, int) or not 0 <= ttl <= 2147483647:
        raise _invalid("The dnsConfig of a profile needs relativeName and ttl.")
    if properties.get("trafficRoutingMethod") not in METHODS:
        raise _invalid(f"trafficRoutingMethod is one of {', '.join(METHODS)}.")
    if properties.setdefault("profileStatus", "Enabled") not in STATES:
        raise _invalid("profileStatus is Enabled or Disabled.")
    dns["fqdn"] = f"{relative}.trafficmanager.net"
    monitor = properties.setdefault("monitorConfig", {})
    defaults = {"intervalInSeconds": 30, "timeoutInSeconds": 10, "toleratedNumberOfFailures": 3}
    properties["monitorConfig"] = {"profileMonitorStatus": "Inactive", **defaults, **monitor}
    body.setdefault("location", "global")


@profiles.placed
def placed_profile(call: Call, profile: Resource, before: dict | None) -> None:
    """Endpoints given inside a profile are the whole list of its endpoints."""
    given = profile.properties.pop("endpoints", None)
    if given is None:
        return
    table, kept = call.world.resources, set()
    for row in given:
        kind = str(row.get("type", ENDPOINTS[0])).rsplit("/", 1)[-1]
        id = f"{profile.id}/{kind}/{row.get('name', '')}"
        properties = dict(row.get("properties", {}))
        check_endpoint(call, profile.id, id, properties)
        table.place(id, {"properties": properties})
        kept.add(id.lower())
    for row in _endpoints(call, profile):
        if row.id.lower() not in kept:
            table.remove(row.id)


def _endpoints(call: Call, profile: Resource) -> list[Resource]:
    rows = [row for type in ENDPOINTS for row in call.world.resources.under(profile.id, type)]
    return sorted(rows, key=lambda row: row.properties.get("priority", 0))


@profiles.shown
def show_profile(call: Call, profile: Resource) -> dict:
    """A profile with its endpoints in it."""
    inside = [row.shown() for row in _endpoints(call, profile)]
    return {**profile.shown(), "properties": {**profile.properties, "endpoints": inside}}


def put_endpoint(call: Call, body: dict, known: Resource | None) -> None:
    """One endpoint; no two have one priority."""
    properties = body.setdefault("properties", {})
    check_endpoint(call, call.route.parent_id, call.route.id, properties)
    if known and known.properties.get("endpointStatus") != properties["endpointStatus"]:
        enabled = properties["endpointStatus"] == "Enabled"
        properties["endpointMonitorStatus"] = "CheckingEndpoint" if enabled else "Disabled"


def check_endpoint(call: Call, profile_id: str, id: str, properties: dict) -> None:
    """Refuse what Azure refuses, and fill in what Azure fills in."""
    table = call.world.resources
    others = [
        row
        for type in ENDPOINTS
        for row in table.under(profile_id, type)
        if row.id.lower() != id.lower()
    ]
    taken = {row.properties.get("priority") for row in others}
    if not properties.get("target"):
        raise _invalid(f"The target of endpoint '{id.rsplit('/', 1)[-1]}' is required.")
    if properties.setdefault("endpointStatus", "Enabled") not in STATES:
        raise _invalid("endpointStatus is Enabled or Disabled.")
    free = next(number for number in range(1, 1001) if number not in taken)
    properties.setdefault("priority", free)
    if properties["priority"] in taken:
        message = f"The priority {properties['priority']} is used by another endpoint."
        raise _invalid(message)
    if not isinstance(properties["priority"], int) or not 1 <= properties["priority"] <= 1000:
        raise _invalid("The priority of an endpoint is from 1 to 1000.")
    properties.setdefault("weight", 1)
    properties.setdefault("alwaysServe", "Disabled")
    properties.setdefault("endpointMonitorStatus", "CheckingEndpoint")


def placed_endpoint(call: Call, endpoint: Resource, before: dict | None) -> None:
    """A changed endpoint is a changed profile."""
    profile = call.world.resources.get(call.route.parent_id)
    if profile is not None:
        call.world.resources.touch(profile)


for _kind in endpoints:
    _kind.put(put_endpoint)
    _kind.placed(placed_endpoint)
