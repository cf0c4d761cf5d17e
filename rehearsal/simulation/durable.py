"""Durable: orchestrator functions without the SDK, as fast as generators go.

An instance keeps what a task hub keeps: its input and, turn by turn, what was answered. The
generator lives in the process; after a kill it is made anew from those turns, and must ask for
the same things again. `tests/test_simulation_durable.py` holds this to the SDK's own replay.
"""

import typing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import cast

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from rehearsal.simulation.tasks import ACTIVITY, CHILD, EVENT, TIMER, All, Any, Leaf, Task, leaves

# (which task, by its ref, or which event, by its name; did it succeed; its result or why not)
Answer = tuple[int | str, bool, object]
Story = Callable[[DurableOrchestrationContext], Flow]
LONG_AGO = datetime.min.replace(tzinfo=UTC)
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
NOTHING: dict = {}
RESUMES_MAX = 1000  # Of one turn: an orchestrator that never waits would never give way.


class Unsteady(Exception):
    """An orchestrator that asked for something else when its history was replayed."""


class Context:
    """The members of DurableOrchestrationContext that our orchestrators use, and no others."""

    __slots__ = ("told", "instance_id", "current_utc_datetime", "status", "again", "continued")

    def __init__(self, told: object, id: str) -> None:
        self.told, self.instance_id = told, id
        self.current_utc_datetime = LONG_AGO
        self.status: object = None
        self.again: object = None
        self.continued = False

    def get_input(self) -> object:
        return self.told

    def call_activity(self, name: str, input_: dict) -> Leaf:
        return Leaf(ACTIVITY, name, input_, None, "")

    def call_sub_orchestrator(self, name: str, input_: dict, instance_id: str) -> Leaf:
        return Leaf(CHILD, name, input_, None, instance_id)

    def create_timer(self, fire_at: datetime) -> Leaf:
        return Leaf(TIMER, "", NOTHING, fire_at, "")

    def wait_for_external_event(self, name: str) -> Leaf:
        return Leaf(EVENT, name, NOTHING, None, "")

    def task_all(self, activities: list[Task]) -> All:
        return All(activities)

    def task_any(self, activities: list[Task]) -> Any:
        return Any(activities)

    def set_custom_status(self, status: object) -> None:
        self.status = status

    def continue_as_new(self, input_: object) -> None:
        self.again, self.continued = input_, True


class Clock:
    """A clock in virtual time, fast by so many seconds or, below zero, slow."""

    __slots__ = ("_start", "_at", "_shown")

    def __init__(self, fast_seconds: float = 0.0) -> None:
        self._start = START + timedelta(seconds=fast_seconds)
        self._at, self._shown = 0.0, self._start

    def at(self, seconds: float) -> datetime:
        """What it shows so many seconds after START."""
        if seconds != self._at:
            self._at, self._shown = seconds, self._start + timedelta(seconds=seconds)
        return self._shown


class Instance:
    """One orchestration: what survives its process, and, while the process lives, its generator."""

    def __init__(
        self,
        id: str,
        name: str,
        story: Story,
        told: dict,
        parent: tuple[str, int] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.id, self.name, self.story, self.told, self.parent = id, name, story, told, parent
        self.clock = clock or Clock()
        self.turns: list[tuple[float, list[Answer]]] = []
        self.asked: list[Leaf] = []
        self.done = False
        self.output: typing.Any = None
        self.failure = ""
        self.generation = 0
        self._wake_up()

    @property
    def status(self) -> object:
        """The custom status, as anybody may read it."""
        return self._context.status

    def waits_for(self, ref: int) -> bool:
        """Is this task still open? An answer that comes twice is dropped."""
        if self.done or ref >= len(self.asked):
            return False
        leaf = self.asked[ref]
        return not leaf.is_completed and not leaf.is_cancelled

    def recall(self) -> list[Leaf]:
        """After a kill: replay the turns in a new generator; gives the tasks still open."""
        before, self.asked = self.asked, []
        self._wake_up()
        turns, self.turns = self.turns, []
        for at, news in turns:
            self.turn(at, news)
        if len(before) != len(self.asked) or not all(map(Leaf.same_as, before, self.asked)):
            raise Unsteady(f"{self.id} asks for something else when replayed")
        return [leaf for leaf in self.asked if not leaf.is_completed and not leaf.is_cancelled]

    def _wake_up(self) -> None:
        self._context = Context(self.told, self.id)
        self._flow: Flow | None = None
        self._awaited: Task | None = None
        self._ending: tuple[object, str] | None = None  # What it returned, or why it broke.
        self._listening: dict[str, list[Leaf]] = {}
        self._early: dict[str, object] = {}  # Events that nobody waited for; one slot per name.

    def turn(self, at: float, news: list[Answer]) -> list[Leaf]:
        """Take note of what was answered, `at` seconds after START, and go on; gives the tasks that
        are newly asked for."""
        self.turns.append((at, news))
        first = len(self.asked)
        if self._flow is None:
            self._flow = self.story(cast(DurableOrchestrationContext, self._context))
            self._resume(at)
        for which, ok, value in news:
            if isinstance(which, int):
                self.asked[which].close(ok, value)
            else:
                self._hear(which, value)
            awaited = self._awaited
            if awaited is not None and awaited.is_completed:
                self._resume(at)
        if self._ending is not None:
            self._end(*self._ending)
        return self.asked[first:]

    def _hear(self, name: str, value: object) -> None:
        """An event: the last who began to wait for it gets it; without any it is kept."""
        waiting = self._listening.get(name)
        if waiting:
            waiting.pop().close(True, value)
        else:
            self._early[name] = value

    def _resume(self, at: float) -> None:
        """Hand the awaited result to the generator, until it waits for what is not there yet."""
        flow, awaited = self._flow, self._awaited
        assert flow is not None
        self._context.current_utc_datetime = self.clock.at(at)
        try:
            for _ in range(RESUMES_MAX):
                if awaited is None:
                    awaited = next(flow)
                elif awaited.ok:
                    awaited = flow.send(awaited.result)
                else:
                    awaited = flow.throw(Exception(str(awaited.result)))
                self._ask(awaited)
                if not awaited.is_completed:
                    self._awaited = awaited
                    return
            raise Unsteady(f"{self.id} never waits")
        except StopIteration as end:
            self._awaited, self._ending = None, (end.value, "")
        # An orchestrator may raise anything; to its host the instance then has failed.
        except Exception as failure:
            self._awaited, self._ending = None, (None, f"{type(failure).__name__}: {failure}")

    def _ask(self, task: Task) -> None:
        """Take note of what is asked for; an event that came early is there at once."""
        asked = self.asked
        for leaf in (task,) if type(task) is Leaf else leaves(task):
            if leaf.ref >= 0:
                continue
            if leaf.kind != EVENT:
                leaf.ref = len(asked)
                asked.append(leaf)
                continue
            leaf.ref = 0
            if leaf.name in self._early:
                leaf.close(True, self._early[leaf.name])
            else:
                self._listening.setdefault(leaf.name, []).append(leaf)

    def _end(self, output: object, failure: str) -> None:
        """The orchestrator has returned; as in Durable nothing ends while a task is open."""
        if not all(leaf.is_completed or leaf.is_cancelled for leaf in self.asked):
            return
        if failure or not self._context.continued:
            self.done, self.output, self.failure = True, output, failure
            return
        self.told, self.turns, self.asked = self._context.again, [], []
        self.generation += 1
        self._wake_up()
