"""Durable: orchestrator functions without the SDK, as fast as generators go.

An instance keeps what a task hub keeps: its input and, turn by turn, what was answered. The
generator lives in the process; after a kill it is made anew from those turns, and must ask for
the same things again. `tests/test_simulation_durable.py` holds this to the SDK's own replay.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow

ACTIVITY, CHILD, TIMER = "activity", "child", "timer"
Answer = tuple[int, bool, object]  # (which task, did it succeed, its result or why not)
Story = Callable[[DurableOrchestrationContext], Flow]


class Unsteady(Exception):
    """An orchestrator that asked for something else when its history was replayed."""


class Leaf:
    """One task that an orchestrator asked for; `ref` is its place among all it asked for."""

    __slots__ = ("kind", "name", "told", "due", "id", "ref", "done", "ok", "value")

    def __init__(self, kind: str, name: str, told: object, due: datetime | None, id: str) -> None:
        self.kind, self.name, self.told, self.due, self.id = kind, name, told, due, id
        self.ref, self.done, self.ok = -1, False, True
        self.value: object = None

    def same_as(self, other: "Leaf") -> bool:
        mine = (self.kind, self.name, self.told, self.due, self.id)
        return mine == (other.kind, other.name, other.told, other.due, other.id)


class All:
    """Several tasks awaited together; fails as soon as one has failed, as in the SDK."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[Leaf]) -> None:
        self.parts = parts


class Context:
    """The members of DurableOrchestrationContext that our orchestrators use, and no others."""

    def __init__(self, told: object, id: str) -> None:
        self.told, self.instance_id = told, id
        self.current_utc_datetime = datetime.min.replace(tzinfo=UTC)
        self.status: object = None
        self.again: object = None
        self.continued = False

    def get_input(self) -> object:
        return self.told

    def call_activity(self, name: str, input_: object = None) -> Leaf:
        return Leaf(ACTIVITY, name, input_, None, "")

    def call_sub_orchestrator(self, name: str, input_: object, instance_id: str) -> Leaf:
        return Leaf(CHILD, name, input_, None, instance_id)

    def create_timer(self, fire_at: datetime) -> Leaf:
        return Leaf(TIMER, "", None, fire_at, "")

    def task_all(self, activities: list[Leaf]) -> All:
        return All(activities)

    def set_custom_status(self, status: object) -> None:
        self.status = status

    def continue_as_new(self, input_: object) -> None:
        self.again, self.continued = input_, True


class Instance:
    """One orchestration: what survives its process, and, while the process lives, its generator."""

    def __init__(
        self, id: str, name: str, story: Story, told: object, parent: tuple[str, int] | None = None
    ) -> None:
        self.id, self.name, self.story, self.told, self.parent = id, name, story, told, parent
        self.turns: list[tuple[datetime, list[Answer]]] = []
        self.asked: list[Leaf] = []
        self.done, self.output = False, cast(object, None)
        self.failure = ""
        self.generation = 0
        self._wake_up()

    def turn(self, now: datetime, news: list[Answer]) -> list[Leaf]:
        """Take note of what was answered and go on; gives the tasks that are newly asked for."""
        self.turns.append((now, news))
        return self._go_on(now, news)

    def waits_for(self, ref: int) -> bool:
        """Is this task still open? An answer that comes twice is dropped."""
        return not self.done and ref < len(self.asked) and not self.asked[ref].done

    def recall(self) -> list[Leaf]:
        """After a kill: replay the turns in a new generator; gives the tasks still open."""
        before, self.asked = self.asked, []
        self._wake_up()
        for now, news in self.turns:
            self._go_on(now, news)
        if len(before) != len(self.asked) or not all(map(Leaf.same_as, before, self.asked)):
            raise Unsteady(f"{self.id} asks for something else when replayed")
        return [leaf for leaf in self.asked if not leaf.done]

    def _wake_up(self) -> None:
        self._context = Context(self.told, self.id)
        self._flow: Flow | None = None
        self._awaited: Leaf | All | None = None

    def _go_on(self, now: datetime, news: list[Answer]) -> list[Leaf]:
        self._context.current_utc_datetime = now
        for ref, ok, value in news:
            leaf = self.asked[ref]
            leaf.done, leaf.ok, leaf.value = True, ok, value
        first = len(self.asked)
        try:
            if self._flow is None:
                self._flow = self.story(cast(DurableOrchestrationContext, self._context))
                self._await(next(self._flow))
            for _ in range(len(news) + 1):  # More than one wait can end at once, but no more.
                if not self._resume(self._flow):
                    break
        except StopIteration as end:
            self._end(end.value)
        # An orchestrator may raise anything; to its host the instance then has failed.
        except Exception as failure:
            self.done, self.failure = True, f"{type(failure).__name__}: {failure}"
        return self.asked[first:]

    def _resume(self, flow: Flow) -> bool:
        """Hand the awaited result to the generator if it is there."""
        awaited = self._awaited
        if isinstance(awaited, Leaf):
            if not awaited.done:
                return False
            one_by_one = [awaited]
        else:
            one_by_one = cast(All, awaited).parts
        missing = False
        for part in one_by_one:
            if not part.done:
                missing = True
            elif not part.ok:
                self._await(flow.throw(Exception(str(part.value))))
                return True
        if missing:
            return False
        values = [part.value for part in one_by_one]
        self._await(flow.send(values[0] if isinstance(awaited, Leaf) else values))
        return True

    def _await(self, task: Leaf | All) -> None:
        self._awaited = task
        for leaf in task.parts if isinstance(task, All) else [task]:
            if leaf.ref < 0:
                leaf.ref = len(self.asked)
                self.asked.append(leaf)

    def _end(self, output: object) -> None:
        if not self._context.continued:
            self.done, self.output = True, output
            return
        self.told, self.turns, self.asked = self._context.again, [], []
        self.generation += 1
        self._wake_up()
