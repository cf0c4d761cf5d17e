"""What people decide about a plan: pure transitions of the witness record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import decisions, witness
from shared.record import ACKNOWLEDGEMENTS_MAX, TRANSITIONS_MAX, Record, fresh
from tests.papers import NOW, paper

FRESH = fresh({"name": "contoso", "home": "westeurope"}, NOW)

PAPER = paper(source="westeurope", target="northeurope")


def said(record: dict, *words: str) -> dict:
    for word in words:
        record = decisions.decide(record, word, "ada", "game day", NOW)
    return record


def test_an_unknown_word_is_refused_by_name():
    assert "failover" in decisions.decide(FRESH, "failover", "ada", "", NOW)["because"]


def test_a_decision_that_was_made_already_changes_nothing():
    paused = said(FRESH, "pause")
    assert said(paused, "pause") is paused
    assert said(FRESH, "resume") is FRESH and said(FRESH, "acknowledge") is FRESH


def test_a_pause_is_kept_with_who_and_why_until_it_is_resumed():
    paused = said(FRESH, "pause")
    assert paused["paused"] and not said(paused, "resume")["paused"]
    line = paused["transitions"][-1]
    assert (line["who"], line["what"], line["why"]) == ("ada", "paused", "game day")


def test_an_acknowledgement_ends_the_quiet_period():
    quiet = {**FRESH, "quietUntil": "2026-01-05T09:00:00+00:00"}
    assert said(quiet, "acknowledge")["quietUntil"] is None


def test_an_acknowledgement_is_kept_with_the_quiet_period_that_it_ended():
    quiet = {**FRESH, "quietUntil": "2026-01-05T09:00:00+00:00"}
    kept = said(quiet, "acknowledge")["acknowledgements"]
    assert kept == [
        {
            "by": "ada",
            "at": NOW.isoformat(),
            "comment": "game day",
            "quietUntil": "2026-01-05T09:00:00+00:00",
        }
    ]


def test_only_the_last_acknowledgements_are_kept():
    record = FRESH
    for n in range(ACKNOWLEDGEMENTS_MAX + 5):
        until = f"2026-01-05T09:00:{n:02}+00:00"
        record = said({**record, "quietUntil": until}, "acknowledge")
    assert len(record["acknowledgements"]) == ACKNOWLEDGEMENTS_MAX
    assert record["acknowledgements"][-1]["quietUntil"] == "2026-01-05T09:00:14+00:00"


@pytest.mark.parametrize("phase", ["requested", "claim", "activate"])
def test_a_run_that_is_not_finished_leaves_no_quiet_period(phase: str):
    record = witness.reserve(FRESH, PAPER, NOW)
    record = witness.claim(record, PAPER, NOW) if phase != "requested" else record
    paper = {**PAPER, "epoch": record["epoch"]}
    record = witness.advance(record, paper, phase, NOW) if phase == "activate" else record
    halted = witness.halt(record, paper, "the epoch moved", NOW)
    assert (halted["run"], halted["quietUntil"]) == (None, None)


@given(st.lists(st.sampled_from(decisions.WORDS), max_size=120))
def test_no_decision_ever_moves_a_plan_or_spoils_its_record(words: list[str]):
    record = said({**FRESH, "quietUntil": "2026-01-05T09:00:00+00:00"}, *words)
    assert (record["epoch"], record["active"]) == (0, "westeurope")
    assert len(record["transitions"]) <= TRANSITIONS_MAX
    Record.model_validate(record)
