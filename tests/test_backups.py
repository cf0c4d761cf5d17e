"""Backups are named once, and the last proven one is never pruned."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import backups
from tests.unhurried import UNHURRIED

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def made(days_ago: float, proven: bool = False) -> dict:
    begun = NOW - timedelta(days=days_ago)
    manifest = backups.manifest(
        plan="contoso", service="/x", sku="Standard", fingerprint="f" * 64, now=begun
    )
    manifest = {**manifest, "name": f"b-{days_ago}", "completedAt": begun.isoformat(), "bytes": 1}
    return backups.proven(manifest, "compared", begun) if proven else manifest


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "not JSON"),
        ("[]", "manifest"),
        ("{}", "name"),
        (json.dumps({**made(0), "bytes": -1}), "bytes"),
        (json.dumps({**made(0), "startedAt": "once"}), "startedAt"),
        (" " * 70_000, "at most"),
    ],
)
def test_a_bad_manifest_is_refused_and_named(body: str, words: str):
    answer = backups.parse(body)
    assert answer["status"] == "refused" and words in answer["because"]


def test_a_manifest_is_read_back_as_it_was_written():
    assert backups.parse(json.dumps(made(1, proven=True))) == made(1, proven=True)


def test_a_name_says_plan_time_and_content():
    assert backups.name("contoso", "abcdef0123", NOW) == "contoso-20261121T090000Z-abcdef01"


def test_a_backup_expires_after_thirty_days():
    assert [backups.expired(made(d), NOW) for d in (29.9, 30)] == [False, True]


def test_the_first_proof_stands():
    first = backups.proven(made(0), "compared", NOW)
    assert backups.proven(first, "again", NOW + timedelta(hours=1)) is first


def test_nothing_is_the_latest_of_nothing():
    assert backups.latest([]) is None


def test_the_latest_is_the_youngest():
    assert backups.latest([made(2), made(1), made(3)]) == made(1)


def test_the_latest_proven_is_not_merely_the_latest():
    assert backups.latest_proven([made(1), made(2, proven=True)]) == made(2, proven=True)


def test_old_ones_go():
    assert backups.prune([made(1), made(26)], NOW, 25, 10) == ["b-26"]


def test_too_many_go_from_the_oldest():
    assert backups.prune([made(1), made(2), made(3)], NOW, 25, 2) == ["b-3"]


def test_the_last_proven_one_stays_however_old():
    assert backups.prune([made(1), made(40, proven=True)], NOW, 25, 1) == []


some = st.lists(
    st.tuples(st.floats(0, 60).map(lambda d: round(d, 3)), st.booleans()),
    unique_by=lambda pair: pair[0],
    max_size=15,
)


@UNHURRIED
@given(some, st.integers(1, 29), st.integers(1, 10))
def test_the_last_proven_one_is_never_pruned(ages: list[tuple[float, bool]], days: int, count: int):
    manifests = [made(*age) for age in ages]
    kept = backups.latest_proven(manifests)
    assert kept is None or kept["name"] not in backups.prune(manifests, NOW, days, count)


@UNHURRIED
@given(some, st.integers(1, 29), st.integers(1, 10))
def test_nothing_else_outlives_its_days(ages: list[tuple[float, bool]], days: int, count: int):
    manifests = [made(*age) for age in ages]
    gone = set(backups.prune(manifests, NOW, days, count))
    left = [m for m in manifests if m["name"] not in gone and m != backups.latest_proven(manifests)]
    assert len(left) <= count
    assert all(NOW - backups.made_at(m) < timedelta(days=days) for m in left)
