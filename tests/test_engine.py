"""The durable engine by the SDK's real replay, in virtual time: what every shape does."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import json
import sqlite3
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.host import index, invoke
from rehearsal.host.durable import actions, history
from rehearsal.host.durable.clock import VirtualClock
from rehearsal.host.durable.engine import Engine, Gone, NotFound
from rehearsal.host.durable.ledger import AlreadyRunning, BadInstanceId
from rehearsal.host.durable.store import Instance, Store
from rehearsal.host.durable.turn import play

T = TypeVar("T")
START = datetime(2026, 1, 1, tzinfo=UTC)
SPINS_MAX = 2_000_000
APP = Path(__file__).parent / "apps" / "durable"


@functools.cache
def functions() -> list[index.Function]:
    """The test app's functions; get_functions works once per process."""
    spec = importlib.util.spec_from_file_location("engine_app", APP / "function_app.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return index.index(module)


class Rig:
    """An engine in virtual time, with what tests do to it."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self.invoker = invoke.Invoker(threads=8)
        self.clock = VirtualClock(START)
        self.store = Store(path)
        by_kind: dict[str, dict[str, index.Function]] = {}
        for each in functions():
            by_kind.setdefault(each.kind, {})[each.name] = each
        orchestrators = by_kind["orchestrationTrigger"].items()
        activities = by_kind["activityTrigger"].items()
        self.engine = Engine(
            self.store,
            {name: invoke.orchestrator(each) for name, each in orchestrators},
            {name: self.invoker.activity(each) for name, each in activities},
            clock=self.clock,
            timeout_seconds=0.3,
        )

    async def until(self, instance: str, *statuses: str) -> Instance:
        """The instance once it has one of the statuses; by default once it has ended."""
        for _ in range(SPINS_MAX):
            found = self.engine.instance(instance)
            if found.status in statuses or (not statuses and found.finished):
                return found
            await asyncio.sleep(0)
        raise AssertionError(f"{instance} stays {self.engine.instance(instance).status}")

    async def close(self) -> None:
        """Stop the engine."""
        await self.engine.stop()
        self.invoker.close()
        self.store.close()


def on_rig(work: Callable[[Rig], Coroutine[object, object, T]], path: str = ":memory:") -> T:
    """The result of `work` on a running rig."""

    async def main() -> T:
        rig = Rig(path)
        await rig.engine.start()
        try:
            return await work(rig)
        finally:
            await rig.close()

    return asyncio.run(main())


def run(name: str, given_input: object = None, instance: str = "it") -> Instance:
    """An orchestration run to its end. The input is encoded as the SDK's client encodes it."""

    async def work(rig: Rig) -> Instance:
        text = json.dumps(json.dumps(given_input))
        return await rig.until(rig.engine.start_instance(name, instance, text))

    return on_rig(work)


def output(found: Instance) -> object:
    """The output of an instance."""
    return json.loads(found.output or "null")


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


def test_children_hand_their_results_up() -> None:
    """Two nameless ones and a named one."""
    assert output(run("parent")) == [2, 4, 8]


def test_a_failing_child_is_an_exception_in_its_parent() -> None:
    """With the child's words."""
    assert str(output(run("parent_of_failure"))).startswith("Orchestrator function 'failing'")


def test_a_retry_waits_its_interval() -> None:
    """Two failures, two minutes, then the next step."""
    assert output(run("retrying", {"attempts": 3, "key": "waits"})) == [6, 120]


def test_a_retry_ends_after_its_attempts() -> None:
    """The last failure is the orchestration's."""
    assert run("retrying", {"attempts": 2, "key": "ends"}).status == "Failed"


def test_retries_side_by_side_keep_in_step_with_the_sdk() -> None:
    """Where the real extension may diverge, this one numbers as the SDK does."""
    assert output(run("retry_race", None, "race")) == 12


def test_a_child_is_retried_under_its_name() -> None:
    """Both attempts fail, then the parent goes on."""
    assert output(run("retrying_child")) == 42


def test_terminate_ends_an_instance_that_waits() -> None:
    """With its reason as output."""

    async def work(rig: Rig) -> Instance:
        rig.engine.start_instance("two_events", "it", "0")
        rig.engine.terminate("it", "enough")
        return await rig.until("it")

    found = on_rig(work)
    assert (found.status, output(found)) == ("Terminated", "enough")


def test_a_suspended_instance_holds_its_messages() -> None:
    """Resumed, it goes on with all of them."""

    async def work(rig: Rig) -> tuple[str, object]:
        rig.engine.start_instance("two_events", "it", "0")
        await rig.until("it", "Running")
        rig.engine.suspend("it", "wait")
        rig.engine.raise_event("it", "first", "1")
        rig.engine.raise_event("it", "second", "2")
        held = await rig.until("it", "Suspended")
        rig.engine.resume("it", "go on")
        return held.status, output(await rig.until("it"))

    assert on_rig(work) == ("Suspended", [1, 2])


def test_an_ended_id_may_be_used_again() -> None:
    """The new instance begins with nothing of the old one."""

    async def work(rig: Rig) -> list[object]:
        found = []
        for number in (1, 2):
            rig.engine.start_instance("one", "it", json.dumps(str(number)))
            found.append(output(await rig.until("it")))
        return found

    assert on_rig(work) == [2, 4]


def test_a_new_process_takes_up_what_is_open(tmp_path: Path) -> None:
    """The file is all that is left; timer and activity go on from it."""
    path = str(tmp_path / "hub.db")

    async def begin(rig: Rig) -> None:
        rig.engine.start_instance("sleeper", "timer", json.dumps("60"))
        rig.engine.start_instance("chain", "chain", json.dumps("3"))

    async def go_on(rig: Rig) -> list[object]:
        return [output(await rig.until(each)) for each in ("timer", "chain")]

    on_rig(begin, path)
    assert on_rig(go_on, path) == [60, 24]


def test_a_late_answer_to_an_older_generation_is_dropped() -> None:
    """Generations keep an old timer from firing into a new one."""

    async def work(rig: Rig) -> Instance:
        rig.engine.start_instance("two_events", "it", "0")
        await rig.until("it", "Running")
        late = history.closing_row(history.TIMER_FIRED, START, 0)
        rig.store.post("it", 7, late)
        rig.engine.raise_event("it", "first", "1")
        rig.engine.raise_event("it", "second", "2")
        return await rig.until("it")

    assert output(on_rig(work)) == [1, 2]


@given(
    st.recursive(
        st.just({"actionType": 0}),
        lambda inner: st.lists(inner).map(
            lambda found: {"actionType": 12, "compoundActions": found}
        ),
        max_leaves=20,
    )
)
def test_flattening_keeps_every_task(tree: dict) -> None:
    """However deep the compounds are nested."""
    leaves = json.dumps(tree).count('"actionType": 0')
    assert len(actions.flatten([tree])) == leaves


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    """A turn is written whole or not at all."""
    store = Store(tmp_path / "hub.db")
    row = history.row(history.EVENT_RAISED, START, Name="a")
    with pytest.raises(sqlite3.OperationalError), store.transaction():
        store.post("it", None, row)
        store.instances("no_such_column = 1", ())
    left = store.mail("it")
    store.close()
    assert left == []
