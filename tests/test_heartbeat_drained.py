"""The heartbeat of a location that is drained, or that another one gave the plan back to."""

from datetime import timedelta

from shared import witness
from shared.outcome import refused, succeeded
from tests.replay import START, Replay
from tests.stories import EXCLUSIVE, HERE, LOST, PLAN, acted, record
from tests.test_heartbeat import MOVERS, SERVING, SILENT, beating


def draining(phase: str = "quiesce", released: bool = False, **more: object) -> dict:
    """The record while a graceful run takes the plan away from here."""
    run = {
        "id": "r",
        "phase": phase,
        "mode": "graceful",
        "from": LOST,
        "to": HERE,
        "at": START.isoformat(),
        "released": released,
        "cancel": None,
        "paused": False,
        "approval": None,
    }
    return {**record(run=run), **more}


def test_a_released_lease_is_an_answer_and_alerts_nobody():
    given = refused("the lease is released to run r", record=draining(released=True))
    run = beating(renew_lease=given)
    assert sorted(acted(run, "demote_workflow")) == sorted(EXCLUSIVE)
    assert not run.named("alert") and not run.named("ask_peer")


def test_a_location_that_is_drained_goes_on_renewing_and_starts_nothing():
    run = beating(renew_lease=succeeded(record=draining()))
    assert not run.named("demote_workflow") and not run.named("promote_workflow")


def test_what_was_drained_starts_again_when_its_run_ends_without_a_claim():
    answers = [
        succeeded(record=draining()),
        *[refused("released", record=draining(released=True))] * 2,
        *[succeeded(record=record())] * 30,
    ]
    serving = succeeded("serving", serving=True)
    run = beating(renew_lease=lambda told: answers.pop(0), observe_workflow=serving)
    assert sorted(set(acted(run, "promote_workflow"))) == sorted(MOVERS)


def test_a_location_whose_clock_is_fast_still_knows_that_it_is_drained():
    """By its own clock the run is long dead; by storage's, which counts, it has just begun."""
    there = START - timedelta(minutes=2 * witness.STALLED_MINUTES)
    young = draining()
    young = {**young, "run": {**young["run"], "at": there.isoformat()}}
    given = {**young, "run": {**young["run"], "released": True}}
    answers = [
        succeeded(record=young),
        refused("released", record=given),
        *[succeeded(record=record())] * 30,
    ]
    run = beating(renew_lease=lambda told: {**answers.pop(0), "serverTime": there.isoformat()})
    assert sorted(set(acted(run, "promote_workflow"))) == sorted(MOVERS)


def line(what: str, epoch: int, n: int) -> dict:
    return {"n": n, "epoch": epoch, "at": START.isoformat(), "who": "r", "what": what, "why": ""}


def test_what_a_run_drained_while_the_witness_was_away_starts_again() -> None:
    """Its undo does not know of a stop that landed late; nobody saw the drain from here."""
    known = record(1, transitions=[line("quiesce", 1, 3), line("cancelled", 1, 4)])
    run = beating(renew_lease=succeeded(record=known), observe_workflow=SERVING)
    assert sorted(set(acted(run, "promote_workflow"))) == sorted(MOVERS)


def test_a_drain_that_is_known_starts_nothing_twice() -> None:
    known = succeeded(record=record(1, transitions=[line("quiesce", 1, 3)]))
    memory = {"renewedAt": START.isoformat(), "stoodDown": None, "turn": 0, "drained": 3}
    assert not beating(renew_lease=known, memory=memory).named("promote_workflow")


def test_a_drain_of_long_ago_starts_nothing() -> None:
    old = {**line("quiesce", 1, 3), "at": (START - timedelta(hours=2)).isoformat()}
    known = succeeded(record=record(1, transitions=[old]))
    assert not beating(renew_lease=known).named("promote_workflow")


def test_a_drain_of_long_ago_that_nobody_here_saw_is_made_up_for() -> None:
    """Its carrier died, so nothing was undone, and the witness was away for hours."""
    old = {**line("quiesce", 1, 3), "at": (START - timedelta(hours=2)).isoformat()}
    away = {"renewedAt": (START - timedelta(hours=3)).isoformat(), "stoodDown": None, "turn": 0}
    known = succeeded(record=record(1, transitions=[old]))
    run = beating(renew_lease=known, observe_workflow=SERVING, memory=away)
    assert sorted(set(acted(run, "promote_workflow"))) == sorted(MOVERS)


def returned(minutes: float, **changes: object) -> Replay:
    """It stepped back without the witness; meanwhile the plan went away and was given back."""
    known = succeeded(record=record(3, LOST, transitions=[line("cancelled", 3, 9)]))
    down = {"epoch": None, "because": "", "stopped": MOVERS, "left": [], "of": 1}
    memory = {"renewedAt": START.isoformat(), "stoodDown": down, "turn": 4, "epoch": 1}
    changes = {"renew_lease": known, "observe_workflow": SERVING, **changes}
    return beating(minutes, memory=memory, **changes)


def test_what_stepped_back_waits_for_the_lease_of_a_side_that_gave_the_plan_back() -> None:
    run = returned(1)
    first = min(call.at for call in run.calls if call.name == "promote_workflow")
    assert timedelta(seconds=PLAN.witness.lease_seconds) < first - START < timedelta(seconds=60)
    assert run.named("note_claim") == [{"plan": "contoso", "epoch": 3}]


def test_nothing_starts_while_the_side_that_gave_the_plan_back_is_vouched_for() -> None:
    assert not returned(1, note_claim=refused("storage is away")).named("promote_workflow")


def test_a_drained_location_that_loses_the_witness_still_steps_back():
    answers = [succeeded(record=draining()), *[SILENT] * 30]
    run = beating(renew_lease=lambda told: answers.pop(0))
    assert sorted(set(acted(run, "demote_workflow"))) == sorted(EXCLUSIVE)


def test_a_drained_location_that_another_one_has_replaced_starts_nothing():
    answers = [
        refused("released", record=draining(released=True)),
        *[refused("northeurope is active", record=record(2, HERE))] * 30,
    ]
    assert not beating(renew_lease=lambda told: answers.pop(0)).named("promote_workflow")
