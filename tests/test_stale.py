"""Stale tasks: whose work is over, as the record has it."""

import pytest

from shared import stale
from tests.replay import START
from tests.sample_plan import record

WEST, NORTH = "westeurope", "northeurope"


def task(run: str, verb: str, place: str, epoch: int | None = 2, stage: str = "fence") -> dict:
    told = {"plan": "contoso", "run": run, "verb": verb, "location": place}
    return {**told, "epoch": epoch, "stage": stage}


def held(phase: str = "activate", to: str = NORTH, **more: object) -> dict:
    """A record at epoch 2, active in the north, with a run under way."""
    run = {"id": "r", "phase": phase, "to": to, "at": START.isoformat(), "mode": "forced"}
    run |= {"from": WEST if to == NORTH else NORTH, "paused": False, "approval": None}
    return record(2, NORTH, **{"run": {**run, "cancel": None}, **more})


def kept(verb: str, place: str, epoch: int | None = 2) -> dict:
    return task(stale.keeper("contoso", "heartbeat", place), verb, place, epoch)


def backing_up(place: str, epoch: int | None = 2) -> dict:
    return task(stale.keeper("contoso", "backup", place), "backup", place, epoch, "backup")


CONTRADICTED = [
    (
        "a cancelled run would go on",
        held(run={**held()["run"], "cancel": {"by": "kim"}}),
        task("r", "promote", NORTH),
        "cancelled by kim",
    ),
    ("another run holds the record", held(), task("old", "demote", WEST), "holds the record"),
    ("the run has ended", held(run=None), task("r", "demote", WEST), "not reserved"),
    ("its epoch moved", held(), task("r", "demote", WEST, 1), "epoch moved"),
    ("a keeper's epoch moved", held(run=None), kept("promote", NORTH, 1), "epoch moved"),
    ("a standby would serve", held(run=None), kept("promote", WEST), "is active"),
    ("the active would stop", held(run=None), kept("demote", NORTH), "is active"),
    ("a run serves for it", held(), kept("promote", NORTH), "under way"),
    (
        "a claimed run that stands still",
        held("fence", run={**held("fence")["run"], "at": "2026-01-01T00:00:00+00:00"}),
        kept("promote", NORTH),
        "under way",
    ),
    (
        "a run that nobody has taken up yet",
        held(run=None, unfinished={"id": "r", "to": NORTH}),
        kept("promote", NORTH),
        "finished first",
    ),
    ("a run comes to what is paired", held("requested", WEST), kept("protect", WEST), "under way"),
    ("backed up where it stands by", held(run=None), backing_up(WEST), "is active"),
    ("backed up under a run", held("requested", WEST), backing_up(NORTH), "under way"),
    ("backed up for an epoch that is over", held(run=None), backing_up(NORTH, 1), "epoch moved"),
    ("backed up without an epoch", held(run=None), backing_up(NORTH, None), "without an epoch"),
    ("no epoch", held(run=None), kept("demote", WEST, None), "without an epoch"),
    ("restored over the active", held(run=None), task("x", "promote", NORTH, None, "restore"), "s"),
    ("restored under a run", held(), task("x", "promote", WEST, None, "restore"), "under way"),
]
ALLOWED = [
    ("the run in progress", held(), task("r", "demote", WEST)),
    ("what undoes it at the other side", held(), task("r", "promote", WEST)),
    ("a run that drains before it claims", held("quiesce"), task("r", "demote", NORTH, None)),
    ("a standby stands down", held(run=None), kept("demote", WEST)),
    ("and though a run is to come to it", held("quiesce", WEST), kept("demote", WEST)),
    ("the old side stands down beside the run", held(), kept("demote", WEST)),
    ("the active serves again", held(run=None), kept("promote", NORTH)),
    ("a run is only asked for", held("requested", WEST), kept("promote", NORTH)),
    ("a run that protects is in nobody's way", held("protect"), kept("promote", NORTH)),
    ("a backup of what serves", held(run=None), backing_up(NORTH)),
    ("a backup while the run protects", held("protect"), backing_up(NORTH)),
    ("a restore at the standby", held(run=None), task("x", "promote", WEST, None, "restore")),
]


@pytest.mark.parametrize(("held", "told", "words"), [row[1:] for row in CONTRADICTED])
def test_a_task_that_the_record_contradicts_is_stale(held: dict, told: dict, words: str) -> None:
    assert words in stale.contradiction(held, told, START)


@pytest.mark.parametrize(("held", "told"), [row[1:] for row in ALLOWED])
def test_the_work_of_now_is_not_stale(held: dict, told: dict) -> None:
    assert stale.contradiction(held, told, START) == ""


def test_only_a_keeper_of_its_own_location_needs_no_witness() -> None:
    down = kept("demote", WEST, None)
    assert stale.stands_down(down, WEST) and not stale.stands_down(down, NORTH)
    assert not stale.stands_down(kept("promote", WEST, None), WEST)
    assert not stale.stands_down(task("r", "demote", WEST, None), WEST)
