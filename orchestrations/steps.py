"""Steps: ask the world for one thing, as often as it takes and no oftener.

Durable's own `*_with_retry` may not stand beside other pending work (the ids of SDK and
extension diverge), so repeating is written out here, once, with its bounds.
"""

from datetime import timedelta
from typing import cast

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from shared.outcome import refused

ATTEMPTS_MAX = 3
PAUSE = timedelta(seconds=2)
PAUSE_MAX = timedelta(seconds=10)
POLLS_MAX = 240  # An APIM restore may take 45 minutes and more; at 15 s a poll this is an hour.
BECAUSE_MAX = 300


def attempt(
    context: DurableOrchestrationContext,
    activity: str,
    payload: dict,
    attempts_max: int = ATTEMPTS_MAX,
) -> Flow:
    """Call `activity` until it answers; give its outcome with `attempts` added.

    A refusal is an answer. A surprise (the activity raised) is repeated after a pause and becomes
    a refusal once `attempts_max` is reached, so that one step can never fail a whole run.
    """
    because = ""
    for number in range(1, attempts_max + 1):
        try:
            outcome = yield context.call_activity(activity, payload)
            return {**outcome, "attempts": number}
        # Durable erases the type of what an activity raised: Exception is all that arrives.
        except Exception as surprise:
            because = brief(surprise)
        if number < attempts_max:
            yield context.create_timer(
                context.current_utc_datetime + min(PAUSE * number, PAUSE_MAX)
            )
    return refused(f"{activity} failed {attempts_max} times: {because}", attempts=attempts_max)


def settle(context: DurableOrchestrationContext, outcome: dict) -> Flow:
    """Wait for a long-running operation on durable timers; give its final outcome.

    Every poll is an activity of its own and takes a fresh token, so a restore that outlives the
    first token does not fail at its end.
    """
    for _ in range(POLLS_MAX):
        if outcome["status"] != "running":
            return outcome
        pause = timedelta(seconds=outcome.get("retryAfterSeconds", 15))
        yield context.create_timer(context.current_utc_datetime + pause)
        asked = {"operation": outcome["operation"]}
        answer = yield from attempt(context, "ask_operation", asked)
        outcome = {**outcome, **answer} if answer["status"] == "running" else answer
    return refused(f"still running after {POLLS_MAX} polls: {outcome.get('operation', '')}")


def step(context: DurableOrchestrationContext, activity: str, payload: dict) -> Flow:
    """One request and, where the world answers "running", the wait for its end."""
    outcome = yield from attempt(context, activity, payload)
    return (yield from settle(context, outcome))


def brief(surprise: Exception) -> str:
    """The first line of what an activity raised, bounded: histories and alerts stay small."""
    lines = [line.strip() for line in str(surprise).splitlines() if line.strip()]
    return (lines[-1] if lines else type(surprise).__name__)[:BECAUSE_MAX]


def told_to(context: DurableOrchestrationContext) -> dict:
    """The input of this orchestration: every one of ours is started with one JSON object."""
    return cast(dict, context.get_input())
