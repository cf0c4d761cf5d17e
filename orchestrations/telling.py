"""Telling: what people's webhook did not take is told again, and what it took is not.

A new word goes out at once, to the log too. What was not taken is owed: each later round tells it
again, until one of it is refused, and after pauses that grow: a webhook that is wrong for ever must
not hold up the rounds. The log, whose rules page people as well, has it as an alert once (`again`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.steps import attempt
from shared import pace

PAUSE_LEAST_SECONDS = 5.0  # Shorter than a round: the next one tells again.
PAUSE_SHARE = 0.1
PAUSE_MOST_SECONDS = 900.0
OWED_MAX = 10  # What more is owed takes the place of the oldest.
VERDICT, RUN = "verdict", "run"  # What is told of, beside the reasons of refusals.
NEW = {"owed": {}, "deaf": None}  # What whoever tells has to remember.


def tell(
    context: DurableOrchestrationContext,
    plan: str,
    about: str,
    title: str,
    because: str,
    memory: dict,
    again: bool = False,
) -> Flow:
    """Tell people now, and owe them what was not taken. Gives the new memory.

    `about`: a word on the same takes the place of an older one that is owed. `again`: it was told
    before, and only the webhook has not taken it.
    """
    payload = {"plan": plan, "title": title, "because": because} | (
        {"again": True} if again else {}
    )
    answer = yield from attempt(context, "alert", payload, attempts_max=1)
    owed = {key: words for key, words in memory["owed"].items() if key != about}
    if answer["status"] == "succeeded":
        return {**memory, "owed": owed, "deaf": None}
    owed = dict([*owed.items(), (about, [title, because])][-OWED_MAX:])
    return {**memory, "owed": owed, "deaf": silence(memory, context.current_utc_datetime)}


def catch_up(
    context: DurableOrchestrationContext,
    plan: str,
    memory: dict,
    over: Sequence[str] = (),
    last: bool = False,
) -> Flow:
    """Tell again what is owed, when it is time, until the webhook refuses. Gives the new memory.

    What is `over` is owed no more. The `last` time nothing waits for its pause.
    """
    owed = {key: words for key, words in memory["owed"].items() if key not in over}
    memory = {**memory, "owed": owed, "deaf": None if last else memory["deaf"]}
    for about, (title, because) in list(owed.items()):
        if deaf(memory, context.current_utc_datetime):
            break
        memory = yield from tell(context, plan, about, title, because, memory, again=True)
    return memory


def over(memory: dict) -> list[str]:
    """What is owed of a run that is gone, and of a reason that hinders nothing any more."""
    run, asked = (memory["record"] or {}).get("run"), memory["asked"]
    gone = not run or not asked or run["id"] != asked["run"]
    reasons = [] if memory["refusal"] else [n for n in memory["owed"] if n not in (VERDICT, RUN)]
    return [*reasons, *([RUN] if gone else [])]


def reworded(memory: dict, about: str, title: str, because: str) -> dict:
    """The memory, with the words of now for what is owed: times and counts in them move on."""
    if about not in memory["owed"]:
        return memory
    return {**memory, "owed": {**memory["owed"], about: [title, because]}}


def silence(memory: dict, now: datetime) -> dict:
    """Since when the webhook takes nothing, and until when it is not asked to take it again."""
    since = memory["deaf"]["since"] if memory["deaf"] else now.isoformat()
    waited = (now - datetime.fromisoformat(since)).total_seconds()
    seconds = pace.pause_seconds(waited, PAUSE_LEAST_SECONDS, PAUSE_SHARE)
    until = now + timedelta(seconds=min(seconds, PAUSE_MOST_SECONDS))
    return {"since": since, "until": until.isoformat()}


def deaf(memory: dict, now: datetime) -> bool:
    return bool(memory["deaf"]) and now < datetime.fromisoformat(memory["deaf"]["until"])
