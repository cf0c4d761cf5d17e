"""The watchdog's runs: asked for, reserved, sent again, approved."""

import json
from datetime import timedelta

import pytest

from orchestrations.watchdog import watchdog
from shared import plan, slip, witness
from shared.outcome import refused, succeeded
from shared.record import YOUNGER_OF_RUN, stamp
from tests.replay import START, Replay
from tests.stories import (
    HERE,
    LOST,
    PLAN,
    record,
)
from tests.test_watchdog import on_watch, saw, watched


def requested(to: str = HERE, **more: object) -> dict:
    run = {"id": "contoso-abc", "phase": "requested", "mode": "forced", "from": LOST, "to": to}
    words = {"by": "person", "reason": "lost", "because": "", **YOUNGER_OF_RUN}
    return record(run={**run, "at": START.isoformat(), **words, **more})


def test_a_run_that_somebody_reserved_and_never_sent_is_sent_by_the_watchdog():
    run = on_watch(watched(False, False, requested()))
    assert not run.named("reserve_run")
    sent = run.named("send_slip")[0]
    assert sent["slip"]["run"] == "contoso-abc" and sent["queue"] == "slip-claim"
    assert slip.parse(json.dumps(sent["slip"]), "claim")


def test_a_run_to_elsewhere_is_not_sent_by_this_watchdog():
    assert not on_watch(watched(False, False, requested(to=LOST))).named("send_slip")


def test_a_slip_that_cannot_be_sent_is_alerted_once_and_sent_again():
    def away(told: dict) -> dict:
        raise ConnectionError("the namespace is away")

    run = on_watch(watched(False, False, requested(), send_slip=away), minutes=3)
    titles = [told["title"] for told in run.named("alert")]
    assert titles.count("slip not sent") == 1 and len(run.named("send_slip")) > 3


def test_a_witness_that_cannot_be_read_in_this_round_moves_nothing():
    """The record of an earlier round says nothing of the lease."""
    read = succeeded(observation=saw("lease", None), record=record())
    silent = succeeded(observation=saw("lease", None))
    answers, first = [read] + [silent] * 30, [succeeded(record=record())]
    run = on_watch(
        watched(
            False,
            None,
            observe_lease=lambda told: answers.pop(0),
            read_witness=lambda told: first.pop() if first else refused("witness: no answer"),
        )
    )
    assert not run.named("reserve_run")
    refusals = [t for t in run.named("alert") if t["title"] == "failover refused"]
    assert refusals and "witness cannot be read" in refusals[0]["because"]


def test_a_lost_look_at_the_lease_is_made_up_for_in_the_same_round():
    """One probe in twenty may be lost; it must not cost a round of an outage."""
    silent = succeeded(observation=saw("lease", None))
    run = on_watch(watched(False, None, observe_lease=silent))
    assert run.named("reserve_run")


@pytest.mark.parametrize("seconds, reads", [(1, 0), (30, 1)])
def test_what_was_read_before_the_process_died_is_read_again(seconds: float, reads: int):
    """Half a round is of before; people may have closed a window since, or another has claimed."""
    slow = [0.0, 0.0, seconds]  # Of the third round, which permits.

    def outlasted(told: dict) -> dict:
        run.now += timedelta(seconds=slow.pop(0) if slow else 0)
        return succeeded(observation=saw("health", False))

    told = {"plan": "contoso", "location": HERE}
    run = Replay(watchdog, told, watched(False, False, observe_health=outlasted))
    run.run(stop_at=START + timedelta(minutes=2))
    asked = [call.name for call in run.calls if call.name in ("read_witness", "reserve_run")]
    before = asked[: asked.index("reserve_run")]
    assert len(before) == 1 + reads  # The first one is the watchdog's own beginning.


@pytest.mark.parametrize(("minutes", "moves"), [(10, True), (-10, False)])
def test_whether_the_lease_lives_is_asked_of_storages_clock_not_of_this_one(
    minutes: float, moves: bool
):
    """A standby whose clock is slow would wait longer, and one whose clock is fast ask too soon."""
    until, there = START + timedelta(minutes=minutes / 2), START + timedelta(minutes=minutes)
    held = {**record(), "leaseUntil": stamp(until), "holder": LOST}
    seen = succeeded(observation=saw("lease", False), record=held, serverTime=stamp(there))
    run = on_watch(watched(False, False, observe_lease=seen), minutes=1)
    assert bool(run.named("reserve_run")) == moves


ASKING = plan.checked({**PLAN.document, "automation": "approval"})


def asking(**changes: object) -> Replay:
    """Contoso is lost, and its plan wants a person to approve."""
    document = succeeded(plan=ASKING.document, digest=ASKING.digest)
    return on_watch({**watched(False, False, load_plan=document), **changes})


def test_a_plan_that_wants_approval_reserves_a_run_that_waits_for_it():
    run = asking(reserve_run=refused("enough for this test"))
    assert run.named("reserve_run")[0]["approvalMinutes"] == ASKING.approval_minutes
    assert "approvalMinutes" not in on_watch(watched(False, False)).named("reserve_run")[0]


def test_a_run_that_waits_for_approval_gets_its_slip_once():
    known: dict = {}

    def reserve(told: dict) -> dict:
        known["record"] = witness.reserve(record(), told["slip"], START, told["approvalMinutes"])
        return succeeded(record=known["record"])

    def lease(told: dict) -> dict:
        return succeeded(observation=saw("lease", False), record=known.get("record", record()))

    run = asking(reserve_run=reserve, observe_lease=lease)
    assert len(run.named("send_slip")) == 1
    assert "failover asks for approval" in [told["title"] for told in run.named("alert")]
