"""The replay driver behaves as a host does, and recorded histories still fit today's code."""

import importlib
import json
from datetime import timedelta
from pathlib import Path
from typing import cast

import azure.durable_functions as df
import pytest
from azure.durable_functions.models.Task import TimerTask

from activities import ACTIVITIES
from tests.app_index import functions
from tests.replay import PENDING, SCHEDULED, START, Flow, Replay, leaves, replay_once

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


def fetch(context: df.DurableOrchestrationContext) -> Flow:
    first = yield context.call_activity("ask", {"n": 1})
    context.set_custom_status({"asked": first})
    return (yield context.call_activity("ask", {"n": 2}))


def fetch_all(context: df.DurableOrchestrationContext) -> Flow:
    asks = [context.call_activity("ask", n) for n in range(3)]
    return (yield context.task_all(asks))


def wait_for_word(context: df.DurableOrchestrationContext) -> Flow:
    late = context.current_utc_datetime + timedelta(hours=1)
    due = cast(TimerTask, context.create_timer(late))
    word = context.wait_for_external_event("word")
    first = yield context.task_any([word, due])
    if first is word:
        due.cancel()
        return word.result
    return "silence"


def fetch_by_child(context: df.DurableOrchestrationContext) -> Flow:
    return (yield context.call_sub_orchestrator("fetch", {}, "the-child"))


def go_on(context: df.DurableOrchestrationContext) -> Flow:
    yield context.call_activity("ask", context.get_input())
    context.continue_as_new({"turn": 2})


def waver(context: df.DurableOrchestrationContext) -> Flow:
    WAVERS.append(1)
    yield context.call_activity(f"ask-{len(WAVERS)}", None)
    yield context.call_activity("ask", None)


WAVERS: list[int] = []


def refuse(told: object) -> dict:
    raise ValueError(f"no such number: {told}")


def test_an_activity_without_an_answer_fails_and_names_itself():
    assert "no answer for ask" in str(Replay(fetch).run().failure)


def test_an_orchestrator_that_changes_its_mind_is_refused():
    with pytest.raises(AssertionError, match="unsteady"):
        Replay(waver, answers={"ask-1": 1, "ask-2": 1, "ask": 1}).run()


def test_an_exception_of_an_activity_reaches_the_orchestrator_as_text():
    assert "no such number" in str(Replay(fetch, answers={"ask": refuse}).run().failure)


def test_an_activity_that_never_ends_leaves_the_instance_open():
    replay = Replay(fetch, answers={"ask": PENDING}).run()
    assert not replay.done
    assert [a["functionName"] for a in replay.left_open] == ["ask"]


def test_the_input_arrives_as_it_was_told():
    assert Replay(go_on, {"turn": 1}, answers={"ask": None}).run().named("ask") == [{"turn": 1}]


def test_activities_are_called_in_order_with_their_inputs():
    replay = Replay(fetch, answers={"ask": lambda told: told["n"] * 10}).run()
    assert (replay.output, replay.named("ask")) == (20, [{"n": 1}, {"n": 2}])


def test_the_custom_status_is_kept():
    assert Replay(fetch, answers={"ask": 7}).run().status == {"asked": 7}


def test_a_fan_out_gets_every_answer_at_its_place():
    assert Replay(fetch_all, answers={"ask": lambda n: n * n}).run().output == [0, 1, 4]


def test_a_timer_moves_the_clock_and_not_the_calendar_on_the_wall():
    replay = Replay(wait_for_word).run()
    assert replay.output == "silence"
    assert replay.now - START >= timedelta(hours=1)


def test_an_event_wins_over_its_timer_and_leaves_nothing_open():
    replay = Replay(wait_for_word, events={"word": "go"}).run()
    assert (replay.output, replay.left_open) == ("go", [])


def test_an_event_that_is_raised_by_hand_arrives_at_the_next_run():
    replay = Replay(wait_for_word).run(stop_at=START + timedelta(minutes=1))
    replay.raise_event("word", {"by": "hand"})
    assert replay.run().output == {"by": "hand"}


def test_a_child_is_replayed_with_the_answers_of_its_parent():
    replay = Replay(fetch_by_child, answers={"ask": 5}, children={"fetch": fetch}).run()
    assert (replay.output, len(replay.named("ask"))) == (5, 2)


def test_a_generation_ends_with_the_input_of_the_next():
    replay = Replay(go_on, {"turn": 1}, answers={"ask": None}).run()
    assert (replay.continued, replay.again) == (True, {"turn": 2})


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_recorded_history_replays_to_the_same_end(path: Path):
    """An instance that started before a deployment must be able to end after it."""
    kept = json.loads(path.read_text())
    story = getattr(importlib.import_module(kept["module"]), kept["orchestrator"])
    state = replay_once(story, kept["told"], kept["instance"], kept["history"])
    assert asked(leaves(state["actions"])) == asked(kept["actions"])
    assert (state.get("output"), state.get("error")) == (kept["output"], kept["failure"])


def called(path: Path) -> set[str]:
    """Every activity that a recorded instance has asked for."""
    events = json.loads(path.read_text())["history"]
    return {event["Name"] for event in events if event.get("EventType") == SCHEDULED}


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_an_activity_that_a_running_instance_may_ask_for_keeps_its_name(path: Path):
    """Where it must change, the new one gets a new name and the old one stays."""
    names = {activity.__name__ for activity in ACTIVITIES}
    assert sorted(called(path) - names) == []


def test_every_orchestration_that_may_be_running_keeps_its_name():
    kept = {json.loads(path.read_text())["orchestrator"] for path in HISTORIES}
    registered = {f["name"] for f in functions() if is_orchestration(f)}
    assert sorted(kept - registered) == []


def is_orchestration(function: dict) -> bool:
    return any(b["type"] == "orchestrationTrigger" for b in function["bindings"])


def asked(actions: list[dict]) -> list[tuple]:
    """What a host compares: the kind and the name of every action, in order, not its input."""
    return [(action["actionType"], action.get("functionName")) for action in actions]
