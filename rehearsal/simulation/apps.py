"""Apps: one per location, its process, its task hub and its timers.

A kill takes the process: generators, activities under way, timers. The task hub and the queues
stay, and a request that was sent already goes on to its end.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from orchestrations.caretaker import caretaker
from orchestrations.component import component
from orchestrations.heartbeat import heartbeat
from orchestrations.stages import stage
from orchestrations.watchdog import watchdog
from orchestrations.waves import block
from rehearsal.simulation import post
from rehearsal.simulation.activities import AT_ONCE, MODELS
from rehearsal.simulation.durable import Answer, Clock, Instance
from rehearsal.simulation.evidence import LOOKS
from rehearsal.simulation.tasks import ACTIVITY, CHILD, Leaf
from rehearsal.simulation.world import Asking, World
from shared import undelivered
from shared.reply import Surprise

STORIES = {
    "stage": stage,
    "block": block,
    "component": component,
    "watchdog": watchdog,
    "heartbeat": heartbeat,
    "caretaker": caretaker,
}
ETERNAL = ("watchdog", "heartbeat", "caretaker")
KEEP_SECONDS = 20.0
Then = Callable[[bool, object], None]


def ignore(ok: bool, value: object) -> None:
    """Nobody waits for the end of this."""


class Work:
    """Requests of one process, one after another; `then` gets (True, result) or (False, why)."""

    __slots__ = ("app", "life", "asking", "then")

    def __init__(self, app: "App", asking: Asking, then: Then) -> None:
        self.app, self.life, self.asking, self.then = app, app.life, asking, then

    def go_on(self, answer: object) -> None:
        app = self.app
        if app.life != self.life:
            return
        try:
            if isinstance(answer, Surprise):
                ask = self.asking.throw(answer)
            else:
                ask = self.asking.send(answer)
        except StopIteration as end:
            self.ended(True, end.value)
        except Surprise as error:
            error.__traceback__ = None  # It holds every frame, and so the whole world.
            self.ended(False, error)
        else:
            if app.life == self.life:  # It may just have died of what it did.
                app.world.send(app, ask, self.go_on)

    def ended(self, ok: bool, value: object) -> None:
        self.then(ok, value)


class Act(Work):
    """An activity: its answer goes to the orchestration that asked for it."""

    __slots__ = ("instance", "generation", "leaf")

    def __init__(self, app: "App", asking: Asking, instance: Instance, leaf: Leaf) -> None:
        self.app, self.life, self.asking, self.then = app, app.life, asking, ignore
        self.instance, self.generation, self.leaf = instance, instance.generation, leaf

    def ended(self, ok: bool, value: object) -> None:
        self.app.acted(self.instance, self.generation, self.leaf, ok, value)


class App:
    """The Understudy app of one location."""

    def __init__(self, world: World, here: str) -> None:
        self.world, self.here = world, here
        self.clock = Clock(world.weather.skews[here])
        self.hub: dict[str, Instance] = {}
        self.up = False
        self.booted = 0.0
        self.life = 0  # Which process this is: what an earlier one waited for comes to nothing.
        self.seen: object = None
        self.outboxes = dict.fromkeys(world.claims, undelivered.EMPTY)
        self.silent: dict[str, float] = {}  # Until when a namespace is not asked; of the process.
        self.carries = 0  # The life whose timer looks after the outboxes.
        self._effects = 0
        self._kills = sorted(world.weather.kills.get(here, []))

    @property
    def now(self) -> datetime:
        """The clock of this location, right or wrong."""
        return self.clock.at(self.world.now)

    def boot(self) -> None:
        """Start the process: what was under way goes on, the timers begin anew."""
        if self.up or not self.world.alive(self.here):
            return
        self.up, self.life, self.booted = True, self.life + 1, self.world.now
        for instance in [i for i in self.hub.values() if not i.done]:
            if instance.turns:
                self._open(instance, instance.recall())
            else:
                self._turn(instance, [])
        for name in ETERNAL:
            self.world.at(self.world.random.random(), self._keep, name, self.life)
        for bus in self.world.buses.values():
            self.world.at(0.1, bus.offer)
        post.wake(self)
        self.world.judge.beside.look()

    def kill(self) -> None:
        self.up, self.life, self.seen = False, self.life + 1, None
        self.silent = {}
        self.world.judge.beside.look()

    def did(self) -> None:
        """Something that this process asked for took effect: a good moment to die."""
        self._effects += 1
        if self._kills and self._effects >= self._kills[0] and self.up and not self.world.calm:
            self._kills.pop(0)
            self.world.tell(self.here, "is killed after effect", self._effects)
            self.kill()
            self.world.at(self.world.random.uniform(0.5, 40), self.boot)

    def perform(self, asking: Asking, then: Then = ignore) -> None:
        """Let `asking` send its requests."""
        Work(self, asking, then).go_on(None)

    def start(self, name: str, id: str, told: dict, parent: tuple[str, int] | None = None) -> None:
        """Start an orchestration; what ended under the same id is forgotten."""
        instance = Instance(id, name, STORIES[name], told, parent, self.clock)
        self.hub[id] = instance
        self.world.judge.began(self.here, instance)
        self.world.at(0.01, self._begin, instance, self.life)

    def raise_event(self, id: str, name: str, value: object) -> bool:
        """Raise an external event; is there an instance that it can still reach?"""
        instance = self.hub.get(id)
        if instance is None or instance.done:
            return False
        self._turn(instance, [(name, True, value)])
        return True

    def _begin(self, instance: Instance, life: int) -> None:
        if self.life == life and not instance.turns:
            self._turn(instance, [])

    def _turn(self, instance: Instance, news: list[Answer]) -> None:
        generation = instance.generation
        self._open(instance, instance.turn(self.world.now, news))
        if instance.generation != generation:
            self._turn(instance, [])
        elif instance.done:
            self._ended(instance)

    def _ended(self, instance: Instance) -> None:
        self.world.judge.ended(self.here, instance)
        if instance.parent:
            id, ref = instance.parent
            answer = instance.failure or instance.output
            self._answer(self.hub[id], self.hub[id].generation, ref, not instance.failure, answer)

    def _open(self, instance: Instance, leaves: list[Leaf]) -> None:
        """Set to work what an orchestration asks for."""
        for leaf in leaves:
            if leaf.kind == ACTIVITY:
                self._act(instance, leaf)
            elif leaf.kind == CHILD:
                self._adopt(instance, leaf)
            elif not leaf.is_cancelled:
                delay = max(0.0, (cast(datetime, leaf.due) - self.now).total_seconds())
                self.world.at(delay, self._fire, instance, instance.generation, leaf.ref, self.life)

    def _act(self, instance: Instance, leaf: Leaf) -> None:
        payload, name = leaf.told, leaf.name
        if name == "reserve_run":
            self.world.judge.called(self.here, name, payload)
        at_once = AT_ONCE.get(name)
        if at_once:
            answer = at_once(self.world, self, payload)
            self.acted(instance, instance.generation, leaf, True, answer)
        else:
            Act(self, MODELS[name](self.world, self, payload), instance, leaf).go_on(None)

    def acted(self, instance: Instance, generation: int, leaf: Leaf, ok: bool, value: Any) -> None:
        # What simply succeeded tells the judge nothing but what a watchdog saw. A run that is about
        # to drain looks too, and is no round of it.
        if leaf.name in LOOKS:
            tells = instance.name == "watchdog"
        else:
            tells = not ok or value["status"] == "refused"
        if tells:
            self.world.judge.answered(self.here, leaf.name, leaf.told, ok, value)
        if instance.generation == generation and instance.waits_for(leaf.ref):
            self._turn(instance, [(leaf.ref, ok, value)])

    def _adopt(self, instance: Instance, leaf: Leaf) -> None:
        """A child that was started before the process died only has to tell its end."""
        known = self.hub.get(leaf.id)
        if known is None:
            self.start(leaf.name, leaf.id, leaf.told, (instance.id, leaf.ref))
        elif known.done:
            answer = known.failure or known.output
            self._answer(instance, instance.generation, leaf.ref, not known.failure, answer)

    def _answer(
        self, instance: Instance, generation: int, ref: int, ok: bool, value: object
    ) -> None:
        if instance.generation == generation and instance.waits_for(ref):
            self._turn(instance, [(ref, ok, value)])

    def _fire(self, instance: Instance, generation: int, ref: int, life: int) -> None:
        if self.life == life:
            self._answer(instance, generation, ref, True, None)

    def _keep(self, name: str, life: int) -> None:
        """The timers `keep_watch` and `keep_lease`: what watches a plan for ever is there."""
        if self.life != life:
            return
        plan = self.world.plan.name
        known = self.hub.get(f"{name}.{plan}")
        if known is None or known.done:
            self.start(name, f"{name}.{plan}", {"plan": plan, "location": self.here})
        self.world.at(KEEP_SECONDS, self._keep, name, life)
