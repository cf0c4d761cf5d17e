"""Replay: drive an orchestrator through the SDK's own replay, with answers instead of a world.

Each turn hands the whole history to `azure.durable_functions.Orchestrator`, as a host does, and
reads its actions back. Time is the history's: a timer fires when nothing else is left to do, so
that a day of waiting costs nothing. A code path that would differ between two turns is refused.
"""

import json
import os
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from importlib import import_module
from typing import cast

import azure.durable_functions as df

# As the app's settings have it: plain JSON only, no class names in a history.
os.environ.setdefault("AZURE_FUNCTIONS_DURABLE_STRICT_TYPING", "1")

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
LATENCY = timedelta(milliseconds=100)
TURNS_MAX = 2000
ACTIVITY, CHILD, CONTINUE, TIMER, EVENT = 0, 2, 4, 5, 6
COMPOUND = (11, 12)
EXECUTION_STARTED, SCHEDULED, COMPLETED, FAILED = 0, 4, 5, 6
CHILD_CREATED, CHILD_COMPLETED, CHILD_FAILED = 7, 8, 9
TIMER_CREATED, TIMER_FIRED, TURN_STARTED, TURN_COMPLETED, EVENT_RAISED = 10, 11, 12, 13, 15
STARTED_AS = {ACTIVITY: SCHEDULED, CHILD: CHILD_CREATED, TIMER: TIMER_CREATED}
ENDED_AS = {ACTIVITY: (COMPLETED, FAILED), CHILD: (CHILD_COMPLETED, CHILD_FAILED)}
OUT_OF_PROCESS = "\n\n$OutOfProcData$:"

# The SDK reads every date of a history anew at each turn: two thirds of a replay's time.
EVENTS = vars(import_module("azure.durable_functions.models.history.HistoryEvent"))
EVENTS["dt_parse"] = lru_cache(10_000)(EVENTS["dt_parse"])

Flow = Generator[object, object, object]
Story = Callable[[df.DurableOrchestrationContext], object]


class Silence(Enum):
    """`PENDING` as an answer: the activity is under way and never ends."""

    PENDING = "pending"


PENDING = Silence.PENDING


@dataclass(frozen=True)
class Call:
    """What the orchestrator asked for: an activity or a child by name, with its input."""

    kind: str
    name: str
    told: object
    at: datetime


@dataclass
class Replay:
    """One instance of an orchestration.

    `answers`: activity or child name -> its result, or a function of its input that gives the
    result or raises. `children`: child name -> orchestrator to replay with the same answers.
    `events`: event name -> data, delivered once somebody waits for it and no activity is open.
    After `run()`: `output`, `failure` (text or None), `continued` (was continue_as_new called),
    `again` (input of the next generation), `status` and `statuses`, `calls`, `actions`, `history`.
    """

    story: Story
    told: object = None
    answers: Mapping[str, object] = field(default_factory=dict)
    children: Mapping[str, Story] = field(default_factory=dict)
    events: Mapping[str, object] = field(default_factory=dict)
    instance: str = "replayed"
    now: datetime = START

    def __post_init__(self) -> None:
        self.history: list[dict] = []
        self.actions: list[dict] = []
        self.calls: list[Call] = []
        self.statuses: list[object] = []
        self.output: object = None
        self.failure: str | None = None
        self.continued = False
        self.again: object = None
        self.done = False
        self._raised = dict(self.events)
        self._open: dict[int, dict] = {}
        self._awaited: list[str] = []
        self._next_id = 0
        told = {"Input": json.dumps(self.told), "Name": "replayed", "Version": ""}
        self._inbox: list[dict] = [{"EventType": EXECUTION_STARTED, **told}]

    @property
    def status(self) -> object:
        """The last custom status, or None."""
        return self.statuses[-1] if self.statuses else None

    @property
    def left_open(self) -> list[dict]:
        """Tasks that still run; a host keeps an instance Running until this is empty."""
        return [a for a in self._open.values() if not a.get("isCanceled")]

    def named(self, name: str) -> list[dict]:
        """The inputs of every call of `name`, in order."""
        return [cast(dict, call.told) for call in self.calls if call.name == name]

    def run(self, stop_at: datetime | None = None) -> "Replay":
        """Take turns until the end, until nothing can happen any more, or until `stop_at`."""
        for _ in range(TURNS_MAX):
            if not self._inbox and not self._answer() and not self._pass_time(stop_at):
                return self
            self.turn()
            if self.done:
                return self
        raise RuntimeError(f"{self.instance} did not end within {TURNS_MAX} turns")

    def raise_event(self, name: str, data: object) -> None:
        """Raise an external event; the next `run` or `turn` delivers it."""
        self._inbox.append({"EventType": EVENT_RAISED, "Name": name, "Input": json.dumps(data)})

    def turn(self) -> dict:
        """Replay once with what has arrived; the SDK's state, as the host gets it."""
        self.now += LATENCY
        for event in self.history:
            event["IsPlayed"] = True
        self._append({"EventType": TURN_STARTED})
        for event in self._inbox:
            self._append(event)
        self._inbox = []
        state = replay_once(self.story, self.told, self.instance, self.history)
        self._take(state)
        self._append({"EventType": TURN_COMPLETED})
        return state

    def record(self) -> dict:
        """What a recorded history file holds; `tests/histories` replays it against new code."""
        ends = {"output": self.output, "failure": self.failure, "actions": self.actions}
        return {"instance": self.instance, "told": self.told, **ends, "history": self.history[:-1]}

    def _append(self, event: dict) -> None:
        at = self.now.isoformat().replace("+00:00", "Z")
        self.history.append({"EventId": -1, "IsPlayed": False, "Timestamp": at, **event})

    def _take(self, state: dict) -> None:
        """Read the whole action list; what is new is scheduled, what is old must be the same."""
        told = leaves(state["actions"])
        before = [stable(a) for a in self.actions]
        assert [stable(a) for a in told[: len(before)]] == before, "the orchestrator is unsteady"
        for action in told[: len(before)]:
            if action.get("isCanceled"):
                self._cancel(action)
        for action in told[len(before) :]:
            self._schedule(action)
        self.actions = told
        if state.get("customStatus") and state["customStatus"] != self.status:
            self.statuses.append(state["customStatus"])
        self.failure = state.get("error")
        self.done = bool(state["isDone"] or self.failure)
        self.output = state.get("output")

    def _cancel(self, action: dict) -> None:
        for id_, held in list(self._open.items()):
            if stable(held) == stable(action):
                del self._open[id_]

    def _schedule(self, action: dict) -> None:
        kind = action["actionType"]
        if kind == CONTINUE:
            self.continued, self.again = True, decoded(action.get("input"))
        if kind == EVENT:
            self._awaited.append(action["externalEventName"])
        if kind not in STARTED_AS:
            return
        id_, self._next_id = self._next_id, self._next_id + 1
        name = action.get("functionName", "")
        extra = {"FireAt": action["fireAt"]} if kind == TIMER else {"Name": name}
        self._append({"EventType": STARTED_AS[kind], **extra, "EventId": id_})
        if not action.get("isCanceled"):
            self._open[id_] = action
        if kind != TIMER:
            label = "activity" if kind == ACTIVITY else "child"
            self.calls.append(Call(label, name, decoded(action.get("input")), self.now))

    def _answer(self) -> bool:
        """Put what is known about open activities, children and events in the inbox."""
        for id_, action in list(self._open.items()):
            if action["actionType"] in ENDED_AS and (event := self._ended(id_, action)):
                self._inbox.append(event)
                del self._open[id_]
        for name in [n for n in self._awaited if n in self._raised and not self._inbox]:
            self.raise_event(name, self._raised.pop(name))
        return bool(self._inbox)

    def _ended(self, id_: int, action: dict) -> dict | None:
        good, bad = ENDED_AS[action["actionType"]]
        name = action["functionName"]
        try:
            result = self._result(id_, name, action)
        # Whatever an activity raises, a host turns into TaskFailed.
        except Exception as surprise:
            reason = f"Activity function '{name}' failed: {type(surprise).__name__}: {surprise}"
            facts = {"Reason": reason, "Details": str(surprise)}
            return {"EventType": bad, "TaskScheduledId": id_, **facts}
        if result is PENDING:
            return None
        return {"EventType": good, "TaskScheduledId": id_, "Result": json.dumps(result)}

    def _result(self, id_: int, name: str, action: dict) -> object:
        told = decoded(action.get("input"))
        if name in self.children and action["actionType"] == CHILD:
            return self._child(action.get("instanceId") or f"{self.instance}:{id_}", name, told)
        if name not in self.answers:
            raise LookupError(f"the test has no answer for {name}")
        answer = self.answers[name]
        return answer(told) if callable(answer) else answer

    def _child(self, instance: str, name: str, told: object) -> object:
        child = Replay(self.children[name], told, self.answers, self.children, {}, instance)
        child.now = self.now
        child.run()
        self.now = max(self.now, child.now)
        self.calls += child.calls
        if child.failure:
            raise RuntimeError(child.failure)
        return child.output if child.done else PENDING

    def _pass_time(self, stop_at: datetime | None) -> bool:
        """Fire the earliest timer; False when there is none, or none before `stop_at`."""
        timers = {i: at(a) for i, a in self._open.items() if a["actionType"] == TIMER}
        if not timers:
            return False
        id_ = min(timers, key=lambda i: (timers[i], i))
        if stop_at and timers[id_] > stop_at:
            return False
        self.now = max(self.now, timers[id_])
        action = self._open.pop(id_)
        fired = {"EventType": TIMER_FIRED, "TimerId": id_, "FireAt": action["fireAt"]}
        self._inbox.append(fired)
        return True


def replay_once(story: Story, told: object, instance: str, history: list[dict]) -> dict:
    """One replay by the SDK; its state, also when the orchestrator raised."""
    context = {
        "history": history,
        "input": json.dumps(told),
        "instanceId": instance,
        "isReplaying": False,
        "parentInstanceId": None,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 2,
        "longRunningTimerIntervalDuration": "3.00:00:00",
        "maximumShortTimerDuration": "6.00:00:00",
    }
    try:
        return json.loads(df.Orchestrator.create(as_generator(story))(json.dumps(context)))
    # The SDK reports an orchestrator's failure as an Exception whose text ends in its state.
    except Exception as failure:
        _, mark, state = str(failure).partition(OUT_OF_PROCESS)
        if not mark:
            raise
        return json.loads(state)


def as_generator(story: Story) -> Callable[[df.DurableOrchestrationContext], Flow]:
    """The SDK wants a plain generator function; a decorated one holds it inside."""

    def told(context: df.DurableOrchestrationContext) -> Flow:
        result = story(context)
        return (yield from result) if isinstance(result, Generator) else result

    return told


def leaves(actions: list) -> list[dict]:
    """The SDK's nested actions as one list, in the order in which a host gives them ids."""
    flat: list[dict] = []
    for action in actions:
        if isinstance(action, list):
            flat += leaves(action)
        elif action["actionType"] in COMPOUND:
            flat += leaves(action["compoundActions"])
        else:
            flat.append(action)
    return flat


def stable(action: dict) -> dict:
    """An action without what may change between turns: a timer is cancelled later."""
    return {k: v for k, v in action.items() if k != "isCanceled"}


def decoded(value: object) -> object:
    """An input as the orchestrator gave it; inputs travel as JSON text."""
    return json.loads(value) if isinstance(value, str) else value


def at(action: dict) -> datetime:
    moment = datetime.fromisoformat(action["fireAt"].replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
