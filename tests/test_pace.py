"""Paced writes never meet an empty bucket, and are no slower than they must be."""

from hypothesis import given
from hypothesis import strategies as st

from shared import pace
from tests.unhurried import UNHURRIED

counts = st.integers(0, 3000)
buckets = st.integers(1, 300)
rates = st.floats(0.5, 100)


def test_nothing_needs_no_batch():
    assert pace.batches(0) == []


def test_a_full_bucket_is_spent_at_once():
    assert pace.batches(200) == [(0.0, 200)]


def test_a_thousand_writes_take_eighty_seconds():
    assert pace.bound_seconds(1000) == 80


def test_the_first_two_hundred_wait_for_nothing():
    assert pace.delay_seconds(200) == 0


@UNHURRIED
@given(counts, buckets, rates)
def test_every_request_is_in_one_batch(n: int, bucket: int, rate: float):
    assert sum(size for _, size in pace.batches(n, bucket, rate)) == n


@UNHURRIED
@given(counts, buckets, rates)
def test_the_bucket_is_never_overdrawn(n: int, bucket: int, rate: float):
    tokens, at = float(bucket), 0.0
    for delay, size in pace.batches(n, bucket, rate):
        tokens, at = min(bucket, tokens + (delay - at) * rate), delay
        tokens -= size
        assert tokens > -1e-6


@UNHURRIED
@given(st.integers(1, 3000), buckets, rates)
def test_the_last_batch_goes_at_the_bound(n: int, bucket: int, rate: float):
    assert pace.batches(n, bucket, rate)[-1][0] == pace.bound_seconds(n, bucket, rate)
