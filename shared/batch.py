"""Batch: which job schedules are to run, and whether an account could take the other one's over.

A schedule is `active` or `disabled`; one that is completed or being deleted runs nowhere again.
"""

ACTIVE, DISABLED = "active", "disabled"
WANTED = {"promote": ACTIVE, "demote": DISABLED}
FULL_SHARE = 0.9


def differing(states: dict[str, str], verb: str) -> list[str]:
    """The schedules to which `verb` has something to send."""
    if verb == "demote":
        return [name for name, state in states.items() if state == ACTIVE]
    return [name for name, state in states.items() if state != ACTIVE]


def shown(states: dict[str, str]) -> str:
    return ", ".join(f"{name} {state or 'missing'}" for name, state in states.items())


def checks(part: dict, mine: dict, other: dict) -> list[dict]:
    """Could this account take over? `mine`, `other`: outcomes with `account`, `pools`, `states`."""
    if mine["status"] != "succeeded":
        return [check("account", "fail", mine["because"], "deploy it, and let the app look")]
    rows = [account(mine["account"])]
    missing = [name for name, state in mine["states"].items() if not state]
    if missing:
        words = f"has no job schedule {', '.join(missing)}"
        rows.append(check("schedules", "fail", words, "add them, disabled"))
    running = differing(mine["states"], "demote")
    if running and part.get("role") != "activeActive":
        words = f"{', '.join(running)} run beside the active side's"
        rows.append(check("state", "fail", words, "disable them there"))
    return [*rows, *pools(part, mine, other), *quotas(mine, other)]


def account(seen: dict) -> dict:
    state = seen.get("provisioningState")
    if state != "Succeeded":
        return check("account", "fail", f"is {state}", "repair it")
    if seen.get("poolAllocationMode") == "UserSubscription":
        words = "makes its machines in your subscription, whose quota is not looked at"
        return check("account", "warn", words, "see that the region has the cores")
    return check("account", "ok", "is there", "")


def pools(part: dict, mine: dict, other: dict) -> list[dict]:
    """The pools that the plan names, or all that the active account has."""
    if other["status"] != "succeeded" and not part.get("pools"):
        words = f"the active account cannot be compared: {other['because']}"
        return [check("pools", "warn", words, "look again when it answers")]
    wanted = part.get("pools") or sorted(other["pools"])
    missing = [name for name in wanted if name not in mine["pools"]]
    if missing:
        return [check("pools", "fail", f"has no pool {', '.join(missing)}", "make them there")]
    theirs = other.get("pools", {})
    apart = [n for n in wanted if n in theirs and theirs[n]["vmSize"] != mine["pools"][n]["vmSize"]]
    if apart:
        return [check("pools", "warn", f"{', '.join(apart)} have other machines there", "compare")]
    return [check("pools", "ok", f"has the pools {', '.join(wanted) or '(none are wanted)'}", "")]


def quotas(mine: dict, other: dict) -> list[dict]:
    """Has the account the cores and the schedules that the active one was given?"""
    if other["status"] != "succeeded":
        return []
    rows = []
    for key in ("dedicatedCoreQuota", "lowPriorityCoreQuota", "poolQuota"):
        own, theirs = mine["account"].get(key), other["account"].get(key)
        if isinstance(own, int) and isinstance(theirs, int) and own < theirs:
            words = f"{key} is {own}, the active one has {theirs}"
            rows.append(check("quota", "warn", words, "ask for the same quota beforehand"))
    least = mine["account"].get("activeJobAndJobScheduleQuota")
    if isinstance(least, int) and len(mine["states"]) > least:
        words = f"activeJobAndJobScheduleQuota is {least}, the plan has {len(mine['states'])}"
        rows.append(check("quota", "fail", words, "ask for more beforehand"))
    return rows or [check("quota", "ok", "has the quotas of the active one", "")]


def check(name: str, status: str, because: str, fix: str) -> dict:
    return {"name": name, "status": status, "because": because, "fix": fix}
