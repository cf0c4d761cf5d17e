"""One turn of an orchestration: history and new messages in, decisions out. Pure but for `play`'s
call of the orchestrator.

The retries of `*_with_retry` are the host's: fail, timer, schedule again; after the last failure
one more timer, which fires at once, because the SDK waits for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rehearsal.host.durable import actions, history
from rehearsal.host.durable.history import Retry, Row
from rehearsal.host.durable.store import Instance

FAILURE_LABEL = "\n\n$OutOfProcData$:"
CONTEXT = {
    "upperSchemaVersion": 1,
    "upperSchemaVersionNew": 2,
    "maximumShortTimerDuration": "6.00:00:00",
    "longRunningTimerIntervalDuration": "3.00:00:00",
    "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
}
Orchestrator = Callable[[str], str]


@dataclass
class Turn:
    """What a turn decided: the instance after it, rows to append, and the tasks now opened."""

    instance: Instance
    rows: list[Row] = field(default_factory=list)
    opened: list[Row] = field(default_factory=list)
    continued: bool = False

    @property
    def cancelled(self) -> set[int]:
        """Ids of timers that must not fire."""
        return set(json.loads(self.instance.cancelled))


@dataclass(frozen=True)
class Replay:
    """What the SDK answered to a replay."""

    tasks: list[dict]
    done: bool
    output: object
    failure: str | None
    custom_status: object
    continue_with: str | None
    broken: bool = False


def play(
    instance: Instance, past: list[Row], news: list[Row], orchestrator: Orchestrator, now: datetime
) -> Turn:
    """Play `news` (completions and events) to the orchestrator and say what follows."""
    fresh = [history.row(history.ORCHESTRATOR_STARTED, now)]
    if not past:
        fresh.append(started_row(instance, now))
    opened = history.open_rows(past)
    closed = accept(news, opened, set(json.loads(instance.cancelled)), fresh)
    if past and len(fresh) == 1:
        return Turn(instance)
    answer = replay(orchestrator, context_text(instance, past, fresh))
    turn = Turn(instance, fresh)
    try:
        decide(turn, answer, past, closed, now)
    except actions.NonDeterministic as problem:
        answer = broken(str(problem))
    finish(turn, answer, past, now)
    return turn


def accept(
    news: list[Row], opened: dict[int, Row], cancelled: set[int], fresh: list[Row]
) -> list[tuple[Row, Row]]:
    """Append what is news to `fresh`; return (opening, closing) of each task that it closes."""
    closed: list[tuple[Row, Row]] = []
    for each in news:
        if each.type == history.EVENT_RAISED:
            fresh.append(each)
        elif each.ref is not None and each.ref in opened and each.ref not in cancelled:
            closed.append((opened.pop(each.ref), each))
            fresh.append(each)
    return closed


def decide(
    turn: Turn, answer: Replay, past: list[Row], closed: list[tuple[Row, Row]], now: datetime
) -> None:
    """Open the retries that are due, then the tasks that the orchestrator newly asks for."""
    if answer.broken:
        return
    next_id = sum(each.type in history.OPENING for each in past)
    asked = history.asked_for(past)
    actions.check_same(asked, answer.tasks)
    for opening, closing in closed:
        again = retried(opening, closing, next_id, now)
        if again is not None:
            turn.opened.append(again)
            next_id += 1
    prefix = f"{turn.instance.execution}:"
    for action in answer.tasks[len(asked) :]:
        turn.opened.append(actions.opening_row(action, next_id, now, f"{prefix}{next_id:04x}"))
        next_id += 1
    ids = [each.ref for each in history.asked_for([*past, *turn.opened])]
    cancelled = [ref for ref, each in zip(ids, answer.tasks, strict=True) if each.get("isCanceled")]
    turn.instance = replace(turn.instance, cancelled=json.dumps(cancelled))
    turn.rows.extend(turn.opened)


def retried(opening: Row, closing: Row, next_id: int, now: datetime) -> Row | None:
    """What the host schedules by itself after `closing`: a retry's timer, or the next attempt."""
    retry = Retry.read(opening.retry)
    if retry is None:
        return None
    event = json.loads(opening.data)
    if opening.type == history.TIMER_CREATED:
        if retry.attempt >= retry.attempts_max:
            return None
        again = retry._replace(attempt=retry.attempt + 1, by_host=True)
        kind = event["Of"]["EventType"]
        fields = {k: event["Of"][k] for k in ("Name", "Input", "InstanceId") if k in event["Of"]}
        return history.row(kind, now, next_id, again, **fields)
    if closing.type not in (history.TASK_FAILED, history.CHILD_FAILED):
        return None
    last = retry.attempt >= retry.attempts_max
    pause = timedelta(milliseconds=0 if last else retry.interval_milliseconds)
    waiting = retry._replace(by_host=True)
    due = history.stamp(now + pause)
    return history.row(history.TIMER_CREATED, now, next_id, waiting, FireAt=due, Of=event)


def finish(turn: Turn, answer: Replay, past: list[Row], now: datetime) -> None:
    """Set the status. As in the Durable Task Framework nothing ends while a task is open."""
    status = json.dumps(answer.custom_status) if answer.custom_status else None
    custom_status = status or turn.instance.custom_status
    turn.instance = replace(turn.instance, status="Running", custom_status=custom_status)
    waiting = set(history.open_rows([*past, *turn.rows])) - turn.cancelled
    if answer.done and (answer.broken or not waiting):
        if answer.continue_with is not None:
            turn.continued = True
            turn.instance = replace(turn.instance, input=answer.continue_with)
        elif answer.failure is not None:
            failed(turn, answer.failure, now)
        else:
            output = None if answer.output is None else json.dumps(answer.output)
            turn.instance = replace(turn.instance, status="Completed", output=output)
            turn.rows.append(history.row(history.EXECUTION_COMPLETED, now, Result=output))
    turn.rows.append(history.row(history.ORCHESTRATOR_COMPLETED, now))


def failed(turn: Turn, message: str, now: datetime) -> None:
    """End the instance as failed, in the extension's words."""
    reason = f"Orchestrator function '{turn.instance.name}' failed: {message}"
    turn.instance = replace(turn.instance, status="Failed", output=json.dumps(reason))
    turn.rows.append(history.row(history.EXECUTION_COMPLETED, now, Result=None, Reason=reason))


def started_row(instance: Instance, now: datetime) -> Row:
    """The ExecutionStarted event; the SDK insists on a Version key."""
    names = {"InstanceId": instance.id, "ExecutionId": instance.execution}
    return history.row(
        history.EXECUTION_STARTED,
        now,
        OrchestrationInstance=names,
        ParentInstance=None,
        Name=instance.name,
        Version=instance.version,
        Input=instance.input,
        Tags=None,
    )


def context_text(instance: Instance, past: list[Row], fresh: list[Row]) -> str:
    """The context JSON that the extension hands to the worker."""
    parent = instance.parent_task()
    rest = {
        "input": None if instance.input is None else json.loads(instance.input),
        "instanceId": instance.id,
        "isReplaying": bool(past),
        "parentInstanceId": parent[0] if parent else None,
        **CONTEXT,
    }
    events = [*history.as_json(past, True), *history.as_json(fresh, False)]
    return f'{{"history":[{",".join(events)}],{json.dumps(rest)[1:]}'


def replay(orchestrator: Orchestrator, context: str) -> Replay:
    """Run the orchestrator over its history. Its failure is a value, as in the extension."""
    try:
        text, failure = orchestrator(context), None
    # User code may raise anything; the SDK puts its state behind a label in the message.
    except Exception as problem:
        message, label, text = str(problem).partition(FAILURE_LABEL)
        if not label:
            return broken(message or type(problem).__name__)
        failure = message
    state = json.loads(text)
    try:
        flat = actions.flatten([each for group in state["actions"] for each in group])
    except actions.NotEmulated as problem:
        return broken(str(problem))
    last = flat[-1] if flat else {}
    continues = failure is None and last.get("actionType") == actions.CONTINUE_AS_NEW
    return Replay(
        tasks=actions.tasks(flat),
        done=bool(state["isDone"]) or failure is not None,
        output=state.get("output"),
        failure=failure,
        custom_status=state.get("customStatus"),
        continue_with=json.dumps(last["input"]) if continues else None,
    )


def broken(message: str) -> Replay:
    """An orchestration that cannot go on, whatever is open."""
    return Replay([], True, None, message, None, None, broken=True)
