"""Pace: stay inside ARM's token buckets, because a 429 in a failover costs more than waiting.

ARM's bucket for writes, per region, subscription and principal, holds 200 and refills with 10 a
second; that for reads holds 250 and refills with 25 (request-limits-and-throttling, since 2024).
"""

from dataclasses import dataclass
from datetime import datetime

WRITES_BUCKET = 200
WRITES_PER_SECOND = 10
# Of the reads a share is left to those who look beside a run: watchdog, caretaker, people.
READS_BUCKET = 200
READS_PER_SECOND = 20


@dataclass
class Bucket:
    """What ARM's bucket holds at least, as far as one caller of it can tell. Not thread-safe.

    A request is counted when it is answered, as late as it may have been sent: a full bucket gains
    nothing, so whoever counts earlier believes in tokens that ARM never gave.
    """

    size: float = WRITES_BUCKET
    per_second: float = WRITES_PER_SECOND
    tokens: float = WRITES_BUCKET
    at: datetime | None = None

    @classmethod
    def of_reads(cls) -> "Bucket":
        """A full one of reads."""
        return cls(READS_BUCKET, READS_PER_SECOND, READS_BUCKET)

    @classmethod
    def read(cls, told: dict) -> "Bucket":
        """The one that `told` told of."""
        at = datetime.fromisoformat(told["at"]) if told["at"] else None
        return cls(told["size"], told["perSecond"], told["tokens"], at)

    def told(self) -> dict:
        """It as JSON."""
        at = self.at.isoformat() if self.at else None
        return {"size": self.size, "perSecond": self.per_second, "tokens": self.tokens, "at": at}

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

    def become(self, told: dict) -> None:
        """Go on with what somebody else has counted, who had it meanwhile."""
        other = Bucket.read(told)
        self.tokens, self.at = other.tokens, other.at


def bound_seconds(n: int, bucket: int = WRITES_BUCKET, rate: float = WRITES_PER_SECOND) -> float:
    """The earliest time at which a full bucket has paid for `n` requests, in seconds."""
    return max(0.0, (n - bucket) / rate)


def pause_seconds(waited: float, least: float, share: float) -> float:
    """How long to wait before looking again, after `waited` seconds of looking.

    A share of what was waited already: waits of hours take hundreds of looks, and each look comes
    late by no more than that share.
    """
    return max(least, waited * share)
