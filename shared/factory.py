"""Factory: which triggers of a data factory are to start or stop, and whether two factories agree.

A trigger is {"state": Started | Stopped | Disabled, "type", "pipelines": [names]}. Starting a
tumbling window makes it run every window since its start time anew: its memory stays in the
factory that is left (data-factory, concepts-pipeline-execution-triggers, "Backfill").
"""

STARTED = "Started"
EVENTS = ("BlobEventsTrigger", "CustomEventsTrigger")
WINDOW = "TumblingWindowTrigger"
NAMES_MAX = 5


def chosen(part: dict, triggers: dict[str, dict]) -> dict[str, dict]:
    """The triggers that the component is about: those it names, or all."""
    names = part.get("triggers") or sorted(triggers)
    return {name: triggers[name] for name in names if name in triggers}


def missing(part: dict, triggers: dict[str, dict]) -> list[str]:
    return [name for name in part.get("triggers", []) if name not in triggers]


def differing(part: dict, triggers: dict[str, dict], verb: str) -> list[str]:
    """The triggers to which `verb` has something to send, in the order in which it does."""
    wanted = verb == "promote"
    found = chosen(part, triggers)
    return [name for name, one in found.items() if (one["state"] == STARTED) != wanted]


def shown(part: dict, triggers: dict[str, dict]) -> str:
    found = chosen(part, triggers)
    count = sum(one["state"] == STARTED for one in found.values())
    return f"{count} of {len(found)} triggers are started"


def checks(part: dict, alone: bool, mine: dict, other: dict) -> list[dict]:
    """Would a failover to this factory work? `mine`, `other`: outcomes of a look at each."""
    if mine["status"] != "succeeded":
        return [check("factory", "fail", mine["because"], "deploy or repair it")]
    triggers = mine["triggers"]
    rows = [check("factory", "ok", shown(part, triggers), "")]
    gone = missing(part, triggers)
    if gone:
        rows.append(check("triggers", "fail", f"has no trigger {listed(gone)}", "deploy them"))
    started = differing(part, triggers, "demote")
    if alone and started:
        words = f"{listed(started)} run beside the active side's"
        rows.append(check("state", "fail", words, "stop them there"))
    windows = [n for n, one in chosen(part, triggers).items() if one["type"] == WINDOW]
    if windows:
        words = f"{listed(windows)} would run every window since the start time, done or not"
        fix = "give the standby's a start time of its own, or pipelines that may run twice"
        rows.append(check("windows", "warn", words, fix))
    return rows + compared(part, triggers, other)


def compared(part: dict, triggers: dict[str, dict], other: dict) -> list[dict]:
    """What the active factory has and this one has not, and what is started here alone."""
    fix = "deploy both from one template"
    if other["status"] != "succeeded":
        words = f"the active one cannot be compared: {other['because']}"
        return [check("same", "warn", words, "look again when it answers")]
    theirs = chosen(part, other["triggers"])
    lacking = sorted(set(theirs) - set(triggers))
    if lacking:
        return [check("same", "fail", f"lacks the triggers {listed(lacking)}", fix)]
    apart = [n for n, one in theirs.items() if one["pipelines"] != triggers[n]["pipelines"]]
    if apart:
        return [check("same", "fail", f"{listed(apart)} start other pipelines there", fix)]
    more = sorted(set(chosen(part, triggers)) - set(theirs))
    still = [n for n, one in theirs.items() if one["state"] != STARTED] + more
    if still:
        words = f"a failover would start {listed(still)}, which the active factory does not run"
        return [check("same", "warn", words, "name the triggers in the plan, or delete these")]
    return [check("same", "ok", "both have the same triggers, which start the same pipelines", "")]


def listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_MAX} more" if len(names) > NAMES_MAX else ""
    return ", ".join(names[:NAMES_MAX]) + more


def check(name: str, status: str, because: str, fix: str) -> dict:
    return {"name": name, "status": status, "because": because, "fix": fix}
