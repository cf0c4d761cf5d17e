"""Claims noted in a location's own storage: when it vouches, and when it may do so again."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from activities import peer
from shared import resumption, store, witness
from shared.record import fresh
from tests.doors import HERE, THERE, Doors
from tests.test_activities_witness import change, paper, read

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
RUN = "contoso-1-a"


@pytest.fixture(autouse=True)
def noted(doors: Doors) -> Iterator[None]:
    """The witness was silent while a claim of this location was tried."""
    doors.drop("stcontosowitness", "understudy", "contoso.json")
    store.write_claim("contoso", {"epoch": 1, "run": RUN, "mine": True})
    yield
    doors.drop("stcontosone", "understudy", "claims/contoso.json")


def settle(doors: Doors, record: dict, now: datetime = NOW) -> str:
    told = {"plan": "contoso", "location": HERE, "record": record, "now": now.isoformat()}
    return doors.call("settle_claim", told)["status"]


def reserved(doors: Doors) -> dict:
    return witness.reserve(fresh(doors.plan.document, NOW), paper(doors, RUN), NOW)


def mine() -> bool:
    known = store.read_claim("contoso")
    return bool(known and known["mine"])


def test_a_claim_that_may_still_be_under_way_stays_noted(doors: Doors) -> None:
    assert settle(doors, reserved(doors)) == "refused" and mine()


def test_a_record_that_knows_nothing_of_the_run_proves_nothing(doors: Doors) -> None:
    assert settle(doors, fresh(doors.plan.document, NOW)) == "refused" and mine()


def test_a_claim_that_was_made_is_not_settled(doors: Doors) -> None:
    claimed = witness.claim(reserved(doors), paper(doors, RUN), NOW)
    assert settle(doors, claimed) == "skipped" and mine()


def test_a_run_that_has_ended_claims_no_more(doors: Doors) -> None:
    halted = witness.halt(reserved(doors), paper(doors, RUN), "silent", NOW)
    assert settle(doors, halted) == "succeeded" and not mine()


def test_a_reservation_that_is_too_old_claims_no_more(doors: Doors) -> None:
    late = NOW + timedelta(minutes=witness.REQUEST_MINUTES)
    assert settle(doors, reserved(doors), late) == "succeeded" and not mine()


def test_an_epoch_that_others_took_settles_the_claim(doors: Doors) -> None:
    record = {**fresh(doors.plan.document, NOW), "epoch": 1, "active": THERE}
    assert settle(doors, record) == "succeeded" and not mine()


def test_who_is_given_the_plan_back_vouches_for_nobody(doors: Doors) -> None:
    store.write_claim("contoso", {"epoch": 1, "run": RUN, "mine": False})
    doors.call("note_claim", {"plan": "contoso", "epoch": 2})
    assert store.read_claim("contoso") == {"epoch": 2, "mine": True}


def test_a_claim_that_is_noted_stays_noted_when_the_plan_is_given_back(doors: Doors) -> None:
    assert doors.call("note_claim", {"plan": "contoso", "epoch": 2})["status"] == "skipped"
    assert store.read_claim("contoso") == {"epoch": 1, "run": RUN, "mine": True}


def test_who_was_given_the_plan_back_and_lost_it_again_may_vouch(doors: Doors) -> None:
    store.write_claim("contoso", {"epoch": 1, "mine": False})
    doors.call("note_claim", {"plan": "contoso", "epoch": 2})
    record = {**fresh(doors.plan.document, NOW), "epoch": 3, "active": THERE}
    assert settle(doors, record) == "succeeded" and not mine()


@pytest.mark.parametrize(
    "name, more", [("yield_claim", {"epoch": 1}), ("settle_claim", {"location": HERE})]
)
def test_a_claim_that_begins_between_look_and_note_stays_noted(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, name: str, more: dict
) -> None:
    """Who vouches by mistake keeps the side that it replaces at work."""
    record = {**fresh(doors.plan.document, NOW), "epoch": 1, "active": THERE}
    judge: Callable = peer.claims.yielded if name == "yield_claim" else peer.claims.settled

    def overtaken(*told: object) -> dict:
        store.write_claim("contoso", {"epoch": 2, "run": "contoso-2-b", "mine": True})
        return judge(*told)

    monkeypatch.setattr(peer.claims, judge.__name__, overtaken)
    told = {"plan": "contoso", "record": record, "now": NOW.isoformat(), **more}
    assert doors.call(name, told)["status"] == "refused" and mine()


def test_what_was_settled_once_is_left_alone(doors: Doors) -> None:
    record = {**fresh(doors.plan.document, NOW), "epoch": 1, "active": THERE}
    settle(doors, record)
    assert settle(doors, record) == "skipped"


def test_a_claim_notes_its_run(doors: Doors) -> None:
    change(doors, "reserve_run", paper(doors, RUN))
    change(doors, "claim_epoch", paper(doors, RUN))
    assert store.read_claim("contoso") == {"epoch": 1, "run": RUN, "mine": True}


def test_a_run_that_ended_half_way_is_taken_up_once_at_the_witness(doors: Doors) -> None:
    change(doors, "reserve_run", paper(doors, RUN))
    change(doors, "claim_epoch", paper(doors, RUN))
    change(doors, "halt_run", paper(doors, RUN), because="no storage")
    left = read(doors)["record"]["unfinished"]
    told = resumption.slip_of(left, "contoso", doors.plan.digest, 1)
    first = change(doors, "take_up_run", told)
    assert first["record"]["run"]["id"] == f"{RUN}-r1"
    assert change(doors, "take_up_run", told)["etag"] == first["etag"]
