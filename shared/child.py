"""Child: another plan that moves along with this one, to the same location and by the same app.

One level: a child with children of its own is refused, so that no order can go round in a circle.
"""

from datetime import datetime

from shared import witness

KIND = "plan"


def key(plan: str, epoch: int, location: str, component: str) -> str:
    """What the child's run is derived from: one move of the parent orders one run."""
    return f"{plan}.{epoch}.{location}.{component}"


def unfit(parent: str, document: dict, location: str) -> str:
    """Why this plan cannot be a child that moves to `location`; empty: it can."""
    name = document["name"]
    if name == parent:
        return f"{name} is the plan itself"
    deeper = [one["plan"] for one in document["components"] if one["kind"] == KIND]
    if deeper:
        return f"{name} has children of its own ({', '.join(deeper)}): one level is all there is"
    if location not in document["locations"]:
        return f"{name} has no location {location}"
    return ""


def serves(record: dict, location: str) -> bool:
    """Is the child active there, and has its run woken it?"""
    run = record["run"]
    return record["active"] == location and (run is None or run["phase"] == "protect")


def standing(record: dict, location: str, run: str, now: datetime) -> dict:
    """{"state": serves | under way | ended | to order, "because"} of the child.

    `run`: the id of the run that this move of the parent orders.
    """
    name, mine = record["plan"], record["run"]
    if serves(record, location):
        return told("serves", f"{name} is active in {location} at epoch {record['epoch']}")
    if mine and mine["to"] == location and witness.in_progress(mine, now):
        return told("under way", f"{name} is on its way: run {mine['id']} is in {mine['phase']}")
    end = witness.ended(record, run)
    if end:
        return told("ended", f"run {run} of {name} ended as {end}: look at it, and move {name}")
    return told("to order", f"{name} is active in {record['active']}")


def told(state: str, because: str) -> dict:
    return {"state": state, "because": because}


def checks(name: str, location: str, active: str, record: dict, found: dict) -> list[dict]:
    """The child's readiness as the parent's: `found` as readiness gives it, towards `location`."""
    if record["active"] == location:
        words = f"{name} is active in {location} already"
        return [check("child", "warn", words, "move it back, or know why the two are apart")]
    rows = [one for one in found["checks"] if one["status"] != "ok"]
    shown = [
        check("child", one["status"], f"{name}, {one['component']}: {one['because']}", one["fix"])
        for one in rows
    ]
    if record["active"] != active:
        words = f"{name} is active in {record['active']}, its parent in {active}"
        shown.append(check("child", "warn", words, "bring both to one location"))
    return shown or [check("child", "ok", f"{name} could move along: {found['because']}", "")]


def check(name: str, status: str, because: str, fix: str) -> dict:
    return {"name": name, "status": status, "because": because, "fix": fix}
