"""Runs that end half way, and how they are taken up again: pure transitions of the record."""

import json
from datetime import datetime, timedelta

import pytest

from shared import resumption, runs, slip, witness
from shared.record import fresh
from tests.replay import START
from tests.sample_plan import DIGEST, PLAN, slip_at

NORTH, WEST = "northeurope", "westeurope"
LATER = START + timedelta(minutes=5)


def claimed(phase: str = "claim") -> dict:
    """The record of a run to the north that has come so far."""
    paper = slip_at("claim")
    record = witness.claim(witness.reserve(fresh(PLAN, START), paper, START), paper, START)
    for stage in slip.ROUTES["forced"][1:]:
        if record["run"]["phase"] == phase:
            break
        record = witness.advance(record, {**paper, "epoch": 1}, stage, START)
    return record


def halted(phase: str = "activate") -> dict:
    return witness.halt(claimed(phase), slip_at("claim"), "no storage", START)


def next_slip(record: dict) -> dict:
    left = resumption.abandoned(record, LATER)
    assert left is not None
    return resumption.slip_of(left, "contoso", DIGEST, record["epoch"])


def back(record: dict, when: datetime = START) -> dict:
    """A run back to the west is reserved."""
    paper = {**slip_at("claim"), "run": "contoso-3", "from": NORTH, "to": WEST, "by": "person"}
    return witness.reserve(record, paper, when)


def test_a_run_that_halts_before_its_claim_leaves_nothing_to_finish() -> None:
    paper = slip_at("claim")
    reserved = witness.reserve(fresh(PLAN, START), paper, START)
    assert witness.halt(reserved, paper, "late", START)["unfinished"] is None


def test_a_run_that_is_under_way_is_nobody_elses() -> None:
    assert resumption.abandoned(claimed("activate"), LATER) is None


def test_a_finished_run_leaves_nothing_to_finish() -> None:
    done = witness.finish(claimed("protect"), {**slip_at("claim"), "epoch": 1}, START, 30)
    assert done["unfinished"] is None and resumption.abandoned(done, LATER) is None


def test_a_run_that_halts_after_its_claim_is_remembered() -> None:
    left = resumption.abandoned(halted(), LATER)
    assert left and (left["phase"], left["resumed"]) == ("activate", 0)


def test_a_run_that_stood_still_for_an_hour_is_abandoned_though_nobody_halted_it() -> None:
    left = resumption.abandoned(claimed("fence"), START + timedelta(minutes=61))
    assert left and left["phase"] == "fence"


def test_a_claimed_run_that_is_overtaken_is_remembered_until_the_other_one_claims() -> None:
    late = START + timedelta(minutes=61)
    overtaken = back(claimed("activate"), late)
    assert overtaken["unfinished"]["id"] == slip_at("claim")["run"]
    assert resumption.abandoned(overtaken, late) is None, "the other one may still claim"
    theirs = {**slip_at("claim"), "run": "contoso-3", "from": NORTH, "to": WEST, "by": "person"}
    assert witness.claim(overtaken, theirs, late)["unfinished"] is None


def test_what_was_cancelled_and_undone_is_not_to_be_finished() -> None:
    paper = {**slip_at("claim"), "epoch": 1}
    record = claimed("fence")
    told = {"by": "ada", "at": START.isoformat(), "comment": ""}
    record = {**record, "run": {**record["run"], "cancel": told}, "unfinished": None}
    assert runs.give_back(record, paper, START, 30)["unfinished"] is None


@pytest.mark.parametrize(
    ("phase", "stage"), [("claim", "fence"), ("activate", "activate"), ("verify", "verify")]
)
def test_it_goes_on_from_the_stage_in_which_it_stood(phase: str, stage: str) -> None:
    record = halted(phase)
    paper = next_slip(record)
    assert (paper["stage"], paper["epoch"], paper["run"][-3:]) == (stage, 1, "-r1")
    assert slip.parse(json.dumps(paper), stage, NORTH) == paper
    assert paper["facts"]["unfenced"] == [slip.ALL], "what was missed went with the old slip"


def test_the_stage_may_be_entered_by_the_run_that_goes_on() -> None:
    record = halted()
    taken = resumption.take_up(record, next_slip(record), LATER)
    assert taken["unfinished"] is None and taken["transitions"][-1]["what"] == "taken up"
    assert witness.advance(taken, next_slip(record), "activate", LATER) is taken


def test_taking_up_twice_is_taking_up_once() -> None:
    record, paper = halted(), next_slip(halted())
    taken = resumption.take_up(record, paper, LATER)
    assert resumption.take_up(taken, paper, LATER) is taken


def test_nothing_is_taken_up_while_the_plan_is_paused() -> None:
    record = {**halted(), "paused": True}
    assert "paused" in resumption.take_up(record, next_slip(record), LATER)["because"]


def test_nothing_is_taken_up_while_another_run_is_under_way() -> None:
    paper, record = next_slip(halted()), back(halted())
    assert witness.refusal(resumption.take_up(record, paper, START))


def test_a_run_that_halts_again_goes_on_under_the_next_number() -> None:
    record, paper = halted(), next_slip(halted())
    taken = resumption.take_up(record, paper, LATER)
    again = witness.halt(taken, paper, "no storage still", LATER)
    assert next_slip(again)["run"] == f"{slip_at('claim')['run']}-r2"


def test_the_pause_before_each_try_doubles() -> None:
    left = halted()["unfinished"]
    assert not resumption.due(left, START + timedelta(seconds=29))
    assert resumption.due(left, START + timedelta(seconds=30))
    assert not resumption.due({**left, "resumed": 2}, START + timedelta(seconds=119))
