"""Alias checks: would a failover of this alias, or of this replicated namespace, work? Pure.

Each check is {"name", "status": "ok" | "warn" | "fail", "because", "fix"}.
"""

from shared.alias import PRIMARY, SORTS, lag_of, name_of, normal, shown, words_of


def row(name: str, status: str, because: str, fix: str = "") -> dict:
    """One check."""
    return {"name": name, "status": status, "because": because, "fix": fix}


def pairing(part: dict, seen: dict | None) -> list[dict]:
    """Is this side the secondary of the other one, settled, with nothing left to carry over?"""
    fix = "pair the namespaces; the end of a run does it, where the one that was left is empty"
    alias = part["alias"]
    if seen is None:
        return [row("pairing", "fail", f"{alias} is not paired with {here(part)}", fix)]
    told = f"{alias} {words_of(seen)}"
    if seen["role"] in PRIMARY:
        return [row("pairing", "warn", f"{told}: callers are served from here already", fix)]
    if seen["partner"].lower() != part["other"]["resource"].lower():
        return [row("pairing", "fail", f"{told}, not of {name_of(part['other']['resource'])}", fix)]
    if seen["state"] != "Succeeded":
        return [row("pairing", "fail", f"{told}: it has not settled", "wait, or pair anew")]
    late = "a forced run loses what is pending, a graceful one waits"
    return [
        row("pairing", "ok", told),
        row("pending", "warn" if seen["pending"] else "ok", told, late),
    ]


def here(part: dict) -> str:
    """The name of this side's namespace."""
    return name_of(part["resource"])


def tier(part: dict, namespaces: list[dict | None]) -> dict:
    """Do both namespaces have a tier that can do it? None: it could not be seen."""
    able = SORTS[part["kind"]].tiers[part["mode"]]
    found = [str((one.get("sku") or {}).get("name", "")) for one in namespaces if one]
    words = f"{SORTS[part['kind']].service} namespaces are of tier {', '.join(found)}"
    wrong = [one for one in found if one not in able]
    fix = f"move to {' or '.join(able)}"
    return row("tier", "fail" if wrong else "ok", words, fix)


def apart(mine: dict, theirs: dict) -> dict:
    """Two namespaces of one region are lost together."""
    places = [normal(str(one.get("location", ""))) for one in (mine, theirs)]
    same = places[0] == places[1]
    words = f"the namespaces lie in {' and '.join(places)}"
    return row("regions", "fail" if same else "ok", words, "deploy one in each location")


def subscriptions(part: dict) -> dict:
    """A failover that waits is refused by Azure between two subscriptions (service-bus-geo-dr)."""
    mine, theirs = (id.split("/")[2].lower() for id in both(part))
    words = "both namespaces are in one subscription"
    if mine == theirs:
        return row("subscription", "ok", words)
    words = "the namespaces are in two subscriptions, where Azure refuses a failover that waits"
    return row("subscription", "warn", words, "use forced runs, or move one of them")


def both(part: dict) -> tuple[str, str]:
    """The ids of both namespaces."""
    return part["resource"], part["other"]["resource"]


def drift(mine: list[dict], theirs: list[dict]) -> dict:
    """Has the secondary what the primary has? Names are compared, definitions follow them."""
    known = {(one["kind"], one["name"].lower()) for one in mine}
    missing = [one["name"] for one in theirs if (one["kind"], one["name"].lower()) not in known]
    fix = "wait until the pairing has carried them over; automatic deletion on idle removes them"
    if missing:
        return row("entities", "warn", f"not there yet: {shown(missing)}", fix)
    return row("entities", "ok", f"{len(theirs)} entities are on both sides")


def replication(part: dict, seen: dict, location: str, away: str) -> list[dict]:
    """Could the replicated namespace be promoted in `location`?"""
    fix = "enable geo-replication with both locations of the plan"
    if location not in seen["places"] or away not in seen["places"]:
        there = ", ".join(seen["places"]) or "one location only"
        return [row("pairing", "fail", f"{here(part)} is replicated in {there}", fix)]
    told = f"{here(part)} is primary in {seen['primary']}, {seen['state']}"
    words = f"{told}, replicated {lag_of(seen)}"
    if seen["primary"] == location:
        return [row("pairing", "warn", f"{words}: callers are served from here already", fix)]
    status = "ok" if seen["state"] == "Succeeded" else "fail"
    return [row("pairing", status, words, "wait until it has settled")]
