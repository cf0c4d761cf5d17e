"""Bus: the slip queues of a location, and the listener that starts stages.

At least once, in no promised order; what nobody completes comes again, and is dead in the end.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehearsal.simulation.world import Ask, Asking, World
from shared import slip

if TYPE_CHECKING:
    from rehearsal.simulation.apps import App

LOCK_SECONDS = 30.0
RELAY = "slip-relay"  # Of what is sent here for the other location, whose app listens to it.
DELIVERIES_MAX = 10


@dataclass
class Message:
    """A slip in a queue; `locked` until its receiver completes it or loses the lock."""

    id: str
    queue: str
    body: str
    locked: bool = False
    deliveries: int = 0


class Bus:
    """The slip namespace of a location: at least once, in no promised order."""

    def __init__(self, world: World, location: str) -> None:
        self.world, self.location = world, location
        self.messages: list[Message] = []
        self.dead: list[Message] = []
        self._seen: set[str] = set()

    def enqueue(self, queue: str, paper: dict) -> None:
        """Keep a slip; a message id that came before is dropped, mostly."""
        world, id = self.world, slip.message_id(paper)
        if id in self._seen and world.random.random() >= world.weather.doubled:
            return
        self._seen.add(id)
        if not world.calm and world.weather.lost and world.random.random() < world.weather.lost:
            world.troubled += 1
            world.tell("bus:", id, "is accepted in", self.location, "and lost")
            return
        self.messages.append(Message(id, queue, json.dumps(paper)))
        late = not world.calm and world.random.random() < world.weather.late
        world.at(world.random.uniform(1, 60) if late else 0.05, self.offer)

    def offer(self) -> None:
        """Hand what is not locked to its listener, if that listens."""
        if f"bus.{self.location}" in self.world.down:
            return
        for message in [m for m in self.messages if not m.locked]:
            app = self.listener(message)
            if not app.up:
                continue
            message.locked = True
            message.deliveries += 1
            self.world.at(LOCK_SECONDS, self.unlock, message, message.deliveries)
            app.perform(take(app, self, message))

    def listener(self, message: Message) -> "App":
        world, here = self.world, self.location
        return world.apps[world.plan.other(here) if message.queue == RELAY else here]

    def unlock(self, message: Message, delivery: int) -> None:
        """The lock ran out: the message comes again, or is dead after too many times."""
        if message not in self.messages or message.deliveries != delivery:
            return
        message.locked = False
        if delivery >= DELIVERIES_MAX:
            self.messages.remove(message)
            self.dead.append(message)
        self.offer()

    def complete(self, message: Message) -> None:
        if message in self.messages:
            self.messages.remove(message)


def take(app: "App", bus: Bus, message: Message) -> Asking:
    """As `function_app.take`: parse, start unless it was started, and only then complete."""
    paper = read(app, message)
    yield Ask(f"bus.{bus.location}", bool)
    if begin(app, paper):
        app.did()
    yield Ask(f"bus.{bus.location}", lambda: bus.complete(message))
    return {}


def read(app: "App", message: Message) -> dict:
    stage = None if message.queue == RELAY else message.queue.removeprefix("slip-")
    return slip.parse(message.body, stage, app.here)


def begin(app: "App", paper: dict) -> bool:
    """Start a slip's orchestration, unless it is there; what failed is repeated."""
    known = app.hub.get(slip.instance_id(paper))
    if known is not None and not known.failure:
        return False
    app.start("stage", slip.instance_id(paper), paper)
    return True
