"""Readiness: what would make a failover to this location fail today, and what to do about it.

Pure: what was seen comes in, checks come out, each {"component", "location", "name", "status":
"ok" | "warn" | "fail", "because", "fix"}. A fail is what a run would stumble over or lose more by
than the plan allows; a warn is what a person should know.
"""

from datetime import datetime, timedelta

from shared import backups, halves, roles

# In the order of importance; among equals what fails comes first.
NAMES = (
    "witness",
    "app",
    "permissions",
    "slips",
    "slipsApart",
    "vouches",
    "state",
    "role",
    "definition",
    "connections",
    "gateway",
    "tier",
    "backup",
    "endpoint",
    "backends",
    "overlay",
    "restoreTime",
    "quota",
    "writes",
    "lease",
    "schedule",
    "set",
    "resourceGroup",
    "ttl",
    "probePath",
    "detection",
    "clock",
    "drill",
)
# What an app may see of its own location alone; of all else the active location tells.
OWN = ("permissions", "template", "setting", "connections", "siteLinks")
STATUSES = ("fail", "warn", "ok")
WHOLE = "(plan)"  # What is about no component.
EXPIRES_SOON = timedelta(days=5)
IDLE = "Succeeded"
SHOWN_MAX = 20
WORSE_MAX, TOLD_MAX = 5, 100  # What an alert names, and what is remembered as told.


def check(
    component: str, location: str, name: str, status: str, because: str, fix: str = ""
) -> dict:
    """One check. `fix` says what to do; an ok needs none."""
    row = {"component": component, "location": location, "name": name, "status": status}
    return {**row, "because": because, "fix": fix if status != "ok" else ""}


def summed(checks: list[dict], now: datetime) -> dict:
    """{"ready", "because", "checks", "at"}: ready when nothing fails; the worst comes first."""
    rows = sorted(checks, key=lambda c: (STATUSES.index(c["status"]), rank(c["name"])))
    failing = failures(rows)
    because = "; ".join(failing[:5]) or f"{len(rows)} checks, none fails"
    return {"ready": not failing, "because": because, "checks": rows, "at": now.isoformat()}


def rank(name: str) -> int:
    """The place of a check in the order of importance; what a kind checks of its own comes last."""
    return NAMES.index(name) if name in NAMES else len(NAMES)


def failures(checks: list[dict]) -> list[str]:
    """One sentence for each check that fails."""
    return [
        f"{c['component']} in {c['location']}: {c['because']}"
        for c in checks
        if c["status"] == "fail"
    ]


def brief(summary: dict) -> dict:
    """The summary with no more than what is not ok, and not too much of that."""
    wrong = [c for c in summary["checks"] if c["status"] != "ok"]
    return {**summary, "checks": wrong[:SHOWN_MAX]}


def unseen(name: str, location: str) -> dict:
    """What only the app in `location` can see, as any other app has to say it: no fail, no ok."""
    words = f"only {location}'s own app can see this"
    fix = f"GET /api/plans/{{plan}}/readiness of the app in {location}, which alerts by itself"
    return {"name": name, "status": "warn", "because": words, "fix": fix}


def remembered(
    before: dict | None, seen: dict, plan: str, location: str, own: bool = False
) -> tuple[dict, str]:
    """What is kept of a look, and the title of what people are told of it; mostly empty.

    `before`: what was kept of the look before. `own`: the app in `location` looked, at what only
    it can see. What fails at one look alone is told to nobody: a changed configuration is not
    proven at the standby within minutes.
    """
    who = f"{location}, as its own app sees it," if own else location
    last: dict = {"ready": True, "told": False}
    if before and before["location"] == location:
        last = before
    told, told_of, title = last["told"], last.get("toldOf", []), ""
    failing = [f"{c['component']} {c['name']}" for c in seen["checks"] if c["status"] == "fail"]
    worse = [one for one in failing if one in last.get("failing", []) and one not in told_of]
    if seen["ready"] and told:
        told, told_of, title = False, [], f"{who} is ready again"
    elif not seen["ready"] and not last["ready"] and not told:
        told, told_of, title = True, failing, f"{who} is not ready to take over"
    elif told and worse:
        told_of, title = [*told_of, *worse], f"{who} is less ready than before"
        title = f"{title}: {', '.join(worse[:WORSE_MAX])}"
    shown = {key: seen[key] for key in ("ready", "because", "checks", "at")}
    kept = {"plan": plan, "location": location, "own": own, "told": told, **shown}
    return {**kept, "failing": failing, "toldOf": told_of[-TOLD_MAX:]}, title


def seen(component: str, location: str, name: str, outcome: dict, fix: str = "") -> dict:
    """A check that holds when what was asked succeeded, and fails otherwise."""
    status = "ok" if outcome["status"] == "succeeded" else "fail"
    return check(component, location, name, status, outcome["because"], fix)


def workflow(name: str, role: str, trigger: str, location: str, state: str | None) -> dict:
    """Does the standby's copy wait as its role wants? `state`: null where there is none.

    An exclusive one that is Enabled would run twice; another one that is Disabled is only late.
    A standing one is the half of a split job that runs in `location`, whoever is active.
    """
    if state is None:
        return check(name, location, "state", "fail", "there is no such workflow", "deploy it")
    if role == "activePassive":
        if state == "Disabled":
            return check(name, location, "state", "ok", "is Disabled and waits")
        why = roles.overlap(trigger)["because"]
        words = f"is {state} beside the active one: {why}"
        return check(name, location, "state", "fail", words, "disable it there")
    if role == "standing":
        words = {"Enabled": "is Enabled: this half of a job runs here, whoever is active"}
        missing = f"is {state}: half of the job's runs are missing"
        status = "ok" if state in words else "warn"
        return check(name, location, "state", status, words.get(state, missing), "enable it")
    if state == "Enabled":
        return check(name, location, "state", "ok", "is Enabled, as in the active location")
    return check(name, location, "state", "warn", f"is {state}", "enable it; a failover would")


def schedule(job: str, location: str, definitions: dict[str, dict]) -> dict:
    """Do the halves of a split job take turns? `definitions`: half -> workflow definition."""
    held, because = halves.interleaving(definitions)
    fix = "give both the same interval, and start times half of it apart"
    return check(job, location, "schedule", "ok" if held else "warn", because, fix)


def gateway(name: str, location: str, mine: dict, theirs: dict) -> list[dict]:
    """Is the standby's gateway there, idle, and of the active one's tier?

    `mine`, `theirs`: outcomes of check_gateway for the standby's and the active one.
    """
    if mine["status"] != "succeeded":
        return [check(name, location, "gateway", "fail", mine["because"], "repair or deploy it")]
    state, sku, other = mine.get("state", IDLE), mine.get("sku"), theirs.get("sku")
    idle = check(name, location, "gateway", "ok", f"is there, {sku}, and idle")
    if state != IDLE:
        words = f"is {state}: somebody changes it, perhaps a restore"
        idle = check(name, location, "gateway", "fail", words, "wait until that has ended")
    if other is None:
        words = f"is {sku}; the active one cannot be compared: {theirs['because']}"
        return [idle, check(name, location, "tier", "warn", words, "look again when it answers")]
    if sku != other:
        words = f"is {sku}, the active one {other}: no backup fits both"
        return [idle, check(name, location, "tier", "fail", words, "bring both to one tier")]
    return [idle, check(name, location, "tier", "ok", f"both are {sku}")]


def overlay(name: str, location: str, outcome: dict) -> dict:
    """Does the standby's gateway have its own values? A failover lays them, and so takes longer."""
    if outcome["status"] != "succeeded":
        return check(name, location, "overlay", "warn", outcome["because"], "look at the gateway")
    status = "ok" if outcome.get("serving") else "warn"
    return check(name, location, "overlay", status, outcome["because"], "a failover lays it")


def backup(
    name: str,
    location: str,
    listed: dict,
    service: str,
    mark: str | None,
    rpo_seconds: float,
    now: datetime,
) -> dict:
    """Does a backup of the active gateway, proven here, hold what it should?

    `listed`: outcome of list_manifests; `service`: the active gateway's id; `mark`: the fingerprint
    of its configuration now, null where it cannot be seen.
    """
    fix = "POST /api/plans/{plan}/backup in the active location, and see why it is not proven"

    def told(status: str, words: str) -> dict:
        return check(name, location, "backup", status, words, fix)

    if listed["status"] != "succeeded":
        return told("fail", listed["because"])
    own = [m for m in listed["manifests"] if m["service"].lower() == service.lower()]
    proven = backups.latest_proven(own)
    if proven is None:
        unproven = f", {len(own)} are not proven" if own else ""
        return told("fail", f"no proven backup of the active gateway{unproven}")
    age = now - backups.made_at(proven)
    words = f"{proven['name']} is {aged(age)} old"
    if backups.expired(proven, now):
        return told("fail", f"{words}: Azure restores none that is 30 days old")
    if mark is not None and proven["fingerprint"] != mark and age.total_seconds() > rpo_seconds:
        return told("fail", f"{words}, over the RPO, and the configuration has changed since")
    if backups.EXPIRES_AFTER - age <= EXPIRES_SOON:
        return told("warn", f"{words} and expires at 30 days")
    if mark is None and age.total_seconds() > rpo_seconds:
        return told("warn", f"{words}; whether the configuration has changed is not known")
    held = "holds the configuration of now" if proven["fingerprint"] == mark else "within the RPO"
    return told("ok", f"{words}, proven; {held}")


def aged(age: timedelta) -> str:
    seconds = age.total_seconds()
    for size, word in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word}"
    return f"{seconds:.0f} seconds"


def traffic(name: str, location: str, outcome: dict) -> dict:
    """Does the profile know both endpoints, and hold its callers where the plan is active?

    `outcome`: observe_traffic, seen from the active location.
    """
    if outcome["status"] != "succeeded":
        fix = "add the endpoint to the profile, and let the app read it"
        return check(name, location, "endpoint", "fail", outcome["because"], fix)
    words = outcome["because"]
    if not outcome.get("serving"):
        words = f"the standby's endpoint is enabled too, callers may be moved: {words}"
        return check(name, location, "endpoint", "warn", words, "a failover holds them")
    return check(name, location, "endpoint", "ok", f"both are known: {words}")


def group(component: str, location: str, group: str, place: str | None, active: str) -> dict:
    """May the resource be changed when the active region is gone?

    ARM routes what changes a resource through its resource group's location: while that is down
    nothing in the group can be changed (azure-resource-manager/management/overview).
    """
    fix = "move it to a resource group in the standby's region or a third one"
    if place is None:
        words = f"the location of resource group {group} cannot be seen"
        return check(component, location, "resourceGroup", "warn", words, fix)
    where = place.replace(" ", "").lower()
    words = f"resource group {group} lies in {where}"
    status = "warn" if where == active else "ok"
    lost = ", which would be lost with the active region" if status == "warn" else ""
    return check(component, location, "resourceGroup", status, words + lost, fix)
