"""What a person says to a run reaches the witness, with what he was shown who overrides."""

import json
from collections.abc import Iterator

import pytest

from activities import desk, desk_orders, desk_runs
from shared.problem import Problem
from tests.doors import HERE, THERE, Doors
from tests.papers import paper_of

GOOD = {"by": "ada", "comment": "game day"}
FORCED = {"mode": "forced", "reason": "the drain takes too long", "to": HERE}


@pytest.fixture(autouse=True)
def fresh(doors: Doors) -> Iterator[None]:
    """Every test begins and ends without a witness record and a watch state."""
    doors.drop("stcontosowitness", "understudy", "contoso.json")
    doors.drop("stcontosone", "understudy", "watch/contoso.json")
    yield
    doors.drop("stcontosowitness", "understudy", "contoso.json")


def reserved(doors: Doors, mode: str = "forced", **more: object) -> str:
    """A run that is entered in the record, and whose slip nobody has sent."""
    paper = paper_of(doors, f"contoso-{mode}", mode, "person")
    asked = {"slip": paper, "witness": doors.plan.document["witness"], **more}
    assert doors.call("reserve_run", asked)["status"] == "succeeded"
    return paper["run"]


def claim(doors: Doors, run: str) -> None:
    paper = {"run": run, "plan": "contoso", "from": THERE, "to": HERE, "mode": "forced"}
    told = {"slip": {**paper, "by": "person", "epoch": None}, "phase": "redirect"}
    told["witness"] = doors.plan.document["witness"]
    assert doors.call("claim_epoch", told)["status"] == "succeeded"
    moved = {**told, "slip": {**told["slip"], "epoch": 1}}
    assert doors.call("advance_run", moved)["status"] == "succeeded"


def say(run: str, word: str, body: object = GOOD) -> dict:
    status, answer = desk_runs.order_word(run, word, json.dumps(body).encode())
    assert status == 200
    return answer


def refused(run: str, word: str) -> dict:
    with pytest.raises(Problem) as no:
        say(run, word)
    return no.value.body


def order(body: dict, key: str | None = None) -> dict:
    status, answer, _ = desk_orders.order_failover("contoso", json.dumps(body).encode(), key)
    assert status == 202
    return answer


def lines(doors: Doors) -> list[dict]:
    return desk.known_record(doors.plan.document)["transitions"]


def test_a_run_that_nobody_knows_is_404(doors: Doors) -> None:
    assert refused("contoso-none", "cancel")["status"] == 404
    assert refused("../contoso", "cancel")["status"] == 404


def test_a_run_behind_its_point_of_no_return_is_409_with_the_reason(doors: Doors) -> None:
    run = reserved(doors)
    claim(doors, run)
    body = refused(run, "cancel")
    assert (body["status"], "failed back" in body["detail"]) == (409, True)


def test_a_forced_order_is_refused_beside_a_run_that_waits_and_says_how_to_approve_it(
    doors: Doors,
) -> None:
    run = reserved(doors, approvalMinutes=60)
    with pytest.raises(Problem) as no:
        order(FORCED)
    assert f"/api/runs/{run}/approve" in no.value.body["detail"]


def test_nobody_approves_a_run_in_a_maintenance_window_and_its_claim_is_refused(
    doors: Doors,
) -> None:
    run = reserved(doors, approvalMinutes=60)
    window = {"cron": "0 0 * * *", "minutes": 2880, "because": "patching"}
    text = f"{doors.plan_text}\nmaintenance: [{json.dumps(window)}]\n"
    paper = {**paper_of(doors, run, "forced", "person"), "run": run}
    told = {"slip": paper, "witness": doors.plan.document["witness"], "maintenance": [window]}
    doors.lay("stcontosone", "understudy", "plans/contoso.yaml", text.encode())
    try:
        body = refused(run, "approve")
        claimed = doors.call("claim_epoch", told)
    finally:
        doors.lay("stcontosone", "understudy", "plans/contoso.yaml", doors.plan_text.encode())
    assert body["status"] == 409 and "maintenance until" in body["detail"]
    assert claimed["status"] == "refused" and "patching" in claimed["because"]


def test_a_run_that_is_cancelled_before_it_began_makes_room_for_another(doors: Doors) -> None:
    run = reserved(doors)
    assert say(run, "cancel")["state"] == "cancelled"
    assert order(FORCED, "another")["run"] != run


def test_who_approves_over_a_doubtful_verdict_has_the_evidence_kept(doors: Doors) -> None:
    answer = say(reserved(doors, approvalMinutes=60), "approve")
    assert answer["evidence"]["verdict"] is None
    line = lines(doors)[-1]
    assert (line["what"], line["why"]) == (
        "approved",
        "ada: game day; over no verdict, lease of None is not taken",
    )


def test_who_forces_over_a_live_lease_is_shown_it_and_it_is_kept(doors: Doors) -> None:
    asked = {"plan": "contoso", "location": THERE, "witness": doors.plan.document["witness"]}
    assert doors.call("renew_lease", asked)["status"] == "succeeded"
    shown = order(FORCED)["evidence"]
    assert (shown["lease"]["holder"], shown["lease"]["live"]) == (THERE, True)
    assert f"lease of {THERE} lives" in lines(doors)[-1]["why"]


def test_a_forced_order_makes_the_graceful_run_under_way_a_forced_one(doors: Doors) -> None:
    run = reserved(doors, "graceful")
    answer = order(FORCED, "once")
    assert (answer["run"], answer["mode"], answer["switched"]) == (run, "forced", True)
    assert order(FORCED, "once")["run"] == run
    assert [line["what"] for line in lines(doors)].count("forced") == 1


def test_a_repeat_of_the_graceful_order_does_not_switch_it_back(doors: Doors) -> None:
    run = reserved(doors, "graceful")
    order(FORCED)
    with pytest.raises(Problem) as no:
        order({"mode": "graceful", "reason": "again"})
    assert run in no.value.body["detail"]


def test_an_order_to_where_it_is_active_is_refused_where_nothing_is_left_open(
    doors: Doors,
) -> None:
    with pytest.raises(Problem) as no:
        order({**FORCED, "to": THERE})
    assert "active in westeurope already" in no.value.body["detail"]


def test_a_run_that_halted_after_its_claim_goes_on_where_a_person_says_so(doors: Doors) -> None:
    run = reserved(doors)
    claim(doors, run)
    paper = {"run": run, "plan": "contoso"}
    told = {"slip": paper, "witness": doors.plan.document["witness"], "because": "no plan"}
    assert doors.call("halt_run", told)["status"] == "succeeded"
    assert order(FORCED, "on")["run"] == f"{run}-r1"
    assert order(FORCED, "on")["run"] == f"{run}-r1"
    assert desk.known_record(doors.plan.document)["run"]["phase"] == "redirect"
