"""Where the messages of one queue lie: ready in lanes, locked, deferred, scheduled. Pure.

A message is always in exactly one of these places, or in the dead letters, which are a queue too.
`Queue` adds the verbs; here is what keeps that promise.
"""

import heapq
from typing import Protocol
from uuid import UUID, uuid4

from rehearsal.servicebus.message import Envelope, Message, State, parse, with_reason
from rehearsal.servicebus.options import Options
from rehearsal.servicebus.refusal import MESSAGE_LOCK_LOST, SESSION_LOCK_LOST, Refusal
from rehearsal.servicebus.sessions import Sessions

EXPIRED = ("TTLExpiredException", "The message expired and was dead lettered.")
TOO_OFTEN = "MaxDeliveryCountExceeded"
FOREVER = float("inf")


class Ledger(Protocol):
    """Where a queue's changes are written down."""

    def put(self, queue: str, message: Message) -> None: ...

    def drop(self, queue: str, seq: int) -> None: ...

    def seen(self, queue: str, message_id: str, at: float) -> None: ...

    def state(self, queue: str, session_id: str, state: bytes | None, at: float) -> None: ...


class Shelf:
    """The places of a queue and the moves between them."""

    def __init__(
        self, name: str, options: Options, ledger: Ledger, dead: "Shelf | None" = None
    ) -> None:
        """`dead` takes the dead letters; without one this shelf holds dead letters itself."""
        self.name, self.options, self.ledger, self.dead = name, options, ledger, dead
        self.next_seq = 1
        self.size_bytes = 0
        self.messages: dict[int, Message] = {}
        self.lanes: dict[str | None, list[int]] = {}  # Ready messages, a heap for each session.
        self.locked: dict[UUID, tuple[int, float]] = {}
        self.timers: list[tuple[float, int, str]] = []  # (when, sequence number, lock or "")
        self.history: dict[str, float] = {}
        self.sessions = Sessions(options.lock_seconds)

    # -- in and out

    def hold(self, message: Message) -> None:
        """Place a message by its state: a new one, or one that the store kept."""
        self.messages[message.seq] = message
        self.size_bytes += len(message.raw)
        self.next_seq = max(self.next_seq, message.seq + 1)
        if message.state is State.SCHEDULED and message.visible_at is not None:
            heapq.heappush(self.timers, (message.visible_at, message.seq, ""))
        elif message.state is State.ACTIVE:
            self._make_ready(message)
            if message.expires_at is not None:
                heapq.heappush(self.timers, (message.expires_at, message.seq, ""))

    def _take_seq(self) -> int:
        self.next_seq += 1
        return self.next_seq - 1

    def _remove(self, message: Message) -> None:
        del self.messages[message.seq]
        self.size_bytes -= len(message.raw)
        self.ledger.drop(self.name, message.seq)

    def _bury(
        self, message: Message, now: float, reason: str | None, description: str | None
    ) -> None:
        """Move to the dead letters, with the reason; a dead letter itself goes nowhere."""
        if self.dead is None:
            return self._put_back(message, now)
        self._remove(message)
        message.raw = with_reason(message.raw, reason, description)
        message.envelope = parse(message.raw)
        message.state, message.expires_at, message.token = State.ACTIVE, None, None
        self.dead.hold(message)
        self.ledger.put(self.dead.name, message)
        return None

    # -- ready

    def _lane(self, message: Message) -> str | None:
        return message.envelope.session_id if self.options.sessions and self.dead else None

    def _make_ready(self, message: Message) -> None:
        heapq.heappush(self.lanes.setdefault(self._lane(message), []), message.seq)

    def _trim(self, lane_id: str | None, now: float) -> Message | None:
        """The first message of a lane that is still there, after whatever is gone or expired."""
        lane = self.lanes.get(lane_id, [])
        while lane:  # Bounded: each turn pops.
            message = self.messages.get(lane[0])
            if message and message.state is State.ACTIVE and message.token is None:
                if not self._is_expired(message, now):
                    return message
                self._expire(message, now)
            heapq.heappop(lane)
        self.lanes.pop(lane_id, None)
        return None

    def _put_back(self, message: Message, now: float) -> None:
        """A lock ended: ready again, unless it is deferred, has expired or came too often."""
        message.token = None
        if self.dead and message.deliveries >= self.options.deliveries_max:
            tries = f"Message could not be consumed after {message.deliveries} delivery attempts."
            return self._bury(message, now, TOO_OFTEN, tries)
        if message.state is State.DEFERRED:
            return self.ledger.put(self.name, message)
        if self._is_expired(message, now):
            return self._expire(message, now)
        self._make_ready(message)
        return self.ledger.put(self.name, message)

    # -- locks

    def _lock(self, message: Message, now: float) -> None:
        token = uuid4()
        lane_id = self._lane(message)
        # Within a session the session's lock counts, and messages have none of their own.
        until = FOREVER if lane_id is not None else now + self.options.lock_seconds
        message.token = token
        self.locked[token] = (message.seq, until)
        if lane_id is None:
            heapq.heappush(self.timers, (until, message.seq, token.hex))

    def _unlock(self, token: UUID, now: float) -> Message:
        """The message under that lock, no longer locked; or the refusal that the lock is lost."""
        seq, until = self.locked.pop(token, (0, 0.0))
        message = self.messages.get(seq)
        if message is None or until <= now:
            if message is not None:
                self._lock_ran_out(message, now)
            lost = SESSION_LOCK_LOST if self.options.sessions and self.dead else MESSAGE_LOCK_LOST
            raise Refusal(lost, "The lock supplied is invalid, or it has expired.")
        message.token = None
        return message

    def _lock_ran_out(self, message: Message, now: float) -> None:
        message.deliveries += 1
        self._put_back(message, now)

    def _end_session(self, session_id: str, now: float, counted: bool) -> None:
        """Free a session; its locked messages go back, and count as delivered only if `counted`."""
        del self.sessions.holds[session_id]
        for token, (seq, _) in list(self.locked.items()):
            message = self.messages[seq]
            if self._lane(message) == session_id:
                del self.locked[token]
                message.deliveries += 1 if counted else 0
                self._put_back(message, now)

    # -- time

    def _come_due(self, message: Message, token: str, now: float) -> bool:
        if token:
            current = message.token
            if current is None or current.hex != token or self.locked[current][1] > now:
                return False  # Settled or renewed since.
            del self.locked[current]
            self._lock_ran_out(message, now)
        elif message.state is State.SCHEDULED:
            self._activate(message, now)
        elif message.state is State.ACTIVE and not message.token and self._is_expired(message, now):
            self._expire(message, now)
        return True

    def _activate(self, message: Message, now: float) -> None:
        """A schedule came due: a new sequence number, as Azure gives."""
        self._remove(message)
        message.seq, message.state = self._take_seq(), State.ACTIVE
        message.enqueued_at, message.visible_at = now, None
        self.hold(message)
        self.ledger.put(self.name, message)

    def _is_expired(self, message: Message, now: float) -> bool:
        return message.expires_at is not None and message.expires_at <= now

    def _expire(self, message: Message, now: float) -> None:
        if self.options.dead_letter_expired:
            self._bury(message, now, *EXPIRED)
        else:
            self._remove(message)

    def _expiry(self, envelope: Envelope, enqueued_at: float) -> float | None:
        times = [envelope.ttl_seconds, self.options.ttl_seconds]
        ttl = min((time for time in times if time is not None), default=None)
        return None if ttl is None else enqueued_at + ttl

    # -- duplicates

    def _is_duplicate(self, envelope: Envelope, now: float) -> bool:
        """Has this message id been seen within the window? Remembers it if not."""
        if envelope.message_id is None:
            return False
        self._forget(now)
        if envelope.message_id in self.history:
            return True
        self.history[envelope.message_id] = now
        self.ledger.seen(self.name, envelope.message_id, now)
        return False

    def _forget(self, now: float) -> None:
        """Drop ids from before the window; the dict is in order of arrival."""
        horizon = now - self.options.history_seconds
        old = []
        for message_id, at in self.history.items():
            if at > horizon:
                break
            old.append(message_id)
        for message_id in old:
            del self.history[message_id]
