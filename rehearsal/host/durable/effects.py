"""What must happen after a commit: activities to run, timers to set, instances to wake."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class Task(NamedTuple):
    """An activity or a timer of an instance's generation."""

    instance: str
    generation: int
    ref: int


@dataclass
class Effects:
    """What must happen after a commit."""

    activities: list[tuple[Task, str, str | None]] = field(default_factory=list)
    timers: list[tuple[datetime, Task]] = field(default_factory=list)
    awake: list[str] = field(default_factory=list)
