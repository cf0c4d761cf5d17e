"""Looks: what a watchdog's observers and controls are answered, as in `activities.observers`."""

from collections.abc import Callable

from rehearsal.simulation.world import Ask, Asking, Source, World
from shared import witness
from shared.outcome import succeeded
from shared.reply import Surprise, Unreachable

PROBE_SECONDS = 3.0
MONITOR = {"Online": True, "Degraded": False, "Inactive": False, "Disabled": None}


def observed(kind: str, ok: bool | None, because: str, **facts: object) -> dict:
    return {**succeeded(observation={"kind": kind, "ok": ok, "because": because}), **facts}


def observe_health(world: World, app: Source, payload: dict) -> Asking:
    other = world.apps[payload["location"]]
    return (yield from looked("health", payload["location"], lambda: other.up, False))


def observe_gateway_status(world: World, app: Source, payload: dict) -> Asking:
    return (yield from looked("gateway", payload["location"], lambda: True, False))


def observe_traffic_manager(world: World, app: Source, payload: dict) -> Asking:
    place, where = payload["location"], f"arm.{world.profile_location}"
    return (yield from looked("trafficManager", where, lambda: MONITOR[world.monitor(place)], None))


def looked(kind: str, node: str, look: Callable[[], bool | None], silent: bool | None) -> Asking:
    """One look; `silent` is what it means when nobody answers."""
    try:
        ok = yield Ask(node, look, PROBE_SECONDS)
    except Unreachable as error:
        return observed(kind, silent, str(error))
    except Surprise as error:
        # A probe takes any answer for one, so that only what has to be read can be unclear.
        return observed(kind, False if silent is False else None, str(error))
    return observed(kind, ok, "answered")


def observe_lease(world: World, app: Source, payload: dict) -> Asking:
    def look() -> object:
        return world.record, world.server_time

    try:
        record, server_time = yield Ask("witness", look, PROBE_SECONDS)
    except Surprise as error:
        return observed("lease", None, str(error))
    known = {"record": record, "serverTime": server_time.isoformat()}
    if record["leaseUntil"] is None:
        return observed("lease", None, "no lease was taken yet", **known)
    live = witness.lease_live(record, server_time)
    return observed("lease", live, f"until {record['leaseUntil']}", **known)


def observe_control_plane(world: World, app: Source, payload: dict) -> Asking:
    where = f"arm.{payload['location']}"
    return (yield from looked("controlPlane", where, lambda: True, False))


def control_arm(world: World, app: Source, payload: dict) -> Asking:
    return (yield from controlled("arm", f"arm.{app.here}"))


def control_http(world: World, app: Source, payload: dict) -> Asking:
    return (yield from controlled(payload["url"], "internet"))


def controlled(name: str, node: str) -> Asking:
    try:
        yield Ask(node, bool, PROBE_SECONDS)
    except Unreachable as error:
        return succeeded(control={"name": name, "ok": False, "because": str(error)})
    except Surprise:
        return succeeded(control={"name": name, "ok": True, "because": "answered"})
    return succeeded(control={"name": name, "ok": True, "because": "answered"})
