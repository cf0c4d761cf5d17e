"""Tasks: what an orchestrator may wait for, with the SDK's own semantics.

A task that completes tells the one that waits for it. `tests/test_simulation_durable.py` holds
each of these to `azure.durable_functions`.
"""

from datetime import datetime

ACTIVITY, CHILD, TIMER, EVENT = "activity", "child", "timer", "event"


class Leaf:
    """One thing that an orchestrator asked for; `ref` is its place among all it asked for.

    An event has no place: it is matched by its name, and nobody waits for its end.
    """

    __slots__ = (
        "kind",
        "name",
        "told",
        "due",
        "id",
        "ref",
        "is_completed",
        "ok",
        "result",
        "is_cancelled",
        "parent",
    )

    def __init__(self, kind: str, name: str, told: dict, due: datetime | None, id: str) -> None:
        self.kind, self.name, self.told, self.due, self.id = kind, name, told, due, id
        self.ref, self.is_completed, self.ok, self.is_cancelled = -1, False, True, False
        self.result: object = None
        self.parent: All | Any | None = None

    def same_as(self, other: "Leaf") -> bool:
        mine = (self.kind, self.name, self.told, self.due, self.id)
        return mine == (other.kind, other.name, other.told, other.due, other.id)

    def cancel(self) -> None:
        """A timer that is no longer wanted; without this its orchestration cannot end."""
        if self.is_completed:
            raise ValueError("Cannot cancel a completed task.")
        self.is_cancelled = True

    def close(self, ok: bool, result: object) -> None:
        """It has ended; tell whoever waits for it."""
        self.is_completed, self.ok, self.result = True, ok, result
        parent, self.parent = self.parent, None  # Told once; what points both ways costs a sweep.
        if parent is not None:
            parent.hear(self)


class All:
    """Several tasks awaited together; fails as soon as one has failed, as in the SDK."""

    __slots__ = ("parts", "is_completed", "ok", "result", "parent", "_missing")

    def __init__(self, parts: "list[Task]") -> None:
        self.parts, self.ok, self._missing = parts, True, len(parts)
        self.is_completed = not parts
        self.result: object = None  # Of no tasks at all, too: the SDK gives no empty list.
        self.parent: All | Any | None = None
        for part in parts:
            part.parent = self
            if part.is_completed:
                self.hear(part)

    def hear(self, part: "Task") -> None:
        self._missing -= 1
        if not part.ok and not self.is_completed:
            self._end(False, part.result)
        elif not self._missing and not self.is_completed:
            self._end(True, [each.result for each in self.parts])

    def _end(self, ok: bool, result: object) -> None:
        self.is_completed, self.ok, self.result = True, ok, result
        if self.parent is not None:
            self.parent.hear(self)


class Any:
    """Several tasks of which the first to end is the result, well or not."""

    __slots__ = ("parts", "is_completed", "ok", "result", "parent")

    def __init__(self, parts: "list[Task]") -> None:
        self.parts, self.ok, self.is_completed = parts, True, not parts
        self.result: object = None
        self.parent: All | Any | None = None
        for part in parts:
            part.parent = self
            if part.is_completed:
                self.hear(part)

    def hear(self, part: "Task") -> None:
        if not self.is_completed:
            self.is_completed, self.result = True, part
            if self.parent is not None:
                self.parent.hear(self)


Task = Leaf | All | Any


def leaves(task: Task) -> list[Leaf]:
    """The leaves of a task, in their order."""
    if isinstance(task, Leaf):
        return [task]
    return [leaf for part in task.parts for leaf in leaves(part)]
