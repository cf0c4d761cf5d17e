"""Backup: carry the active gateway's configuration to the standby's region.

Restoring takes up to an hour and keeps the standby's gateway busy, so nothing is backed up, and
so nothing restored, unless the configuration's fingerprint has changed.
"""

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.outlook import look_ahead, look_within
from orchestrations.steps import attempt, plan_of, settle, step, told_to
from shared import backups, slip, stale, witness
from shared.outcome import refused, skipped, succeeded

IDLE = "Succeeded"  # The provisioningState of a gateway that nobody is changing.


def backup(context: DurableOrchestrationContext) -> Flow:
    """Back up if something changed, then send the slip that restores it.

    Input: {"plan", "location": mine, "by", "force": bool}. Output: an outcome with the backup's
    name, whose `because` also went out as an alert if it was a refusal. By the timer it also looks
    whether the standby could take over.
    """
    told, waiting = told_to(context), None
    if told["by"] == "timer":
        waiting = yield from look_ahead(context, told)
    outcome = yield from make(context, told)
    if outcome["status"] == "refused":
        payload = {"plan": told["plan"], "title": "backup refused", "because": outcome["because"]}
        yield from attempt(context, "alert", payload, attempts_max=1)
    if waiting:  # Last, where it disturbs no instance that was under way before there was this.
        yield from look_within(context, waiting, told["location"])
    return outcome


def make(context: DurableOrchestrationContext, told: dict) -> Flow:
    loaded = yield from attempt(context, "load_plan", {"plan": told["plan"]})
    if loaded["status"] != "succeeded":
        return loaded
    plan, document = plan_of(loaded), loaded["plan"]
    here, gateway = told["location"], plan.gateway()
    if here not in plan.locations:
        return skipped(f"{here} is no location of {plan.name}")
    if gateway is None:
        return skipped("the plan has no apiManagement component")
    there = plan.other(here)
    job = {
        "plan": document["name"],
        "component": plan.component(gateway, here),
        "location": here,
        "target": plan.component(gateway, here)["backups"][there],
    }
    found = yield from inspect(context, told, document, job)
    if found["status"] != "succeeded":
        return found
    manifest = found["manifest"]
    if not found["resend"]:
        task = task_of(document, job, found["epoch"])
        made = yield from carry(context, job, manifest, task)
        if made["status"] != "succeeded":
            return made
        prune = {**job, "keepDays": plan.backup.keep_days, "keepCount": plan.backup.keep_count}
        yield from attempt(context, "prune_backups", prune)
    return (yield from hand_over(context, loaded, told, manifest, there))


def inspect(context: DurableOrchestrationContext, told: dict, document: dict, job: dict) -> Flow:
    """Is a backup due? Gives its manifest-to-be, or why not; `resend`: made but never proven."""
    asked = {"plan": document["name"], "witness": document["witness"]}
    record = yield from attempt(context, "read_witness", asked)
    if record["status"] != "succeeded":
        return record
    if record["record"]["active"] != job["location"]:
        return skipped(f"{document['name']} is active in {record['record']['active']}, not here")
    run = record["record"]["run"]
    if witness.in_progress(run, context.current_utc_datetime):
        return skipped(f"run {run['id']} is under way: it needs the gateway for itself")
    checked = yield from attempt(context, "check_gateway", job)
    if checked["status"] != "succeeded":
        return checked
    if checked.get("state", IDLE) != IDLE:
        return skipped(f"the gateway is {checked['state']}: somebody is changing it")
    taken = yield from attempt(context, "fingerprint_gateway", job)
    if taken["status"] != "succeeded":
        return taken
    listed = yield from attempt(context, "list_manifests", job)
    if listed["status"] != "succeeded":
        return listed
    now, mark = context.current_utc_datetime, taken["fingerprint"]
    latest = backups.latest(listed["manifests"])
    if latest and latest["fingerprint"] == mark and not told.get("force"):
        if latest["provenAt"] and not backups.expired(latest, now):
            return skipped(f"unchanged since {latest['name']}")
        if not backups.expired(latest, now):
            return again(latest, told["by"])
    manifest = backups.manifest(
        plan=document["name"],
        service=job["component"]["resource"],
        sku=checked["sku"],
        fingerprint=mark,
        now=now,
    )
    return succeeded(manifest=manifest, resend=False, epoch=record["record"]["epoch"])


def task_of(document: dict, job: dict, epoch: int) -> dict:
    """The Task of a backup: looking took minutes, so the record is read again before it begins."""
    return {
        "plan": document["name"],
        "run": stale.keeper(document["name"], "backup", job["location"]),
        "stage": "backup",
        "epoch": epoch,
        "verb": "backup",
        "location": job["location"],
        "component": job["component"],
        "witness": document["witness"],
    }


def again(manifest: dict, by: str) -> dict:
    """Hand an unproven backup over once more? Not where a restore has shown that it differs.

    Restoring takes up to an hour: repeated by the clock, a disaster would mostly find the standby
    half restored.
    """
    if manifest["provenBecause"] and by == "timer":
        return refused(
            f"{manifest['name']} was restored and is not proven: {manifest['provenBecause']}; "
            f"correct that, then POST /api/plans/{manifest['plan']}/backup"
        )
    return succeeded(manifest=manifest, resend=True)


def carry(context: DurableOrchestrationContext, job: dict, manifest: dict, task: dict) -> Flow:
    """Start the backup, wait for its end, see the blob, and only then write its manifest.

    One that a run has overtaken meanwhile is skipped, as it is where `inspect` finds the run.
    """
    told = {**task, **job, "backup": manifest["name"]}
    begun = yield from attempt(context, "begin_backup", told)
    if begun.get("stale"):
        return skipped(begun["because"])
    ended = yield from settle(context, begun)
    if ended["status"] != "succeeded":
        return ended
    seen = yield from attempt(context, "verify_backup_blob", {**job, "backup": manifest["name"]})
    if seen["status"] != "succeeded":
        return seen
    done = {
        **manifest,
        "completedAt": context.current_utc_datetime.isoformat(),
        "bytes": seen["bytes"],
    }
    return (yield from step(context, "write_manifest", {**job, "manifest": done}))


def hand_over(
    context: DurableOrchestrationContext, loaded: dict, told: dict, manifest: dict, there: str
) -> Flow:
    """Send the restore slip to the standby's own namespace."""
    now = context.current_utc_datetime
    paper = slip.restore(
        run=f"{told['plan']}-restore-{now:%Y%m%dT%H%M%SZ}",
        plan=told["plan"],
        digest=loaded["digest"],
        source=told["location"],
        target=there,
        by=told["by"],
        now=now,
        facts={"backup": manifest["name"]},
    )
    payload = {"slip": paper, "queue": slip.queue(paper), "location": there}
    sent = yield from attempt(context, "send_slip", payload)
    if sent["status"] != "succeeded":
        return refused(f"backed up as {manifest['name']}, but not handed over: {sent['because']}")
    return succeeded(
        f"{manifest['name']} on its way to {there}", backup=manifest["name"], run=paper["run"]
    )
