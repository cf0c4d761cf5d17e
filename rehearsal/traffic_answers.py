"""What Traffic Manager answers: pure functions over a profile and its endpoints, and a resolver.

After learn.microsoft.com, traffic-manager-monitoring: the first endpoint in order that is not
degraded; when all are, all of them. So it always fails back by itself.
Not emulated: Geographic, Multivalue, Subnet, nested profiles, min children.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rehearsal.world import Address, Resource, World, normal

PROFILE = "Microsoft.Network/trafficmanagerprofiles"
ENDPOINT = f"{PROFILE}/externalEndpoints"
SERVED = ("Online", "CheckingEndpoint", "Unmonitored")


def is_on(endpoint: dict) -> bool:
    """Is this endpoint switched on?"""
    return endpoint.get("endpointStatus", "Enabled") == "Enabled"


def monitor_status(endpoint: dict, failures: int, probes: int, tolerated: int) -> str:
    """endpointMonitorStatus after `probes` probes of which the last `failures` failed in a row."""
    if not is_on(endpoint):
        return "Disabled"
    if endpoint.get("alwaysServe") == "Enabled":
        return "Unmonitored"
    if probes == 0:
        return "CheckingEndpoint"
    if failures > tolerated:
        return "Degraded"
    # A failure that is tolerated changes nothing.
    was = endpoint.get("endpointMonitorStatus", "CheckingEndpoint")
    return "Online" if failures == 0 or was in ("Disabled", "Unmonitored") else was


def profile_status(statuses: list[str], on: bool) -> str:
    """profileMonitorStatus of a profile with these endpoint statuses."""
    if not on:
        return "Disabled"
    watched = [status for status in statuses if status != "Disabled"]
    if not watched:
        return "Inactive"
    if any(status == "Degraded" for status in watched):
        return "Degraded"
    if any(status == "CheckingEndpoint" for status in watched):
        return "CheckingEndpoints"
    return "Online"


def answer(profile: dict, endpoints: list[dict], pick: float = 0.0, near: str = "") -> list[dict]:
    """The endpoints (their `properties`) that a DNS query is answered with.

    `pick` (0 to 1) chooses among weights; `near` is the caller's location for Performance.
    """
    if profile.get("profileStatus", "Enabled") != "Enabled":
        return []
    on = sorted((e for e in endpoints if is_on(e)), key=lambda e: e.get("priority") or 1)
    well = [e for e in on if e.get("endpointMonitorStatus", "CheckingEndpoint") in SERVED]
    if not well:
        return on
    method = profile.get("trafficRoutingMethod", "Priority")
    if method == "Weighted":
        return [_weighted(well, pick)]
    if method == "Performance":
        close = [e for e in well if normal(e.get("endpointLocation", "")) == near]
        return (close or well)[:1]
    if method != "Priority":
        raise ValueError(f"trafficRoutingMethod {method} is not emulated")
    return well[:1]


def _weighted(endpoints: list[dict], pick: float) -> dict:
    left = pick * sum(e.get("weight", 1) for e in endpoints)
    for endpoint in endpoints:
        left -= endpoint.get("weight", 1)
        if left < 0:
            return endpoint
    return endpoints[-1]


def find_profile(world: World, name: str) -> Resource | None:
    """The profile with this DNS name."""
    wanted = name.lower().rstrip(".")
    for profile in world.resources.of_type(PROFILE):
        dns = profile.properties.get("dnsConfig", {})
        fqdn = dns.get("fqdn") or f"{dns.get('relativeName', '')}.trafficmanager.net"
        if fqdn.lower() == wanted:
            return profile
    return None


def query(world: World, name: str, near: str = "") -> dict | None:
    """`{"name", "answers": [{"target", "endpoint", "location"}], "ttl"}`; None: no such name."""
    profile = find_profile(world, name)
    if profile is None:
        return None
    rows = world.resources.under(profile.id, ENDPOINT)
    names = {id(row.properties): row.name for row in rows}
    chosen = answer(
        profile.properties, [row.properties for row in rows], world.random.random(), near
    )
    answers = [
        {
            "target": e.get("target", ""),
            "endpoint": names[id(e)],
            "location": normal(e.get("endpointLocation", "")),
        }
        for e in chosen
    ]
    ttl = profile.properties.get("dnsConfig", {}).get("ttl", 60)
    return {"name": name, "answers": answers, "ttl": ttl}


@dataclass(frozen=True)
class _Cached:
    target: str
    until: datetime


class Resolver:
    """The DNS of one place: the world's names, and Traffic Manager's for as long as their TTL."""

    def __init__(self, world: World, near: str = "") -> None:
        self._world, self._near = world, near
        self._cache: dict[str, _Cached] = {}

    def find(self, host: str) -> Address | None:
        """Where a name answers now, or None when there is no such name."""
        name = host.lower().rstrip(".")
        known = self._world.hosts.get(name)
        if known is not None:
            return known
        target = self._target(name)
        return self._world.hosts.get(target.lower()) if target else None

    def _target(self, name: str) -> str | None:
        kept, now = self._cache.get(name), self._world.now
        if kept is not None and now < kept.until:
            return kept.target
        found = query(self._world, name, self._near)
        if not found or not found["answers"]:
            return None
        target = self._world.random.choice(found["answers"])["target"]
        self._cache[name] = _Cached(target, now + timedelta(seconds=found["ttl"]))
        return target
