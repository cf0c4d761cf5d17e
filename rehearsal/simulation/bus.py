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
        self.messages.append(Message(id, queue, json.dumps(paper)))
        late = not world.calm and world.random.random() < world.weather.late
        world.at(world.random.uniform(1, 60) if late else 0.05, self.offer)

    def offer(self) -> None:
        """Hand what is not locked to the listener, if it listens."""
        app = self.world.apps[self.location]
        if not app.up or f"bus.{self.location}" in self.world.down:
            return
        for message in [m for m in self.messages if not m.locked]:
            message.locked = True
            message.deliveries += 1
            self.world.at(LOCK_SECONDS, self.unlock, message, message.deliveries)
            app.perform(take(app, self, message))

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
    paper = slip.parse(message.body, message.queue.removeprefix("slip-"), app.here)
    yield Ask(f"bus.{bus.location}", bool)
    known = app.hub.get(slip.instance_id(paper))
    if known is None or known.failure:
        app.start("stage", slip.instance_id(paper), paper)
        app.did()
    yield Ask(f"bus.{bus.location}", lambda: bus.complete(message))
    return {}
