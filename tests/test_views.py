"""What the HTTP API shows of a run to which people have said something."""

import pytest

from shared import runs, views, witness
from tests.stories import START, paper, record

RUN = paper("claim")["run"]


def waiting() -> dict:
    return witness.reserve(record(), paper("claim", None), START, 60)


def said(word: str, known: dict) -> dict:
    return runs.hear(known, word, runs.Said(RUN, "ada", "", START, "redirect", 30))


def shown(known: dict, instances: dict | None = None) -> dict:
    view = views.run_view(RUN, known, instances or {})
    assert view is not None
    return view


def stage(status: str, custom: dict | None = None, output: dict | None = None) -> dict:
    return {"status": status, "output": output, "createdAt": None, "custom": custom}


def test_a_run_that_waits_shows_for_what_and_until_when():
    custom = {"stage": "claim", "waitsFor": "decided.1"}
    view = shown(waiting(), {"claim": stage("Running", custom)})
    assert view["approval"]["state"] == "wanted" and view["waitsFor"] == "decided.1"
    assert (view["outcome"], view["paused"], view["cancel"]) == ("running", False, None)


def test_a_paused_run_shows_that_it_is():
    assert shown(said("pause", waiting()))["paused"]


@pytest.mark.parametrize(("word", "outcome"), [("cancel", "cancelled"), ("decline", "refused")])
def test_a_run_that_people_ended_has_an_outcome_of_its_own(word: str, outcome: str):
    assert shown(said(word, waiting()))["outcome"] == outcome


def test_what_was_undone_is_shown_apart():
    rows = [{"stage": "activate", "component": "a"}, {"stage": "undo", "component": "a"}]
    output = {"outcome": "cancelled", "rows": rows}
    view = shown(said("cancel", waiting()), {"redirect": stage("Completed", None, output)})
    assert view["undone"] == rows[1:] and view["steps"] == rows
