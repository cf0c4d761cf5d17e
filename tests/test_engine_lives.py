"""The durable engine: children, retries, control, and lives after the process's own."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.host.durable import actions, history
from rehearsal.host.durable.store import Instance, Store
from tests.engine_rig import START, Rig, on_rig, output, run


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
