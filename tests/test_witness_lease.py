"""The lease: a watchdog never claims over one that lives, a person may."""

from datetime import timedelta

from shared import witness
from shared.record import fresh
from tests.papers import NOW, paper

FRESH = fresh({"name": "contoso", "home": "westeurope"}, NOW)


def reserved(by: str, left_seconds: float) -> tuple[dict, dict]:
    """A record whose lease lives `left_seconds` more, with a run reserved by `by`."""
    made = paper(by=by, source="westeurope", target="northeurope")
    held = witness.renew(FRESH, "westeurope", NOW, left_seconds)
    return witness.reserve(held, made, NOW), made


def test_a_watchdog_does_not_claim_over_a_lease_that_lives():
    record, paper = reserved("watchdog in northeurope", 10)
    answer = witness.claim(record, paper, NOW)
    assert witness.refusal(answer) and "lives until" in answer["because"]


def test_nor_within_the_margin_after_it_ran_out():
    record, paper = reserved("watchdog in northeurope", 10)
    just_out = NOW + timedelta(seconds=10 + witness.LEASE_MARGIN_SECONDS - 0.5)
    assert witness.refusal(witness.claim(record, paper, just_out))


def test_it_claims_once_the_margin_is_over():
    record, paper = reserved("watchdog in northeurope", 10)
    late = NOW + timedelta(seconds=10 + witness.LEASE_MARGIN_SECONDS + 0.5)
    assert witness.claim(record, paper, late)["epoch"] == record["epoch"] + 1


def test_a_person_overrides_the_lease():
    record, paper = reserved("person", 10)
    assert witness.claim(record, paper, NOW)["active"] == "northeurope"


def test_a_run_that_was_overtaken_is_never_revived():
    record, paper = reserved("person", 10)
    later = NOW + timedelta(minutes=witness.REQUEST_MINUTES + 1)
    other = {**paper, "run": "contoso-2"}
    taken = witness.reserve(record, other, later)
    assert taken["run"]["id"] == "contoso-2"
    freed = witness.halt(taken, other, "cancelled", later)
    answer = witness.reserve(freed, paper, later)
    assert witness.refusal(answer) and "has ended" in answer["because"]
