"""Manual steps: what a person is asked, the word that ends it, and what it does not hold."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from activities import desk
from orchestrations.chores import CHORES, in_turn
from orchestrations.component import component
from shared import manual
from shared.outcome import refused, skipped, succeeded
from shared.plan import BadPlan, checked
from shared.problem import Problem
from shared.record import fresh, noted
from tests.doors import HERE, THERE, Doors
from tests.parts import called, plan_with, task
from tests.replay import Replay
from tests.sample_plan import PLAN as DOCUMENT

PART = {
    "name": "hotline",
    "kind": "manual",
    "stage": "activate",
    "ask": "Call the forwarder and name the location that serves.",
    "minutes": 30,
}
AFTER = {
    "name": "forwarding",
    "kind": "http",
    "stage": "activate",
    "url": "https://x.example.net/",
    "waitsFor": ["hotline"],
}
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


def record(epoch: int = 1, since: timedelta = timedelta(0)) -> dict:
    """A record whose epoch was claimed so long ago."""
    known = {**fresh(checked(DOCUMENT).document, NOW), "epoch": epoch, "active": HERE}
    return noted(known, NOW - since, "run-1", "claimed", "")


@pytest.fixture(autouse=True)
def apart(doors: Doors) -> Iterator[None]:
    yield
    doors.drop("stcontosowitness", "understudy", "contoso.json")
    doors.lay("stcontosone", "understudy", "plans/contoso.yaml", doors.plan_text.encode())


def held(doors: Doors, since: timedelta = timedelta(0), **more: object) -> dict:
    """The step's Task, of an epoch that was claimed so long ago."""
    payload = task(doors, PART, "promote")
    now = datetime.now(UTC)
    known = noted({"epoch": 1, "transitions": []}, now - since, "run-1", "claimed", "")
    doors.hold(transitions=known["transitions"], **more)
    return payload


def said(doors: Doors, **more: object) -> tuple:
    text = json.dumps(plan_with(doors, PART).document)
    doors.lay("stcontosone", "understudy", "plans/contoso.yaml", text.encode())
    body = {"by": "ada", "comment": "called at 8", "component": "hotline", **more}
    return desk.order_decision("contoso", "acknowledge", json.dumps(body).encode())


def test_a_step_that_takes_hours_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="minutes"):
        plan_with(doors, {**PART, "minutes": 61})


def test_what_waits_for_a_person_in_another_stage_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="hotline asks a person in stage activate"):
        plan_with(doors, PART, {**AFTER, "stage": "redirect"})


def test_what_waits_for_a_person_in_his_stage_comes_after_him(doors: Doors) -> None:
    waves = plan_with(doors, PART, AFTER).waves("activate", HERE)
    order = {name: n for n, wave in enumerate(waves) for name in wave}
    assert order["hotline"] < order["forwarding"]


def test_a_step_without_a_word_is_refused_with_what_is_to_be_done(doors: Doors) -> None:
    outcome = called(doors, "ask_person", held(doors))
    assert (outcome["status"], outcome.get("busy")) == ("refused", None)
    assert PART["ask"] in outcome["because"]
    assert "POST plans/contoso/acknowledge" in outcome["because"]


def test_when_the_time_is_over_that_is_said(doors: Doors) -> None:
    outcome = called(doors, "ask_person", held(doors, timedelta(minutes=31)))
    assert outcome["because"].startswith("nobody said within 30 min")


def test_a_word_on_a_step_that_is_none_is_404(doors: Doors) -> None:
    held(doors)
    with pytest.raises(Problem) as no:
        said(doors, component="nightly-invoices")
    assert no.value.body["status"] == 404


def test_only_an_acknowledgement_names_a_step(doors: Doors) -> None:
    body = json.dumps({"by": "ada", "component": "hotline"}).encode()
    with pytest.raises(Problem) as no:
        desk.order_decision("contoso", "pause", body)
    assert no.value.body["status"] == 400


def test_the_word_ends_the_step(doors: Doors) -> None:
    payload = held(doors)
    assert said(doors)[0] == 200
    outcome = called(doors, "ask_person", payload)
    assert (outcome["status"], outcome["because"]) == ("skipped", "done, says ada: called at 8")


def test_the_word_ends_no_quiet_period(doors: Doors) -> None:
    until = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    held(doors, quietUntil=until)
    assert said(doors)[1]["quietUntil"] is not None


@pytest.mark.parametrize("location, serving", [(HERE, True), (THERE, False)])
def test_it_serves_where_the_plan_is_active(doors: Doors, location: str, serving: bool) -> None:
    held(doors)
    said(doors)
    payload = {"plan": "contoso", "component": PART, "location": location, "dryRun": True}
    payload["witness"] = doors.plan.document["witness"]
    assert called(doors, "observe_person", payload)["serving"] is serving


def test_a_dry_run_says_what_would_be_asked(doors: Doors) -> None:
    payload = {**held(doors), "dryRun": True}
    assert PART["ask"] in called(doors, "observe_person", payload)["would"]


def test_a_plan_that_never_moved_has_asked_nothing() -> None:
    assert manual.say(record(epoch=0), "hotline", "ada", "", NOW)["status"] == "refused"


def test_a_word_said_twice_stands_once() -> None:
    once = manual.say(record(), "hotline", "ada", "", NOW)
    assert manual.say(once, "hotline", "ada", "", NOW) is once


def test_a_word_is_of_one_epoch() -> None:
    known = manual.say(record(), "hotline", "ada", "", NOW)
    assert manual.word({**known, "epoch": 2}, "hotline", 2) is None


def looked(answer: dict) -> list[str]:
    """What a caretaker calls who looks after a step and what waits for it."""
    plan = checked({**DOCUMENT, "components": [*DOCUMENT["components"], PART, AFTER]})
    paper = {"plan": "contoso", "run": "contoso-caretaker-x", "stage": "serve", "epoch": 1}

    def caring(context):
        names = ["hotline", "forwarding"]
        return (yield from in_turn(context, plan, {**paper, "to": HERE}, CHORES["serve"], names, 0))

    answers = {"ask_person": answer, "observe_person": succeeded("", serving=True)}
    answers["call_hook"] = succeeded()
    run = Replay(caring, {}, answers, {"component": component}).run()
    return [name for name in ("ask_person", "call_hook") if run.named(name)]


def test_the_caretaker_does_not_start_what_waits_for_a_person() -> None:
    assert looked(refused("a person is to do this")) == ["ask_person"]


def test_the_caretaker_goes_on_once_the_word_is_there() -> None:
    assert looked(skipped("done, says ada")) == ["ask_person", "call_hook"]
