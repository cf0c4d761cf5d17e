"""Component: one verb on one component, observed before and after.

A sub-orchestration of its own, so that what runs side by side can each wait and repeat without
touching the others' task ids.
"""

from datetime import datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.steps import attempt, step, told_to
from shared import stale
from shared.outcome import BUSY_ROUNDS_MAX, refused

VERIFY_ATTEMPTS_MAX = 3
# Who tries once looks again soon, and must not be kept from it: a heartbeat has its lease to renew.
GLANCE_MAX = timedelta(seconds=5)
STEP_MAX = timedelta(minutes=3)  # The rest of the run waits: one slow component must not own it.


def component(context: DurableOrchestrationContext) -> Flow:
    """Carry out `task["verb"]` and give the report row of it.

    Input: {"task": a Task, "activity": name, "observe": name or null, "attempts": n}. The acting
    activity observes first and skips what is already so; `observe` afterwards proves the change.
    """
    order = told_to(context)
    task, started = order["task"], context.current_utc_datetime
    patient = order["attempts"] > 1
    within, rounds = (STEP_MAX, BUSY_ROUNDS_MAX) if patient else (GLANCE_MAX, 0)
    outcome = yield from step(context, order["activity"], task, order["attempts"], within, rounds)
    if order["observe"] and outcome["status"] == "succeeded":
        outcome = yield from prove(context, order["observe"], task, outcome)
    done = row(task, started, context.current_utc_datetime, outcome)
    # Keepers have to tell what stands still from what could not be seen, and what was not sent.
    told = [key for key in ("serving", "stale") if stale.kept(task) and key in outcome]
    return {**done, **{key: outcome[key] for key in told}}


def prove(context: DurableOrchestrationContext, observe: str, task: dict, outcome: dict) -> Flow:
    """Look again: an accepted change that does not show is a refusal, not a success."""
    wanted = {"promote": True, "demote": False}[task["verb"]]
    seen = yield from attempt(context, observe, task, VERIFY_ATTEMPTS_MAX)
    if seen["status"] == "succeeded" and seen.get("serving", wanted) == wanted:
        return outcome
    return refused(f"{task['verb']} was accepted but does not show: {seen['because']}")


def row(task: dict, started: datetime, ended: datetime, outcome: dict) -> dict:
    """One line of the run's timeline, in the shape of report.json's steps."""
    return {
        "run": task["run"],
        "stage": task["stage"],
        "component": task["component"]["name"],
        "verb": task["verb"],
        "location": task["location"],
        "epoch": task["epoch"],
        "startedAt": started.isoformat(),
        "endedAt": ended.isoformat(),
        "attempts": outcome.get("attempts", 1),
        "outcome": outcome["status"],
        "because": outcome["because"],
    }
