"""What a scenario is: a name, a story over a drill, and what is expected of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearsal.drill import Drill


Story = Callable[["Drill"], Awaitable[None]]


class Missed(Exception):
    """The story could not go on, because something that had to happen did not."""


@dataclass(frozen=True)
class Scenario:
    """`chapters`: how many the story has, with the opening and the judgement."""

    name: str
    promise: str
    story: Story
    chapters: int
    moves: bool  # Is the plan to be active in the standby at the end?
    settings: dict[str, str] = field(default_factory=dict)
