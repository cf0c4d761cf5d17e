"""Every no has its reason, and a person may overrule a watchdog's doubts but not a run."""

from datetime import datetime, timedelta

import pytest

from shared import witness
from shared.permit import allow
from shared.record import fresh, noted
from tests.papers import NOW, paper

PLAN = {
    "name": "contoso",
    "home": "we",
    "locations": {"we": {}, "ne": {}},
    "automation": "automatic",
}
LOST = {"state": "lost", "because": "health and gateway are silent", "since": NOW.isoformat()}


def record(**changes: object) -> dict:
    return {**fresh(PLAN, NOW), **changes}


def reserved(at: datetime) -> dict:
    return witness.reserve(record(), paper(by="someone", now=at), at)


def later(**span: float) -> datetime:
    return NOW + timedelta(**span)


def check_no(words: str, answer: dict) -> None:
    assert not answer["allowed"] and words in answer["because"], answer


def test_an_unreadable_witness_allows_nobody():
    for origin in ("watchdog", "person"):
        check_no("witness cannot be read", allow(LOST, None, PLAN, "ne", NOW, origin))


def test_the_active_location_does_not_take_over_from_itself():
    check_no("active in ne already", allow(LOST, record(active="ne"), PLAN, "ne", NOW))


def test_a_stranger_does_not_take_over():
    check_no("no location", allow(LOST, record(), PLAN, "uk", NOW))


@pytest.mark.parametrize("origin", ["watchdog", "person"])
def test_a_pause_stops_everybody(origin: str):
    check_no("paused", allow(LOST, record(paused=True), PLAN, "ne", NOW, origin))


@pytest.mark.parametrize("origin", ["watchdog", "person"])
def test_a_run_in_progress_stops_everybody(origin: str):
    check_no("run r1 is in progress", allow(LOST, reserved(NOW), PLAN, "ne", NOW, origin))


CALM = ["healthy", "degraded", "controlPlaneOnly", "suspect", "isolated", "inconclusive"]


@pytest.mark.parametrize("state", CALM)
def test_only_a_loss_moves_the_watchdog(state: str):
    verdict = {"state": state, "because": "seen"}
    check_no(f"the verdict is {state}", allow(verdict, record(), PLAN, "ne", NOW))


def test_no_verdict_moves_no_watchdog():
    check_no("no verdict", allow(None, record(), PLAN, "ne", NOW))


def test_a_live_lease_makes_the_watchdog_wait():
    leased = witness.renew(record(), "we", NOW, 30)
    check_no("waiting for it to run out", allow(LOST, leased, PLAN, "ne", later(seconds=29)))


def test_the_quiet_period_holds_the_watchdog():
    quiet = record(quietUntil=later(minutes=30).isoformat())
    check_no("quiet until", allow(LOST, quiet, PLAN, "ne", later(minutes=29)))


def test_a_plan_that_only_alerts_is_left_to_a_person():
    plan = {**PLAN, "automation": "alert"}
    assert allow(LOST, record(), plan, "ne", NOW)["needs"] is None
    check_no("only alerts", allow(LOST, record(), plan, "ne", NOW))


def test_a_plan_that_asks_for_approval_says_so():
    plan = {**PLAN, "automation": "approval"}
    assert allow(LOST, record(), plan, "ne", NOW)["needs"] == "approval"


def test_a_doubtful_verdict_does_not_ask_for_approval():
    plan = {**PLAN, "automation": "approval"}
    calm = {"state": "healthy", "because": "seen"}
    assert allow(calm, record(), plan, "ne", NOW)["needs"] is None


@pytest.mark.parametrize("end", ["declined", "expired"])
def test_what_a_person_left_unapproved_is_not_asked_for_again(end: str):
    plan = {**PLAN, "automation": "approval"}
    held = noted(record(), later(minutes=1), "r1", end, "ada: no")
    answer = allow(LOST, held, plan, "ne", later(minutes=2))
    check_no("until the verdict changes", answer)
    assert answer["needs"] is None
    anew = {**LOST, "since": later(minutes=2).isoformat()}
    assert allow(anew, held, plan, "ne", later(minutes=3))["needs"] == "approval"


def test_an_unknown_mode_is_refused():
    check_no("none of", allow(None, record(), PLAN, "ne", NOW, "person", "gentle"))


def test_a_lost_location_cannot_be_left_gracefully():
    check_no("use forced", allow(LOST, record(), PLAN, "ne", NOW, "person", "graceful"))


def test_a_graceful_run_may_leave_a_location_that_lives():
    calm = {"state": "healthy", "because": "seen"}
    assert allow(calm, record(), PLAN, "ne", NOW, "person", "graceful")["allowed"]


def test_a_loss_moves_the_watchdog():
    assert allow(LOST, record(), PLAN, "ne", NOW)["allowed"]


def test_a_lease_that_ran_out_holds_nobody():
    leased = witness.renew(record(), "we", NOW, 30)
    assert allow(LOST, leased, PLAN, "ne", later(seconds=30))["allowed"]


def test_the_quiet_period_ends():
    quiet = record(quietUntil=later(minutes=30).isoformat())
    assert allow(LOST, quiet, PLAN, "ne", later(minutes=30))["allowed"]


def test_a_forgotten_reservation_holds_nobody():
    assert allow(LOST, reserved(NOW), PLAN, "ne", later(minutes=11))["allowed"]


def test_a_person_overrules_verdict_lease_quiet_and_automation():
    held = witness.renew(record(quietUntil=later(minutes=30).isoformat()), "we", NOW, 30)
    plan = {**PLAN, "automation": "alert"}
    assert allow(None, held, plan, "ne", NOW, "person")["allowed"]


def test_a_yes_has_its_reason():
    assert allow(LOST, record(), PLAN, "ne", NOW)["because"] == LOST["because"]
