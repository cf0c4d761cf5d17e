"""A request is refused with every error in it, and the same key is the same run."""

import json
from datetime import UTC, datetime

import pytest

from shared import api, forecast, problem, watch
from shared.plan import load
from shared.record import fresh
from tests.test_plan import CONTOSO, document

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
GOOD = {"mode": "forced", "reason": "drill"}


def ordered(body: object, key: str | None = "k") -> dict:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return api.failover_order(document(), data, key, NOW)


def record(**more: object) -> dict:
    return {**fresh(document(), NOW), **more}


def reserved(key: str = "k") -> dict:
    """The record after an order with `key` was reserved."""
    run = {"id": ordered(GOOD, key)["run"], "phase": "requested", "mode": "forced"}
    return record(run={**run, "from": "westeurope", "to": "northeurope"})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 9000, "not JSON"),
        (b" " * 20_000, "at most"),
        ([], "valid dictionary"),
        ({}, "mode: Field required"),
        ({"mode": "forced"}, "reason: Field required"),
        ({**GOOD, "reason": "  "}, "reason"),
        ({**GOOD, "mode": "maybe"}, "mode"),
        ({**GOOD, "dryRun": "yes"}, "dryRun"),
        ({**GOOD, "to": "uksouth"}, "to: uksouth is none"),
        ({**GOOD, "surprise": 1}, "surprise"),
        (b'{"mode": "forced", "reason": "\\ud800"}', "reason"),
    ],
)
def test_a_wrong_body_is_refused_and_named(body: object, words: str):
    with pytest.raises(api.BadRequest) as bad:
        ordered(body)
    assert any(words in error for error in bad.value.errors)


def test_every_error_of_a_body_is_told():
    with pytest.raises(api.BadRequest) as bad:
        ordered({"mode": 1, "reason": 2, "dryRun": 3})
    assert len(bad.value.errors) == 3


@pytest.mark.parametrize("key", ["", "two words", "x" * 201, "ü"])
def test_a_wrong_key_is_refused(key: str):
    with pytest.raises(api.BadRequest):
        ordered(GOOD, key)


def test_the_same_key_is_the_same_run():
    assert ordered(GOOD, "k")["run"] == ordered(GOOD, "k")["run"]


def test_another_key_is_another_run():
    assert ordered(GOOD, "k")["run"] != ordered(GOOD, "l")["run"]


def test_without_a_key_the_moment_names_the_run():
    assert ordered(GOOD, None)["run"] == "contoso-20261121T090000000000Z"


def test_a_key_that_began_another_direction_is_refused():
    with pytest.raises(api.BadRequest):
        api.begun(reserved(), ordered({**GOOD, "to": "westeurope"}))


def test_a_key_that_began_another_mode_is_refused():
    with pytest.raises(api.BadRequest):
        api.begun(reserved(), ordered({**GOOD, "mode": "graceful"}))


def test_a_new_key_began_nothing():
    assert api.begun(reserved(), ordered(GOOD, "another")) is None


def test_a_repeat_finds_its_run():
    assert api.begun(reserved(), ordered(GOOD)) == reserved()["run"]


def test_a_repeat_finds_its_run_after_the_end():
    ended = {"epoch": 1, "at": "", "who": ordered(GOOD)["run"], "what": "finished", "why": ""}
    found = api.begun(record(transitions=[ended]), ordered(GOOD))
    assert found and found["phase"] == "finished"


def test_the_target_follows_the_active_location():
    assert api.standby(document(), "westeurope") == "northeurope"
    assert api.standby(document(), "northeurope") == "westeurope"


def test_an_order_names_no_target_that_the_caller_did_not_name():
    assert ordered(GOOD)["to"] is None


def test_an_order_is_for_real_unless_it_says_otherwise():
    assert not ordered(GOOD)["dryRun"]


def test_a_problem_has_the_members_of_rfc_9457():
    body = problem.problem(409, "Not now", "a run is in progress", run="r1")
    assert body == {
        "type": "about:blank",
        "title": "Not now",
        "status": 409,
        "detail": "a run is in progress",
        "run": "r1",
    }


def test_a_problem_that_is_raised_says_what_it_is():
    raised = problem.Problem(problem.problem(404, "Unknown plan", "no plan x"))
    assert str(raised) == "404 Unknown plan: no plan x"


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"plan": 1}', " " * 70_000])
def test_a_bad_watch_state_is_refused(body: str):
    assert watch.parse(body)["status"] == "refused"


def test_a_watchdog_that_is_silent_is_stale():
    assert watch.stale({"at": "2026-11-21T08:00:00+00:00"}, 10, NOW)


def test_a_watchdog_that_spoke_is_not_stale():
    assert not watch.stale({"at": NOW.isoformat()}, 10, NOW)


def test_the_lower_bound_is_the_sum_of_its_parts():
    bound = forecast.rto_lower_bound(load(CONTOSO), "northeurope")
    assert bound["seconds"] == pytest.approx(sum(bound["parts"].values()))


def test_detection_is_rounds_times_interval():
    bound = forecast.rto_lower_bound(load(CONTOSO), "northeurope")
    assert bound["parts"]["detection"] == 30
