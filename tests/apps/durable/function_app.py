"""Orchestrations of every shape, for the tests of the durable engine."""

import os
import time
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import azure.functions as func
from durable_doors import bp

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(bp)
attempts: dict[str, int] = {}


@app.activity_trigger(input_name="number")
def double(number: int):
    """Twice the number."""
    return number * 2


@app.activity_trigger(input_name="note")
async def nothing(note):
    """Its input again."""
    return note


@app.activity_trigger(input_name="note")
def explode(note):
    """Always raises."""
    raise ValueError(f"boom {note}")


@app.activity_trigger(input_name="key")
def flaky(key: str):
    """Raises twice, then succeeds."""
    attempts[key] = attempts.get(key, 0) + 1
    if attempts[key] < 3:
        raise ValueError(f"attempt {attempts[key]}")
    return attempts[key]


@app.activity_trigger(input_name="seconds")
def nap(seconds: float):
    """Sleeps in its thread."""
    time.sleep(seconds)
    return seconds


@app.activity_trigger(input_name="line")
def write_line(line: dict):
    """Appends to a file, so that a test can count the effects across processes."""
    time.sleep(line.get("seconds", 0))
    with open(line["path"], "a", encoding="utf-8") as file:
        file.write(f"{line['text']}\n")
    return line["text"]


@app.orchestration_trigger(context_name="context")
def one(context: Any):
    """One activity."""
    return (yield context.call_activity("double", context.get_input()))


@app.orchestration_trigger(context_name="context")
def chain(context: Any):
    """Three activities, one after the other."""
    number = context.get_input()
    for _ in range(3):
        number = yield context.call_activity("double", number)
    return number


@app.orchestration_trigger(context_name="context")
def fan(context: Any):
    """Many activities at once."""
    work = [context.call_activity("double", each) for each in range(context.get_input())]
    results = yield context.task_all(work)
    return sum(results)


@app.orchestration_trigger(context_name="context")
def sleeper(context: Any):
    """One timer of so many seconds; how long it took."""
    begun = context.current_utc_datetime
    yield context.create_timer(begun + timedelta(seconds=context.get_input()))
    return (context.current_utc_datetime - begun).total_seconds()


@app.orchestration_trigger(context_name="context")
def approval(context: Any):
    """An event or a timer, whichever comes first; the loser is cancelled."""
    timer = context.create_timer(
        context.current_utc_datetime + timedelta(seconds=context.get_input())
    )
    event = context.wait_for_external_event("approve")
    winner = yield context.task_any([event, timer])
    if winner == timer:
        return "timeout"
    timer.cancel()
    return event.result


@app.orchestration_trigger(context_name="context")
def impatient(context: Any):
    """Returns without cancelling its timer."""
    timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    yield context.task_any([timer, context.call_activity("double", 1)])
    return "done"


@app.orchestration_trigger(context_name="context")
def two_events(context: Any):
    """Two events in a fixed order, whatever the order of arrival."""
    first = yield context.wait_for_external_event("first")
    second = yield context.wait_for_external_event("second")
    return [first, second]


@app.orchestration_trigger(context_name="context")
def counting(context: Any):
    """An activity per generation, continuing as new until 5."""
    number = context.get_input()
    yield context.call_activity("nothing", number)
    if number >= 5:
        return number
    context.continue_as_new(number + 1)
    return None


@app.orchestration_trigger(context_name="context")
def eternal(context: Any):
    """A timer per generation, for ever."""
    context.set_custom_status({"round": context.get_input()})
    yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    context.continue_as_new(context.get_input() + 1)


@app.orchestration_trigger(context_name="context")
def parent(context: Any):
    """Sub-orchestrations at once, then a named one."""
    children = [context.call_sub_orchestrator("one", each) for each in (1, 2)]
    results = yield context.task_all(children)
    named = f"{context.instance_id}.named"
    results.append((yield context.call_sub_orchestrator("chain", 1, named)))
    return results


@app.orchestration_trigger(context_name="context")
def parent_of_failure(context: Any):
    """What a failing sub-orchestration looks like."""
    try:
        yield context.call_sub_orchestrator("failing", "child")
    except Exception as problem:
        return str(problem)


@app.orchestration_trigger(context_name="context")
def failing(context: Any):
    """An activity that raises, not caught."""
    yield context.call_activity("explode", context.get_input())


@app.orchestration_trigger(context_name="context")
def catching(context: Any):
    """An activity that raises, caught."""
    try:
        yield context.call_activity("explode", context.get_input())
    except Exception as problem:
        return str(problem)


@app.orchestration_trigger(context_name="context")
def retrying(context: Any):
    """An activity that succeeds at its third attempt."""
    options = df.RetryOptions(60_000, context.get_input()["attempts"])
    begun = context.current_utc_datetime
    result = yield context.call_activity_with_retry("flaky", options, context.get_input()["key"])
    after = yield context.call_activity("double", result)
    return [after, (context.current_utc_datetime - begun).total_seconds()]


@app.orchestration_trigger(context_name="context")
def retrying_child(context: Any):
    """A sub-orchestration that always fails, tried twice."""
    options = df.RetryOptions(1_000, 2)
    try:
        yield context.call_sub_orchestrator_with_retry("failing", options, "again")
    except Exception:
        return (yield context.call_activity("double", 21))


@app.orchestration_trigger(context_name="context")
def retry_race(context: Any):
    """Two retried activities at once, with a plain one after them."""
    options = df.RetryOptions(1_000, 3)
    key = context.instance_id
    both = [context.call_activity_with_retry("flaky", options, f"{key}.{n}") for n in range(2)]
    results = yield context.task_all(both)
    return (yield context.call_activity("double", sum(results)))


@app.orchestration_trigger(context_name="context")
def timing_out(context: Any):
    """An activity that outlives functionTimeout."""
    try:
        yield context.call_activity("nap", context.get_input())
    except Exception as problem:
        return str(problem)


@app.orchestration_trigger(context_name="context")
def unknown_activity(context: Any):
    """Calls what is not there."""
    yield context.call_activity("no_such_thing", 1)


@app.orchestration_trigger(context_name="context")
def entity_user(context: Any):
    """Uses what is not emulated."""
    yield context.call_entity(df.EntityId("counter", "a"), "get")


@app.orchestration_trigger(context_name="context")
def writing(context: Any):
    """Lines to a file in order, with a timer between: for kills in the middle."""
    given = context.get_input()
    for number in range(given["lines"]):
        yield context.call_activity("write_line", {"path": given["path"], "text": str(number)})
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=0.05))
    children = [
        context.call_activity(
            "write_line", {"path": given["path"], "text": f"fan {n}", "seconds": 0.05}
        )
        for n in range(10)
    ]
    yield context.task_all(children)
    return "written"


@app.timer_trigger(schedule="%TICKS%", arg_name="timer")
def tick(timer: func.TimerRequest) -> None:
    """Appends to a file at every firing."""
    with open(os.environ["TICK_FILE"], "a", encoding="utf-8") as file:
        file.write(f"{timer.past_due}\n")
