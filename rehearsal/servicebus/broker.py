"""A namespace: its queues by name, their counts, and the faults that a test may ask for."""

from dataclasses import dataclass

from rehearsal.servicebus.options import DEFAULTS, options_of
from rehearsal.servicebus.queue import Queue
from rehearsal.servicebus.refusal import NOT_FOUND, Refusal
from rehearsal.servicebus.store import Store

DEAD_LETTERS = "/$deadletterqueue"
EFFECTS = ("cut-after-store", "cut-after-complete", "detach", "busy")
FAULTS_MAX = 100


@dataclass
class Fault:
    """What goes wrong, at which queue (any without one), and how many times more."""

    effect: str
    entity: str | None
    times: int


class Broker:
    """All queues of one namespace. Names ignore case; dead letters are `name/$deadletterqueue`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.queues: dict[str, Queue] = {}
        self.properties: dict[str, dict] = {}
        self.faults: list[Fault] = []
        for name, properties, next_seq in store.queues():
            self._open(name, properties, next_seq)

    def _open(self, name: str, properties: dict, next_seq: int) -> None:
        options = options_of(properties)
        self.properties[name] = properties
        dead = Queue(name + DEAD_LETTERS, options, self.store)
        queue = Queue(name, options, self.store, dead)
        for one in (dead, queue):
            kept = self.store.load(one.name)
            for message in kept.messages:
                one.hold(message)
            one.sessions.states, one.history = kept.states, kept.history
            self.queues[one.name] = one
        queue.next_seq = max(queue.next_seq, next_seq, dead.next_seq)

    def put(self, name: str, properties: dict) -> dict:
        """Create a queue or change its rules; answers its description. Raises `BadOptions`."""
        name = name.lower()
        merged = {**DEFAULTS, **self.properties.get(name, {}), **properties}
        options = options_of(merged)
        existing = self.queues.get(name)
        if existing is None:
            self._open(name, merged, 1)
        else:
            existing.configure(options)
            self.queues[name + DEAD_LETTERS].configure(options)
            self.properties[name] = merged
        self.store.save_queue(name, merged, self.queues[name].next_seq)
        return self.describe(name)

    def delete(self, name: str) -> None:
        """Remove a queue and all that it holds; a queue that is not there is a refusal."""
        name = self.find(name).name
        for gone in (name, name + DEAD_LETTERS):
            del self.queues[gone]
        del self.properties[name]
        self.store.drop_queue(name, name + DEAD_LETTERS)

    def describe(self, name: str) -> dict:
        """ARM's properties of a queue with its counts and its size."""
        queue = self.find(name)
        counts = queue.counts()
        dead_bytes = queue.dead.size_bytes if queue.dead else 0
        return {
            **self.properties[queue.name],
            "countDetails": counts,
            "messageCount": sum(counts.values()),
            "sizeInBytes": queue.size_bytes + dead_bytes,
        }

    def find(self, path: str) -> Queue:
        """The queue, or the dead letters, at a link's path."""
        queue = self.queues.get(path.lower())
        if queue is None:
            raise Refusal(NOT_FOUND, f"The messaging entity '{path}' could not be found.")
        return queue

    def fail(self, effect: str, entity: str | None, times: int) -> None:
        """Arrange a fault; `ValueError` for one that is not known or too many."""
        if effect not in EFFECTS or len(self.faults) >= FAULTS_MAX or times < 1:
            raise ValueError(f"a fault is one of {', '.join(EFFECTS)}, at least once")
        self.faults.append(Fault(effect, entity and entity.lower(), times))

    def takes(self, effect: str, entity: str) -> bool:
        """Is this fault due at that queue? Uses it up once."""
        for fault in self.faults:
            if fault.effect == effect and fault.entity in (None, entity):
                fault.times -= 1
                self.faults = [one for one in self.faults if one.times > 0]
                return True
        return False
