"""The witness's record: epochs only grow, and of two runs one wins."""

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import witness
from shared.record import TRANSITIONS_MAX, parse
from shared.record import fresh as first_record
from tests import papers
from tests.papers import NOW
from tests.unhurried import UNHURRIED

PLAN = {"name": "contoso", "home": "we"}
LEASE_SECONDS = 30
PLACES = {"we": "ne", "ne": "we"}


def paper(run: str = "r1", source: str = "we", epoch: int | None = None) -> dict:
    return papers.paper(run, source=source, target=PLACES[source], epoch=epoch)


def fresh() -> dict:
    return first_record(PLAN, NOW)


def claimed() -> dict:
    return witness.claim(witness.reserve(fresh(), paper(), NOW), paper(), NOW)


def later(**span: float) -> datetime:
    return NOW + timedelta(**span)


def check_refused(answer: dict, words: str) -> None:
    assert witness.refusal(answer) and words in answer["because"], answer


def test_a_second_run_is_refused_while_one_is_reserved():
    record = witness.reserve(fresh(), paper("r1"), NOW)
    check_refused(witness.reserve(record, paper("r2"), NOW), "run r1 is in progress")


def test_a_second_run_is_refused_while_one_is_carried_out():
    check_refused(witness.reserve(claimed(), paper("r2", "ne"), NOW), "run r1 is in progress")


def test_a_watchdog_that_looked_before_the_quiet_period_began_reserves_nothing_in_it():
    record = {**fresh(), "quietUntil": later(minutes=30).isoformat()}
    check_refused(witness.reserve(record, paper(), NOW), "quiet until")


def test_a_person_reserves_in_the_quiet_period():
    record = {**fresh(), "quietUntil": later(minutes=30).isoformat()}
    made = witness.reserve(record, {**paper(), "by": "person"}, NOW)
    assert made["run"]["id"] == "r1"


def test_one_run_is_not_reserved_for_two_orders():
    """Two orders under one Idempotency-Key, sent at once: only one of them is this run."""
    record = witness.reserve(fresh(), paper(), NOW)
    check_refused(witness.reserve(record, {**paper(), "mode": "graceful"}, NOW), "is a forced one")


def test_a_paused_plan_reserves_nothing():
    check_refused(witness.reserve({**fresh(), "paused": True}, paper(), NOW), "paused")


def test_a_run_from_where_nothing_is_active_is_refused():
    check_refused(witness.reserve(fresh(), paper(source="ne"), NOW), "we is active, not ne")


def test_a_claim_without_a_reservation_is_refused():
    check_refused(witness.claim(fresh(), paper(), NOW), "run r1 is not reserved")


def test_a_claim_of_another_run_is_refused():
    record = witness.reserve(fresh(), paper("r1"), NOW)
    check_refused(witness.claim(record, paper("r2"), NOW), "run r1 holds the record")


def test_a_slip_that_lay_in_its_queue_for_hours_claims_nothing():
    record = witness.reserve(fresh(), paper(), NOW)
    check_refused(witness.claim(record, paper(), later(hours=3)), "look again and start a new one")


def test_a_claimed_run_goes_on_however_late_its_slip_is():
    record = witness.advance(claimed(), paper(epoch=1), "fence", later(hours=3))
    assert record["run"]["phase"] == "fence"


def test_an_old_epoch_cannot_advance():
    check_refused(witness.advance(claimed(), paper(epoch=7), "fence", NOW), "epoch moved")


def test_an_unknown_phase_is_refused():
    check_refused(witness.advance(claimed(), paper(epoch=1), "dance", NOW), "no stage")


def test_the_standby_cannot_renew_the_lease():
    check_refused(witness.renew(fresh(), "ne", NOW, LEASE_SECONDS), "we is active")


def test_a_finished_run_cannot_be_reserved_again():
    record = witness.finish(claimed(), paper(epoch=1), NOW, 30)
    check_refused(witness.reserve(record, paper(), NOW), "has ended")


def test_a_halted_run_cannot_go_on():
    record = witness.halt(claimed(), paper(epoch=1), "no way", NOW)
    check_refused(witness.advance(record, paper(epoch=1), "fence", NOW), "has ended: halted")


def test_a_lost_old_run_cannot_halt_the_new_one():
    record = witness.reserve(fresh(), paper("r1"), NOW)
    record = witness.reserve(record, paper("r2"), later(minutes=11))
    assert witness.halt(record, paper("r1"), "late", NOW)["run"]["id"] == "r2"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "not JSON"),
        ("<html>", "not JSON"),
        ("[]", "valid dictionary"),
        ('{"version": 2}', "version"),
        (json.dumps({**first_record(PLAN, NOW), "epoch": -1}), "epoch"),
        (json.dumps({**first_record(PLAN, NOW), "leaseUntil": "soon"}), "leaseUntil"),
        (json.dumps({**first_record(PLAN, NOW), "plan": "fabrikam"}), "is about plan fabrikam"),
        (b"\xff\xfe\x00", "not JSON"),
        (" " * 200_000, "at most"),
    ],
)
def test_a_bad_blob_is_refused_and_named(body: str | bytes, words: str):
    check_refused(parse(body, "contoso"), words)


def test_a_record_is_read_back_as_it_was_written():
    record = witness.renew(claimed(), "ne", NOW, LEASE_SECONDS)
    assert parse(json.dumps(record), "contoso") == record


def test_a_reservation_is_made_once():
    record = witness.reserve(fresh(), paper(), NOW)
    assert witness.reserve(record, paper(), later(minutes=1)) is record


def test_a_claim_takes_the_next_epoch_for_its_target():
    record = claimed()
    assert (record["epoch"], record["active"]) == (1, "ne")


def test_the_same_run_claims_once():
    record = claimed()
    assert witness.claim(record, paper(), later(minutes=1)) is record


def test_a_claim_ends_the_old_lease():
    asked = {**paper(), "by": "person"}
    record = witness.reserve(witness.renew(fresh(), "we", NOW, LEASE_SECONDS), asked, NOW)
    assert not witness.lease_live(witness.claim(record, asked, NOW), NOW)


def test_a_lease_runs_out():
    record = witness.renew(fresh(), "we", NOW, LEASE_SECONDS)
    assert [witness.lease_live(record, later(seconds=s)) for s in (29, 30)] == [True, False]


def test_a_phase_goes_forward():
    record = witness.advance(claimed(), paper(epoch=1), "fence", NOW)
    assert record["run"]["phase"] == "fence"


def test_a_phase_that_was_passed_changes_nothing():
    record = witness.advance(claimed(), paper(epoch=1), "activate", NOW)
    assert witness.advance(record, paper(epoch=1), "fence", NOW) is record


def test_a_finished_run_leaves_quiet_and_no_run():
    record = witness.finish(claimed(), paper(epoch=1), NOW, 30)
    assert (record["run"], record["quietUntil"]) == (None, later(minutes=30).isoformat())


def test_a_run_finishes_once():
    record = witness.finish(claimed(), paper(epoch=1), NOW, 30)
    assert witness.finish(record, paper(epoch=1), later(minutes=5), 30) is record


def test_a_run_halts_once():
    record = witness.halt(claimed(), paper(epoch=1), "no way", NOW)
    assert witness.halt(record, paper(epoch=1), "no way", NOW) is record


def test_a_halt_is_written_down_with_its_reason():
    assert witness.halt(claimed(), paper(), "no way", NOW)["transitions"][-1]["why"] == "no way"


def test_a_reservation_that_nobody_took_up_is_overtaken():
    record = witness.reserve(fresh(), paper("r1"), NOW)
    assert witness.reserve(record, paper("r2"), later(minutes=10))["run"]["id"] == "r2"


def test_a_run_that_died_midway_is_overtaken():
    record = witness.reserve(claimed(), paper("r2", "ne"), later(hours=1))
    assert record["run"]["id"] == "r2"


def test_only_the_last_fifty_transitions_are_kept():
    record = fresh()
    for n in range(60):
        record = witness.reserve(record, paper(f"r{n}"), NOW)
        record = witness.halt(record, paper(f"r{n}"), "next", NOW)
    assert len(record["transitions"]) == TRANSITIONS_MAX


steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "claim", "advance", "finish", "halt", "renew", "wait"]),
        st.sampled_from(["r1", "r2", "r3"]),
        st.sampled_from(["we", "ne"]),
    ),
    max_size=25,
)


def played(script: list[tuple[str, str, str]]) -> list[tuple[str, dict]]:
    """Each applied step's run and the record after it, refused ones left out."""
    record, now = fresh(), NOW
    told = [("", record)]
    for what, run, source in script:
        now += timedelta(minutes=20 if what == "wait" else 1)
        asked = paper(run, source, record["epoch"])
        answer = {
            "reserve": lambda r, p, t: witness.reserve(r, p, t),
            "claim": lambda r, p, t: witness.claim(r, p, t),
            "advance": lambda r, p, t: witness.advance(r, p, "activate", t),
            "finish": lambda r, p, t: witness.finish(r, p, t, 30),
            "halt": lambda r, p, t: witness.halt(r, p, "because", t),
            "renew": lambda r, p, t: witness.renew(r, p["from"], t, LEASE_SECONDS),
            "wait": lambda r, p, t: r,
        }[what](record, asked, now)
        if not witness.refusal(answer):
            record = answer
            told.append((run, record))
    return told


@UNHURRIED
@given(steps)
def test_epochs_only_grow_and_one_at_a_time(script: list[tuple[str, str, str]]):
    epochs = [record["epoch"] for _, record in played(script)]
    assert all(after - before in (0, 1) for before, after in zip(epochs, epochs[1:], strict=False))


@UNHURRIED
@given(steps)
def test_two_runs_never_claim_the_same_epoch(script: list[tuple[str, str, str]]):
    lines = played(script)[-1][1]["transitions"]
    claims = [line["epoch"] for line in lines if line["what"] == "claimed"]
    assert len(claims) == len(set(claims))


@UNHURRIED
@given(steps)
def test_the_active_location_changes_only_with_the_epoch(script: list[tuple[str, str, str]]):
    seen = [(record["epoch"], record["active"]) for _, record in played(script)]
    assert len({epoch for epoch, _ in seen}) == len(set(seen))


@UNHURRIED
@given(steps)
def test_every_record_can_be_read_back(script: list[tuple[str, str, str]]):
    records = [record for _, record in played(script)]
    assert all(parse(json.dumps(r), "contoso") == r for r in records)
