"""Timer triggers: six-field NCRONTAB in UTC, one run of a timer at a time."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from azure.functions.timer import TimerRequest
from croniter import croniter

from rehearsal.host.config import Config
from rehearsal.host.durable.clock import Clock
from rehearsal.host.index import Function
from rehearsal.host.invoke import Invoker

log = logging.getLogger("host.timers")
FIELDS = 6
# A run that was due this long ago is late.
PAST_DUE = timedelta(seconds=2)


class BadSchedule(ValueError):
    """Not an NCRONTAB expression."""


def next_due(schedule: str, after: datetime) -> datetime:
    """The first time after `after` that an NCRONTAB expression names; BadSchedule."""
    if len(schedule.split()) != FIELDS or not set(schedule) <= set(
        "0123456789*,-/ ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    ):
        raise BadSchedule(f"not a six-field NCRONTAB expression: {schedule}")
    try:
        return croniter(schedule, after, second_at_beginning=True).get_next(datetime)
    except (ValueError, KeyError) as problem:
        raise BadSchedule(f"not an NCRONTAB expression: {schedule}: {problem}") from problem


class Timers:
    """Fires the app's timer triggers until it is stopped."""

    def __init__(
        self, functions: list[Function], invoker: Invoker, config: Config, clock: Clock
    ) -> None:
        self._clock = clock
        self._invoker = invoker
        self._schedules = [
            (each, config.resolve(str(each.trigger["schedule"])))
            for each in functions
            if each.kind == "timerTrigger"
        ]
        for _, schedule in self._schedules:
            next_due(schedule, clock.now())
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to fire."""
        self._tasks = [asyncio.create_task(self._keep(*each)) for each in self._schedules]

    async def stop(self) -> None:
        """Fire no more; a run in a thread ends by itself."""
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, function: Function, schedule: str) -> None:
        if function.trigger.get("runOnStartup"):
            await self._fire(function, past_due=False)
        # Ends by cancellation when the host stops.
        while True:
            due = next_due(schedule, self._clock.now())
            while self._clock.now() < due:
                await self._clock.rest(asyncio.Event(), due, busy=True)
            await self._fire(function, self._clock.now() - due > PAST_DUE)

    async def _fire(self, function: Function, past_due: bool) -> None:
        try:
            await self._invoker.call(function, TimerRequest(past_due=past_due))
        # The app's own failure is logged; the timer goes on at its next time.
        except Exception:
            log.exception("timer failed", extra={"function": function.name})
