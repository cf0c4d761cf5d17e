"""What workflows work on outside Azure: a mailbox, a supplier's feed, a partner who calls back.

Everything is a function of the time since the start, so two locations see the same items. Pure.
"""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Outside:
    """The mailbox, the feed and the partner. Items are numbered from 1."""

    started_at: datetime
    mail_seconds: float = 3.0
    feed_seconds: float = 20.0
    event_seconds: float = 4.0
    subscriptions: set[tuple[str, str]] = field(default_factory=set)
    told: int = 0

    def count(self, kind: str, now: datetime) -> int:
        """How many items of a kind (`mailbox`, `httpPolling`, `webhook`) there were until now."""
        every = {
            "mailbox": self.mail_seconds,
            "httpPolling": self.feed_seconds,
            "webhook": self.event_seconds,
        }[kind]
        return max(0, int((now - self.started_at).total_seconds() // every))

    def fresh(self, kind: str, seen: int | None, now: datetime) -> tuple[list[int], int]:
        """Items that a poller has not seen, and what it has seen then.

        The first poll only finds out where it is. A feed shows its newest item alone.
        """
        last = self.count(kind, now)
        if seen is None or seen >= last:
            return [], last
        items = list(range(seen + 1, last + 1))
        return (items if kind == "mailbox" else items[-1:]), last

    def events(self, now: datetime) -> list[int]:
        """The partner's events that were not told yet; they are told now, to whom it may reach."""
        last = self.count("webhook", now)
        fresh, self.told = list(range(self.told + 1, last + 1)), max(self.told, last)
        return fresh
