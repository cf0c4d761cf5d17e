"""The history of an orchestration: its rows, and the JSON that the Durable SDK reads.

Only the history is kept. What is outstanding is derived from it: scheduled and not completed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

EXECUTION_STARTED, EXECUTION_COMPLETED, EXECUTION_FAILED, EXECUTION_TERMINATED = 0, 1, 2, 3
TASK_SCHEDULED, TASK_COMPLETED, TASK_FAILED = 4, 5, 6
CHILD_CREATED, CHILD_COMPLETED, CHILD_FAILED = 7, 8, 9
TIMER_CREATED, TIMER_FIRED = 10, 11
ORCHESTRATOR_STARTED, ORCHESTRATOR_COMPLETED = 12, 13
EVENT_RAISED = 15
EXECUTION_SUSPENDED, EXECUTION_RESUMED = 19, 20

OPENING = frozenset({TASK_SCHEDULED, CHILD_CREATED, TIMER_CREATED})
CLOSING = frozenset({TASK_COMPLETED, TASK_FAILED, CHILD_COMPLETED, CHILD_FAILED, TIMER_FIRED})
CONTROL = frozenset({EXECUTION_TERMINATED, EXECUTION_SUSPENDED, EXECUTION_RESUMED})

EVENT_NAMES = {
    0: "ExecutionStarted",
    1: "ExecutionCompleted",
    2: "ExecutionFailed",
    3: "ExecutionTerminated",
    4: "TaskScheduled",
    5: "TaskCompleted",
    6: "TaskFailed",
    7: "SubOrchestrationInstanceCreated",
    8: "SubOrchestrationInstanceCompleted",
    9: "SubOrchestrationInstanceFailed",
    10: "TimerCreated",
    11: "TimerFired",
    12: "OrchestratorStarted",
    13: "OrchestratorCompleted",
    15: "EventRaised",
    19: "ExecutionSuspended",
    20: "ExecutionResumed",
}


class Row(NamedTuple):
    """One history event: `ref` is the task it opens or closes, `retry` what the host retries."""

    type: int
    ref: int | None
    data: str
    retry: str | None = None


class Retry(NamedTuple):
    """The retry policy a task runs under and which attempt it is, the first being 1."""

    interval_milliseconds: int
    attempts_max: int
    attempt: int
    by_host: bool

    @classmethod
    def read(cls, text: str | None) -> Retry | None:
        """The policy from a row's `retry` column."""
        return cls(*json.loads(text)) if text else None

    def write(self) -> str:
        """The policy as a row's `retry` column keeps it."""
        return json.dumps(list(self))


def stamp(moment: datetime) -> str:
    """An instant as the Durable extension writes it: ISO 8601, UTC, microseconds, Z."""
    plain = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{plain.isoformat(timespec='microseconds')}Z"


def instant(text: str) -> datetime:
    """The instant of `stamp`."""
    return datetime.fromisoformat(text)


def row(
    kind: int, now: datetime, ref: int | None = None, retry: Retry | None = None, **fields: object
) -> Row:
    """A history row; `fields` are PascalCase as in the extension's JSON."""
    event_id = ref if kind in OPENING else -1
    event = {"EventType": kind, "EventId": event_id, "Timestamp": stamp(now), **fields}
    return Row(kind, ref, json.dumps(event), retry.write() if retry else None)


def closing_row(kind: int, now: datetime, ref: int, **fields: object) -> Row:
    """The row that completes task `ref`."""
    key = "TimerId" if kind == TIMER_FIRED else "TaskScheduledId"
    return row(kind, now, ref, None, **{key: ref}, **fields)


def open_rows(rows: Iterable[Row]) -> dict[int, Row]:
    """Tasks that were scheduled and are not completed, by their id."""
    opened: dict[int, Row] = {}
    for each in rows:
        if each.ref is None:
            continue
        if each.type in OPENING:
            opened[each.ref] = each
        elif each.type in CLOSING:
            opened.pop(each.ref, None)
    return opened


def asked_for(rows: Iterable[Row]) -> list[Row]:
    """The tasks that the orchestrator itself asked for, in order, without the host's retries."""
    return [each for each in rows if each.type in OPENING and not made_by_host(each)]


def made_by_host(each: Row) -> bool:
    """Whether the row is a retry or the timer before one."""
    retry = Retry.read(each.retry)
    return retry is not None and retry.by_host


def as_json(rows: Iterable[Row], played: bool) -> list[str]:
    """The rows as JSON texts for the SDK; `played` says whether they were seen in earlier turns."""
    head = '{"IsPlayed":true,' if played else '{"IsPlayed":false,'
    return [head + each.data[1:] for each in rows]


def failure_details(message: str) -> str:
    """What .NET's serialiser makes of an exception; the SDK shows it after the reason."""
    kind = "System.Exception"
    return json.dumps(
        {
            "$type": f"{kind}, System.Private.CoreLib",
            "ClassName": kind,
            "Message": message,
            "Data": None,
            "InnerException": None,
            "HelpURL": None,
            "StackTraceString": None,
            "HResult": -2146233088,
        }
    )
