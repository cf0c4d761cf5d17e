"""Runs and keepers move home's half of a split job, and leave the half alone that stands."""

from datetime import timedelta

import pytest

from orchestrations.caretaker import caretaker
from orchestrations.component import component
from orchestrations.heartbeat import heartbeat
from orchestrations.stages import stage
from shared import dryrun, ledger_views
from shared.outcome import refused, succeeded
from tests.replay import START, Replay
from tests.stories import HERE, LOST, PLAN, acted, at_stage, done, loaded, paper, record, world
from tests.test_quiesce import quiescing

HOME, STANDBY = LOST, HERE  # westeurope is the plan's home.
MOVES, STANDS = "rates-sync-we", "rates-sync-ne"
HALVES = [MOVES, STANDS]


def halves_of(names: list[str]) -> list[str]:
    return sorted(set(names) & set(HALVES))


def going_home(name: str) -> Replay:
    """A stage of the forced run that brings the plan back to its home."""
    told = {**paper(name), "from": STANDBY, "to": HOME}
    known = succeeded(record=record(2, HOME))
    answers = world(claim_epoch=known, advance_run=known, read_witness=known)
    return Replay(stage, told, answers, {"component": component}, instance=f"home.{name}").run()


def beating(here: str, **changes: object) -> Replay:
    answers = {
        "load_plan": loaded,
        "ask_peer": refused("nobody answers"),
        "yield_claim": succeeded(),
        "observe_workflow": succeeded("serving", serving=True),
        "demote_workflow": succeeded("disabled"),
        "promote_workflow": succeeded("enabled"),
        "alert": succeeded(),
    }
    told = {"plan": "contoso", "location": here, "memory": None}
    run = Replay(heartbeat, told, {**answers, **changes}, {"component": component})
    return run.run(stop_at=START + timedelta(minutes=1))


def test_the_failover_starts_the_missing_half_beside_the_other():
    assert halves_of(acted(at_stage("activate"), "promote_workflow")) == sorted(HALVES)


def test_the_failover_fences_both_halves_in_the_lost_location():
    run = at_stage("fence")
    assert halves_of(acted(run, "demote_workflow")) == sorted(HALVES)
    assert {told["location"] for told in run.named("demote_workflow")} == {LOST}


def test_the_way_home_takes_the_foreign_half_away_and_leaves_the_own_one():
    run = going_home("fence")
    assert halves_of(acted(run, "demote_workflow")) == [MOVES]


def test_the_way_home_starts_homes_half_alone():
    run = going_home("activate")
    assert halves_of(acted(run, "promote_workflow")) == [MOVES]


def test_a_half_that_stands_elsewhere_is_not_missed_when_home_is_verified():
    seen: list[str] = []

    def look(told: dict) -> dict:
        seen.append(told["component"]["name"])
        return succeeded("serving", serving=True)

    told = {**paper("verify"), "from": STANDBY, "to": HOME}
    answers = world(observe_workflow=look)
    run = Replay(stage, told, answers, {"component": component}, instance="home.verify").run()
    assert done(run)["outcome"] == "succeeded"
    assert halves_of(seen) == [MOVES]


def test_a_standby_keeps_the_half_that_stands_in_it():
    known = record(1, HOME)
    run = beating(STANDBY, renew_lease=refused("not active", record=known))
    assert halves_of(acted(run, "demote_workflow")) == [MOVES]


def test_a_returning_home_stops_both_halves():
    known = record(2, STANDBY)
    run = beating(HOME, renew_lease=refused("not active", record=known))
    assert halves_of(acted(run, "demote_workflow")) == sorted(HALVES)


def test_an_isolated_home_stops_its_own_half_before_the_lease_is_out():
    run = beating(HOME, renew_lease=refused("witness: unreachable"))
    assert MOVES in acted(run, "demote_workflow")


def test_an_isolated_active_standby_keeps_the_half_that_nobody_starts_elsewhere():
    run = beating(STANDBY, renew_lease=refused("witness: unreachable"))
    assert halves_of(acted(run, "demote_workflow")) == [MOVES]


@pytest.mark.parametrize(("active", "stopped"), [(HOME, [MOVES]), (STANDBY, sorted(HALVES))])
def test_caretakers_of_both_sides_stop_what_has_no_place_in_the_other(
    active: str, stopped: list[str]
):
    """The active side's stops the other side's, and that one's own does the same."""
    away = PLAN.other(active)
    found = []
    for here in (active, away):
        answers = {
            "load_plan": loaded,
            "read_witness": succeeded(record=record(2, active)),
            "settle_claim": succeeded(),
            "observe_workflow": succeeded("serving", serving=True),
            "demote_workflow": succeeded("disabled"),
            "alert": succeeded(),
        }
        told = {"plan": "contoso", "location": here, "memory": None}
        run = Replay(caretaker, told, answers, {"component": component})
        run.run(stop_at=START + timedelta(minutes=1))
        tasks = run.named("demote_workflow")
        assert {told["location"] for told in tasks} == {away}
        found.append(halves_of([told["component"]["name"] for told in tasks]))
    assert found == [stopped, stopped]


@pytest.mark.parametrize("mode", ["forced", "graceful"])
def test_a_dry_run_of_the_way_home_leaves_the_standing_half_out(mode: str):
    acts = dryrun.order(PLAN, HOME, mode)
    assert [act["component"] for act in acts if act["component"] == STANDS] == []


def test_a_run_of_the_standing_half_may_be_run_again_in_its_place():
    wary = ledger_views.cautions(PLAN, HOME, STANDBY)
    assert MOVES in wary and STANDS not in wary


@pytest.mark.parametrize("which", ["refused", "surprised"])
def test_the_half_that_stands_elsewhere_is_not_started_where_its_stop_had_no_answer(which: str):
    """Its copy here stood still before, as far as anybody knows, and its half runs over there."""

    def demote(task: dict) -> dict:
        if task["component"]["name"] != STANDS:
            return succeeded("disabled")
        if which == "surprised":
            raise ConnectionError("no answer")
        return refused("409")

    run = quiescing(load_plan=loaded, demote_workflow=demote)
    assert "would not stop" in done(run)["because"] and STANDS in acted(run, "demote_workflow")
    assert STANDS not in acted(run, "promote_workflow")
