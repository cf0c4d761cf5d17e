"""The simulation's thin driver: it asks for what the SDK's own replay asks for, and when."""

import json
from datetime import timedelta

import pytest

from rehearsal.simulation import story
from rehearsal.simulation.command import PLAN
from rehearsal.simulation.durable import Context, Instance, Unsteady
from rehearsal.simulation.tasks import All, Any, Leaf
from shared import plan
from tests.replay import START, leaves, replay_once

SIMULATED = plan.load(PLAN.read_text(encoding="utf-8"))
KINDS = {0: "activity", 2: "child", 5: "timer"}


def test_an_orchestrator_that_changes_its_mind_is_refused():
    """A replay that asks for something else would wreck an instance in Azure."""
    asked = iter(["a", "b"])

    def fickle(context):
        yield context.call_activity(next(asked), {})

    instance = Instance("one", "fickle", fickle, {})
    instance.turn(0, [])
    with pytest.raises(Unsteady):
        instance.recall()


def test_an_orchestrator_that_raises_has_failed():
    def broken(context):
        yield context.call_activity("a", {})
        raise LookupError("nothing there")

    instance = Instance("one", "broken", broken, {})
    instance.turn(0, [])
    instance.turn(0, [(0, True, None)])
    assert (instance.done, instance.failure) == (True, "LookupError: nothing there")


def test_a_task_that_fails_among_others_is_raised_at_once():
    def together(context):
        try:
            yield context.task_all([context.call_activity(n, {}) for n in "ab"])
        except Exception as failure:
            return str(failure)

    instance = Instance("one", "together", together, {})
    instance.turn(0, [])
    instance.turn(0, [(1, False, "no such thing")])
    instance.turn(0, [(0, True, None)])
    assert instance.output == "no such thing"


def test_the_context_offers_nothing_that_the_sdk_does_not():
    from azure.durable_functions import DurableOrchestrationContext

    offered = {n for n in dir(Context({}, "one")) if not n.startswith("_")}
    known = {n for n in dir(DurableOrchestrationContext) if not n.startswith("_")}
    assert offered - known == {"told", "status", "again", "continued"}


@pytest.mark.parametrize("seed", [1, 4, 7, 30, 34, 168])
def test_both_drivers_ask_for_the_same_on_the_same_history(seed, monkeypatch):
    """What the thin driver played, the SDK's own replay plays too, action for action."""
    kept = keep_instances(monkeypatch)
    story.tell(seed, SIMULATED)
    assert len(kept) > 2
    for instance in tuple(kept):
        check_same(instance)


def check_same(instance: Instance) -> None:
    """Replay the instance's history by the SDK; it must ask, cancel and end as the driver did."""
    state = replay_once(instance.story, instance.told, instance.id, history(instance))
    actions = [action for action in leaves(state["actions"]) if action["actionType"] in KINDS]
    assert [shown(action) for action in actions] == [shown_leaf(leaf) for leaf in instance.asked]
    cancelled = [bool(action.get("isCanceled")) for action in actions]
    assert cancelled == [leaf.is_cancelled for leaf in instance.asked]
    if instance.done and not instance.failure:
        assert (state["isDone"], state.get("output")) == (True, instance.output)


def first_of(context):
    """Wait for one event and for a timer, and cancel the timer that lost."""
    event = context.wait_for_external_event("decided.1")
    timer = context.create_timer(context.current_utc_datetime + timedelta(minutes=5))
    winner = yield context.task_any([event, timer])
    if winner == event:
        timer.cancel()
        return event.result
    return "nobody"


def patient(context):
    """Wait for one event over several timers, with an activity after each of them."""
    event = context.wait_for_external_event("decided.1")
    for number in range(4):
        timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=10))
        winner = yield context.task_any([event, timer])
        if winner == event:
            timer.cancel()
            yield context.call_activity("heard", {"number": number, "word": event.result})
            return number
        yield context.call_activity("looked", {"number": number})
    return None


def late_listener(context):
    """Two activities first, and only then the wait."""
    yield context.task_all([context.call_activity(name, {}) for name in "ab"])
    word = yield context.wait_for_external_event("decided.1")
    again = yield context.wait_for_external_event("decided.2")
    return [word, again]


def careless(context):
    """Return while the timer that lost is still open."""
    event = context.wait_for_external_event("decided.1")
    timer = context.create_timer(context.current_utc_datetime + timedelta(minutes=5))
    yield context.task_any([timer, event])
    return event.result


def nested(context):
    """Two activities together, or a timer."""
    both = context.task_all([context.call_activity(name, {}) for name in "ab"])
    timer = context.create_timer(context.current_utc_datetime + timedelta(minutes=5))
    winner = yield context.task_any([both, timer])
    if winner == both:
        timer.cancel()
    return both.result if winner == both else "late"


def nothing_at_all(context):
    return (yield context.task_all([]))


WORD, TIMER = ("decided.1", True, {"word": "approve"}), (0, True, None)
TALES = {
    "the event first": (first_of, [[], [WORD]]),
    "the timer first": (first_of, [[], [TIMER]]),
    "the event after the timer": (first_of, [[], [TIMER, WORD]]),
    "the event together with the start": (first_of, [[WORD]]),
    "another event": (first_of, [[], [("decided.2", True, 1)]]),
    "an event of nothing": (first_of, [[], [("decided.1", True, None)]]),
    "an event in the third round": (
        patient,
        [[], [TIMER], [(1, True, 1)], [(2, True, None)], [(3, True, 1), WORD], [(5, True, 1)]],
    ),
    "an event while an activity runs": (
        patient,
        [[], [TIMER], [WORD], [(1, True, 1)], [(3, True, 1)]],
    ),
    "an event that nobody waits for yet": (
        late_listener,
        [[], [WORD], [(0, True, 1)], [(1, True, 2)], [("decided.2", True, "yes")]],
    ),
    "an early event that comes twice": (
        late_listener,
        [[], [WORD], [("decided.1", True, "later")], [(1, True, 1), (0, True, 2)]],
    ),
    "two early events": (
        late_listener,
        [[], [("decided.2", True, 2), WORD], [(0, True, 1), (1, True, 2)]],
    ),
    "a loser that is left open": (careless, [[], [WORD]]),
    "a loser that ends later": (careless, [[], [WORD], [TIMER]]),
    "both of two before a timer": (nested, [[], [(1, True, 7)], [(0, True, 8)]]),
    "a timer before both of two": (nested, [[], [(1, True, 7)], [(2, True, None)]]),
    "one of two that fails": (nested, [[], [(1, False, "no such thing")]]),
    "no task at all": (nothing_at_all, [[]]),
}


# So the SDK speaks of an event that nobody waits for yet.
@pytest.mark.filterwarnings("ignore:Potential duplicate Task completion")
@pytest.mark.parametrize("tale", TALES)
def test_both_drivers_wait_alike(tale):
    instance = told(*TALES[tale])
    check_same(instance)


def told(story, turns: list[list]) -> Instance:
    instance = Instance("one", "tale", story, {})
    for number, news in enumerate(turns):
        instance.turn(number, news)
    return instance


def test_an_instance_does_not_end_while_a_loser_is_open():
    assert not told(*TALES["a loser that is left open"]).done


def test_an_instance_ends_with_its_last_open_task():
    assert told(*TALES["a loser that ends later"]).output == {"word": "approve"}


def test_a_timer_that_was_cancelled_is_waited_for_by_nobody():
    instance = told(*TALES["the event first"])
    assert (instance.done, instance.waits_for(0)) == (True, False)


def test_a_timer_that_has_fired_cannot_be_cancelled():
    timer = Leaf("timer", "", {}, START, "")
    timer.close(True, None)
    with pytest.raises(ValueError):
        timer.cancel()


def test_an_instance_that_waits_for_an_event_is_recalled_as_it_was():
    instance = told(*TALES["an event while an activity runs"])
    asked = list(instance.asked)
    instance.recall()
    assert all(map(Leaf.same_as, asked, instance.asked)) and instance.done


def test_what_has_ended_already_is_no_wait():
    timer = Leaf("timer", "", {}, START, "")
    timer.close(True, None)
    assert (Any([timer]).result, All([timer]).result) == (timer, [None])


def keep_instances(monkeypatch) -> list[Instance]:
    kept: list[Instance] = []
    start = Instance.__init__

    def noted(self, *given) -> None:
        start(self, *given)
        kept.append(self)

    monkeypatch.setattr(Instance, "__init__", noted)
    return kept


def history(instance: Instance) -> list[dict]:
    """The turns of an instance as Durable's history events."""
    told = {"Input": json.dumps(instance.told), "Name": instance.name, "Version": ""}
    again = Instance(
        instance.id, instance.name, instance.story, instance.told, None, instance.clock
    )
    events: list[dict] = []
    for second, news in instance.turns:
        now = instance.clock.at(second)
        at = {"Timestamp": now.isoformat().replace("+00:00", "Z"), "IsPlayed": True, "EventId": -1}
        events.append({**at, "EventType": 12})
        if len(events) == 1:
            events.append({**at, "EventType": 0, **told})
        events += [{**at, **closed(instance, *answer)} for answer in news]
        events += [{**at, **opened(leaf)} for leaf in again.turn(second, news)]
        events.append({**at, "EventType": 13})
    return events[:-1]


def opened(leaf) -> dict:
    kind = {"activity": 4, "child": 7, "timer": 10}[leaf.kind]
    extra = {"FireAt": str(leaf.due)} if leaf.kind == "timer" else {"Name": leaf.name}
    return {"EventType": kind, "EventId": leaf.ref, **extra}


def closed(instance: Instance, ref: int | str, ok: bool, value: object) -> dict:
    if isinstance(ref, str):
        return {"EventType": 15, "Name": ref, "Input": json.dumps(value)}
    leaf = instance.asked[ref]
    if leaf.kind == "timer":
        return {"EventType": 11, "TimerId": ref, "FireAt": str(leaf.due)}
    kind = {("activity", True): 5, ("activity", False): 6, ("child", True): 8, ("child", False): 9}
    answer = {"Result": json.dumps(value)} if ok else {"Reason": str(value), "Details": ""}
    return {"EventType": kind[leaf.kind, ok], "TaskScheduledId": ref, **answer}


def shown(action: dict) -> tuple:
    kind = KINDS[action["actionType"]]
    if kind == "timer":
        return kind, action["fireAt"][:23]
    return kind, action["functionName"], json.loads(action["input"])


def shown_leaf(leaf) -> tuple:
    if leaf.kind == "timer":
        return leaf.kind, leaf.due.isoformat(timespec="milliseconds")[:23]
    return leaf.kind, leaf.name, json.loads(json.dumps(leaf.told))
