"""Steps: ask the world for one thing, as often as it takes and no oftener.

Durable's own `*_with_retry` may not stand beside other pending work (the ids of SDK and
extension diverge), so repeating is written out here, once, with its bounds.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from shared.outcome import BUSY_PAUSE_SECONDS, BUSY_ROUNDS_MAX, refused
from shared.plan import Plan

ATTEMPTS_MAX = 3
PAUSE = timedelta(seconds=2)
PAUSE_MAX = timedelta(seconds=10)
PATIENCE = 30  # Attempts: about five minutes, for what a claimed run cannot go on without.
POLLS_MAX = 240  # An APIM restore may take 45 minutes and more; at 15 s a poll this is an hour.
POLL_PAUSE_SECONDS_MAX = 60.0
SILENT_POLLS_MAX = 5  # In a row: ARM may be away for minutes while the operation goes on.
BUSY_PAUSE = timedelta(seconds=BUSY_PAUSE_SECONDS)
BECAUSE_MAX = 300
PLANS_MAX = 8
_PLANS: dict[str, tuple[dict, Plan]] = {}


@dataclass(frozen=True)
class Told:
    """What a stage's story ends with: its rows, and what the slip has to carry on.

    `mode`: the one that a person has changed the run to. `halt`: why the run ends here. `over`: why
    it has ended already, without us.
    """

    rows: list[dict]
    facts: dict = field(default_factory=dict)
    mode: str = ""
    halt: str = ""
    over: str = ""


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
    words = f"{activity} failed {attempts_max} times: {because}"
    return refused(words, attempts=attempts_max, surprised=True)


def settle(
    context: DurableOrchestrationContext, outcome: dict, within: timedelta | None = None
) -> Flow:
    """Wait for a long-running operation on durable timers; give its final outcome.

    Every poll is an activity of its own and takes a fresh token, so a restore that outlives the
    first token does not fail at its end. A poll that nobody answers says nothing about the
    operation; one without a word leaves what was said at the beginning. `within` bounds the wait
    where others wait too.
    """
    until = context.current_utc_datetime + within if within else None
    silent, said = 0, outcome["because"]
    for _ in range(POLLS_MAX):
        if outcome["status"] != "running":
            return outcome
        if until and context.current_utc_datetime >= until:
            return refused(f"accepted, but still running after {within}; it may yet end well")
        seconds = min(outcome.get("retryAfterSeconds", 15), POLL_PAUSE_SECONDS_MAX)
        if until:
            seconds = min(seconds, (until - context.current_utc_datetime).total_seconds())
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
        asked = {"operation": outcome["operation"]}
        answer = yield from attempt(context, "ask_operation", asked)
        silent = silent + 1 if answer.get("surprised") else 0
        if answer["status"] == "running":
            outcome = {**outcome, **answer}
        elif silent in (0, SILENT_POLLS_MAX):
            outcome = {**answer, "because": answer["because"] or said}
    return refused(f"still running after {POLLS_MAX} polls: {outcome.get('operation', '')}")


def step(
    context: DurableOrchestrationContext,
    activity: str,
    payload: dict,
    attempts_max: int = ATTEMPTS_MAX,
    within: timedelta | None = None,
    busy_rounds: int = BUSY_ROUNDS_MAX,
) -> Flow:
    """One request and, where the world answers "running", the wait for its end.

    What answers `busy` (somebody else is changing it) is asked again for about a minute; then
    its refusal stands, because others wait behind this step. `attempts` of the outcome counts all
    of them: what a repeat finds done may be the work of the try before it.
    """
    outcome = yield from attempt(context, activity, payload, attempts_max)
    for _ in range(busy_rounds):
        if not outcome.get("busy"):
            break
        yield context.create_timer(context.current_utc_datetime + BUSY_PAUSE)
        before = outcome["attempts"]
        outcome = yield from attempt(context, activity, payload, attempts_max)
        outcome = {**outcome, "attempts": before + outcome["attempts"]}
    return (yield from settle(context, outcome, within))


def brief(surprise: Exception) -> str:
    """The line of what an activity raised that says why, bounded: histories stay small.

    Azure's hosts add a stack after the message; its lines tell a person at night nothing.
    """
    lines = [line.strip() for line in str(surprise).splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("Exception:")] or lines
    return (told[0] if told else type(surprise).__name__)[:BECAUSE_MAX]


def told_to(context: DurableOrchestrationContext) -> dict:
    """The input of this orchestration: every one of ours is started with one JSON object."""
    return cast(dict, context.get_input())


def plan_of(loaded: dict) -> Plan:
    """The plan in `load_plan`'s answer, parsed once: every replay asks for it again."""
    document, digest = loaded["plan"], loaded["digest"]
    known, plan = _PLANS.get(digest, (None, None))
    if plan is None or known != document:
        if len(_PLANS) >= PLANS_MAX:
            _PLANS.clear()
        plan = Plan.model_validate(document)
        _PLANS[digest] = (document, plan)
    return plan


def newest(context: DurableOrchestrationContext, name: str, before: dict | None) -> Flow:
    """`load_plan`'s answer for the newest version of a plan, asked once.

    `before`: the last good answer of this generation, or None. What has not changed since is not
    told again: a history would hold a large plan once in every round.
    """
    asked = {"plan": name} | ({"known": before["digest"]} if before else {})
    loaded = yield from attempt(context, "load_plan", asked, attempts_max=1)
    return {**before, **loaded} if before and loaded.get("unchanged") else loaded
