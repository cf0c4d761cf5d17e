"""What people decide about a plan: pure transitions of the witness record."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shared import decisions
from shared.record import TRANSITIONS_MAX, Record, fresh

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
FRESH = fresh({"name": "contoso", "home": "westeurope"}, NOW)


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


@given(st.lists(st.sampled_from(decisions.WORDS), max_size=120))
def test_no_decision_ever_moves_a_plan_or_spoils_its_record(words: list[str]):
    record = said({**FRESH, "quietUntil": "2026-01-05T09:00:00+00:00"}, *words)
    assert (record["epoch"], record["active"]) == (0, "westeurope")
    assert len(record["transitions"]) <= TRANSITIONS_MAX
    Record.model_validate(record)
