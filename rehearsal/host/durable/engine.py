"""The durable engine: runs turns, activities and timers until it is stopped.

All of it is on one event loop; only the activities may use threads. A kill at any moment loses
nothing: what was under way is derived from the store at the next start.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import time
import uuid
from collections.abc import Mapping
from datetime import datetime

from rehearsal.host.durable import history
from rehearsal.host.durable.clock import NEVER, Clock, SystemClock
from rehearsal.host.durable.effects import Effects, Task
from rehearsal.host.durable.ledger import Ledger
from rehearsal.host.durable.store import Instance, Store
from rehearsal.host.durable.turn import Orchestrator
from rehearsal.host.durable.work import Activity, outcome

log = logging.getLogger("host.durable")
# After a long replay an instance rests so long that more of its completions share the next one.
REST_FACTOR = 2.0
REST_FROM_SECONDS = 0.005
STOP_SECONDS_MAX = 3.0
TURNS_PER_COMMIT = 32


class NotFound(Exception):
    """No instance of that id, or no orchestrator of that name."""


class Gone(Exception):
    """The instance has ended."""


class Engine:
    """Orchestrations of one app over one store."""

    def __init__(
        self,
        store: Store,
        orchestrators: Mapping[str, Orchestrator],
        activities: Mapping[str, Activity],
        clock: Clock | None = None,
        activities_max: int = 20,
        timeout_seconds: float = 1800,
    ) -> None:
        self.clock = clock or SystemClock()
        self.store = store
        self.orchestrators = orchestrators
        self._activities = activities
        self._ledger = Ledger(store, orchestrators, activities, self.clock.now)
        self._slots = asyncio.Semaphore(activities_max)
        self._timeout_seconds = timeout_seconds
        self._wake = asyncio.Event()
        self._ready: dict[str, None] = {}
        self._resting: dict[str, float] = {}
        self._timers: list[tuple[datetime, int, Task]] = []
        self._answers: list[tuple[Task, history.Row]] = []
        self._order = itertools.count()
        self._running: dict[asyncio.Task[None], str] = {}
        self._at_work: dict[str, int] = {}
        self._loop: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Take up what an earlier process left, and run."""
        self._apply(self._ledger.outstanding())
        for instance in self.store.addressees():
            self._ready[instance] = None
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop taking turns, and give running activities a moment; the rest is done again later."""
        self._stopping = True
        self._wake.set()
        if self._loop is not None:
            await self._loop
        if self._running:
            await asyncio.wait(list(self._running), timeout=STOP_SECONDS_MAX)
        self._write_answers()
        for each in list(self._running):
            each.cancel()

    def start_instance(
        self, name: str, instance: str | None, text: str | None, version: str | None = None
    ) -> str:
        """Start an orchestration with JSON text `text`; its id. NotFound, AlreadyRunning."""
        if name not in self.orchestrators:
            raise NotFound(f"The function '{name}' doesn't exist or is not an orchestrator.")
        chosen = instance or uuid.uuid4().hex
        self._ledger.start(name, chosen, text, version)
        self._make_ready(chosen)
        return chosen

    def raise_event(self, instance: str, name: str, text: str | None) -> None:
        """Deliver an event, its payload a JSON text; NotFound or Gone."""
        self._post(instance, history.EVENT_RAISED, Name=name, Input=text)

    def terminate(self, instance: str, reason: str) -> None:
        """End the instance; its children and running activities go on. NotFound or Gone."""
        self._post(instance, history.EXECUTION_TERMINATED, Input=reason)

    def suspend(self, instance: str, reason: str) -> None:
        """Hold the instance: messages wait. NotFound or Gone."""
        self._post(instance, history.EXECUTION_SUSPENDED, Reason=reason)

    def resume(self, instance: str, reason: str) -> None:
        """Let a suspended instance go on. NotFound or Gone."""
        self._post(instance, history.EXECUTION_RESUMED, Reason=reason)

    def _post(self, instance: str, kind: int, **fields: object) -> None:
        found = self.instance(instance)
        if found.finished:
            raise Gone(f"Instance {instance} has ended: {found.status}.")
        self._ledger.post(instance, None, history.row(kind, self.clock.now(), None, None, **fields))
        self._make_ready(instance)

    def instance(self, instance: str) -> Instance:
        """The instance; NotFound."""
        found = self.store.instance(instance)
        if found is None:
            raise NotFound(f"No instance with ID {instance} found.")
        return found

    async def _run(self) -> None:
        # Ends when the engine is stopped; every pass takes a turn or rests.
        while not self._stopping:
            self._fire_due()
            if self._ready or self._answers:
                self._pass()
                await asyncio.sleep(0)
                continue
            self._wake.clear()
            until = self._timers[0][0] if self._timers else NEVER
            busy = bool(self._running) or bool(self._resting)
            await self.clock.rest(self._wake, until, busy)

    def _pass(self) -> None:
        """Several turns in one commit; what follows from them begins after it."""
        effects: list[Effects] = []
        with self.store.transaction():
            self._write_answers()
            for instance in list(itertools.islice(self._ready, TURNS_PER_COMMIT)):
                del self._ready[instance]
                effects.extend(self._take_turn(instance))
        for each in effects:
            self._apply(each)

    def _write_answers(self) -> None:
        for task, row in self._answers:
            self._ledger.post(task.instance, task.generation, row)
        self._answers.clear()

    def _take_turn(self, instance: str) -> list[Effects]:
        begun = time.monotonic()
        try:
            effects = self._ledger.turn(instance)
        # One instance that cannot be turned must not stop the others; it is tried again at its
        # next message or at the next start.
        except Exception:
            log.exception("turn failed", extra={"instance": instance})
            return []
        took = time.monotonic() - begun
        if took > REST_FROM_SECONDS:
            self._resting_until(instance, took)
        return [effects]

    def _resting_until(self, instance: str, took: float) -> None:
        self._resting[instance] = took * REST_FACTOR
        asyncio.get_running_loop().call_later(took * REST_FACTOR, self._rested, instance)

    def _rested(self, instance: str) -> None:
        if self._resting.pop(instance, None) is not None:
            self._ready[instance] = None
            self._wake.set()

    def _make_ready(self, instance: str) -> None:
        if instance in self._resting:
            if self._at_work.get(instance):
                return
            del self._resting[instance]
        self._ready[instance] = None
        self._wake.set()

    def _apply(self, effects: Effects) -> None:
        for due, task in effects.timers:
            heapq.heappush(self._timers, (due, next(self._order), task))
        for task, name, text in effects.activities:
            self._at_work[task.instance] = self._at_work.get(task.instance, 0) + 1
            running = asyncio.create_task(self._perform(task, name, text))
            self._running[running] = task.instance
            running.add_done_callback(self._ended)
        for instance in effects.awake:
            self._make_ready(instance)

    def _ended(self, running: asyncio.Task[None]) -> None:
        self._running.pop(running, None)
        self._wake.set()

    def _fire_due(self) -> None:
        now = self.clock.now()
        while self._timers and self._timers[0][0] <= now:
            due, _, task = heapq.heappop(self._timers)
            row = history.closing_row(history.TIMER_FIRED, now, task.ref, FireAt=history.stamp(due))
            self._ledger.post(task.instance, task.generation, row)
            self._make_ready(task.instance)

    async def _perform(self, task: Task, name: str, text: str | None) -> None:
        async with self._slots:
            if self._stopping:
                return
            row = await outcome(
                self._activities[name], name, text, task.ref, self.clock.now, self._timeout_seconds
            )
        # Written with the next turns, in their commit; lost before it, the activity runs again.
        self._answers.append((task, row))
        self._wake.set()
        left = self._at_work.pop(task.instance, 1) - 1
        if left > 0:
            self._at_work[task.instance] = left
        self._make_ready(task.instance)
