"""Observers and controls: what can be seen of the active location, from outside, right now.

None of them raises: an observer that cannot tell is itself an observation. Each is bounded by
`timeoutSeconds`. `ok` is True, False, or null where nothing can be concluded.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

from shared import clients, probe, witness
from shared.blobs import Place
from shared.outcome import succeeded
from shared.plan import Plan
from shared.record import parse
from shared.reply import Reply, Unreachable, brief

GRACE_SECONDS = 0.5  # A look has its own bound and says better than ours what it waited for.
STATUS_PATH = "/status-0123456789abcdef"  # Every API Management gateway answers it by itself.
REGIONAL = ("apiManagement", "logicWorkflow")  # A workflow is read with its whole definition.
MONITOR = {"Online": True, "Degraded": False, "Inactive": False, "Disabled": None}
Seen = tuple[bool | None, str, dict]


def observe_health(payload: dict) -> dict:
    """The health check of the app in `location`: 200 is well, anything else says why."""

    def look() -> Seen:
        spot = payload["plan"]["locations"][payload["location"]]
        reply = probe.call("GET", f"{spot['app'].rstrip('/')}/api/health", seconds(payload))
        if reply.status == 200:
            return True, "health check answered 200", {}
        return False, f"health check answered {reply.status}{_failing(reply)}", {}

    return _observed(payload, "health", look)


def observe_gateway_status(payload: dict) -> dict:
    """The status address of the gateway in `location`, with no API or backend behind it."""

    def look() -> Seen:
        plan = Plan.model_validate(payload["plan"])
        name = plan.gateway()
        if name is None:
            return None, "the plan has no gateway", {}
        url = plan.component(name, payload["location"])["gatewayUrl"].rstrip("/")
        reply = probe.call("GET", f"{url}{STATUS_PATH}", seconds(payload))
        return reply.status == 200, f"gateway status answered {reply.status}", {}

    return _observed(payload, "gateway", look)


def observe_traffic_manager(payload: dict) -> dict:
    """What Traffic Manager's own probes say of `location`'s endpoint. It lags by its intervals."""

    def look() -> Seen:
        plan = Plan.model_validate(payload["plan"])
        names = [part.name for part in plan.components if part.kind == "trafficManager"]
        if not names:
            return None, "the plan has no Traffic Manager profile", {}
        part = plan.component(names[0], payload["location"])
        reply = clients.ask("GET", part["resource"], version="2022-04-01", bounds=hurried(payload))
        if not reply.ok:
            return None, f"Traffic Manager cannot be read: {reply.words}", {}
        mine = part["endpoints"][payload["location"]]
        rows = reply.properties.get("endpoints", [])
        state = next(
            (r["properties"]["endpointMonitorStatus"] for r in rows if r["name"] == mine), ""
        )
        return MONITOR.get(state), f"Traffic Manager sees {mine} {state or 'nowhere'}", {}

    # ARM that does not answer tells nothing about the endpoint.
    return _observed(payload, "trafficManager", look, silent=None)


def observe_lease(payload: dict) -> dict:
    """Does the active location still renew its lease? Also gives facts `record`, `serverTime`.

    Compared with the Date of the same answer: one clock, the witness's own.
    """

    def look() -> Seen:
        known = payload["witness"]
        place = Place(known["blobServiceUri"].rstrip("/"), known["container"], seconds(payload))
        name = payload["plan"]["name"]
        blob = place.get(f"{name}.json")
        if blob is None:
            return None, "the witness has no record yet", {}
        record = parse(blob.data, name)
        if witness.refusal(record):
            return None, record["because"], {}
        until = record["leaseUntil"]
        facts = {"record": record, "serverTime": blob.server_time.isoformat()}
        if until is None:
            return None, f"{record['active']} has not taken a lease yet", facts
        left = (datetime.fromisoformat(until) - blob.server_time).total_seconds()
        if left > 0:
            return True, f"{record['active']} holds the lease", facts
        return False, f"the lease of {record['active']} ran out at {until}", facts

    return _observed(payload, "lease", look, silent=None)


def observe_control_plane(payload: dict) -> dict:
    """Does the resource manager answer for a resource of `location`? What it says is no matter.

    A 403 or a 429 is an answer; a 5xx is not: the region's own provider is behind it.
    """

    def look() -> Seen:
        resource = _regional(Plan.model_validate(payload["plan"]), payload["location"])
        if resource is None:
            return None, "the plan has no resource that is the location's own", {}
        reply = clients.ask("GET", resource, bounds=hurried(payload))
        words = "" if reply.ok else f": {reply.words}"
        return reply.status < 500, f"ARM answered {reply.status}{words}", {}

    return _observed(payload, "controlPlane", look)


def _regional(plan: Plan, location: str) -> str | None:
    """A resource that only this location has, the smallest to read first."""
    for kind in REGIONAL:
        for part in plan.components:
            if part.kind == kind:
                return plan.component(part.name, location)["resource"]
    return None


def control_http(payload: dict) -> dict:
    """Can this location reach `url`, which is in neither? Any answer will do."""

    def look() -> Seen:
        reply = probe.call("GET", payload["url"], seconds(payload))
        return True, f"answered {reply.status}", {}

    return _controlled(payload, probe.shown(payload["url"]), look)


def control_arm(payload: dict) -> dict:
    """Can this location reach the resource manager at all?"""

    def look() -> Seen:
        reply = clients.ask("GET", "/subscriptions", bounds=hurried(payload))
        return reply.status < 500, f"ARM answered {reply.status}", {}

    return _controlled(payload, "arm", look)


def seconds(payload: dict) -> float:
    """How long one look may take."""
    return float(payload["timeoutSeconds"])


def hurried(payload: dict) -> dict[str, float]:
    """The same for an Azure client, without repeats: the next round is the repeat."""
    bound = seconds(payload)
    return {"retry_total": 0, "connection_timeout": bound, "read_timeout": bound}


def _observed(
    payload: dict, kind: str, look: Callable[[], Seen], silent: bool | None = False
) -> dict:
    ok, because, facts, took = _bounded(payload, look, silent)
    at = datetime.now(UTC).isoformat()
    seen = {"kind": kind, "ok": ok, "because": because, "seconds": took, "at": at}
    return succeeded(observation=seen, **facts)


def _controlled(payload: dict, name: str, look: Callable[[], Seen]) -> dict:
    ok, because, _, _ = _bounded(payload, look, False)
    return succeeded(control={"name": name, "ok": bool(ok), "because": because})


def _bounded(
    payload: dict, look: Callable[[], Seen], silent: bool | None
) -> tuple[bool | None, str, dict, float]:
    """Look once; `silent` is what it means when nobody answers.

    A round waits for its slowest look, so not even a token or a name may take longer.
    """
    started = time.monotonic()
    try:
        ok, because, facts = probe.within(seconds(payload) + GRACE_SECONDS, look)
    except Unreachable as error:
        ok, because, facts = silent, str(error), {}
    # An observer that raised would take the round's other observations with it; what went wrong
    # inside it is said, and concludes nothing.
    except Exception as error:
        ok, because, facts = None, brief(f"cannot tell: {type(error).__name__}: {error}"), {}
    return ok, because, facts, round(time.monotonic() - started, 3)


def _failing(reply: Reply) -> str:
    """The names of the checks that fail, from the body of a health check."""
    try:
        checks = json.loads(reply.text).get("checks", [])
        failing = [f"{c['name']}: {c['because']}" for c in checks if c["status"] == "failing"]
    except (ValueError, AttributeError, KeyError, TypeError):
        return ""
    return f" ({brief('; '.join(failing))})" if failing else ""
