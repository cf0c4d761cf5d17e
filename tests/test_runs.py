"""What people say to a run: pure transitions of the witness record."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import evidence, resumption, runs, slip, stale, witness
from shared.record import TRANSITIONS_MAX, Record, fresh
from tests import papers
from tests.papers import NOW

PLAN = {"name": "contoso", "home": "we"}
APPROVAL_MINUTES = 45.0


def paper(mode: str = "forced", by: str = "watchdog in ne", epoch: int | None = None) -> dict:
    return papers.paper("r1", mode, by, epoch=epoch)


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def requested(mode: str = "forced", by: str = "person", wanted: bool = False) -> dict:
    minutes = APPROVAL_MINUTES if wanted else None
    return witness.reserve(fresh(PLAN, NOW), paper(mode, by), NOW, minutes)


def wanted() -> dict:
    return requested(by="watchdog in ne", wanted=True)


def claimed(mode: str = "forced") -> dict:
    record = requested(mode)
    record = {**record, "run": {**record["run"], "released": mode == "graceful"}}
    return witness.claim(record, paper(mode, "person"), NOW)


def in_phase(phase: str) -> dict:
    return witness.advance(claimed(), paper(epoch=1), phase, NOW)


def say(
    record: dict, word: str, at: datetime = NOW, point: str = "redirect", why: str = ""
) -> dict:
    return runs.hear(record, word, runs.Said("r1", "ada", why, at, point, 30))


def check_refused(answer: dict, because: str) -> None:
    assert witness.refusal(answer) and because in answer["because"]


def last(record: dict) -> tuple[str, str, str]:
    line = record["transitions"][-1]
    return line["who"], line["what"], line["why"]


def test_an_unknown_word_is_refused_by_name():
    check_refused(say(wanted(), "shout"), "shout is no word on a run")


@pytest.mark.parametrize("word", runs.WORDS)
def test_nothing_can_be_said_to_a_run_that_has_halted(word: str):
    record = witness.halt(requested(), paper(), "no way", NOW)
    check_refused(say(record, word), "has ended: halted")


@pytest.mark.parametrize("word", runs.WORDS)
def test_nothing_can_be_said_to_a_run_that_was_never_reserved(word: str):
    check_refused(say(fresh(PLAN, NOW), word), "is not reserved")


@pytest.mark.parametrize("word", ["approve", "decline"])
def test_a_run_that_a_person_began_needs_no_approval(word: str):
    assert witness.refusal(say(requested(), word))


def test_an_approval_that_comes_too_late_is_refused():
    check_refused(say(wanted(), "approve", later(APPROVAL_MINUTES)), "too late")


def test_an_approved_run_cannot_be_declined_any_more():
    check_refused(say(say(wanted(), "approve"), "decline"), "cancel it instead")


@pytest.mark.parametrize("phase", ["redirect", "verify", "protect"])
def test_from_the_point_of_no_return_on_a_cancel_is_refused_with_the_way_back(phase: str):
    check_refused(say(in_phase(phase), "cancel"), "failed back")


def test_a_run_that_waits_for_approval_does_not_claim():
    answer = witness.claim(wanted(), paper(), NOW)
    check_refused(answer, "waits for approval")
    assert answer["waits"] == "approval"


def test_a_paused_run_enters_no_stage():
    check_refused(witness.claim(say(requested(), "pause"), paper(), NOW), "is paused")
    paused = say(claimed(), "pause")
    check_refused(witness.advance(paused, paper(epoch=1), "fence", NOW), "is paused")


def test_a_paused_plan_holds_a_run_that_is_reserved_but_not_one_that_has_claimed():
    check_refused(witness.claim({**requested(), "paused": True}, paper(), NOW), "is paused")
    on = witness.advance({**claimed(), "paused": True}, paper(epoch=1), "fence", NOW)
    assert on["run"]["phase"] == "fence"


def test_a_cancelled_run_enters_no_stage():
    answer = witness.advance(say(claimed(), "cancel", why="oops"), paper(epoch=1), "fence", NOW)
    check_refused(answer, "cancelled by ada: oops")
    assert "waits" not in answer


def test_a_watchdog_overrides_no_lease_and_an_approval_does():
    held = witness.renew(wanted(), "we", NOW, 30)
    given = say(held, "approve")
    assert witness.claim(given, paper(), NOW)["active"] == "ne"
    unasked = witness.renew(requested(by="watchdog in ne"), "we", NOW, 30)
    check_refused(witness.claim(unasked, paper(), NOW), "lives until")


def test_an_approval_is_kept_with_who_why_and_what_was_shown():
    told = runs.Said("r1", "ada", "go", NOW, "redirect", 30, "over verdict healthy")
    record = runs.hear(wanted(), "approve", told)
    assert last(record) == ("r1", "approved", "ada: go; over verdict healthy")
    assert record["run"]["approval"]["by"] == "ada"


def test_a_run_is_as_young_as_its_approval():
    record = say(wanted(), "approve", later(40))
    assert witness.claim(record, paper(), later(45))["epoch"] == 1
    check_refused(witness.claim(record, paper(), later(51)), "look again")


def test_a_run_that_waits_for_approval_is_overtaken_only_after_it():
    assert witness.in_progress(wanted()["run"], later(APPROVAL_MINUTES))
    assert not witness.in_progress(wanted()["run"], later(APPROVAL_MINUTES + 11))


def test_a_paused_run_is_overtaken_after_a_day():
    run = say(claimed(), "pause")["run"]
    assert witness.in_progress(run, later(23 * 60)) and not witness.in_progress(run, later(1441))


def test_a_word_revives_no_run_that_was_taken_for_dead():
    """Its source serves again by now: going on, it would claim what was given to it before."""
    draining = witness.advance(requested("graceful"), paper("graceful"), "quiesce", NOW)
    dead = later(witness.DRAIN_STALLED_MINUTES + 1)
    check_refused(say(draining, "pause", dead), "is in quiesce since")
    forgotten = say(draining, "pause")
    check_refused(say(forgotten, "resume", later(witness.PAUSED_MINUTES + 1)), "look again")
    assert say(claimed(), "pause", later(61))["run"]["paused"]


def test_a_declined_run_frees_the_reservation():
    record = say(wanted(), "decline", why="game day")
    assert record["run"] is None and witness.ended(record, "r1") == "declined"
    check_refused(witness.claim(record, paper(), NOW), "has ended: declined")


def test_a_run_that_is_merely_requested_is_cancelled_at_once():
    record = say(requested(), "cancel")
    assert record["run"] is None and record["quietUntil"] is None
    assert witness.ended(record, "r1") == "cancelled"


def test_a_watchdog_whose_run_is_cancelled_keeps_quiet():
    assert say(wanted(), "cancel")["quietUntil"] == later(30).isoformat()


def test_a_cancelled_claim_gives_the_old_side_a_new_epoch():
    record = runs.give_back(say(claimed(), "cancel"), paper(epoch=1), NOW, 30)
    assert (record["active"], record["epoch"], record["run"]) == ("we", 2, None)
    assert last(record)[:2] == ("r1", "cancelled")


@pytest.mark.parametrize(
    ("by", "until"), [("person", None), ("watchdog in ne", later(30).isoformat())]
)
def test_of_what_is_cancelled_only_a_watchdogs_run_leaves_quiet_behind(by: str, until: str | None):
    """Or a real loss right after a drain that a person called off would wait for half an hour."""
    held = witness.claim(requested(by=by), paper(by=by), NOW)
    record = runs.give_back(say(held, "cancel"), paper(by=by, epoch=1), NOW, 30)
    assert record["quietUntil"] == until


def test_a_cancelled_run_that_had_not_claimed_takes_no_epoch():
    draining = witness.advance(requested("graceful"), paper("graceful"), "quiesce", NOW)
    record = runs.give_back(say(draining, "cancel"), paper("graceful"), NOW, 30)
    assert (record["active"], record["epoch"], record["run"]) == ("we", 0, None)


def test_what_nobody_cancelled_is_not_given_back():
    check_refused(runs.give_back(claimed(), paper(epoch=1), NOW, 30), "nobody has cancelled")


def test_a_graceful_run_that_is_forced_claims_over_the_lease():
    held = witness.renew(requested("graceful"), "we", NOW, 30)
    check_refused(witness.claim(held, paper("graceful", "person"), NOW), "released")
    forced = runs.hear(held, "switch", runs.Said("r1", "ada", "it died", NOW, "redirect", 30))
    assert runs.was_switched(forced, "r1")
    assert witness.claim(forced, paper("forced", "person"), NOW)["epoch"] == 1


def test_what_is_cancelled_is_not_taken_further_by_what_was_under_way():
    record = say(claimed(), "cancel")
    task = {"plan": "contoso", "run": "r1", "epoch": 1, "stage": "activate", "verb": "promote"}
    onward, back = {**task, "location": "ne"}, {**task, "location": "we"}
    assert "cancelled by ada" in stale.contradiction(record, onward, NOW)
    assert stale.contradiction(record, back, NOW) == ""
    assert stale.contradiction(record, {**onward, "stage": "undo"}, NOW) == ""
    assert stale.contradiction(claimed(), onward, NOW) == ""


SAYINGS = st.lists(st.sampled_from([*runs.WORDS, "switch", "advance", "give back"]), max_size=60)


def test_the_ids_of_a_run_that_was_taken_up_are_known():
    assert resumption.lineage("c-2") == ["c-2"]
    assert resumption.lineage("c-2-r2") == ["c-2", "c-2-r1", "c-2-r2"]


@given(SAYINGS, st.booleans())
def test_whatever_is_said_the_record_stays_sound_and_a_repeat_changes_nothing(
    words: list[str], ask: bool
):
    record = wanted() if ask else requested()
    for number, word in enumerate(words):
        now = later(number / 60)
        epoch = record["epoch"] or None
        if word == "advance":
            phases = [p for p in slip.ROUTES["forced"] if record["run"]]
            phase = phases[min(number // 8, 6)] if phases else "claim"
            change = witness.claim if phase == "claim" else None
            after = (
                change(record, paper(), now)
                if change
                else witness.advance(record, paper(epoch=epoch), phase, now)
            )
        elif word == "give back":
            after = runs.give_back(record, paper(epoch=epoch), now, 30)
        else:
            after = say(record, word, now)
            again = after if witness.refusal(after) else say(after, word, now)
            assert again is after or again == after
        if not witness.refusal(after):
            assert after["epoch"] - record["epoch"] in (0, 1)
            assert (after["epoch"] == record["epoch"]) == (after["active"] == record["active"])
            record = after
        Record.model_validate(record)
    assert len(record["transitions"]) <= TRANSITIONS_MAX


def test_evidence_names_the_verdict_and_the_lease_that_are_overridden():
    record = witness.renew(fresh(PLAN, NOW), "we", NOW, 30)
    verdict = {"state": "healthy", "because": "answers", "since": NOW.isoformat()}
    shown = evidence.gathered(record, verdict, NOW)
    assert evidence.overrides(shown)
    assert shown["lease"]["live"] and shown["verdict"]["state"] == "healthy"
    assert "verdict healthy" in evidence.words(shown) and "lives until" in evidence.words(shown)


def test_who_follows_a_lost_verdict_past_the_lease_overrides_nothing():
    verdict = {"state": "lost", "because": "silent", "since": NOW.isoformat()}
    shown = evidence.gathered(fresh(PLAN, NOW), verdict, NOW)
    assert not evidence.overrides(shown)


def test_that_nobody_has_watched_is_evidence_too():
    shown = evidence.gathered(fresh(PLAN, NOW), None, NOW)
    assert evidence.overrides(shown) and "no verdict" in evidence.words(shown)
