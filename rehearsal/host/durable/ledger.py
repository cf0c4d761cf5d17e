"""What the engine writes down: starts, messages and turns, each in one transaction.

Commits return the effects that follow: activities to run, timers to set, instances with mail.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from datetime import datetime

from rehearsal.host.durable import history
from rehearsal.host.durable.effects import Effects, Task
from rehearsal.host.durable.history import Row
from rehearsal.host.durable.store import Instance, Mail, Store
from rehearsal.host.durable.turn import Orchestrator, Turn, failed, play

ID_LENGTH_MAX = 256
ID_FORBIDDEN = frozenset("/\\#?")


class AlreadyRunning(Exception):
    """An instance of that id exists and has not ended."""


class BadInstanceId(ValueError):
    """An instance id that Durable Functions refuses."""


class Ledger:
    """The engine's decisions on the store; `now` gives the time, UTC."""

    def __init__(
        self,
        store: Store,
        orchestrators: Mapping[str, Orchestrator],
        activities: Container[str],
        now: Callable[[], datetime],
    ) -> None:
        self.store = store
        self._activities = activities
        self._orchestrators = orchestrators
        self._now = now

    def start(self, name: str, instance: str, text: str | None, version: str | None) -> None:
        """Write a new instance, Pending; AlreadyRunning or BadInstanceId when refused."""
        if not instance or len(instance) > ID_LENGTH_MAX or ID_FORBIDDEN & set(instance):
            raise BadInstanceId("Instance ids have 1 to 256 characters, none of / \\ # ?")
        with self.store.transaction():
            found = self.store.instance(instance)
            if found is not None and not found.finished:
                raise AlreadyRunning(
                    f"An Orchestration instance with the status {found.status} already exists."
                )
            self._create(name, instance, text, version, None, found)

    def _create(
        self,
        name: str,
        instance: str,
        text: str | None,
        version: str | None,
        parent: Task | None,
        replaced: Instance | None,
    ) -> None:
        generation = 0
        if replaced is not None:
            self.store.purge(instance)
            # Completions still under way for the old one must not reach the new one.
            generation = replaced.generation + 1
        at = history.stamp(self._now())
        origin = None if parent is None else json.dumps(list(parent))
        self.store.put_instance(
            Instance(
                id=instance,
                generation=generation,
                execution=uuid.uuid4().hex,
                name=name,
                input=text,
                status="Pending",
                created_at=at,
                updated_at=at,
                parent=origin,
                version=version,
            )
        )

    def post(self, instance: str, generation: int | None, row: Row) -> None:
        """Put a message into an inbox, durably."""
        self.store.post(instance, generation, row)

    def turn(self, instance: str) -> Effects:
        """Run one turn of the instance, if there is anything to do, and write it down."""
        mail = self.store.mail(instance)
        found = self.store.instance(instance)
        if found is None or found.finished:
            self.store.take(mail)
            return Effects()
        current = [each for each in mail if each.generation in (None, found.generation)]
        control = [each for each in current if each.row.type in history.CONTROL]
        if control:
            return self._control(found, control)
        if found.status == "Suspended":
            return Effects()
        past = self.store.history(instance)
        if past and not current:
            self.store.take(mail)
            return Effects()
        return self._advance(found, past, mail, current)

    def _advance(
        self, found: Instance, past: list[Row], mail: list[Mail], current: list[Mail]
    ) -> Effects:
        later: list[Mail] = []
        if any(each.retry for each in history.open_rows(past).values()):
            # The SDK numbers retries as their events arrive: one at a time keeps us in step.
            current, later = current[:1], current[1:]
        news = [each.row for each in current]
        now = self._now()
        orchestrator = self._orchestrators[found.name]
        turn = play(found, past, news, orchestrator, now)
        unknown = self._unknown(turn)
        if unknown:
            failed(turn, unknown, now)
            turn.opened = []
        effects = self._commit(turn, [each for each in mail if each not in later])
        if later:
            effects.awake.append(found.id)
        return effects

    def _unknown(self, turn: Turn) -> str | None:
        known = {
            history.CHILD_CREATED: ("orchestrator", self._orchestrators),
            history.TASK_SCHEDULED: ("activity", self._activities),
        }
        for each in turn.opened:
            name = json.loads(each.data).get("Name")
            word, names = known.get(each.type, ("", [name]))
            if name not in names:
                return f"The {word} function '{name}' doesn't exist."
        return None

    def _control(self, found: Instance, control: list[Mail]) -> Effects:
        now = self._now()
        effects = Effects()
        last = control[-1].row
        ended = [each.row for each in control if each.row.type == history.EXECUTION_TERMINATED]
        if ended:
            reason = json.loads(ended[0].data).get("Input")
            after = replace(found, status="Terminated", output=json.dumps(reason))
        elif last.type == history.EXECUTION_SUSPENDED:
            after = replace(found, status="Suspended")
        else:
            after = replace(found, status="Running")
        with self.store.transaction():
            self.store.take(control)
            if self.store.history(found.id):
                self.store.put_rows(found.id, [each.row for each in control])
            self.store.put_instance(replace(after, updated_at=history.stamp(now)))
            self._tell_parent(after, effects)
        if after.status == "Running":
            effects.awake.append(found.id)
        return effects

    def _commit(self, turn: Turn, mail: list[Mail]) -> Effects:
        effects = Effects()
        after = replace(turn.instance, updated_at=history.stamp(self._now()))
        with self.store.transaction():
            self.store.take(mail)
            if turn.continued:
                self.store.forget_history(after.id)
                after = replace(
                    after,
                    generation=after.generation + 1,
                    execution=uuid.uuid4().hex,
                    cancelled="[]",
                )
                effects.awake.append(after.id)
            else:
                self.store.put_rows(after.id, turn.rows)
                self._open(after, turn.opened, turn.cancelled, effects)
            self.store.put_instance(after)
            self._tell_parent(after, effects)
        return effects

    def _open(
        self, instance: Instance, rows: list[Row], cancelled: set[int], effects: Effects
    ) -> None:
        for each in rows:
            if each.ref is None or each.ref in cancelled:
                continue
            task = Task(instance.id, instance.generation, each.ref)
            event = json.loads(each.data)
            if each.type == history.TASK_SCHEDULED:
                effects.activities.append((task, event["Name"], event["Input"]))
            elif each.type == history.TIMER_CREATED:
                effects.timers.append((history.instant(event["FireAt"]), task))
            else:
                self._create_child(task, event, effects)

    def _create_child(self, task: Task, event: dict, effects: Effects) -> None:
        child = event["InstanceId"]
        found = self.store.instance(child)
        if found is not None and not found.finished:
            reason = f"An Orchestration instance with the id {child} is already running."
            self._post_failure(task, reason)
            effects.awake.append(task.instance)
            return
        self._create(event["Name"], child, event["Input"], event.get("Version"), task, found)
        effects.awake.append(child)

    def _post_failure(self, task: Task, reason: str) -> None:
        details = history.failure_details(reason)
        row = history.closing_row(
            history.CHILD_FAILED, self._now(), task.ref, Reason=reason, Details=details
        )
        self.store.post(task.instance, task.generation, row)

    def _tell_parent(self, ended: Instance, effects: Effects) -> None:
        parent = ended.parent_task()
        if parent is None or not ended.finished:
            return
        task = Task(*parent)
        if ended.status == "Completed":
            row = history.closing_row(
                history.CHILD_COMPLETED, self._now(), task.ref, Result=ended.output
            )
            self.store.post(task.instance, task.generation, row)
        else:
            self._post_failure(task, str(json.loads(ended.output or '""')))
        effects.awake.append(task.instance)

    def outstanding(self) -> Effects:
        """What was under way when the process ended, derived from the histories."""
        effects = Effects()
        for found in self.store.instances("status in ('Pending','Running','Suspended')", ()):
            rows = self.store.history(found.id)
            opened = history.open_rows(rows)
            delivered = {
                each.row.ref
                for each in self.store.mail(found.id)
                if each.generation == found.generation
            }
            left = [
                row
                for ref, row in opened.items()
                if ref not in delivered and row.type != history.CHILD_CREATED
            ]
            self._open(found, left, set(json.loads(found.cancelled)), effects)
            effects.awake.append(found.id)
        return effects
