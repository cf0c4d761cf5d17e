"""What a person decides of a plan reaches the witness, and only what is complete and sound."""

import json
from collections.abc import Iterator

import pytest

from activities import desk, desk_orders
from shared.problem import Problem
from tests.doors import Doors

GOOD = {"by": "ada", "comment": "game day"}


@pytest.fixture(autouse=True)
def fresh(doors: Doors) -> Iterator[None]:
    """Every test begins and ends without a witness record."""
    doors.drop("stcontosowitness", "understudy", "contoso.json")
    yield
    doors.drop("stcontosowitness", "understudy", "contoso.json")


def say(word: str, body: object = GOOD, plan: str = "contoso") -> dict:
    status, answer = desk.order_decision(plan, word, json.dumps(body).encode())
    assert status == 200
    return answer


def test_a_decision_without_a_name_is_400_with_every_error(doors: Doors) -> None:
    with pytest.raises(Problem) as no:
        say("pause", {"comment": 7, "why": "x"})
    assert no.value.body["status"] == 400 and len(no.value.body["errors"]) == 3


def test_a_decision_about_an_unknown_plan_is_404(doors: Doors) -> None:
    with pytest.raises(Problem) as no:
        say("pause", plan="fabrikam")
    assert no.value.body["status"] == 404


def test_a_paused_plan_moves_for_nobody_until_it_is_resumed(doors: Doors) -> None:
    assert say("pause")["paused"]
    order = json.dumps({"mode": "forced", "reason": "lost"}).encode()
    with pytest.raises(Problem) as no:
        desk_orders.order_failover("contoso", order, None)
    assert no.value.body["status"] == 409 and "paused" in no.value.body["detail"]
    assert not say("resume")["paused"]


def test_who_decided_and_why_is_kept_at_the_witness(doors: Doors) -> None:
    say("pause")
    record = desk.known_record(doors.plan.document)
    line = record["transitions"][-1]
    assert (line["who"], line["what"], line["why"]) == ("ada", "paused", "game day")


def test_a_maintenance_window_holds_a_person_too_until_it_is_lifted(doors: Doors) -> None:
    window = '\nmaintenance: [{cron: "0 0 * * *", minutes: 2880, because: patching}]\n'
    text = f"{doors.plan_text}{window}".encode()
    doors.lay("stcontosone", "understudy", "plans/contoso.yaml", text)
    order = json.dumps({"mode": "forced", "reason": "lost", "dryRun": True}).encode()
    try:
        held = desk_orders.order_failover("contoso", order, None)[1]
        lifted = say("resume")
        free = desk_orders.order_failover("contoso", order, None)[1]
    finally:
        doors.lay("stcontosone", "understudy", "plans/contoso.yaml", doors.plan_text.encode())
    assert not held["allowed"] and "maintenance until" in held["because"]
    assert lifted["liftedAt"] and free["allowed"]
