"""Pace: stay inside ARM's token buckets, because a 429 in a failover costs more than waiting.

ARM's bucket for writes, per region, subscription and principal, holds 200 and refills with 10 a
second; that for reads holds 250 and refills with 25 (request-limits-and-throttling, since 2024).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

WRITES_BUCKET = 200
WRITES_PER_SECOND = 10
# Of the reads a share is left to those who look beside a run: watchdog, caretaker, people.
READS_BUCKET = 225
READS_PER_SECOND = 23


class Cost(NamedTuple):
    """What one step asks of ARM."""

    writes: int
    reads: int


PROMOTION = Cost(1, 2)  # A look before, the change, and a look that proves it.
LOOK = Cost(0, 1)
CHANGE = Cost(1, 1)


@dataclass
class Bucket:
    """What one of ARM's buckets holds at least, as far as one caller of it can tell.

    A request is counted when it is answered, as late as it may have been sent: a full bucket gains
    nothing, so whoever counts earlier believes in tokens that ARM never gave. Not thread-safe.
    """

    size: float = WRITES_BUCKET
    per_second: float = WRITES_PER_SECOND
    tokens: float = WRITES_BUCKET
    at: datetime | None = None

    def level(self, now: datetime) -> float:
        """The tokens in it at `now`."""
        gained = (now - self.at).total_seconds() * self.per_second if self.at else 0.0
        return min(self.size, self.tokens + gained)

    def wait_seconds(self, n: int, now: datetime) -> float:
        """How long until it pays for `n` more requests, of which it can hold that many."""
        return max(0.0, (min(n, self.size) - self.level(now)) / self.per_second)

    def spend(self, n: int, now: datetime) -> None:
        """`n` requests were answered until `now`."""
        self.tokens, self.at = self.level(now) - n, now


@dataclass
class Buckets:
    """ARM's two buckets for one caller in one region."""

    writes: Bucket = field(default_factory=Bucket)
    reads: Bucket = field(
        default_factory=lambda: Bucket(READS_BUCKET, READS_PER_SECOND, READS_BUCKET)
    )

    def told(self) -> dict:
        """What is left, as JSON."""
        known = (("writes", self.writes), ("reads", self.reads))
        return {name: [b.tokens, b.at.isoformat() if b.at else None] for name, b in known}

    def become(self, told: dict) -> "Buckets":
        """Go on with what somebody else has counted, who had them meanwhile."""
        for name, bucket in (("writes", self.writes), ("reads", self.reads)):
            tokens, at = told[name]
            bucket.tokens, bucket.at = tokens, datetime.fromisoformat(at) if at else None
        return self

    def wait_seconds(self, cost: Cost, n: int, now: datetime) -> float:
        """How long until both pay for `n` steps of that cost."""
        writes = self.writes.wait_seconds(n * cost.writes, now)
        return max(writes, self.reads.wait_seconds(n * cost.reads, now))

    def spend(self, cost: Cost, n: int, now: datetime) -> None:
        """`n` steps of that cost were answered until `now`."""
        self.writes.spend(n * cost.writes, now)
        self.reads.spend(n * cost.reads, now)


def bound_seconds(n: int, cost: Cost = PROMOTION) -> float:
    """The earliest time at which full buckets have paid for `n` such steps, in seconds."""
    full = Buckets()
    writes = (n * cost.writes - full.writes.size) / full.writes.per_second
    return max(0.0, writes, (n * cost.reads - full.reads.size) / full.reads.per_second)


def pause_seconds(waited: float, least: float, share: float) -> float:
    """How long to wait before looking again, after `waited` seconds of looking.

    A share of what was waited already: waits of hours take hundreds of looks, and each look comes
    late by no more than that share.
    """
    return max(least, waited * share)
