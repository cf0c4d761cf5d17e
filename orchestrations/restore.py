"""Restore: make the standby's gateway the one in the backup, then prove it.

Never on the way of a failover, never over a gateway that serves, never while the active side is
under suspicion: a disaster must not find its own standby half restored.
"""

from datetime import datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.backup import IDLE
from orchestrations.steps import attempt, plan_of, settle, step, told_to
from shared import backups, not_in_backup, watch, witness
from shared.kinds import KINDS
from shared.outcome import refused, running, skipped, succeeded
from shared.plan import Plan

CALM = ("healthy", "degraded")
CALM_ROUNDS_MAX = 30
CALM_PAUSE = timedelta(seconds=20)
STATUS_MAX = 300
WAITS_MAX = 2  # Changes of a gateway that are waited out: ours from before, and one of others.
POLL_SECONDS = 15


def restore(context: DurableOrchestrationContext) -> Flow:
    """Input: a slip of kind "restore" with facts.backup. Output: an outcome with differences."""
    paper = told_to(context)
    started = context.current_utc_datetime
    outcome = yield from replace(context, paper)
    if outcome["status"] == "refused":
        payload = {
            "plan": paper["plan"],
            "run": paper["run"],
            "title": "restore refused",
            "because": outcome["because"],
        }
        yield from attempt(context, "alert", payload, attempts_max=1)
    return {
        "stage": "restore",
        "outcome": outcome["status"],
        "rows": [],
        "slip": paper,
        "startedAt": started.isoformat(),
        "endedAt": context.current_utc_datetime.isoformat(),
        **outcome,
    }


def replace(context: DurableOrchestrationContext, paper: dict) -> Flow:
    loaded = yield from attempt(
        context, "load_plan", {"plan": paper["plan"], "digest": paper["digest"]}
    )
    if loaded["status"] != "succeeded":
        return loaded
    plan, here = plan_of(loaded), paper["to"]
    name = plan.gateway()
    if name is None:
        return refused(f"plan {paper['plan']} has no apiManagement component")
    gateway = plan.component(name, here)
    job = {
        "plan": paper["plan"],
        "component": gateway,
        "location": here,
        "target": gateway["backups"][here],
        "backup": paper["facts"]["backup"],
    }
    found = yield from find(context, job)
    if found["status"] != "succeeded":
        return found
    manifest = found["manifest"]
    if manifest["provenAt"] and proven_since(paper, manifest["provenAt"]):
        return skipped(f"{manifest['name']} was proven after this restore was asked for")
    calm = yield from await_calm(context, paper, loaded["plan"])
    if calm["status"] != "succeeded":
        return calm
    told = {**task_of(plan, paper, job), **job, "manifest": manifest}
    begun = yield from attempt(context, "begin_restore", told)
    ended = yield from settle(context, begun)
    if ended["status"] != "succeeded":
        return ended
    return (yield from prove(context, plan, paper, job, manifest))


def proven_since(paper: dict, proven_at: str) -> bool:
    """Has another slip done what this one asks for, which came late?"""
    return datetime.fromisoformat(proven_at) >= datetime.fromisoformat(paper["requestedAt"])


def find(context: DurableOrchestrationContext, job: dict) -> Flow:
    """The manifest of the backup, if it can be restored at all: tier, age, blob."""
    listed = yield from attempt(context, "list_manifests", job)
    if listed["status"] != "succeeded":
        return listed
    manifest = next((m for m in listed["manifests"] if m["name"] == job["backup"]), None)
    if manifest is None:
        return refused(f"no manifest of {job['backup']}: make a new backup")
    newest = backups.latest(listed["manifests"])
    if newest and newest["name"] != manifest["name"]:
        return skipped(f"{newest['name']} is newer and comes by a slip of its own")
    if backups.expired(manifest, context.current_utc_datetime):
        return refused(f"{job['backup']} is older than 30 days and expired: make a new backup")
    checked = yield from attempt(context, "check_gateway", job)
    if checked["status"] != "succeeded":
        return checked
    if checked.get("state", IDLE) != IDLE:
        return skipped(f"the gateway is {checked['state']}, perhaps by an earlier restore")
    if checked["sku"] != manifest["sku"]:
        return refused(
            f"the backup is of tier {manifest['sku']}, this gateway is {checked['sku']}: "
            "bring both gateways to the same tier"
        )
    return succeeded(manifest=manifest)


def await_calm(context: DurableOrchestrationContext, paper: dict, document: dict) -> Flow:
    """Hold while the active side is suspect; refuse when this location has become the active."""
    because = ""
    for _ in range(CALM_ROUNDS_MAX):
        asked = {"plan": paper["plan"], "witness": document["witness"]}
        known = yield from attempt(context, "read_witness", asked)
        if known["status"] == "succeeded":
            because = taken(known["record"], paper["to"], context.current_utc_datetime)
            if because:
                return refused(because)
            seen = yield from attempt(context, "read_watch", {"plan": paper["plan"]})
            because = uneasy(seen, document, context.current_utc_datetime)
            if not because:
                return succeeded()
        else:
            because = f"the witness cannot be read: {known['because']}"
        context.set_custom_status({"frozen": because[:STATUS_MAX]})
        yield context.create_timer(context.current_utc_datetime + CALM_PAUSE)
    return refused(f"frozen for too long, the next backup tries again: {because}")


def taken(record: dict, here: str, now: datetime) -> str:
    """Why the gateway here is not ours to restore over; empty when it is."""
    if record["active"] == here:
        return f"{here} is the active location: its gateway serves"
    run = record["run"]
    return f"run {run['id']} is under way" if witness.in_progress(run, now) else ""


def uneasy(seen: dict, document: dict, now: datetime) -> str:
    """Why the watchdog's last word is no calm; empty when it is, or when it has never spoken."""
    if seen["status"] != "succeeded":
        return seen["because"] if seen.get("surprised") else ""
    state = seen["watch"]
    if watch.stale(state, document["watch"]["everySeconds"], now):
        return f"the watchdog has been silent since {state['at']}"
    word = state["verdict"]["state"]
    return "" if word in CALM else f"the active side is {word}"


def task_of(plan: Plan, paper: dict, job: dict) -> dict:
    """The Task of a restore: it has no epoch, and is stale where its location does not stand by."""
    return {
        "plan": paper["plan"],
        "run": paper["run"],
        "stage": "restore",
        "epoch": None,
        "verb": "promote",
        "location": paper["to"],
        "component": job["component"],
        "witness": plan.document["witness"],
    }


def prove(
    context: DurableOrchestrationContext, plan: Plan, paper: dict, job: dict, manifest: dict
) -> Flow:
    """Lay the overlay and what no backup carries, compare item by item, call the gateway once.

    Then it is proven.
    """
    task = task_of(plan, paper, job)
    laid = yield from step(context, "promote_gateway", task)
    if laid["status"] == "refused":
        return laid
    provided = yield from provide(context, plan, task)
    if provided["status"] == "refused":
        return provided
    other = plan.component(job["component"]["name"], paper["from"])
    compared = yield from attempt(
        context, "compare_gateways", {**job, "other": other, "manifest": manifest}
    )
    if compared["status"] != "succeeded":
        if compared.get("differences"):
            noted = {**job, "manifest": manifest, "because": compared["because"]}
            yield from attempt(context, "mark_unproven", noted)
        return compared
    called = yield from attempt(context, "verify_gateway", {**task, "verb": "verify"})
    if called["status"] != "succeeded":
        return called
    marked = yield from attempt(
        context, "mark_proven", {**job, "manifest": manifest, "because": compared["because"]}
    )
    if marked["status"] != "succeeded":
        return marked
    declared = job["component"].get("notInBackup")  # Of a plan without, readiness says so.
    left = {"left": not_in_backup.left(declared)} if declared else {}
    return succeeded(f"{manifest['name']} is proven", backup=manifest["name"], **left)


def provide(context: DurableOrchestrationContext, plan: Plan, task: dict) -> Flow:
    """Write what the plan applies of what no backup carries; what is left, `prove` says."""
    declared = task["component"].get("notInBackup", [])
    applied = [one for one in declared if one.get("apply")]
    if any(one["what"] in not_in_backup.WRITTEN for one in applied):
        wrote = yield from written(context, task)
        if wrote["status"] == "refused":
            return wrote
    for one in applied:
        if one["what"] in not_in_backup.ADDED:
            part = plan.component(one["component"], task["location"])
            activity = KINDS[part["kind"]]["promote"].activity
            added = yield from step(context, activity, {**task, "component": part})
            if added["status"] == "refused":
                return added
    return succeeded()


def written(context: DurableOrchestrationContext, task: dict) -> Flow:
    """The step that writes; a change under way is waited out first, then looked at anew.

    It may be what a killed try of ours has sent, and take far longer than a step waits.
    """
    wrote = yield from step(context, "provide_gateway", task)
    for _ in range(WAITS_MAX):
        if not wrote.get("busy") or "operation" not in wrote:
            break
        yield from settle(context, running(wrote["operation"], POLL_SECONDS))
        wrote = yield from step(context, "provide_gateway", task)
    return wrote
