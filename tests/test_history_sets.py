"""The history of a plan with more workflows than one answer shows: sets that link to each other."""

import csv
import io
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from activities import history_desk, ledger
from rehearsal.workflows import Workflows
from shared import history
from shared.problem import Problem
from tests.doors import HERE, Doors
from tests.history_doors import answer, asked, begin, pages, seen, workflow
from tests.history_doors import rested as rested
from tests.history_doors import running as running
from tests.past_runs import fill


@pytest.fixture
def parted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six workflows are a set: three sets."""
    monkeypatch.setattr(history, "WORKFLOWS_MAX", 6)


def follow(link: str) -> dict[str, str]:
    """What a link asks for."""
    path, query = link.split("?")
    assert path == "history"
    return dict(parse_qsl(query, strict_parsing=True))


@pytest.mark.usefixtures("parted")
def test_the_links_of_a_large_plan_lead_through_all_its_workflows(doors: Doors, running: Workflows):
    """Each set is asked for by itself, and what is filtered stays filtered."""
    names = ledger.workflows(doors.plan)
    told, looked = {"status": "Running", "top": "7"}, []
    for number in (1, 2, 3):
        history_desk.forget()
        before = doors.mark()
        view = seen(**told)
        looked.append({url.split("/workflows/")[1].split("/")[0] for url in asked(doors, before)})
        assert (view["set"], view["sets"], view["status"]) == (number, 3, "Running")
        (warning,) = view["warnings"]
        told = follow(warning.split(": see ")[1])
        assert told == {"status": "Running", "top": "7", "set": str(number % 3 + 1)}
    assert [len(each) for each in looked] == [6, 6, 4]
    assert set().union(*looked) == set(names)


@pytest.mark.usefixtures("parted")
def test_the_pages_of_a_set_stay_in_it(doors: Doors, running: Workflows):
    names = ledger.workflows(doors.plan)
    begin(doors, running, HERE, names[0])
    fill(running, workflow(doors, HERE, names[6]), 12, timedelta(seconds=5), 0)
    found = pages(doors, top="5", set="2")
    rows = [row for one in found for row in one["rows"]]
    assert len(found) > 1 and {one["set"] for one in found} == {2}
    assert {row["component"] for row in rows} == {names[6]} and len(rows) == 12
    told = [follow(one["warnings"][0].split(": see ")[1]) for one in found]
    assert told == [{"top": "5", "set": "3"}] * len(found)


@pytest.mark.usefixtures("parted")
def test_more_components_than_a_set_holds_are_parted_too(doors: Doors, running: Workflows):
    names = ledger.workflows(doors.plan)[:8]
    first = seen(component=",".join(names))
    second = seen(**follow(first["warnings"][0].split(": see ")[1]))
    assert first["component"] == second["component"] == ",".join(names)
    assert (first["sets"], second["set"]) == (2, 2)
    assert first["warnings"][0].startswith(f"2 of 8 workflows are left out: {names[6]}, {names[7]}")


@pytest.mark.usefixtures("parted")
def test_the_csv_of_a_set_names_the_next_set(doors: Doors, running: Workflows):
    text = answer(format="csv", set="3")[1]
    last = list(csv.DictReader(io.StringIO(text)))[-1]
    assert last["kind"] == "warning"
    assert follow(last["because"].split(": see ")[1]) == {"format": "csv", "set": "1"}


def test_a_set_that_the_plan_does_not_have_is_refused(doors: Doors):
    with pytest.raises(Problem) as no:
        answer(set="2")
    assert no.value.body["errors"] == ["set: a whole number from 1 to 1"]
