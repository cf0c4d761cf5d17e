"""The caretaker after a cancel, and what waits for what moves once."""

from typing import cast

from orchestrations.chores import CHORES, in_turn
from orchestrations.component import component
from shared import plan
from shared.outcome import refused, succeeded
from tests.replay import START, Replay
from tests.sample_plan import PLAN as DOCUMENT
from tests.stories import HERE
from tests.test_caretaker import (
    INTAKE,
    NIGHTLY,
    PLAN,
    STARTED,
    STOPPED,
    answering,
    caring,
    ended,
    titles,
)

AWAY = refused("unreachable, it may still run")

LEASE_SECONDS = PLAN.witness.lease_seconds


def started(run: Replay, name: str) -> list[float]:
    """When it was tried to start this, in seconds."""
    tried = [call for call in run.calls if call.name == "promote_workflow"]
    mine = [call for call in tried if cast(dict, call.told)["component"]["name"] == name]
    return [(call.at - START).total_seconds() for call in mine]


def test_after_a_cancel_what_would_not_stop_there_waits_for_the_lease_of_there() -> None:
    run = caring(ended("cancelled"), 2, demote_workflow=AWAY)
    assert LEASE_SECONDS < started(run, NIGHTLY)[0] <= 3 * LEASE_SECONDS


def test_after_a_cancel_what_was_seen_stopped_there_does_not_wait() -> None:
    assert started(caring(ended("cancelled"), 0.2), NIGHTLY)[0] < LEASE_SECONDS / 2


def test_after_a_cancel_it_is_started_with_the_round_that_sees_it_stopped_there() -> None:
    run = caring(ended("cancelled"), 2, demote_workflow=answering(AWAY, STOPPED))
    assert started(run, NIGHTLY)[0] < LEASE_SECONDS + 2


def test_after_a_cancel_what_may_run_in_both_places_does_not_wait() -> None:
    run = caring(ended("cancelled"), 0.2, demote_workflow=AWAY)
    assert started(run, INTAKE) and not started(run, NIGHTLY)


def test_what_a_cancel_leaves_stopped_is_told_once() -> None:
    run = caring(ended("cancelled"), 2, demote_workflow=AWAY)
    assert [title for title in titles(run) if "not started yet" in title] == [
        f"{HERE}: not started yet: {NIGHTLY}"
    ]


def test_after_a_finished_run_a_dead_region_is_not_waited_for() -> None:
    assert started(caring(ended(), 0.2, demote_workflow=AWAY), NIGHTLY)


def test_who_was_given_the_plan_back_vouches_for_nobody_before_anything_else() -> None:
    run = caring(ended("cancelled"), 0.2, note_claim=refused("storage is away"))
    assert run.named("note_claim")[0] == {"plan": "contoso", "epoch": 2}
    assert not run.named("promote_workflow")


DATABASE = {
    "name": "ledger-db",
    "kind": "sqlFailoverGroup",
    "resource": "{resourceGroup}/providers/Microsoft.Sql/servers/sql-{short}",
    "group": "ledger",
}


def looked(seen: dict) -> Replay:
    """What a caretaker does about a workflow that waits for a database, which moves once."""
    parts = [
        {**one, "waitsFor": ["ledger-db"]} if one["name"] == NIGHTLY else one
        for one in DOCUMENT["components"]
    ]
    known = plan.checked({**DOCUMENT, "components": [DATABASE, *parts]})
    paper = {"plan": "contoso", "run": "contoso-caretaker-x", "stage": "serve", "epoch": 1}

    def caring_for(context):
        order = {**paper, "to": HERE}
        return (yield from in_turn(context, known, order, CHORES["serve"], [NIGHTLY], 0))

    answers = {"observe_failover_group": seen, "promote_workflow": STARTED}
    return Replay(caring_for, {}, answers, {"component": component}).run()


def test_what_waits_for_a_database_that_did_not_move_is_not_started() -> None:
    run = looked(refused("it is the secondary still"))
    assert not run.named("promote_workflow") and not run.named("promote_failover_group")


def test_what_waits_for_a_database_that_moved_is_started() -> None:
    assert looked(succeeded("it is the primary", serving=True)).named("promote_workflow")
