"""Cosmos DB accounts: which region writes, and the calls that move the writing. Pure.

After Microsoft.DocumentDB 2026-03-15. A change of priorities needs the write region alive and
loses nothing. One that is lost is taken offline: the next region by priority then writes.
"""

from shared.alias import name_of, normal
from shared.alias_checks import row
from shared.arm_calls import call
from shared.outcome import refused

VERSION = "2026-03-15"  # The first at hand that publishes onlineRegion.
SETTLED = ("Succeeded", "")


def seen_of(document: dict) -> dict:
    """What matters of an account: its regions as it names them, by priority, the first writes."""
    properties = document.get("properties") or {}
    policies = properties.get("failoverPolicies") or []
    ordered = sorted(policies, key=lambda one: int(one.get("failoverPriority") or 0))
    regions = properties.get("locations") or []
    policy = properties.get("consistencyPolicy") or {}
    return {
        "writes": [str(one.get("locationName", "")) for one in _rows(properties, "writeLocations")],
        "order": [str(one.get("locationName", "")) for one in ordered],
        "offline": [
            str(one.get("locationName", ""))
            for one in regions
            if str(one.get("provisioningState", "")) == "Offline"
        ],
        "state": str(properties.get("provisioningState") or ""),
        "automatic": bool(properties.get("enableAutomaticFailover")),
        "many": bool(properties.get("enableMultipleWriteLocations")),
        "consistency": str(policy.get("defaultConsistencyLevel") or ""),
        "staleSeconds": policy.get("maxIntervalInSeconds"),
    }


def _rows(properties: dict, key: str) -> list[dict]:
    return properties.get(key) or []


def words_of(seen: dict) -> str:
    """An account in words."""
    gone = f", offline {', '.join(seen['offline'])}" if seen["offline"] else ""
    return f"writes in {', '.join(seen['writes']) or 'no region'}{gone}, {seen['state']}"


def serving(seen: dict, location: str) -> bool:
    """Does the account write in `location`?"""
    return location in [normal(name) for name in seen["writes"]]


def own_name(seen: dict, location: str) -> str:
    """The account's own name of a region; empty where it has none there."""
    return next((name for name in seen["order"] if normal(name) == location), "")


def promotion(resource: str, seen: dict, location: str, graceful: bool) -> dict:
    """The call after which `location` writes."""
    if not graceful:
        lost = {"region": next(iter(seen["writes"]), "")}
        return call("POST", f"{resource}/offlineRegion", VERSION, lost)
    first = own_name(seen, location)
    names = [first, *(name for name in seen["order"] if name != first)]
    policies = [{"locationName": n, "failoverPriority": at} for at, n in enumerate(names)]
    body = {"failoverPolicies": policies}
    return call("POST", f"{resource}/failoverPriorityChange", VERSION, body)


def losing(seen: dict, location: str, graceful: bool) -> dict:
    """What is lost where `location` writes from now on; empty where it alone does already.

    After the table of recovery points in cosmos-db/consistency-levels: none with strong
    consistency, the bound of bounded staleness; for the others Azure expects less than 15 minutes.
    """
    if serving(seen, location) and len(seen["writes"]) == 1:
        return {}
    if graceful:
        return {"rpoSeconds": 0.0}
    if seen["consistency"] == "Strong":
        return {"rpoSeconds": 0.0, "rpoBecause": "every write is in every region (Strong)"}
    if seen["consistency"] == "BoundedStaleness" and seen["staleSeconds"] is not None:
        late = float(seen["staleSeconds"])
        return {"rpoSeconds": late, "rpoBecause": f"its regions are at most {late:g} s behind"}
    words = f"consistency {seen['consistency'] or 'that is not shown'} bounds no region's lag"
    return {"rpoSeconds": None, "rpoBecause": words}


def return_of(resource: str, region: str) -> dict:
    """The call that takes an offline region back."""
    return call("POST", f"{resource}/onlineRegion", VERSION, {"region": region})


def hindrance(seen: dict, location: str, away: str, graceful: bool) -> dict | None:
    """Why the writing is not moved from `away` to `location`; None when it may be.

    What is taken offline is the region that writes: it must be the one that is being left.
    """
    mine = own_name(seen, location)
    if not mine:
        return refused(f"has no region in {location}: add it to the account")
    if mine in seen["offline"]:
        return refused(f"{mine} is offline: take it online first")
    if seen["state"] not in SETTLED:
        return refused(f"{words_of(seen)}: it is being changed", busy=True)
    wrong = [name for name in seen["writes"] if normal(name) != away]
    if not graceful and (wrong or not seen["writes"]):
        writes = ", ".join(wrong) or "no region"
        return refused(f"{writes} writes, not {away}: nothing is taken offline, look at it")
    after = [name for name in seen["order"] if name not in (*seen["writes"], *seen["offline"])]
    if not graceful and after[:1] != [mine]:
        return refused(f"{', '.join(after[:1])} would write next, not {mine}: change priorities")
    return None


def checks(part: dict, seen: dict, location: str) -> list[dict]:
    """Could the account write in `location`?"""
    told, mine = f"{name_of(part['resource'])} {words_of(seen)}", own_name(seen, location)
    if not mine or len(seen["order"]) < 2:
        fix = "add the plan's other location to the account"
        return [row("regions", "fail", f"{told}; it has no region in {location}", fix)]
    if seen["offline"]:
        fix = "take them online; the end of a run does it"
        return [row("regions", "fail", told, fix)]
    if seen["many"]:
        return [row("regions", "ok", f"{told}: it writes in every region")]
    rows = [row("regions", "ok", told)]
    if not serving(seen, location) and seen["order"][1] != mine:
        words = f"{seen['order'][1]} would write next, not {mine}"
        rows.append(row("priority", "fail", words, "give it the second priority"))
    words = f"automatic failover is {'on' if seen['automatic'] else 'off'}"
    fix = "let it be on: then Azure moves the writing even where nobody orders it"
    return [*rows, row("automatic", "ok" if seen["automatic"] else "warn", words, fix)]
