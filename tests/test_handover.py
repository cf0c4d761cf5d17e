"""A lease that is given up is nobody's until it is claimed; a run in protect holds nobody up."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared import handover, witness
from shared.record import fresh
from tests import papers
from tests.papers import NOW

PLAN = {"name": "contoso", "home": "we"}
LEASE_SECONDS = 30


def later(**span: float) -> datetime:
    return NOW + timedelta(**span)


def paper(run: str = "r1", mode: str = "graceful", epoch: int | None = None) -> dict:
    return papers.paper(run, mode, "person", epoch=epoch)


def draining() -> dict:
    """We holds the lease, and a graceful run drains it."""
    leased = witness.renew(fresh(PLAN, NOW), "we", NOW, LEASE_SECONDS)
    reserved = witness.reserve(leased, paper(), NOW)
    return witness.advance(reserved, paper(), "quiesce", NOW)


def released(proven: bool = True) -> dict:
    return handover.release(draining(), paper(), NOW, proven)


def protecting(quiet_minutes: float = 30) -> dict:
    record = witness.claim(released(), paper(), NOW)
    return witness.advance(record, paper(epoch=1), "protect", NOW, quiet_minutes)


def check_refused(answer: dict, words: str) -> None:
    assert witness.refusal(answer) and words in answer["because"], answer


def test_another_run_releases_nothing():
    check_refused(handover.release(draining(), paper("r2"), NOW, True), "r1 holds the record")


def test_a_cancelled_run_releases_nothing():
    record = draining()
    record["run"]["cancel"] = {"by": "kim", "at": NOW.isoformat(), "comment": ""}
    check_refused(handover.release(record, paper(), NOW, True), "cancelled by kim")


def test_an_old_epoch_releases_nothing():
    check_refused(handover.release(draining(), paper(epoch=7), NOW, True), "epoch moved")


def test_a_run_that_stood_still_for_too_long_neither_goes_on_nor_releases():
    """Nobody took it for alive: the source may have started again what it had stopped."""
    late = later(minutes=witness.minutes_of(draining()["run"]))
    check_refused(handover.release(draining(), paper(), late, True), "is in quiesce since")
    check_refused(witness.advance(draining(), paper(), "quiesce", late), "is in quiesce since")


def test_a_released_lease_is_not_renewed():
    check_refused(witness.renew(released(), "we", NOW, LEASE_SECONDS), "released to run r1")


def test_a_graceful_run_does_not_claim_what_was_not_released():
    check_refused(witness.claim(draining(), paper(), later(minutes=5)), "not released its lease")


def test_what_was_not_seen_stopped_is_not_claimed_before_the_lease_is_out():
    record = released(proven=False)
    check_refused(witness.claim(record, paper(), later(seconds=LEASE_SECONDS)), "lives until")


def test_a_released_lease_can_be_claimed_at_once():
    assert witness.claim(released(), paper(), NOW)["active"] == "ne"


def test_what_was_not_seen_stopped_is_claimed_once_the_lease_is_out():
    margin = LEASE_SECONDS + witness.LEASE_MARGIN_SECONDS
    assert witness.claim(released(False), paper(), later(seconds=margin))["active"] == "ne"


def test_a_run_that_a_person_forces_claims_without_a_release():
    record = draining()
    record["run"]["mode"] = "forced"
    assert witness.claim(record, paper(mode="forced"), NOW)["active"] == "ne"


def test_a_cancelled_run_gives_the_lease_back():
    record = released()
    record["run"]["cancel"] = {"by": "kim", "at": NOW.isoformat(), "comment": ""}
    assert witness.renew(record, "we", NOW, LEASE_SECONDS)["leaseUntil"]


def test_a_run_that_died_in_the_drain_gives_the_lease_back_within_half_an_hour():
    assert witness.renew(released(), "we", later(minutes=30), LEASE_SECONDS)["leaseUntil"]


def test_a_drain_whose_carrier_lives_is_never_taken_for_dead():
    record = draining()
    for minutes in range(0, 300, 4):
        record = witness.advance(record, paper(), "quiesce", later(minutes=minutes))
        assert witness.in_progress(record["run"], later(minutes=minutes + 4))


def test_a_release_that_is_repeated_changes_nothing():
    assert handover.release(released(), paper(), later(seconds=5), True)["leaseUntil"] is None
    record = released(False)
    assert handover.release(record, paper(), later(seconds=5), False) is record


def test_what_is_seen_stopped_after_all_is_waited_for_no_longer():
    record = handover.release(released(False), paper(), NOW, True)
    assert record["leaseUntil"] is None


def test_a_run_in_protect_is_overtaken_and_has_finished():
    other = {**paper("r2"), "from": "ne", "to": "we"}
    record = witness.reserve(protecting(), other, NOW)
    assert record["run"]["id"] == "r2" and witness.ended(record, "r1") == "finished"


def test_the_quiet_period_begins_with_protect_and_is_not_begun_again_at_its_end():
    record = witness.finish(protecting(), paper(epoch=1), later(hours=1), 30)
    assert record["quietUntil"] == later(minutes=30).isoformat()


def test_a_quiet_period_that_was_acknowledged_in_protect_stays_ended():
    record = {**protecting(), "quietUntil": None}
    assert witness.finish(record, paper(epoch=1), later(hours=1), 30)["quietUntil"] is None


def test_what_is_not_protected_is_written_where_the_run_ends():
    record = witness.finish(protecting(), paper(epoch=1), NOW, 30, "not protected: no backup")
    assert record["transitions"][-1]["why"] == "active in ne; not protected: no backup"


@given(st.booleans(), st.floats(0, 4000))
def test_nobody_renews_between_a_release_and_its_claim(proven: bool, seconds: float):
    """Two at once would be one that renews and one that claims."""
    record, when = released(proven), later(seconds=seconds)
    renewed, claimed = witness.renew(record, "we", when, 30), witness.claim(record, paper(), when)
    assert witness.refusal(renewed) or witness.refusal(claimed)
