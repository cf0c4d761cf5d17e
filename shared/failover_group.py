"""Failover groups of SQL databases: what a server says of its group, and the calls that move it.

Pure. After Microsoft.Sql 2025-01-01: a failover is asked of the server that is to be primary; the
planned one copies everything first and needs both, the forced one may lose what was not copied.
"""

from shared.alias import PRIMARY, name_of, normal
from shared.alias_checks import row
from shared.arm_calls import call
from shared.outcome import refused

VERSION = "2025-01-01"
WELL = ("CATCH_UP", "")  # Replication goes on; a server may say nothing of it.


def path(part: dict) -> str:
    """The group as the server of this side has it."""
    return f"{part['resource']}/failoverGroups/{part['group']}"


def seen_of(document: dict) -> dict:
    """What matters of a group as one server shows it."""
    properties = document.get("properties") or {}
    policy = (properties.get("readWriteEndpoint") or {}).get("failoverPolicy")
    return {
        "role": str(properties.get("replicationRole", "")),
        "state": str(properties.get("replicationState") or ""),
        "partners": [str(one.get("id", "")) for one in properties.get("partnerServers") or []],
        "places": [normal(str(one.get("location") or "")) for one in partners(properties)],
        "databases": len(properties.get("databases") or []),
        "policy": str(policy or ""),
    }


def partners(properties: dict) -> list[dict]:
    """The rows of the partner servers."""
    return properties.get("partnerServers") or []


def words_of(seen: dict) -> str:
    """A group in words."""
    return f"is {seen['role']} with {seen['databases']} databases, {seen['state'] or 'replicating'}"


def failover(part: dict, graceful: bool) -> dict:
    """The call that makes this side's server the primary."""
    verb = "failover" if graceful else "forceFailoverAllowDataLoss"
    return call("POST", f"{path(part)}/{verb}", VERSION)


def losing(seen: dict, graceful: bool) -> dict:
    """What a failover to the server that shows `seen` would lose; empty where it is primary.

    The lag of a group is in its databases (sys.dm_geo_replication_link_status), not in ARM.
    """
    if seen["role"] in PRIMARY:
        return {}
    if graceful:
        return {"rpoSeconds": 0.0}
    words = "a forced failover may lose data, and ARM does not show how far the copy lags"
    return {"rpoSeconds": None, "rpoBecause": words}


def hindrance(seen: dict, graceful: bool) -> dict | None:
    """Why the group is not failed over; None when it may be."""
    if graceful and seen["state"] not in WELL:
        return refused(f"{words_of(seen)}: a planned failover waits for replication", busy=True)
    return None


def checks(part: dict, seen: dict, location: str, away: str) -> list[dict]:
    """Would a failover to this side's server work?"""
    told, other = f"{part['group']} {words_of(seen)}", part["other"]["resource"]
    fix = "create the failover group between the plan's two servers"
    if seen["role"] in PRIMARY:
        return [row("pairing", "warn", f"{told}: callers are served from here already", fix)]
    if other.lower() not in [one.lower() for one in seen["partners"]]:
        return [row("pairing", "fail", f"{told}, and {name_of(other)} is no partner", fix)]
    well = seen["state"] in WELL
    rows = [row("pairing", "ok" if well else "fail", told, "wait until it replicates")]
    if location in seen["places"]:
        rows.append(row("regions", "fail", f"both servers are in {location}", fix))
    if not seen["databases"]:
        words = f"{part['group']} holds no database"
        rows.append(row("databases", "warn", words, "add the databases that are to move"))
    automatic = seen["policy"] == "Automatic"
    words = f"the group's own policy is {seen['policy'] or 'Manual'}"
    own = "let Azure's policy be Manual: the plan decides, and Azure would move it by itself"
    return [*rows, row("policy", "warn" if automatic else "ok", words, own)]
