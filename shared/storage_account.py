"""Storage accounts: what geo-redundancy promises, and the calls that move an account. Pure.

After storage-disaster-recovery-guidance: the last sync time tells what a failover loses; an
unplanned failover leaves the account locally redundant in the new primary location.
"""

from datetime import datetime

from shared.alias import normal
from shared.alias_checks import row
from shared.arm_calls import call
from shared.outcome import refused

VERSION = "2025-08-01"
READABLE = ("Standard_RAGRS", "Standard_RAGZRS")
GEO = ("Standard_GRS", "Standard_GZRS", *READABLE)
LOCAL = {"Standard_LRS": "Standard_RAGRS", "Standard_ZRS": "Standard_RAGZRS"}
STATS = {"$expand": "geoReplicationStats"}


def seen_of(document: dict) -> dict:
    """What matters of an account as ARM shows it with its geo-replication's statistics."""
    properties = document.get("properties") or {}
    stats = properties.get("geoReplicationStats") or {}
    return {
        "sku": str((document.get("sku") or {}).get("name", "")),
        "primary": normal(str(properties.get("primaryLocation", ""))),
        "secondary": normal(str(properties.get("secondaryLocation") or "")),
        "up": properties.get("statusOfPrimary") == "available",
        "moving": bool(properties.get("failoverInProgress")),
        "status": str(stats.get("status", "")),
        "syncedAt": stats.get("lastSyncTime"),
        "able": bool(stats.get("canFailover")),
        "planned": bool(stats.get("canPlannedFailover")),
        "leaves": str(stats.get("postFailoverRedundancy") or ""),
        "leavesPlanned": str(stats.get("postPlannedFailoverRedundancy") or ""),
    }


def words_of(seen: dict, now: datetime) -> str:
    """An account in words, with the age of its copy: what a failover now would lose."""
    age = age_seconds(seen, now)
    late = f", copied up to {age:.0f} s ago" if age is not None else ""
    up = "available" if seen["up"] else "not available"
    return f"{seen['sku']}, primary in {seen['primary']}, {up}{late}"


def age_seconds(seen: dict, now: datetime) -> float | None:
    """The age of the last sync; None where there is none."""
    if not seen["syncedAt"]:
        return None
    return max(0.0, (now - datetime.fromisoformat(seen["syncedAt"])).total_seconds())


def failover(resource: str, graceful: bool) -> dict:
    """The call that makes the secondary the primary; a planned one loses nothing."""
    kind = {"failoverType": "Planned"} if graceful else {}
    return call("POST", f"{resource}/failover", VERSION, None, **kind)


def protection(resource: str, sku: str) -> dict:
    """The call that makes a locally redundant account readable elsewhere again."""
    return call("PATCH", resource, VERSION, {"sku": {"name": LOCAL[sku]}})


def protects(part: dict, seen: dict, left: str, to: str, graceful: bool) -> list[dict]:
    """What `protect` would send after a run that leaves `left` for `to`.

    After GeoReplicationStats: Azure says of which tier each way of failing over leaves an account.
    """
    if part["failover"] == "none":
        return []
    tier = seen["sku"]
    if seen["primary"] == left:
        if hindrance(seen, to, graceful):
            return []
        tier = seen["leavesPlanned" if graceful else "leaves"]
    return [protection(part["resource"], tier)] if tier in LOCAL else []


def hindrance(seen: dict, location: str, graceful: bool) -> dict | None:
    """Why the account is not failed over to `location`; None when it may be."""
    if seen["moving"]:
        return refused("a failover is in progress", busy=True)
    if seen["sku"] not in GEO or seen["secondary"] != location:
        return refused(f"{seen['sku']} has no copy in {location}: choose a geo-redundant tier")
    if graceful and not seen["planned"]:
        return refused("a planned failover is not possible now; a forced one may lose data")
    if not graceful and not seen["able"]:
        return refused(f"the copy is {seen['status'] or 'not ready'}: Azure would refuse it")
    return None


def checks(part: dict, seen: dict, location: str, now: datetime) -> list[dict]:
    """Could callers in `location` read, or the account move there?"""
    words, moves = words_of(seen, now), part["failover"] == "customerManaged"
    if seen["moving"]:
        fix = "wait: Azure takes up to an hour"
        return [row("failover", "fail", f"{words}: a failover is in progress", fix)]
    if seen["primary"] == location:
        told = f"{words}: it is in this location already"
        return [row("redundancy", "ok" if seen["sku"] in GEO else "fail", told, FIX)]
    if seen["secondary"] != location:
        told = f"{words}, copied to {seen['secondary'] or 'no other location'}"
        return [row("redundancy", "fail", told, FIX)]
    rows = [row("redundancy", "ok", words)]
    if seen["sku"] not in READABLE:
        told = f"{seen['sku']} cannot be read at its -secondary endpoint"
        rows.append(row("reads", "warn" if moves else "fail", told, "choose RA-GRS or RA-GZRS"))
    if moves and not seen["able"]:
        told = f"Azure would refuse a failover: the copy is {seen['status']}"
        rows.append(row("failover", "fail", told, "wait until the copy is live"))
    return [*rows, _sync(part, seen, words, now)]


def _sync(part: dict, seen: dict, words: str, now: datetime) -> dict:
    age, most = age_seconds(seen, now), part["syncSecondsMax"]
    fix = "see why Azure copies late; what is younger than the copy would be lost"
    if seen["status"] != "Live":
        return row("sync", "fail", f"the copy is {seen['status'] or 'unknown'}: {words}", fix)
    if age is None or age > most:
        return row("sync", "fail", f"{words}, over {most} s", fix)
    return row("sync", "ok", words)


FIX = "choose a geo-redundant tier whose secondary is the plan's other location"
