"""Protect: the run is not done before the next disaster is survivable.

The plan has moved and serves; now the location that it left has to become its standby. What this
run can do for that it does (stop what is exclusive there, turn the gateway's pipeline round), the
rest it waits for, with pauses that grow: a lost region may be away for hours. Nobody waits for it:
another run that is asked for meanwhile overtakes it, and it ends.
"""

from datetime import datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.component import row
from orchestrations.steps import Told, attempt, brief
from orchestrations.waves import act
from shared import pace
from shared.kinds import KINDS
from shared.outcome import refused, succeeded
from shared.plan import Plan

LOOKS_MAX = 600  # With pauses that grow: more than a week.
PAUSE_LEAST_SECONDS, PAUSE_SHARE = 5.0, 0.1
PAUSE_MOST_SECONDS = 60.0  # Until an hour has passed; then a share again.
PAUSE_LATE_SHARE = 1 / 60
ONE_TRY = 1  # The next look is the retry.
PIPELINES_MAX = 4
# A restore takes up to 45 minutes and more: only then is a backup that is not proven made again.
PIPELINE_PAUSE = timedelta(minutes=20)
REACHED = ("app", "slips", "gateway")  # Without them nothing could be handed over.
STATUS_MAX = 300
UNSEEN = "check"  # The name under which readiness tells that a kind's own check had no answer.


def protect(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Wait until the other location is ready, up to `protectMinutes`; gives Told.

    Its facts name what is `unprotected` when that did not come about.
    """
    started, away = context.current_utc_datetime, paper["from"]
    until = started + timedelta(minutes=plan.protect_minutes)
    rows: list[dict] = []
    turned: list[datetime] = []
    seen = refused("nobody has looked")
    for look in range(LOOKS_MAX):
        over = yield from overtaken(context, plan, paper)
        if over:
            return Told(rows, over=over)
        told = {"plan": plan.document, "location": away}
        seen = yield from attempt(context, "assess_readiness", told, ONE_TRY)
        if seen.get("ready"):
            return Told([*rows, told_of(context, paper, started, "(all)", succeeded(READY))])
        now = context.current_utc_datetime
        if now >= until or look == LOOKS_MAX - 1:
            break
        because = f"not protected yet: {seen['because']}"[:STATUS_MAX]
        context.set_custom_status({"stage": "protect", "because": because})
        rows = kept(rows, (yield from mend(context, plan, paper, seen, look, turned)))
        due = context.current_utc_datetime + pause((now - started).total_seconds())
        yield context.create_timer(min(due, max(until, now + timedelta(seconds=1))))
    failing = [one for one in seen.get("checks", []) if one["status"] == "fail"]
    rows += [
        told_of(context, paper, started, one["component"], refused(one["because"]))
        for one in failing
    ]
    return Told(rows, {"unprotected": f"not protected: {seen['because']}"[:STATUS_MAX]})


READY = "the other location is ready: the next disaster is survivable"


def pause(waited_seconds: float) -> timedelta:
    """Until the next look: a share of what was waited, at most a minute in the first hour."""
    early = pace.pause_seconds(waited_seconds, PAUSE_LEAST_SECONDS, PAUSE_SHARE)
    late = waited_seconds * PAUSE_LATE_SHARE
    return timedelta(seconds=max(min(early, PAUSE_MOST_SECONDS), late))


def overtaken(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Why this run has ended without us; empty while it goes on. Asking notes that it lives."""
    payload = {"slip": paper, "witness": plan.document["witness"], "phase": "protect"}
    known = yield from attempt(context, "advance_run", payload, ONE_TRY)
    record = known.get("record")
    if known["status"] == "succeeded" or record is None:
        return ""
    return known["because"]


def mend(
    context: DurableOrchestrationContext,
    plan: Plan,
    paper: dict,
    seen: dict,
    look: int,
    turned: list[datetime],
) -> Flow:
    """Do what can be done now about the checks that fail; gives the rows of it."""
    checks = seen.get("checks", [])
    failing = {one["name"] for one in checks if one["status"] == "fail"}
    names = able(plan, paper["from"], [one for one in checks if one["status"] == "fail"])
    rows = yield from act(
        context, plan, paper, "protect", paper["from"], names, ONE_TRY, turn=look, futile=True
    )
    if "backup" in failing and not failing & set(REACHED) and due(context, turned):
        rows.append((yield from turn_round(context, plan, paper, look)))
        turned.append(context.current_utc_datetime)
    return rows


def able(plan: Plan, away: str, failing: list[dict]) -> list[str]:
    """The components in `away` for which the kind's `protect` can do something now, each once.

    Where that means to stop it: only what runs there and must not. Otherwise (to pair anew, to
    replicate again) whatever its own check has found; what could not be seen cannot be mended.
    """
    alone = plan.exclusive(away)
    names = []
    for one in failing:
        name = one["component"]
        kind = KINDS[plan.part(name).kind] if name in plan.parts else {}
        if "protect" not in kind:
            continue
        stops = "demote" in kind and kind["protect"].activity == kind["demote"].activity
        if (one["name"] == "state" and name in alone) if stops else one["name"] != UNSEEN:
            names.append(name)
    return list(dict.fromkeys(names))


def due(context: DurableOrchestrationContext, turned: list[datetime]) -> bool:
    if not turned:
        return True
    waited = context.current_utc_datetime - turned[-1]
    return len(turned) < PIPELINES_MAX and waited >= PIPELINE_PAUSE


def turn_round(context: DurableOrchestrationContext, plan: Plan, paper: dict, look: int) -> Flow:
    """Back the gateway that serves now up to the other side, which restores and proves it.

    Whether it was proven is seen by the next looks: a restore may take most of an hour.
    """
    started = context.current_utc_datetime
    told = {"plan": plan.name, "location": paper["to"], "by": f"run {paper['run']}"}
    instance = f"{paper['run']}.protect.backup.{look}"
    try:
        outcome = yield context.call_sub_orchestrator("backup", told, instance)
    # What broke it is said; the next look finds the backup missing and tries again.
    except Exception as surprise:
        outcome = refused(f"the backup broke off: {brief(surprise)}")
    return told_of(context, paper, started, plan.gateway() or "(all)", outcome)


def kept(before: list[dict], news: list[dict]) -> list[dict]:
    """The last row of each component: what was refused an hour ago and done since is done."""
    latest = {one["component"]: one for one in [*before, *news]}
    return list(latest.values())


def told_of(
    context: DurableOrchestrationContext,
    paper: dict,
    started: datetime,
    component: str,
    outcome: dict,
) -> dict:
    task = {**paper, "verb": "protect", "location": paper["from"], "component": {"name": component}}
    return row(task, started, context.current_utc_datetime, outcome)
