"""A watchdog that should watch and does not is somebody's business; elsewhere silence is right."""

from datetime import UTC, datetime, timedelta

import pytest

from shared import views
from shared.record import fresh
from shared.watch import alive
from tests.stories import DOCUMENT, HERE, LOST

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RECORD = fresh(DOCUMENT, NOW)


def seen(at: datetime, location: str = HERE) -> dict:
    verdict = {"state": "healthy", "because": "seen", "since": at.isoformat()}
    words = {"plan": "contoso", "location": location, "watches": LOST, "verdict": verdict}
    return {**words, "at": at.isoformat(), "observations": [], "controls": [], "refusal": ""}


def status(state: dict | None, record: dict | None, here: str = HERE) -> str:
    return alive(state, record, here, 10, NOW)[0]


def shown(state: dict, record: dict, **options: object) -> dict:
    return views.plan_view({**DOCUMENT, **options}, record, state, [], [], NOW)


def test_a_standby_whose_watchdog_is_silent_fails():
    assert status(seen(NOW - HOUR), RECORD) == "failing"


def test_nobody_can_say_who_watches_without_the_witness():
    assert status(seen(NOW - HOUR), None) == "warning"


def test_a_standby_that_has_never_watched_is_warned_of():
    assert status(None, RECORD) == "warning"


def test_who_watches_is_open_while_a_run_is_under_way():
    assert status(seen(NOW - HOUR), {**RECORD, "run": {"id": "r1"}}) == "ok"


def test_where_the_plan_is_active_nobody_has_to_watch():
    assert status(seen(NOW - HOUR, LOST), RECORD, LOST) == "ok"


def test_a_standby_that_watches_is_well():
    assert status(seen(NOW), RECORD) == "ok"


def test_a_silent_watchdog_is_a_warning_beside_the_plan():
    view = shown(seen(NOW - HOUR), RECORD)
    assert "silent since" in view["warnings"][0] and view["verdict"]["stale"]


def test_an_old_watch_state_is_no_warning_where_the_plan_is_active():
    view = shown(seen(NOW - HOUR), {**RECORD, "active": HERE})
    assert view["warnings"] == [] and view["verdict"]["stale"]


@pytest.mark.parametrize("hours", [1, 5])
def test_a_plan_shows_its_window_of_now_and_the_next_one(hours: int):
    """Monday at eight: the window of seven o'clock is open for two hours."""
    window = {"cron": f"0 {8 - hours} * * *", "minutes": 120, "because": "patching"}
    view = shown(seen(NOW), RECORD, maintenance=[window])["maintenance"]
    assert bool(view["now"]) == (hours == 1)
    assert view["next"]["from"] == (NOW - hours * HOUR + 24 * HOUR).isoformat()
