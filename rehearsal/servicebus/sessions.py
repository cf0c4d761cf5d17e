"""Sessions of one queue: who holds which, until when, and what state each carries. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from rehearsal.servicebus.refusal import CANNOT_BE_LOCKED, SESSION_LOCK_LOST, Refusal


@dataclass(slots=True)
class Hold:
    """A session held by a receiver until a time, in seconds since 1970.

    `lasting`: for a receiver that deletes what it gets. There is nothing locked that it could lose,
    and Azure keeps the session its own while it is attached, as Microsoft's live tests show.
    """

    holder: object
    until: float
    lasting: bool = False

    def is_over(self, now: float) -> bool:
        return self.until <= now and not self.lasting


class Sessions:
    """Locks by session id; a session without a lock is free to whoever asks."""

    def __init__(self, lock_seconds: float) -> None:
        self.lock_seconds = lock_seconds
        self.holds: dict[str, Hold] = {}
        self.states: dict[str, tuple[bytes, float]] = {}  # And when each was set.

    def accept(self, session_id: str, holder: object, now: float, lasting: bool = False) -> None:
        """Lock a session for `holder`; a locked one is refused."""
        if session_id in self.holds:
            raise Refusal(CANNOT_BE_LOCKED, f"The requested session '{session_id}' is locked.")
        self.holds[session_id] = Hold(holder, now + self.lock_seconds, lasting)

    def free(self, session_ids: Iterable[str]) -> list[str]:
        return [session_id for session_id in session_ids if session_id not in self.holds]

    def hold(self, session_id: str, now: float) -> Hold:
        """The lock on a session, or the refusal that it is lost."""
        hold = self.holds.get(session_id)
        if hold is None or hold.is_over(now):
            raise Refusal(SESSION_LOCK_LOST, f"The lock on session '{session_id}' has expired.")
        return hold

    def renew(self, session_id: str, now: float) -> float:
        hold = self.hold(session_id, now)
        hold.until = now + self.lock_seconds
        return hold.until

    def expired(self, now: float) -> list[str]:
        return [session_id for session_id, hold in self.holds.items() if hold.is_over(now)]

    def due(self) -> float | None:
        times = [hold.until for hold in self.holds.values() if not hold.lasting]
        return min(times, default=None)
