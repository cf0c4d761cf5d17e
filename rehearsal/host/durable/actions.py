"""What an orchestrator asked for: the SDK's action list, flattened and turned into history rows.

The SDK returns its whole append-only list at every replay and no ids. Ids are one sequence per
instance, given in the order of asking; waiting for an event takes none, since events go by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from rehearsal.host.durable.history import (
    CHILD_CREATED,
    TASK_SCHEDULED,
    TIMER_CREATED,
    Retry,
    Row,
    instant,
    row,
    stamp,
)

CONTINUE_AS_NEW, WAIT_FOR_EVENT = 4, 6
COMPOUND = {11: "WhenAny", 12: "WhenAll"}
OPENS = {
    0: TASK_SCHEDULED,
    1: TASK_SCHEDULED,
    2: CHILD_CREATED,
    3: CHILD_CREATED,
    5: TIMER_CREATED,
}
NOT_EMULATED = {7: "CallEntity", 8: "CallHttp", 9: "SignalEntity"}


class NotEmulated(Exception):
    """The app uses something that this engine does not have."""


class NonDeterministic(Exception):
    """The orchestrator asked for something else than in its earlier turns."""


def flatten(actions: Iterable[dict]) -> list[dict]:
    """The single actions inside nested WhenAll and WhenAny; NotEmulated names what is not here."""
    flat: list[dict] = []
    for action in actions:
        kind = action["actionType"]
        if kind in NOT_EMULATED:
            raise NotEmulated(f"NotEmulated: {NOT_EMULATED[kind]}")
        if kind in COMPOUND:
            flat.extend(flatten(action["compoundActions"]))
        else:
            flat.append(action)
    return flat


def tasks(flat: Iterable[dict]) -> list[dict]:
    """The actions that take an id."""
    return [each for each in flat if each["actionType"] in OPENS]


def check_same(asked: list[Row], wanted: list[dict]) -> None:
    """Raise NonDeterministic unless `wanted` begins with what was `asked` before."""
    if len(wanted) < len(asked):
        lost = describe_row(asked[len(wanted)])
        raise NonDeterministic(f"Non-Deterministic workflow detected: {lost} is not asked for now")
    for old, new in zip(asked, wanted, strict=False):
        before, after = describe_row(old), describe_action(new)
        if before != after:
            raise NonDeterministic(
                f"Non-Deterministic workflow detected: task {old.ref} was {before}, now {after}"
            )


def describe_row(each: Row) -> str:
    """What a task is, in words that can be compared with `describe_action`."""
    if each.type == TIMER_CREATED:
        return "a timer"
    name = json.loads(each.data)["Name"]
    return f"activity {name}" if each.type == TASK_SCHEDULED else f"sub-orchestration {name}"


def describe_action(action: dict) -> str:
    """What an action is, in words that can be compared with `describe_row`."""
    kind = OPENS[action["actionType"]]
    if kind == TIMER_CREATED:
        return "a timer"
    word = "activity" if kind == TASK_SCHEDULED else "sub-orchestration"
    return f"{word} {action['functionName']}"


def opening_row(action: dict, ref: int, now: datetime, child: str) -> Row:
    """The history row that schedules `action` as task `ref`; `child` names a nameless child."""
    kind = OPENS[action["actionType"]]
    if kind == TIMER_CREATED:
        return row(kind, now, ref, FireAt=stamp(instant(action["fireAt"])))
    retry = retry_of(action)
    fields: dict[str, object] = {"Name": action["functionName"], "Input": action.get("input")}
    if kind == CHILD_CREATED:
        fields["InstanceId"] = action.get("instanceId") or child
        # The extension serialises the already serialised input once more.
        fields["Input"] = json.dumps(action.get("input"))
    return row(kind, now, ref, retry, Version=action.get("version"), **fields)


def retry_of(action: dict) -> Retry | None:
    """The retry policy of an action, for its first attempt."""
    options = action.get("retryOptions")
    if options is None:
        return None
    interval = options["firstRetryIntervalInMilliseconds"]
    return Retry(interval, options["maxNumberOfAttempts"], 1, False)
