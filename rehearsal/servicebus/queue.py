"""A queue's verbs: send, receive, settle, renew, peek, hold a session, let time pass.

Pure: every call gets `now` (seconds since 1970), nothing here waits or touches a socket, and each
change is told to a `Ledger` before the call returns. Locks are not kept over a restart of the
player: its messages are ready again at once, uncounted, where Azure would let the locks run out.
"""

import heapq
from uuid import UUID

from rehearsal.servicebus.message import Message, State, parse
from rehearsal.servicebus.options import Options
from rehearsal.servicebus.refusal import (
    MESSAGE_LOCK_LOST,
    MESSAGE_NOT_FOUND,
    NOT_ALLOWED,
    Refusal,
)
from rehearsal.servicebus.shelf import Ledger, Shelf

PEEK_MAX = 1_000


class Queue(Shelf):
    """One queue, or the dead letters of one (without `dead`)."""

    def __init__(
        self, name: str, options: Options, ledger: Ledger, dead: "Queue | None" = None
    ) -> None:
        super().__init__(name, options, ledger, dead)
        self.lost: list[object] = []  # Holders whose session ran out; the endpoint takes them.

    @property
    def needs_session(self) -> bool:
        """Must receivers hold a session? Never to read dead letters."""
        return self.options.sessions and self.dead is not None

    def configure(self, options: Options) -> None:
        """Take on new rules; they hold for what happens from now on."""
        self.options, self.sessions.lock_seconds = options, options.lock_seconds

    # -- arriving

    def send(self, raw: bytes, now: float) -> int | None:
        """Take a message in; answers its sequence number, or None for a known duplicate."""
        envelope = parse(raw)
        if self.options.sessions and envelope.session_id is None:
            raise Refusal(NOT_ALLOWED, "The session id is not set: this queue requires sessions.")
        if self.options.duplicate_detection and self._is_duplicate(envelope, now):
            return None
        message = Message(self._take_seq(), raw, envelope, now)
        if envelope.scheduled_at is not None and envelope.scheduled_at > now:
            message.state, message.visible_at = State.SCHEDULED, envelope.scheduled_at
        message.expires_at = self._expiry(envelope, message.visible_at or now)
        self.hold(message)
        self.ledger.put(self.name, message)
        return message.seq

    def cancel(self, seq: int) -> None:
        """Take back a scheduled message."""
        message = self.messages.get(seq)
        if message is None or message.state is not State.SCHEDULED:
            raise Refusal(MESSAGE_NOT_FOUND, f"No scheduled message with sequence number {seq}.")
        self._remove(message)

    # -- leaving

    def receive(
        self, now: float, session_id: str | None = None, delete: bool = False
    ) -> Message | None:
        """The next ready message, locked, or removed at once with `delete`; None: there is none."""
        message = self._trim(session_id, now)
        if message is None:
            return None
        heapq.heappop(self.lanes[session_id])
        if delete:
            self._remove(message)
        else:
            self._lock(message, now)
        return message

    def receive_deferred(self, seq: int, now: float, delete: bool = False) -> Message:
        """A message that was put aside, by the only way to get at it: its sequence number."""
        message = self.messages.get(seq)
        if message is None or message.state is not State.DEFERRED or message.token:
            raise Refusal(MESSAGE_NOT_FOUND, f"No deferred message with sequence number {seq}.")
        if delete:
            self._remove(message)
        else:
            self._lock(message, now)
        return message

    def locked_until(self, message: Message) -> float | None:
        """When the lock on a message ends; its session's lock if it has one."""
        hold = self.sessions.holds.get(self._lane(message) or "")
        if self.needs_session:
            return hold.until if hold else None
        return self.locked[message.token][1] if message.token else None

    def peek(self, from_seq: int, count: int, session_id: str | None, now: float) -> list[Message]:
        """Up to `count` messages in order of sequence numbers, whatever their state; no locks."""
        found = []
        for seq in sorted(seq for seq in self.messages if seq >= from_seq):
            message = self.messages[seq]
            foreign = session_id is not None and message.envelope.session_id != session_id
            if len(found) == min(count, PEEK_MAX):
                break
            if not foreign and not self._is_expired(message, now):
                found.append(message)
        return found

    # -- settling

    def complete(self, token: UUID, now: float) -> None:
        self._remove(self._unlock(token, now))

    def release(self, token: UUID, now: float) -> None:
        """Put back without counting a delivery: the receiver never looked at it."""
        self._put_back(self._unlock(token, now), now)

    def abandon(self, token: UUID, now: float) -> None:
        message = self._unlock(token, now)
        message.deliveries += 1
        self._put_back(message, now)

    def defer(self, token: UUID, now: float) -> None:
        message = self._unlock(token, now)
        message.state = State.DEFERRED
        message.deliveries += 1
        self.ledger.put(self.name, message)

    def dead_letter(
        self, token: UUID, now: float, reason: str | None = None, description: str | None = None
    ) -> None:
        self._bury(self._unlock(token, now), now, reason, description)

    def renew(self, token: UUID, now: float) -> float:
        """Begin a lock anew; answers until when it holds."""
        seq, until = self.locked.get(token, (0, 0.0))
        if until <= now:
            raise Refusal(MESSAGE_LOCK_LOST, "The lock supplied is invalid, or it has expired.")
        if self.needs_session:
            raise Refusal(NOT_ALLOWED, "In a session, the lock of the session is renewed.")
        until = now + self.options.lock_seconds
        self.locked[token] = (seq, until)
        heapq.heappush(self.timers, (until, seq, token.hex))
        return until

    # -- sessions

    def accept_session(
        self, session_id: str | None, holder: object, now: float, lasting: bool = False
    ) -> str | None:
        """Lock that session, or the one with the oldest ready message; None: none is free."""
        self.tick(now)
        if session_id is None:
            ready = self.sessions.free([lane for lane in self.lanes if lane is not None])
            heads = [(head.seq, lane) for lane in ready if (head := self._trim(lane, now))]
            if not heads:
                return None
            session_id = min(heads)[1]
        self.sessions.accept(session_id, holder, now, lasting)
        return session_id

    def leave_session(self, session_id: str, holder: object, now: float) -> None:
        """The receiver is gone: what it had not settled goes back, uncounted."""
        hold = self.sessions.holds.get(session_id)
        if hold is not None and hold.holder is holder:
            self._end_session(session_id, now, counted=False)

    def set_session_state(self, session_id: str, state: bytes | None, now: float) -> None:
        self.sessions.states.pop(session_id, None)
        if state is not None:
            self.sessions.states[session_id] = (state, now)
        self.ledger.state(self.name, session_id, state, now)

    def session_state(self, session_id: str) -> bytes | None:
        return self.sessions.states.get(session_id, (None, 0.0))[0]

    def session_ids(self, updated_after: float | None = None) -> list[str]:
        """Sessions that have messages; or, with a time, those whose state was set after it."""
        if updated_after is not None:
            states = self.sessions.states
            return sorted(key for key, (_, at) in states.items() if at > updated_after)
        present = {one.envelope.session_id for one in self.messages.values()}
        return sorted(key for key in present if key is not None)

    # -- time and figures

    def tick(self, now: float) -> bool:
        """Let time pass: locks end, schedules come due, messages expire. Did anything change?"""
        changed = False
        for session_id in self.sessions.expired(now):
            self.lost.append(self.sessions.holds[session_id].holder)
            self._end_session(session_id, now, counted=True)
            changed = True
        while self.timers and self.timers[0][0] <= now:  # Bounded: new timers lie in the future.
            _, seq, token = heapq.heappop(self.timers)
            message = self.messages.get(seq)
            if message is not None:
                changed |= self._come_due(message, token, now)
        return changed

    def due(self) -> float | None:
        """When `tick` is wanted next, in seconds since 1970; None: nothing is waiting for time."""
        first = self.timers[0][0] if self.timers else None
        if (
            not self.sessions.holds
        ):  # Asked of every queue in every turn, so the usual case is lean.
            return first
        times = [time for time in (first, self.sessions.due()) if time is not None]
        return min(times, default=None)

    def counts(self) -> dict[str, int]:
        """ARM's countDetails of this queue, locked messages counted as active, as in Azure."""
        states = [message.state for message in self.messages.values()]
        scheduled = states.count(State.SCHEDULED)
        return {
            "activeMessageCount": len(states) - scheduled,
            "deadLetterMessageCount": len(self.dead.messages) if self.dead else 0,
            "scheduledMessageCount": scheduled,
            "transferMessageCount": 0,
            "transferDeadLetterMessageCount": 0,
        }
