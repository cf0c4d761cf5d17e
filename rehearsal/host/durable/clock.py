"""Time as the engine knows it: the system's, or a virtual one that jumps to the next timer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol

NEVER = datetime.max.replace(tzinfo=UTC)
REST_SECONDS_MAX = 60.0


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """The time, UTC."""
        ...

    async def rest(self, wake: asyncio.Event, until: datetime, busy: bool) -> None:
        """Return when `wake` is set, at `until`, or sooner; `busy` says that work is going on."""
        ...


class SystemClock:
    """The time of the machine."""

    def now(self) -> datetime:
        """The time, UTC."""
        return datetime.now(UTC)

    async def rest(self, wake: asyncio.Event, until: datetime, busy: bool) -> None:
        """Wait for real."""
        seconds = REST_SECONDS_MAX
        if until != NEVER:
            seconds = min(seconds, max(0.0, (until - self.now()).total_seconds()))
        timer = asyncio.get_running_loop().call_later(seconds, wake.set)
        await wake.wait()
        timer.cancel()


class VirtualClock:
    """A time that stands still while there is work, and else jumps to the next timer."""

    def __init__(self, start: datetime) -> None:
        self.time = start

    def now(self) -> datetime:
        """The virtual time, UTC."""
        return self.time

    async def rest(self, wake: asyncio.Event, until: datetime, busy: bool) -> None:
        """Jump when idle; else wait for the work that is going on."""
        if not busy and until != NEVER:
            self.time = max(self.time, until)
            return
        await wake.wait()
