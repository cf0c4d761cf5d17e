"""Views: what the HTTP API shows, put together from records, watch states and run histories."""

from datetime import datetime

from shared import backups, forecast, maintenance, readiness, slip, witness
from shared.plan import Plan
from shared.watch import stale

BROKEN = ("Failed", "Terminated")
UNDONE = ("halted", "declined", "expired")  # Ends of a run that did not do what it was asked for.


def plan_view(
    document: dict,
    record: dict | None,
    watch: dict | None,
    manifests: list[dict],
    warnings: list[str],
    now: datetime,
    ready: dict | None = None,
    there: datetime | None = None,
) -> dict:
    """One plan at a glance. Ages in seconds; null where this location cannot know.

    `warnings`: why something is null or old, one sentence each; a silent watchdog adds its own.
    `there`: storage's time, where the record was read; `now` is this location's, by which its
    watchdog wrote.
    """
    run = record["run"] if record else None
    proven = backups.latest_proven(manifests)
    age = (now - datetime.fromisoformat(proven["completedAt"])).total_seconds() if proven else None
    silent = silence(document, record, watch, now)
    old = watch is not None and stale(watch, document["watch"]["everySeconds"], now)
    return {
        "name": document["name"],
        "home": document["home"],
        "active": record["active"] if record else None,
        "epoch": record["epoch"] if record else None,
        "phase": run["phase"] if run else "steady",
        "run": run,
        "verdict": {**watch["verdict"], "stale": old} if watch else None,
        "watchedAt": watch["at"] if watch else None,
        "observations": watch["observations"] if watch else [],
        "refusal": watch["refusal"] if watch else "",
        "backup": {"name": proven["name"], "ageSeconds": age} if proven else None,
        "readiness": readiness.brief(ready) if ready else None,
        **protected(run, ready),
        "forecast": expected(document, record),
        "objectives": document["objectives"],
        "quietUntil": record["quietUntil"] if record else None,
        "maintenance": windows(document, record, there or now),
        "acknowledgements": record.get("acknowledgements", []) if record else [],
        "transitions": record["transitions"] if record else [],
        "warnings": [*warnings, silent] if silent else warnings,
    }


def protected(run: dict | None, ready: dict | None) -> dict:
    """Is the next disaster survivable? {"protected": true | false | null, "protectedBecause"}."""
    words = ready["because"] if ready else "nobody could look whether the standby is ready"
    if run and run["phase"] == "protect":
        words = f"run {run['id']} protects since {run['at']}: {words}"
    elif run:
        words = f"run {run['id']} is under way: {words}"
    return {"protected": ready["ready"] if ready else None, "protectedBecause": words}


def windows(document: dict, record: dict | None, now: datetime) -> dict:
    """The maintenance window that holds the plan now, when one was last lifted, what comes next."""
    given, lifted = document.get("maintenance", []), record.get("liftedAt") if record else None
    return {
        "now": maintenance.in_force(given, lifted, now),
        "liftedAt": lifted,
        "next": maintenance.coming(given, now),
    }


def silence(document: dict, record: dict | None, watch: dict | None, now: datetime) -> str:
    """Why the verdict may say nothing about now; empty when it does, or when there is none.

    Where the plan is active nobody watches, and an old watch state is nothing to warn of.
    """
    if watch is None or not stale(watch, document["watch"]["everySeconds"], now):
        return ""
    if record and record["active"] == watch["location"]:
        return ""
    return f"the verdict is old: the watchdog of {watch['location']} is silent since {watch['at']}"


def expected(document: dict, record: dict | None) -> dict:
    """What a failover to the standby of the moment takes at least: {"rtoSeconds", "parts"}."""
    plan = Plan.model_validate(document)
    bound = forecast.rto_lower_bound(plan, plan.other(record["active"] if record else plan.home))
    return {"rtoSeconds": bound["seconds"], "parts": bound["parts"]}


def run_view(run: str, record: dict | None, instances: dict[str, dict]) -> dict | None:
    """A run's timeline from its stages' instances; None when nobody here knows of it.

    `instances`: stage -> {"status", "output", "createdAt", "custom"} of those that exist here; a
    run that another location carried is known by the witness's `record` alone.
    """
    reserved = record["run"] if record and record["run"] and record["run"]["id"] == run else None
    end = witness.ended(record, run) if record else ""
    if not instances and reserved is None and not end:
        return None
    outputs = [i["output"] for i in instances.values() if isinstance(i["output"], dict)]
    stages = [stage_view(name, instances[name]) for name in order(instances)]
    steps = [row for o in outputs for row in o.get("rows", [])]
    return {
        "run": run,
        "phase": reserved["phase"] if reserved else (stages[-1]["stage"] if stages else end),
        "outcome": outcome(instances, end),
        "mode": reserved["mode"] if reserved else first(outputs, "mode"),
        "from": reserved["from"] if reserved else first(outputs, "from"),
        "to": reserved["to"] if reserved else first(outputs, "to"),
        "epoch": next((o["slip"]["epoch"] for o in reversed(outputs) if "slip" in o), None),
        "because": next((o["because"] for o in reversed(outputs) if o.get("because")), ""),
        **said(reserved, instances),
        "stages": stages,
        "steps": steps,
        "undone": [row for row in steps if row.get("stage") == "undo"],
    }


def said(reserved: dict | None, instances: dict[str, dict]) -> dict:
    """What people have said to the run, and the event that ends its wait for them, if it waits."""
    told = {key: reserved[key] if reserved else None for key in ("approval", "cancel")}
    shown = [i["custom"] for i in instances.values() if isinstance(i["custom"], dict)]
    waits = next((one["waitsFor"] for one in shown if one.get("waitsFor")), None)
    return {**told, "paused": bool(reserved and reserved["paused"]), "waitsFor": waits}


def order(instances: dict[str, dict]) -> list[str]:
    route = [*slip.STAGES]
    return sorted(instances, key=route.index)


def stage_view(name: str, instance: dict) -> dict:
    output = instance["output"] if isinstance(instance["output"], dict) else {}
    return {
        "stage": name,
        "status": instance["status"],
        "outcome": output.get("outcome"),
        "because": output.get("because", ""),
        "startedAt": output.get("startedAt", instance["createdAt"]),
        "endedAt": output.get("endedAt"),
        "progress": instance["custom"],
    }


def outcome(instances: dict[str, dict], end: str) -> str:
    """running, finished, cancelled, refused or failed. `end`: the witness's word, if it has one."""
    if any(i["status"] in BROKEN for i in instances.values()):
        return "failed"
    outputs = [i["output"] for i in instances.values() if isinstance(i["output"], dict)]
    if end == "cancelled" or any(o.get("outcome") == "cancelled" for o in outputs):
        return "cancelled"
    if end in UNDONE or any(o.get("outcome") == "refused" for o in outputs):
        return "refused"
    last = instances.get("protect") or instances.get("restore")
    if end or (last and last["status"] == "Completed"):
        return "finished"
    return "running"


def first(outputs: list[dict], key: str) -> str | None:
    return next((o["slip"][key] for o in outputs if "slip" in o), None)


def dry_run(document: dict, answer: dict, differences: list[dict], now: datetime) -> dict:
    """What a failover would do, in its order, and how the world would differ; nothing is done."""
    return {
        "plan": document["name"],
        "dryRun": True,
        "mode": answer["mode"],
        "to": answer["to"],
        "at": now.isoformat(),
        "allowed": answer["allowed"],
        "because": answer["because"],
        "calls": [call for d in differences for call in d["calls"]],
        "differences": differences,
    }
