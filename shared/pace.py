"""Pace: stay inside ARM's token bucket, because a 429 in a failover costs more than waiting.

ARM's bucket for writes, per region, subscription and principal, holds 200 and refills with 10 a
second (request-limits-and-throttling, since 2024).
"""

WRITES_BUCKET = 200
WRITES_PER_SECOND = 10


def bound_seconds(n: int, bucket: int = WRITES_BUCKET, rate: float = WRITES_PER_SECOND) -> float:
    """The earliest time at which a full bucket has paid for `n` requests, in seconds."""
    return max(0.0, (n - bucket) / rate)


# How long after the first request the `n`th may be sent: the same figure, as a caller says it.
delay_seconds = bound_seconds


def pause_seconds(waited: float, least: float, share: float) -> float:
    """How long to wait before looking again, after `waited` seconds of looking.

    A share of what was waited already: waits of hours take hundreds of looks, and each look comes
    late by no more than that share.
    """
    return max(least, waited * share)


def batches(
    n: int, bucket: int = WRITES_BUCKET, rate: float = WRITES_PER_SECOND, size: int = 50
) -> list[tuple[float, int]]:
    """`n` requests as (seconds after the start, how many): sent so, none meets an empty bucket.

    The first batch empties the bucket; the later ones, `size` each, wait for their tokens.
    """
    if n <= 0:
        return []
    plan, sent = [(0.0, min(n, bucket))], min(n, bucket)
    while sent < n:
        step = min(size, bucket, n - sent)
        sent += step
        plan.append((bound_seconds(sent, bucket, rate), step))
    return plan
