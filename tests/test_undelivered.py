"""Undelivered: an outbox keeps its order, is bounded, and says what it does not send any more."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import faults, slip, undelivered
from tests.stories import paper

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
RESTORE = {**paper("verify"), "kind": "restore", "stage": "restore", "route": []}


def of_run(run: str, stage: str = "fence", **more: object) -> dict:
    return {**paper(stage), "run": run, **more}


def book_of(*papers: dict) -> dict:
    book: dict | None = undelivered.EMPTY
    for one in papers:
        book = undelivered.add(book, slip.queue(one), one, NOW) if book else book
    assert book is not None
    return book


def ids(book: dict) -> list[str]:
    return [one["id"] for one in book["slips"]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON"),
        (b"[]", "the whole"),
        (b'{"version": 2, "slips": [], "gone": []}', "version"),
        (b'{"version": 1, "slips": [{"id": 1}], "gone": []}', "slips.0.id"),
        (b'{"version": 1, "slips": {}, "gone": []}', "slips"),
        (b" " * (undelivered.BYTES_MAX + 1), "at most"),
    ],
)
def test_what_is_no_outbox_is_refused_and_named(data: bytes, words: str) -> None:
    with pytest.raises(faults.Faulty, match=words):
        undelivered.read(data)


def test_a_full_outbox_takes_no_more() -> None:
    full = book_of(*(of_run(f"r{n}") for n in range(undelivered.SLIPS_MAX)))
    assert undelivered.add(full, "slip-fence", of_run("one-more"), NOW) is None


def test_a_full_outbox_takes_what_is_in_it() -> None:
    full = book_of(*(of_run(f"r{n}") for n in range(undelivered.SLIPS_MAX)))
    assert undelivered.add(full, "slip-fence", of_run("r7"), NOW) is full


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=12))
def test_slips_keep_the_order_in_which_they_first_came(runs: list[str]) -> None:
    assert ids(book_of(*map(of_run, runs))) == [f"{run}.fence" for run in dict.fromkeys(runs)]


@given(st.permutations(["a", "b", "c"]), st.lists(st.sampled_from(["a", "b", "c"])))
def test_striking_out_twice_is_striking_out_once(runs: list[str], struck: list[str]) -> None:
    book = book_of(*map(of_run, runs))
    for run in struck:
        book = undelivered.strike(book, f"{run}.fence", "sent", "", NOW)
    assert ids(book) == [f"{run}.fence" for run in runs if run not in struck]
    assert sorted(one["id"] for one in book["gone"]) == sorted({f"{r}.fence" for r in struck})


def test_what_has_gone_is_remembered_for_a_while_only() -> None:
    book = undelivered.EMPTY
    for number in range(undelivered.GONE_MAX + 5):
        added = undelivered.add(book, "slip-fence", of_run(f"r{number}"), NOW)
        book = undelivered.strike(added or book, f"r{number}.fence", "sent", "", NOW)
    assert len(book["gone"]) == undelivered.GONE_MAX


def test_of_a_plans_restores_only_the_newest_waits() -> None:
    book = book_of({**RESTORE, "run": "r1"}, of_run("move"), {**RESTORE, "run": "r2"})
    assert ids(book) == ["move.fence", "r2.restore"]


def test_the_restore_of_another_plan_waits_beside_it() -> None:
    book = book_of({**RESTORE, "run": "r1"}, {**RESTORE, "run": "r2", "plan": "fabrikam"})
    assert len(ids(book)) == 2


@pytest.mark.parametrize(
    ("waiting", "minutes"),
    [
        (of_run("r", "claim", epoch=None), 10),
        (of_run("r", "claim", epoch=None, mode="graceful"), 20),
        (of_run("r", "claim", epoch=None, facts={"quiesceAt": "2026-11-21T08:59:00+00:00"}), 20),
        (of_run("r", "verify"), 60),
        (RESTORE, 24 * 60),
    ],
)
def test_a_slip_is_over_when_its_reservation_is(waiting: dict, minutes: float) -> None:
    entry = {"id": "r", "queue": "q", "slip": waiting, "at": NOW.isoformat()}
    assert not undelivered.over(entry, NOW + timedelta(minutes=minutes, seconds=-1))
    said = undelivered.over(entry, NOW + timedelta(minutes=minutes))
    assert f"more than {minutes:g} minutes" in said


def test_after_a_start_the_next_slip_is_expected_soon_and_not_for_ever() -> None:
    book = undelivered.strike(book_of(of_run("r")), "r.fence", "started", "", NOW)
    assert undelivered.lively(book, NOW + timedelta(seconds=1))
    assert not undelivered.lively(book, NOW + timedelta(minutes=1))


@pytest.mark.parametrize("book", [undelivered.EMPTY, {**undelivered.EMPTY, "gone": []}])
def test_an_empty_outbox_expects_nothing(book: dict) -> None:
    assert not undelivered.lively(book, NOW)


def test_what_was_written_is_read_again() -> None:
    book = undelivered.strike(book_of(of_run("a"), of_run("b")), "a.fence", "over", "old", NOW)
    assert undelivered.read(json.dumps(book).encode()) == book
