"""The durable engine by the SDK's real replay, in virtual time: refusals, tasks, timers, events."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

import pytest

from rehearsal.host import invoke
from rehearsal.host.durable import history
from rehearsal.host.durable.engine import Gone, NotFound
from rehearsal.host.durable.ledger import AlreadyRunning, BadInstanceId
from rehearsal.host.durable.store import Instance
from rehearsal.host.durable.turn import play
from tests.engine_rig import SPINS_MAX, START, Rig, functions, on_rig, output, run


def test_an_unknown_orchestrator_is_refused() -> None:
    """The client gets an error that names it."""

    async def work(rig: Rig) -> None:
        rig.engine.start_instance("no_such_thing", None, None)

    with pytest.raises(NotFound, match="no_such_thing"):
        on_rig(work)


def test_a_running_id_is_refused() -> None:
    """Starting twice is how an idempotent starter finds out."""

    async def work(rig: Rig) -> None:
        rig.engine.start_instance("approval", "it", "60")
        rig.engine.start_instance("approval", "it", "60")

    with pytest.raises(AlreadyRunning, match="Pending"):
        on_rig(work)


@pytest.mark.parametrize("bad", ["a/b", "a\\b", "a#b", "a?b", "x" * 257])
def test_a_bad_instance_id_is_refused(bad: str) -> None:
    """Durable Functions refuses these characters and more than 256 of any."""

    async def work(rig: Rig) -> None:
        rig.engine.start_instance("one", bad, "1")

    with pytest.raises(BadInstanceId):
        on_rig(work)


def test_an_event_for_an_ended_instance_is_refused() -> None:
    """The API says 410."""

    async def work(rig: Rig) -> None:
        await rig.until(rig.engine.start_instance("one", "it", "1"))
        rig.engine.raise_event("it", "approve", "1")

    with pytest.raises(Gone):
        on_rig(work)


def test_an_unknown_activity_fails_the_orchestration() -> None:
    """The reason names it."""
    assert "no_such_thing" in str(output(run("unknown_activity")))


def test_an_entity_is_refused_by_name() -> None:
    """What is not emulated says so."""
    assert "NotEmulated: CallEntity" in str(output(run("entity_user")))


def test_an_activity_that_raises_fails_its_orchestration() -> None:
    """In the extension's words."""
    found = run("failing", "x")
    assert found.status == "Failed"
    assert str(output(found)).startswith(
        "Orchestrator function 'failing' failed: Activity function 'explode' failed:"
        "  ValueError: boom x"
    )


def test_an_activity_failure_arrives_as_reason_and_details() -> None:
    """The exception's type is gone; its text is `<Reason> newline <Details>`."""
    reason, _, details = str(output(run("catching", "x"))).partition(" \n ")
    assert reason == "Activity function 'explode' failed:  ValueError: boom x"
    assert json.loads(details)["ClassName"] == "System.Exception"


def test_an_activity_over_the_timeout_fails() -> None:
    """A hung activity does not hang its orchestration."""
    assert "Timeout value of 0.3 s" in str(output(run("timing_out", 1)))


def test_an_orchestrator_that_changed_is_refused() -> None:
    """Its history says another activity: non-deterministic."""
    orchestrators = {each.name: invoke.orchestrator(each) for each in functions()}
    row = Instance("it", 0, "e", "chain", '"1"', "Pending", "", "")
    first = play(row, [], [], orchestrators["chain"], START)
    event = history.closing_row(history.TASK_COMPLETED, START, 0, Result="1")
    second = play(first.instance, first.rows, [event], orchestrators["counting"], START)
    assert "Non-Deterministic" in str(output(second.instance))


def test_a_chain_runs_in_order() -> None:
    """Three doublings."""
    assert output(run("chain", 3)) == 24


def test_a_fan_out_gathers_every_result() -> None:
    """A hundred at once."""
    assert output(run("fan", 100)) == 9900


def test_a_timer_takes_its_virtual_time() -> None:
    """Six hours pass at once, and the orchestrator sees them."""
    assert output(run("sleeper", 21600)) == 21600


def test_a_long_timer_is_cut_into_pieces() -> None:
    """More than six days: the SDK asks for three-day timers."""
    assert output(run("sleeper", 10 * 86400)) == 10 * 86400


def test_an_event_beats_its_timer() -> None:
    """The loser is cancelled, so the orchestration ends at once."""

    async def work(rig: Rig) -> tuple[Instance, datetime]:
        rig.engine.start_instance("approval", "it", json.dumps("3600"))
        rig.engine.raise_event("it", "approve", json.dumps({"by": "me"}))
        return await rig.until("it"), rig.clock.now()

    found, ended = on_rig(work)
    assert output(found) == {"by": "me"}
    assert ended == START


def test_a_timer_beats_a_missing_event() -> None:
    """Nobody approves."""
    assert output(run("approval", 60)) == "timeout"


def test_an_open_timer_keeps_an_orchestration_running() -> None:
    """As in the Durable Task Framework: not ended while a task is open."""

    async def work(rig: Rig) -> datetime:
        rig.engine.start_instance("impatient", "it", "0")
        await rig.until("it")
        return rig.clock.now()

    assert on_rig(work) - START == timedelta(hours=1)


@pytest.mark.filterwarnings("ignore:Potential duplicate")
def test_events_are_matched_by_name_not_by_order() -> None:
    """The second comes first and waits."""

    async def work(rig: Rig) -> Instance:
        rig.engine.start_instance("two_events", "it", "0")
        rig.engine.raise_event("it", "second", "2")
        rig.engine.raise_event("it", "first", "1")
        return await rig.until("it")

    assert output(on_rig(work)) == [1, 2]


def test_continue_as_new_begins_with_an_empty_history() -> None:
    """Five generations, the last one's history only."""

    async def work(rig: Rig) -> tuple[object, int]:
        rig.engine.start_instance("counting", "it", json.dumps("1"))
        return output(await rig.until("it")), len(rig.store.history("it"))

    assert on_rig(work) == (5, 8)


def test_an_eternal_orchestration_keeps_its_pace_for_10_days() -> None:
    """An hourly round, 10 virtual days."""

    async def work(rig: Rig) -> datetime:
        rig.engine.start_instance("eternal", "it", json.dumps("0"))
        for _ in range(SPINS_MAX):
            status = rig.engine.instance("it").custom_status
            if status and json.loads(status)["round"] == 10 * 24:
                return rig.clock.now()
            await asyncio.sleep(0)
        raise AssertionError("not reached")

    assert on_rig(work) - START == timedelta(days=10)
