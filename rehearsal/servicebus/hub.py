"""Who waits for what: receivers by queue, receivers that wait for a session, and the clock.

The hub knows queues and receivers, nothing of AMQP: a receiver is anything that can say how many
messages it wants, take one, and be told that its session is lost.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rehearsal.servicebus.broker import Broker
from rehearsal.servicebus.message import Message
from rehearsal.servicebus.queue import Queue
from rehearsal.servicebus.refusal import NOT_FOUND, SESSION_LOCK_LOST, TIMED_OUT, Refusal


class Receiver(Protocol):
    """Someone who takes messages from one queue, or from one session of it."""

    queue: Queue
    session_id: str | None
    deletes: bool

    def wants(self) -> int: ...

    def take(self, message: Message) -> None: ...

    def settled_up(self) -> None: ...

    def end(self, why: Refusal) -> None: ...


@dataclass
class Waiting:
    """A receiver that asked for any session, while none is free."""

    receiver: Receiver
    until: float
    begin: Callable[[str], None]
    refuse: Callable[[Refusal], None]


class Hub:
    """Matches messages with receivers, once per turn of the server's loop."""

    def __init__(self, broker: Broker, clock: Callable[[], float]) -> None:
        self.broker, self.clock = broker, clock
        self.receivers: dict[str, list[Receiver]] = {}
        self.waiting: list[Waiting] = []
        self.stirred: set[str] = set()

    def stir(self, queue: Queue) -> None:
        """Something may be ready in that queue, or in its dead letters."""
        self.stirred.add(queue.name)
        if queue.dead:
            self.stirred.add(queue.dead.name)

    def join(self, receiver: Receiver) -> None:
        self.receivers.setdefault(receiver.queue.name, []).append(receiver)

    def leave(self, receiver: Receiver) -> None:
        """The receiver is gone; its session is free again. Safe to repeat."""
        joined = self.receivers.get(receiver.queue.name, [])
        if receiver in joined:
            joined.remove(receiver)
        self.waiting = [one for one in self.waiting if one.receiver is not receiver]
        if receiver.session_id is not None:
            receiver.queue.leave_session(receiver.session_id, receiver, self.clock())
            self.stir(receiver.queue)

    def drop(self, name: str) -> None:
        """A queue was deleted: whoever listens there is told."""
        gone = Refusal(NOT_FOUND, f"The messaging entity '{name}' was deleted.")
        for receiver in self.receivers.pop(name, []):
            receiver.end(gone)

    def turn(self) -> None:
        """Let time pass and hand out what is ready."""
        now = self.clock()
        for queue in list(self.broker.queues.values()):
            due = queue.due()
            if due is not None and due <= now and queue.tick(now):
                self.stir(queue)
            while queue.lost:
                lost = queue.lost.pop()
                self._end_lost(queue, lost)
        self._wake(now)
        for name in list(self.stirred):
            self._hand_out(name, now)
        self.stirred.clear()

    def due(self) -> float | None:
        """When the next turn is wanted at the latest, in seconds since 1970."""
        times = [queue.due() for queue in self.broker.queues.values()]
        times += [waiting.until for waiting in self.waiting]
        return min((time for time in times if time is not None), default=None)

    def _end_lost(self, queue: Queue, holder: object) -> None:
        for receiver in list(self.receivers.get(queue.name, [])):
            if receiver is holder:
                receiver.end(Refusal(SESSION_LOCK_LOST, "The session lock has expired."))
                self.leave(receiver)

    def _wake(self, now: float) -> None:
        """Give free sessions to those who wait, first come first served."""
        for one in list(self.waiting):
            queue = one.receiver.queue
            session_id = None
            if queue.name in self.stirred or one.until <= now:
                session_id = queue.accept_session(None, one.receiver, now, one.receiver.deletes)
            if session_id is not None:
                self.waiting.remove(one)
                one.begin(session_id)
            elif one.until <= now:
                self.waiting.remove(one)
                one.refuse(Refusal(TIMED_OUT, "No session became free within the timeout."))

    def _hand_out(self, name: str, now: float) -> None:
        """One message to each willing receiver in turn, until none is left or wanted."""
        queue, receivers = self.broker.queues.get(name), self.receivers.get(name, [])
        willing = {id(one): one.wants() for one in receivers}
        while queue and any(willing.values()):  # Bounded: each round gives, or closes a receiver.
            for receiver in receivers:
                if not willing[id(receiver)]:
                    continue
                message = queue.receive(now, receiver.session_id, receiver.deletes)
                if message is None:
                    willing[id(receiver)] = 0
                else:
                    receiver.take(message)
                    willing[id(receiver)] -= 1
        for receiver in receivers:
            receiver.settled_up()
