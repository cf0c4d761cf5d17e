"""The history page by page, by status and time, and as CSV."""

import csv
import io
from datetime import timedelta

from rehearsal.workflows import Workflows
from tests.doors import HERE, THERE, Doors
from tests.history_doors import WORKFLOW, answer, asked, begin, pages, seen, workflow
from tests.history_doors import rested as rested
from tests.history_doors import running as running
from tests.past_runs import fill
from tests.wire import check_exchanges


def test_what_goes_over_the_wire_for_a_later_page_is_as_published(doors: Doors, running: Workflows):
    fill(running, workflow(doors, HERE), 8, timedelta(seconds=5), 0)
    before = doors.mark()
    pages(doors, top="5", component=WORKFLOW, status="Succeeded", since="2026-01-05")
    check_exchanges(doors.world.journal.after(before))


def test_page_by_page_all_runs_of_both_locations_are_shown_once(doors: Doors, running: Workflows):
    for first, place in enumerate((HERE, THERE)):
        fill(running, workflow(doors, place), 150, timedelta(seconds=2), first)
    rows = [row for one in pages(doors, top="70", component=WORKFLOW) for row in one["rows"]]
    assert len({(row["location"], row["name"]) for row in rows}) == len(rows) == 300
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)


def test_runs_of_one_second_are_paged_like_any(doors: Doors, running: Workflows):
    fill(running, workflow(doors, HERE), 30, timedelta(milliseconds=1), 0)
    rows = [row for one in pages(doors, top="7", component=WORKFLOW) for row in one["rows"]]
    assert len({row["name"] for row in rows}) == len(rows) == 30


def test_what_begins_between_two_pages_moves_nothing(doors: Doors, running: Workflows):
    fill(running, workflow(doors, HERE), 10, timedelta(seconds=5), 0)
    first = seen("5", WORKFLOW)
    begin(doors, running, HERE)
    second = seen("5", WORKFLOW, after=first["next"])
    names = [row["name"][-5:] for row in [*first["rows"], *second["rows"]]]
    assert names == [f"{number:05d}" for number in range(10)]


def test_a_status_leaves_only_its_own(doors: Doors, running: Workflows):
    fill(running, workflow(doors, HERE), 30, timedelta(seconds=5), 0)
    before = doors.mark()
    rows = seen(component=WORKFLOW, status="failed")["rows"]
    assert [row["status"] for row in rows] == ["Failed"] * 3
    assert all("status+eq" in url or "status%20eq" in url for url in asked(doors, before, "top="))


def test_a_time_leaves_only_what_began_in_it(doors: Doors, running: Workflows):
    fill(running, workflow(doors, HERE), 30, timedelta(seconds=5), 0)
    times = [row["at"] for row in seen(component=WORKFLOW)["rows"]]
    rows = seen(component=WORKFLOW, since=times[20], until=times[10])["rows"]
    assert [row["at"] for row in rows] == times[11:21]


def test_a_silent_location_is_named_in_the_csv(doors: Doors, running: Workflows):
    name = begin(doors, running, HERE)
    doors.world.lose(THERE, {"arm"})
    status, text, headers = answer(component=WORKFLOW, format="csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert (status, headers["Content-Type"]) == (200, "text/csv")
    assert [row["name"] for row in rows] == [name, name, ""]
    assert (rows[-1]["kind"], rows[-1]["because"].split(":")[0]) == ("warning", THERE)


def test_the_csv_has_the_rows_of_the_json_and_names_the_next_page(doors: Doors, running: Workflows):
    fill(running, workflow(doors, HERE), 10, timedelta(seconds=5), 0)
    view = seen("5", WORKFLOW)
    _, text, headers = answer(top="5", component=WORKFLOW, Accept="text/csv")
    told = [row["name"] for row in csv.DictReader(io.StringIO(text))]
    assert told == [row["name"] for row in view["rows"]]
    query = f"top=5&component={WORKFLOW}&after={view['next']}"
    assert headers["Link"] == f'<?{query}>; rel="next"'


def test_a_tracking_id_is_no_formula_in_the_csv(doors: Doors, running: Workflows):
    begin(doors, running, HERE, tracking="=cmd|' /C calc'!A0")
    text = answer(component=WORKFLOW, format="csv")[1]
    run = next(row for row in csv.DictReader(io.StringIO(text)) if row["kind"] == "run")
    assert run["correlation"].startswith("'=cmd")
