"""ARM's throttling: token buckets per principal, subscription, region and kind of operation.

Reads 250 and 25 per second, writes and deletes 200 and 10 per second, and 15 times as much per
subscription over all principals (learn.microsoft.com, request-limits-and-throttling, 2024).
"""

from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor

KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
LIMITS: dict[str, tuple[float, float]] = {
    "reads": (250, 25),
    "writes": (200, 10),
    "deletes": (200, 10),
}
SUBSCRIPTION_FACTOR = 15


@dataclass
class Bucket:
    """Tokens that come back with time."""

    size: float
    per_second: float
    tokens: float
    at: datetime

    def take(self, now: datetime) -> float:
        """Take one token and give 0, or leave it and give the seconds until there is one."""
        gained = max(0.0, (now - self.at).total_seconds()) * self.per_second
        self.tokens, self.at = min(self.size, self.tokens + gained), now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.per_second


class Throttle:
    """Every bucket; `limits` maps a kind to (bucket size, tokens per second)."""

    def __init__(self, limits: dict[str, tuple[float, float]] | None = None) -> None:
        self.limits = dict(limits or LIMITS)
        self._buckets: dict[tuple[str, ...], Bucket] = {}

    def set_limit(self, kind: str, size: float, per_second: float) -> None:
        """Give reads, writes or deletes other buckets from now on, full ones."""
        self.limits[kind] = (size, per_second)
        for key in [key for key in self._buckets if key[0] == kind]:
            del self._buckets[key]

    def take(
        self, method: str, principal: str, subscription: str, region: str, now: datetime
    ) -> tuple[int, dict[str, str]]:
        """Seconds to wait (0: go on) and the headers that tell what is left."""
        kind = KINDS.get(method, "writes")
        size, rate = self.limits[kind]
        own = self._bucket((kind, principal, subscription, region), size, rate, now)
        all_of_them = self._bucket(
            (kind, subscription, region),
            size * SUBSCRIPTION_FACTOR,
            rate * SUBSCRIPTION_FACTOR,
            now,
        )
        wait = own.take(now) or all_of_them.take(now)
        return ceil(wait), {
            f"x-ms-ratelimit-remaining-subscription-{kind}": str(floor(own.tokens)),
            f"x-ms-ratelimit-remaining-subscription-global-{kind}": str(floor(all_of_them.tokens)),
        }

    def _bucket(self, key: tuple[str, ...], size: float, rate: float, now: datetime) -> Bucket:
        return self._buckets.setdefault(key, Bucket(size, rate, size, now))
