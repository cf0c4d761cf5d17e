"""What a scenario is: a name, a story over a drill, and what is expected of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import yaml

from rehearsal.estate import Scene
from shared import plan as plans

if TYPE_CHECKING:
    from rehearsal.drill import Drill


Story = Callable[["Drill"], Awaitable[None]]
STILL_SECONDS_MAX = 5.0


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
    changes: dict = field(default_factory=dict)  # Laid over the plan for this scenario.
    timings: dict[str, float] = field(default_factory=dict)  # Of the world: see World.timings.
    claims: int | None = None  # How often the epoch is to grow; by default once when it moves.
    planned: bool = False  # Was a person's word the beginning, rather than an outage?
    # How long no location may do the exclusive work; None: the plan's RTO when it moves, else a
    # moment.
    nobody_seconds_max: float | None = None
    estate: str = "contoso.yaml"  # The sample estate that it is told of, unless one is given.

    @property
    def epochs(self) -> int:
        """How often the epoch is to grow."""
        return int(self.moves) if self.claims is None else self.claims


def laid_over(scene: Scene, changes: dict) -> Scene:
    """The scene with its plan changed; a plan that is then not sound raises plan.BadPlan."""
    if not changes:
        return scene
    text = yaml.safe_dump(_merged(yaml.safe_load(scene.plan_text), changes), sort_keys=False)
    plans.load(text)
    return replace(scene, plan_text=text)


def _merged(under: dict, over: dict) -> dict:
    """Objects are merged key by key, anything else is replaced."""
    both = {
        key: _merged(under[key], value)
        if isinstance(value, dict) and isinstance(under.get(key), dict)
        else value
        for key, value in over.items()
    }
    return {**under, **both}
