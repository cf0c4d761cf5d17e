"""When triggers fire: pure rules, without sockets or tasks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.workflows_due import Memory, Trigger, due, enable, read_triggers
from tests.flows import PEEK, START, at, poll

EVERY_10 = Trigger("t", "recurrence", "Second", 10)
WINDOW_10 = Trigger("t", "slidingWindow", "Second", 10)


def fired(trigger: Trigger, *times: float, down: tuple[float, ...] = ()) -> list[float]:
    """When a trigger, enabled at the start, fires if it is looked at at these seconds."""
    memory, seen = Memory(), []
    enable(trigger, memory, START)
    for time in times:
        seen += due(trigger, memory, at(time), time not in down)
    return [(time - START).total_seconds() for time in seen]


def test_a_recurrence_without_start_fires_at_once() -> None:
    assert fired(EVERY_10, 0, 9, 10.1) == [0, 10]


def test_a_missed_recurrence_is_not_made_up() -> None:
    assert fired(EVERY_10, 0, 10, 20, 30, 40.1, down=(10, 20, 30)) == [0, 40]


def test_a_missed_window_is_made_up() -> None:
    assert fired(WINDOW_10, 0, 10, 20, 30, 40.1, down=(10, 20, 30)) == [0, 10, 20, 30, 40]


def test_a_recurrence_with_a_past_start_waits_for_its_grid() -> None:
    trigger = Trigger("t", "recurrence", "Second", 10, at(-4))
    assert fired(trigger, 0, 5, 6.1) == [6]


def test_a_future_start_is_waited_for() -> None:
    assert fired(Trigger("t", "recurrence", "Second", 10, at(3)), 0, 2, 3) == [3]


def test_a_window_goes_on_where_it_was_disabled() -> None:
    memory = Memory(next=at(10))
    enable(WINDOW_10, memory, at(35))
    assert len(due(WINDOW_10, memory, at(35), True)) == 3


def test_a_recurrence_with_the_state_of_another_keeps_its_grid_and_does_not_fire_at_once() -> None:
    memory = Memory(next=at(10), last=START, carried=True)
    enable(EVERY_10, memory, at(34))
    seen = [due(EVERY_10, memory, at(t), True) for t in (34, 39, 40.1)]
    assert seen == [[], [], [at(40)]]


def test_a_carried_state_counts_once() -> None:
    """Switched off and on again, the clock is its own."""
    memory = Memory(next=at(10), carried=True)
    enable(EVERY_10, memory, at(4))
    enable(EVERY_10, memory, at(5))
    assert memory.next == at(5)


def test_a_carried_occurrence_that_is_still_to_come_is_waited_for() -> None:
    memory = Memory(next=at(25), carried=True)
    enable(EVERY_10, memory, at(4))
    assert memory.next == at(25)


def test_a_month_keeps_its_day_where_it_can() -> None:
    end = datetime(2026, 1, 31, tzinfo=UTC)
    assert Trigger("t", "recurrence", "Month", 1).after(end) == datetime(2026, 2, 28, tzinfo=UTC)


@given(st.lists(st.floats(0.01, 60), min_size=1, max_size=30))
def test_no_window_is_lost_or_done_twice(steps: list[float]) -> None:
    memory, now, seen = Memory(), START, []
    enable(WINDOW_10, memory, now)
    for step in steps:
        now += timedelta(seconds=step)
        seen += due(WINDOW_10, memory, now, True)
    assert seen == [at(10 * n) for n in range(len(seen))]
    assert now < at(10 * len(seen))


@pytest.mark.parametrize(
    ("definition", "kind", "queue"),
    [
        (poll(PEEK), "queue", "orders"),
        (poll(PEEK, "Next Available"), "orderedQueue", "orders"),
        (poll("/Mail/OnNewEmail"), "mailbox", ""),
        (poll("/datasets/x"), "unknown", ""),
    ],
)
def test_a_connector_is_known_by_its_path(definition: dict, kind: str, queue: str) -> None:
    trigger = read_triggers(definition)[0]
    assert (trigger.kind, trigger.queue) == (kind, queue)
