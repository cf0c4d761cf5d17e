"""Scaling: how many instances a scale set should have, and the request that makes it so.

Scaling up never takes instances away: who has set more (a person, an autoscale rule) had a reason.
"""

GROUP_MAX = 100  # Of a set that is one placement group (virtual-machine-scale-sets, FAQ).
FAILED = "Failed"


def target(part: dict, location: str, verb: str) -> int:
    """The instances that `verb` wants of the component in `location`."""
    if verb == "promote":
        return part["capacity"][location]
    return part.get("standbyCapacity", {}).get(location, 0)


def reached(part: dict, location: str, verb: str, capacity: int) -> bool:
    """Is the capacity as `verb` wants it?"""
    wanted = target(part, location, verb)
    return capacity >= wanted if verb == "promote" else capacity <= wanted


def body(part: dict, location: str, verb: str, sku: dict) -> dict | None:
    """The PATCH that `verb` sends, None where nothing has to be sent. `sku`: as it is now."""
    if reached(part, location, verb, sku["capacity"]):
        return None
    return {"sku": {**sku, "capacity": target(part, location, verb)}}


def checks(part: dict, location: str, alone: bool, mine: dict, other: dict) -> list[dict]:
    """Would a failover to `location` work? `mine`, `other`: outcomes of a look at each set."""
    if mine["status"] != "succeeded":
        return [check("scaleSet", "fail", mine["because"], "deploy or repair it")]
    rows = [state(mine), idle(part, location, alone, mine["capacity"])]
    wanted = target(part, location, "promote")
    if mine["singlePlacementGroup"] and wanted > GROUP_MAX:
        words = f"{wanted} instances are wanted, one placement group has at most {GROUP_MAX}"
        rows.append(check("capacity", "fail", words, "set singlePlacementGroup to false"))
    rows.append(size(mine["sku"], other))
    return rows


def state(mine: dict) -> dict:
    found = mine["provisioningState"]
    if found == FAILED:
        return check("scaleSet", "fail", "its last change has failed", "look why, and repair it")
    if found != "Succeeded":
        return check("scaleSet", "warn", f"is {found}: somebody changes it", "wait until that ends")
    return check("scaleSet", "ok", mine["because"], "")


def idle(part: dict, location: str, alone: bool, capacity: int) -> dict:
    """Does the standby's set have what is declared for it?"""
    wanted = target(part, location, "demote")
    words = f"has {capacity} instances, {wanted} are declared for the standby"
    if alone and capacity > wanted:
        words += ": it works beside the active one"
        return check("state", "fail", words, "scale it down there")
    if capacity < wanted:
        return check("capacity", "warn", words, "scale it up; a failover takes longer from here")
    return check("capacity", "ok", words, "")


def size(sku: dict, other: dict) -> dict:
    if other["status"] != "succeeded":
        words = f"the active one cannot be compared: {other['because']}"
        return check("size", "warn", words, "look again when it answers")
    theirs = other["sku"].get("name")
    if sku.get("name") != theirs:
        words = f"is made of {sku.get('name')}, the active one of {theirs}"
        return check("size", "warn", words, "bring both to one size, or know why they differ")
    return check("size", "ok", f"both are made of {theirs}", "")


def check(name: str, status: str, because: str, fix: str) -> dict:
    return {"name": name, "status": status, "because": because, "fix": fix}
