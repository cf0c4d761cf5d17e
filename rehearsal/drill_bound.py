"""The lower bound of the RTO: what no failover of this plan could do without, computed per run.

rounds x interval, the longest chain of ARM calls that must follow one another at the emulated
latency, and the TTL that callers may hold on to.
"""

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rehearsal import arm_throttle, report
from rehearsal.drill_counts import WRITES
from rehearsal.drill_story import Scenario
from rehearsal.estate_growth import PACE_MAX
from rehearsal.estate_seed import service_id

if TYPE_CHECKING:
    from rehearsal.drill import Drill

# The waves of the design: what may overlap first, then webhooks, pollers, and clocks last.
WAVE = {
    "request": 0,
    "queue": 0,
    "orderedQueue": 0,
    "webhook": 1,
    "clientPolling": 2,
    "httpPolling": 2,
    "batch": 2,
    "recurrence": 3,
    "slidingWindow": 3,
}
OBSERVED, CHANGED = 1, 3  # One look; or a look before, the change, and a look after.
LOOKS = 2  # At each of many workflows: before its change and after it.
CALLS, ENABLED = "ARM calls", "/enable?"


def parts(drill: "Drill", scenario: Scenario, moments: dict) -> list[dict]:
    """The parts in order: `{"name", "seconds", "because"}`."""
    watch = drill.plan["watch"]
    rounds, every = watch["rounds"], watch["everySeconds"]
    links = chain(drill, moments)
    calls = sum(number for _, number in links)
    latency = drill.stage.world.latency_seconds
    said = ", ".join(f"{name} {number}" for name, number in links)
    ttl = drill.stage.estate.trafficManager.ttlSeconds
    detection = {
        "name": "detection",
        "seconds": float(rounds * every),
        "because": f"{rounds} rounds of {every} s",
    }
    return [
        *([] if scenario.planned else [detection]),
        {
            "name": CALLS,
            "seconds": round(calls * latency, 3),
            "because": f"{calls} calls one after another at {latency:g} s ({said})",
        },
        {"name": "DNS", "seconds": float(ttl), "because": "the TTL that callers may hold on to"},
    ]


def pace(drill: "Drill", moments: dict) -> dict | None:
    """How the workflows' activation kept to ARM's token bucket; None where nothing was moved.

    `writes`, `seconds` from the first to the last of them and `boundSeconds`, in which full
    buckets pay for so many, each with a look before and one that proves it; `movedSeconds`, from
    the claim to the last endpoint, and their bound, `movedBoundSeconds`; `throttled`: how many of
    the app's requests met 429.
    """
    start, end = moments.get("claimedAt"), moments.get("redirectedAt")
    if not start or not end:
        return None
    app = drill.stage.estate.locations[drill.standby].app
    mine = [row for row in drill.stage.world.journal.after(0) if row["principal"] == app]
    enabled = [
        datetime.fromisoformat(str(row["at"]))
        for row in mine
        if row["at"] >= start and ENABLED in row["url"].lower() and 200 <= row["status"] < 300
    ]
    taken = (max(enabled) - min(enabled)).total_seconds() if enabled else 0.0
    calls = next(part for part in moments["boundParts"] if part["name"] == CALLS)
    return {
        "writes": len(enabled),
        "seconds": round(taken, 3),
        "boundSeconds": paid_seconds(len(enabled)),
        "movedSeconds": report.seconds_between(start, end),
        "movedBoundSeconds": round(calls["seconds"] + paid_seconds(len(enabled)), 3),
        "throttled": sum(row["status"] == 429 and row["at"] >= start for row in mine),
    }


def paid_seconds(writes: int) -> float:
    """When ARM's full buckets have paid for so many changes and two looks at each."""
    bound = 0.0
    for kind, count in (("writes", writes), ("reads", LOOKS * writes)):
        size, rate = arm_throttle.LIMITS[kind]
        bound = max(bound, (count - size) / rate)
    return bound


def judge(drill: "Drill", found: dict | None) -> None:
    """What a plan that needs more than a full bucket takes for it, and that none was overdrawn."""
    if not found or not found["boundSeconds"]:
        return
    ratio = found["seconds"] / found["boundSeconds"]
    words = f"{found['writes']} in {found['seconds']:.1f} s, {ratio:.2f} of the bucket's bound"
    kept = ratio <= PACE_MAX and not found["throttled"]
    drill.check("paceKept", kept, f"{words}, {found['throttled']} requests met 429")


def chain(drill: "Drill", moments: dict) -> list[tuple[str, int]]:
    """(link, calls one after another) for the longest chain."""
    start, end = moments.get("claimedAt"), moments.get("redirectedAt")
    if not start or not end:
        return []
    rows = [
        row
        for row in drill.stage.world.journal.after(0)
        if start <= str(row["at"]) <= end
        and drill.stage.estate.locations[drill.standby].app == row["principal"]
        and 200 <= row["status"] < 300
    ]
    looked = {_path(row) for row in rows}
    changed = {_path(row) for row in rows if row["method"] in WRITES}
    links = []
    for name, ids in _links(drill):
        if _about(changed, ids):
            links.append((name, CHANGED))
        elif _about(looked, ids):
            links.append((name, OBSERVED))
    return links


def _path(row: dict) -> str:
    return urlsplit(row["url"]).path.lower()


def _about(paths: set[str], ids: list[str]) -> bool:
    """Was any of these resources, or anything below one, called?"""
    return any(path == id or path.startswith(f"{id}/") for path in paths for id in ids)


def _links(drill: "Drill") -> list[tuple[str, list[str]]]:
    """What must wait for what came before it, with the ids that its calls carry."""
    estate, components = drill.stage.estate, drill.plan["components"]
    gateway = [service_id(estate, drill.standby).lower()]
    group = estate.group_id(estate.locations[drill.standby].resourceGroup).lower()
    waves: dict[int, list[str]] = {}
    for component in components:
        if component["kind"] == "logicWorkflow":
            id = component.get("resource", "").replace("{resourceGroup}", group).lower()
            waves.setdefault(WAVE.get(component["trigger"], 3), []).append(id)
    activation = [(f"wave {number + 1}", ids) for number, ids in sorted(waves.items())]
    return [("overlay", gateway), *activation, ("redirect", [estate.profile_id.lower()])]
