"""Traffic Manager: point callers at a location, and hold them there.

After Microsoft.Network/trafficmanagerprofiles 2022-04-01. Traffic Manager always fails back by
itself; an endpoint whose endpointStatus is Disabled stays out until somebody enables it
(traffic-manager-monitoring, "Endpoint status").
"""

from shared import clients
from shared.denials import denied
from shared.guard import guarded, still
from shared.outcome import refused, skipped, succeeded
from shared.resource_ids import parts


def observe_traffic(payload: dict) -> dict:
    """Who is let in: facts `endpoints` (name -> monitor), `serving` for `location`, and `rows`,
    each endpoint's kind and whether it is enabled.

    Safe to repeat: reads.
    """
    seen = _endpoints(payload)
    if isinstance(seen, str):
        return refused(seen)
    mine = payload["component"]["endpoints"][payload["location"]]
    shown = {name: row["shown"] for name, row in seen.items()}
    held = seen[mine]["enabled"] and not any(
        row["enabled"] for name, row in seen.items() if name != mine
    )
    words = ", ".join(f"{name} {state}" for name, state in sorted(shown.items()))
    return succeeded(words, endpoints=shown, serving=held, rows=seen)


@guarded
def promote_traffic(payload: dict) -> dict:
    """Enable `location`'s endpoint first, then disable the others: callers always have one.

    Safe to repeat: only what differs is changed.
    """
    seen = _endpoints(payload)
    if isinstance(seen, str):
        return refused(seen)
    mine = payload["component"]["endpoints"][payload["location"]]
    wanted = [(mine, "Enabled")] + [(name, "Disabled") for name in sorted(seen) if name != mine]
    changed = []
    for name, state in wanted:
        if seen[name]["enabled"] != (state == "Enabled"):
            no = _set(payload, seen[name]["kind"], name, state)
            if no:
                return no
            changed.append(f"{name} {state}")
    if not changed:
        return skipped(f"{mine} is the only endpoint that is enabled already")
    return succeeded(", ".join(changed))


def verify_traffic(payload: dict) -> dict:
    """Is `location` the only endpoint, and does Traffic Manager see it well? Safe to repeat."""
    seen = observe_traffic(payload)
    if seen["status"] != "succeeded":
        return seen
    mine = payload["component"]["endpoints"][payload["location"]]
    if not seen["serving"]:
        return refused(f"{mine} is not the only endpoint that is enabled: {seen['because']}")
    if seen["endpoints"][mine] != "Online":
        return refused(f"{mine} is {seen['endpoints'][mine]}, not yet Online")
    return seen


def _endpoints(payload: dict) -> dict[str, dict] | str:
    """The plan's endpoints as the profile has them, or why that cannot be said."""
    id = parts(payload["component"]["resource"])
    reply = clients.answer(clients.traffic(id.subscription).profiles.get, id.group, id.name)
    no = denied(reply, f"Traffic Manager profile {id.name} in {id.group}")
    if no:
        return str(no["because"])
    rows = reply.properties.get("endpoints", [])
    known = {str(row["name"]): row for row in rows}
    wanted = payload["component"]["endpoints"].values()
    missing = [name for name in wanted if name not in known]
    if missing:
        return f"profile {id.name} has no endpoint {', '.join(missing)}"
    return {name: _row(known[name]) for name in wanted}


def _row(endpoint: dict) -> dict:
    properties = endpoint["properties"]
    return {
        "kind": str(endpoint["type"]).rsplit("/", 1)[-1],
        "enabled": properties.get("endpointStatus") == "Enabled",
        "shown": properties.get("endpointMonitorStatus", "unknown"),
    }


def _set(payload: dict, kind: str, name: str, state: str) -> dict | None:
    """Enable or disable one endpoint; why that may not be."""
    from azure.mgmt.trafficmanager.models import Endpoint

    id = parts(payload["component"]["resource"])
    reply = clients.answer(
        clients.traffic(id.subscription).endpoints.update,
        id.group,
        id.name,
        kind,
        name,
        Endpoint(endpoint_status=state),
        before=still(payload),
    )
    return denied(reply, f"endpoint {name} of {id.name}")
