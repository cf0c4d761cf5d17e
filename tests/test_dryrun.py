"""The order of a dry run: every act of a run that changes something, each where the run does it."""

import pytest

from shared import dryrun, forecast_steps
from shared.kinds import KINDS
from shared.plan import load
from tests.app_index import ROOT

EVERYTHING = load((ROOT / "plans" / "everything.yaml").read_text(encoding="utf-8"))
AWAY, TO = EVERYTHING.home, EVERYTHING.other(EVERYTHING.home)
MODES = pytest.mark.parametrize("mode", ["forced", "graceful"])
# Whose protect is not merely to be stopped, which the fence shows already.
PROTECTING = [kind for kind in KINDS if dryrun.own_protect(kind)]


def acts(mode: str, **wanted: str) -> list[dict]:
    found = dryrun.order(EVERYTHING, TO, mode)
    return [one for one in found if all(one[key] == value for key, value in wanted.items())]


def kinds(rows: list[dict]) -> set[str]:
    return {EVERYTHING.part(one["component"]).kind for one in rows}


def told(mode: str, rows: list[dict]) -> dict:
    """The forecast of these acts, none of which is done yet."""
    rows = [
        {**one, "kind": EVERYTHING.part(one["component"]).kind, "calls": [{}], "silent": False}
        for one in rows
    ]
    return forecast_steps.forecast(EVERYTHING, mode, rows, forecast_steps.Steps())


def test_to_be_stopped_is_no_protection_of_its_own() -> None:
    assert "cosmosDb" in PROTECTING and "functionApp" not in PROTECTING


@MODES
def test_every_kind_that_protects_is_told_and_the_gateway_at_last(mode: str) -> None:
    rows = acts(mode, stage="protect")
    assert kinds(rows) == {*PROTECTING, "apiManagement"}
    assert {(one["verb"], one["location"]) for one in rows} == {("protect", AWAY)}
    assert dryrun.order(EVERYTHING, TO, mode)[-1]["component"] == EVERYTHING.gateway()


def test_memory_is_carried_over_once_its_source_stands_still_and_before_it_goes_on() -> None:
    verbs = list(dict.fromkeys(one["verb"] for one in acts("graceful")))
    assert verbs == ["demote", "transfer", "promote", "protect"]
    assert kinds(acts("graceful", verb="transfer")) == {k for k in KINDS if "transfer" in KINDS[k]}
    assert acts("forced", verb="transfer") == []


@pytest.mark.parametrize("verb", dryrun.OWN_WORDS)
def test_what_cannot_be_looked_at_is_told_with_its_condition(verb: str) -> None:
    """In words that name the method: what is not there to be seen has no calls."""
    for kind in kinds(acts("graceful", verb=verb)):
        words = dryrun.OUTCOMES[kind, verb]
        assert " if " in words and any(m in words for m in ("POST", "PATCH", "PUT", "DELETE"))


@MODES
def test_what_comes_after_the_callers_were_answered_takes_none_of_their_time(mode: str) -> None:
    whole = acts(mode)
    served = [one for one in whole if one["stage"] != "protect"]
    assert len(served) < len(whole) and told(mode, served) == told(mode, whole)


def test_carrying_memory_over_takes_time_before_the_claim() -> None:
    whole = acts("graceful")
    less = [one for one in whole if one["verb"] != "transfer"]
    parts, fewer = told("graceful", whole)["parts"], told("graceful", less)["parts"]
    assert parts["quiesce"] > fewer["quiesce"]
    assert {**parts, "quiesce": 0} == {**fewer, "quiesce": 0}
