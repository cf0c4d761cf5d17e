"""In a maintenance window nobody moves a plan, until it ends or a person lifts it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import decisions, maintenance, permit, witness
from shared.record import fresh, stamp
from tests import papers
from tests.test_plan import check_refused, document
from tests.unhurried import UNHURRIED

SATURDAY = datetime(2026, 11, 21, 2, tzinfo=UTC)
WINDOW = {"cron": "0 2 * * 6", "minutes": 120, "timezone": "UTC", "because": "patching"}
PLAN = {
    "name": "contoso",
    "home": "we",
    "locations": {"we": {}, "ne": {}},
    "automation": "automatic",
    "maintenance": [WINDOW],
}
LOST = {"state": "lost", "because": "two kinds fail"}
moments = st.integers(0, 3 * 365 * 24 * 3600).map(
    lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def later(**span: float) -> datetime:
    return SATURDAY + timedelta(**span)


def held(now: datetime, lifted: datetime | None = None, **more: object) -> dict | None:
    return maintenance.in_force([{**WINDOW, **more}], stamp(lifted) if lifted else None, now)


def allow(now: datetime, origin: str, record: dict | None = None) -> dict:
    return permit.allow(LOST, record or fresh(PLAN, now), PLAN, "ne", now, origin)


@pytest.mark.parametrize(
    "cron",
    ["0 2 * *", "0 0 2 * * 6", "R 2 * * *", "0 2 30 2 *", "61 * * * *", "every saturday at 2"],
)
def test_a_window_that_never_opens_is_refused_with_its_path(cron: str):
    wrong = {**WINDOW, "cron": cron}
    check_refused({**document(), "maintenance": [WINDOW, wrong]}, "maintenance[1].cron")


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../etc", ""])
def test_a_window_in_no_time_zone_is_refused_with_its_path(zone: str):
    wrong = {**WINDOW, "timezone": zone}
    check_refused({**document(), "maintenance": [wrong]}, "maintenance[0].timezone")


@pytest.mark.parametrize("origin", ["watchdog", "person"])
def test_a_window_stops_everybody(origin: str):
    answer = allow(later(minutes=5), origin)
    assert not answer["allowed"] and answer["reason"] == "maintenance"


@pytest.mark.parametrize("by", ["person", "watchdog in ne"])
def test_a_run_that_was_reserved_before_a_window_does_not_claim_in_it(by: str):
    """Approved, resumed or merely late: people work on one of the two sides by now."""
    asked, windows = papers.paper("r1", by=by), [WINDOW]
    record = witness.reserve(fresh(PLAN, later(minutes=-5)), asked, later(minutes=-5))
    refused = witness.claim(record, asked, later(minutes=1), windows)
    assert witness.refusal(refused) and "maintenance until" in refused["because"]
    assert "/api/plans/contoso/resume lifts it" in refused["because"]
    lifted = {**record, "liftedAt": stamp(later(seconds=30))}
    assert witness.claim(lifted, asked, later(minutes=1), windows)["epoch"] == 1


def test_a_claim_that_was_made_before_a_window_stays_made():
    asked = papers.paper("r1", by="person")
    record = witness.reserve(fresh(PLAN, later(minutes=-5)), asked, later(minutes=-5))
    claimed = witness.claim(record, asked, later(minutes=-1), [WINDOW])
    assert witness.claim(claimed, asked, later(minutes=1), [WINDOW]) is claimed


def test_a_window_stands_above_a_pause_too():
    record = {**fresh(PLAN, SATURDAY), "paused": True}
    assert allow(later(minutes=5), "person", record)["reason"] == "maintenance"


def test_who_is_held_is_told_until_when_and_how_to_lift_it():
    because = allow(later(minutes=5), "watchdog")["because"]
    assert "2026-11-21T04:00:00+00:00" in because and "patching" in because
    assert "POST /api/plans/contoso/resume" in because


def test_a_window_is_open_from_its_first_moment_and_closed_at_its_last():
    inside = [later(seconds=s) for s in (0, 1, 7199)]
    outside = [later(seconds=s) for s in (-1, 7200)]
    assert all(map(held, inside)) and not any(map(held, outside))


def test_resume_lifts_the_window_that_is_open():
    record, now = fresh(PLAN, SATURDAY), later(minutes=5)
    lifted = decisions.decide(record, "resume", "ada", "all is well", now, [WINDOW])
    assert allow(later(minutes=6), "watchdog", lifted)["allowed"]
    assert lifted["transitions"][-1]["what"] == "lifted"


def test_lifting_twice_writes_once():
    record, now = fresh(PLAN, SATURDAY), later(minutes=5)
    lifted = decisions.decide(record, "resume", "ada", "", now, [WINDOW])
    assert decisions.decide(lifted, "resume", "ada", "", later(minutes=6), [WINDOW]) is lifted


def test_resume_outside_a_window_lifts_nothing():
    record = {**fresh(PLAN, SATURDAY), "paused": True}
    resumed = decisions.decide(record, "resume", "ada", "", later(hours=3), [WINDOW])
    assert resumed["liftedAt"] is None and not resumed["paused"]


def test_the_next_window_holds_again():
    assert held(later(days=7, minutes=5), lifted=later(minutes=5))


def test_a_window_follows_the_clocks_of_its_time_zone():
    """02:30 in Amsterdam is 01:30 UTC in winter and 00:30 UTC in summer."""
    there = {"cron": "30 2 * * *", "timezone": "Europe/Amsterdam", "minutes": 30}
    winter, summer = (
        datetime(2026, 1, 5, 1, 45, tzinfo=UTC),
        datetime(2026, 7, 5, 0, 45, tzinfo=UTC),
    )
    assert held(winter, **there) and held(summer, **there)
    assert not held(winter - timedelta(hours=1), **there)


def test_of_two_open_windows_the_longer_one_is_told():
    long = {**WINDOW, "minutes": 600, "because": "moving house"}
    found = maintenance.in_force([WINDOW, long], None, later(minutes=5))
    assert found and found["because"] == "moving house"


def test_the_window_that_opens_next_is_known():
    found = maintenance.coming([WINDOW], later(minutes=5))
    assert found and found["from"] == stamp(later(days=7))


def test_a_plan_without_windows_is_never_held():
    assert maintenance.in_force([], None, SATURDAY) is None
    assert maintenance.coming([], SATURDAY) is None


@UNHURRIED
@given(moments, st.integers(1, 20_000))
def test_a_window_is_open_exactly_between_its_opening_and_its_end(now: datetime, minutes: int):
    found = held(now, minutes=minutes)
    start = maintenance.fired(WINDOW, now, later=False)
    assert start <= now and bool(found) == (now < start + timedelta(minutes=minutes))


@UNHURRIED
@given(moments, moments)
def test_lifting_never_opens_a_window_and_lifts_no_later_one(now: datetime, lifted: datetime):
    found, open_anyway = held(now, lifted), held(now)
    assert not found or found == open_anyway
    if open_anyway and lifted < datetime.fromisoformat(open_anyway["from"]):
        assert found
