"""One workflow at work: its runs, its history, and what ARM shows of them.

A run takes the time that the tag `rehearsal-run-seconds` says. When its location is lost it is
abandoned: it stays Running, without an end, until the location is back; then it has failed.
Not emulated: the actions themselves; each is shown as done when the run ends well.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from rehearsal.providers.logic_names import BASE, stamp
from rehearsal.workflows_due import Memory, Trigger, read_triggers
from rehearsal.world import Resource, World

RUNS_KEPT_MAX = 1_000
HISTORIES_KEPT_MAX = 1_000
RUN_SECONDS_TAG = "rehearsal-run-seconds"
RUN_SECONDS_DEFAULT = 0.2
LOST = {"code": "WorkflowRunInterrupted", "message": "The location of the run was lost."}
After = Callable[[], Awaitable[None]]


@dataclass
class Run:
    """One run of a workflow."""

    name: str
    trigger: str
    key: str
    tracking: str
    scheduled_at: datetime
    started_at: datetime
    ended_at: datetime | None = None
    status: str = "Running"
    error: dict | None = None
    outputs: dict = field(default_factory=dict)
    _told: dict | None = field(default=None, init=False, repr=False, compare=False)

    def shown(self) -> dict:
        """`{"name", "properties": WorkflowRunProperties}` for ARM; of what is over the same one."""
        if self._told is not None:
            return self._told
        started = stamp(self.started_at)
        cause = {
            "name": self.trigger,
            "scheduledTime": stamp(self.scheduled_at),
            "startTime": started,
            "endTime": started,
            "correlation": {"clientTrackingId": self.tracking},
            "status": "Succeeded",
        }
        own: dict = {
            "startTime": started,
            "status": self.status,
            "correlation": {"clientTrackingId": self.tracking},
            "trigger": cause,
            "outputs": self.outputs,
        }
        if self.ended_at is not None:
            own["waitEndTime"] = own["endTime"] = stamp(self.ended_at)
        if self.error is not None:
            own |= {"code": self.error["code"], "error": self.error}
        told = {"name": self.name, "properties": own}
        if self.ended_at is not None:
            self._told = told
        return told

    def end(self, status: str, at: datetime, error: dict | None = None) -> None:
        """It is over, once."""
        if self.ended_at is None:
            self.status, self.ended_at, self.error = status, at, error


@dataclass
class Flow:
    """One workflow: triggers, what they remember, runs newest first, runs in flight."""

    world: World
    workflow: Resource
    runs: deque[Run] = field(default_factory=lambda: deque(maxlen=RUNS_KEPT_MAX))
    memories: dict[str, Memory] = field(default_factory=dict)
    histories: dict[str, deque[dict]] = field(default_factory=dict)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    triggers: list[Trigger] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.read()

    def read(self) -> None:
        """Take up the definition."""
        self.triggers = read_triggers(self.workflow.properties.get("definition") or {})

    @property
    def on(self) -> bool:
        """Is the workflow enabled?"""
        return self.workflow.properties.get("state", "Enabled") == "Enabled"

    @property
    def working(self) -> bool:
        """Does the location that it is in work?"""
        return self.world.up(self.workflow.location, "data")

    @property
    def run_seconds(self) -> float:
        """How long a run takes."""
        text = (self.workflow.body.get("tags") or {}).get(RUN_SECONDS_TAG)
        return float(text) if text is not None else RUN_SECONDS_DEFAULT

    @property
    def outputs(self) -> dict:
        """What a run gives: those of the definition's outputs whose value is written there."""
        given = (self.workflow.properties.get("definition") or {}).get("outputs") or {}
        return {k: dict(one) for k, one in given.items() if not str(one["value"]).startswith("@")}

    def memory(self, trigger: str) -> Memory:
        """What a trigger remembers."""
        return self.memories.setdefault(trigger, Memory())

    def trigger(self, name: str) -> Trigger | None:
        """A trigger by name, without regard to case."""
        return next((t for t in self.triggers if t.name.lower() == name.lower()), None)

    def begin(
        self,
        trigger: Trigger,
        key: str,
        scheduled_at: datetime | None = None,
        after: After | None = None,
        tracking: str = "",
    ) -> Run:
        """Start a run; `after` (for example completing its message) is part of it."""
        now = self.world.now
        name = f"{self.world.random.getrandbits(90):027d}CU{len(self.runs) % 100:02d}"
        run = Run(name, trigger.name, key, tracking or name, scheduled_at or now, now)
        self.runs.appendleft(run)
        self.note(trigger, "Succeeded", run)
        task = asyncio.get_running_loop().create_task(self._work(run, trigger.kind, after))
        self.tasks[name] = task
        task.add_done_callback(lambda _: self.tasks.pop(name, None))
        return run

    async def _work(self, run: Run, kind: str, after: After | None) -> None:
        await asyncio.sleep(self.run_seconds)
        if after is not None:
            try:
                await after()
            except Exception as wrong:  # The client library raises many kinds; the run has failed.
                error = {"code": "ActionFailed", "message": f"{type(wrong).__name__}: {wrong}"}
                run.end("Failed", self.world.now, error)
                return
        if run.ended_at is None:
            run.outputs = self.outputs
            run.end("Succeeded", self.world.now)
            self.world.effects.append(
                {
                    "at": self.world.now.isoformat(),
                    "location": self.workflow.location,
                    "workflow": self.workflow.name,
                    "run": run.name,
                    "key": run.key,
                    "kind": kind,
                }
            )

    def note(self, trigger: Trigger, status: str, run: Run | None) -> None:
        """Write what the trigger did into its history."""
        now = stamp(self.world.now)
        kept = self.histories.setdefault(trigger.name, deque(maxlen=HISTORIES_KEPT_MAX))
        name = run.name if run else f"{self.world.random.getrandbits(90):027d}CU00"
        own: dict = {"startTime": now, "endTime": now, "scheduledTime": now, "status": status}
        own |= {"fired": run is not None, "correlation": {"clientTrackingId": name}}
        if run is not None:
            id = f"{self.workflow.id}/runs/{run.name}"
            own["run"] = {"id": id, "name": run.name, "type": f"{BASE}/runs"}
        kept.appendleft({"name": name, "properties": own})

    def cancel(self, run_name: str) -> bool:
        """Cancel one run in flight."""
        run = next((r for r in self.runs if r.name.lower() == run_name.lower()), None)
        if run is None or run.ended_at is not None:
            return False
        run.end("Cancelled", self.world.now)
        task = self.tasks.get(run.name)
        if task is not None:
            task.cancel()
        return True

    def abandon(self) -> None:
        """The location is lost: work stops where it stands and nobody writes that down."""
        for task in self.tasks.values():
            task.cancel()

    def wake(self) -> None:
        """The location is back: what was in flight then has failed."""
        for run in self.runs:
            if run.ended_at is None and run.name not in self.tasks:
                run.end("Failed", self.world.now, dict(LOST))

    def shown_triggers(self) -> list[dict]:
        """`{"name", "properties": WorkflowTriggerProperties}` for ARM."""
        state = "Enabled" if self.on else "Disabled"
        return [{"name": t.name, "properties": self._trigger(t, state)} for t in self.triggers]

    def _trigger(self, trigger: Trigger, state: str) -> dict:
        memory = self.memory(trigger.name)
        own: dict = {"provisioningState": "Succeeded", "state": state}
        if memory.last is not None:
            own |= {"lastExecutionTime": stamp(memory.last), "status": "Succeeded"}
        if memory.next is not None and self.on:
            own["nextExecutionTime"] = stamp(memory.next)
        if trigger.definition.get("recurrence"):
            own["recurrence"] = dict(trigger.definition["recurrence"])
        return own
