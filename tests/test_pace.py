"""Paced writes never meet an empty bucket, and are no slower than they must be."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rehearsal import arm_throttle
from shared import pace
from tests.unhurried import UNHURRIED

START = datetime(2026, 1, 5, tzinfo=UTC)
SIZE, RATE = pace.WRITES_BUCKET, pace.WRITES_PER_SECOND
# (how many requests, seconds until all are answered, the share of them before they are sent)
chunks = st.lists(
    st.tuples(st.integers(1, 25), st.floats(0, 20), st.floats(0, 1)), min_size=1, max_size=60
)


def later(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)


def test_a_thousand_writes_take_eighty_seconds():
    assert pace.bound_seconds(1000) == 80


def test_of_three_hundred_the_looks_take_longer_than_the_changes():
    assert pace.bound_seconds(300) == (600 - 225) / 23 > 10


def test_the_first_two_hundred_wait_for_nothing():
    assert pace.Bucket().wait_seconds(200, START) == 0


def test_more_than_it_can_hold_waits_until_it_is_full_and_no_longer():
    bucket = pace.Bucket()
    bucket.spend(100, START)
    assert bucket.wait_seconds(1000, START) == 10


def test_a_full_bucket_gains_nothing():
    bucket = pace.Bucket()
    bucket.spend(0, START)
    assert bucket.level(later(START, 3600)) == SIZE


def test_what_is_told_is_gone_on_with():
    buckets, cost = pace.Buckets(), pace.PROMOTION
    buckets.spend(cost, 7, START)
    other = pace.Buckets().become(buckets.told())
    assert other == buckets != pace.Buckets()


def test_the_scarcer_of_both_decides():
    buckets, looks = pace.Buckets(), pace.LOOK
    buckets.spend(looks, pace.READS_BUCKET, START)
    assert buckets.wait_seconds(looks, 23, START) == 1
    assert buckets.wait_seconds(pace.Cost(1, 0), 25, START) == 0
    assert buckets.wait_seconds(pace.PROMOTION, 23, START) == 2


@UNHURRIED
@given(chunks)
def test_arms_bucket_is_never_overdrawn_however_long_the_requests_take(chunks: list) -> None:
    arm = arm_throttle.Bucket(SIZE, RATE, SIZE, START)
    bucket, now = pace.Bucket(), START
    for count, seconds, share in chunks:
        # A microsecond is what a clock of Python's can lose.
        now = later(now, bucket.wait_seconds(count, now) + 1e-6)
        sent, now = later(now, seconds * share), later(now, seconds)
        assert [arm.take(sent) for _ in range(count)] == [0.0] * count
        bucket.spend(count, now)


@UNHURRIED
@given(st.integers(1, 200))
def test_requests_that_are_answered_at_once_end_at_the_bound(count: int) -> None:
    buckets, cost, now = pace.Buckets(), pace.PROMOTION, START
    for _ in range(count):
        now = later(now, buckets.wait_seconds(cost, 25, now))
        buckets.spend(cost, 25, now)
    taken = (now - START).total_seconds()
    assert abs(taken - pace.bound_seconds(25 * count)) < 0.01
