"""What the HTTP API shows of both locations' run histories, over Contoso at the wire."""

import copy
import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from activities import desk, history_desk, ledger
from rehearsal.arm_throttle import LIMITS
from rehearsal.runtimes import IdleWorkflows
from rehearsal.workflows import Workflows
from rehearsal.world import Resource
from shared import history
from shared.problem import Problem
from tests.doors import HERE, THERE, Doors
from tests.past_runs import fill
from tests.patience import silent
from tests.wire import check_exchanges

WORKFLOW = "orders-worker"
WORKFLOWS = 16  # Of contoso.
SECRET = "hunter2"


@pytest.fixture(autouse=True)
def rested(doors: Doors) -> None:
    """History has all its reads; other tests have used some."""
    history_desk.forget()


@pytest.fixture
def running(doors: Doors) -> Iterator[Workflows]:
    """Logic Apps at work; what a test starts takes ten minutes."""
    runtime = Workflows(doors.world)
    doors.world.workflows = runtime
    yield runtime
    doors.wire.run(runtime.stop())
    doors.world.workflows = IdleWorkflows()


def workflow(doors: Doors, location: str, name: str = WORKFLOW) -> Resource:
    found = doors.world.resources.get(doors.plan.component(name, location)["resource"])
    assert found is not None
    return found


def begin(
    doors: Doors, running: Workflows, location: str, name: str = WORKFLOW, tracking: str = "order-7"
) -> str:
    """Start a run; gives its name."""
    found = workflow(doors, location, name)
    found.body["tags"] = {"rehearsal-run-seconds": "600"}

    async def start() -> str:
        flow = running.flow(found)
        return flow.begin(flow.triggers[0], "key", tracking=tracking).name

    return doors.wire.run(start())


def answer(**told: str | None) -> tuple:
    """What the desk answers to a query; `since` stands for from, and `until` for to."""
    words = {"from": told.pop("since", None), "to": told.pop("until", None), **told}
    return history_desk.one_history("contoso", *(words.get(key) for key in history_desk.QUERY))


def seen(top: str | None = None, component: str | None = None, **more: str | None) -> dict:
    status, view, _ = answer(top=top, component=component, **more)
    assert status == 200
    return json.loads(json.dumps(view))


def asked(doors: Doors, since: int, word: str = "") -> set[str]:
    """What history asked ARM for, each once: what a lost region held may come to its end here."""
    return {url for url in doors.sent(since, "GET") if "/workflows/" in url and word in url}


def pages(doors: Doors, **told: str | None) -> list[dict]:
    """Every page that follows, the first one too; waits for no purse."""
    found, after = [], None
    for _ in range(50):
        history_desk.forget()
        found.append(seen(after=after, **told))
        after = found[-1]["next"]
        if after is None:
            return found
    raise AssertionError("the pages do not end")


def refusal(top: str | None = None, component: str | None = None, name: str = "contoso") -> dict:
    with pytest.raises(Problem) as no:
        history_desk.one_history(name, top, component)
    return no.value.body


@pytest.mark.parametrize("top", ["0", "201", "-1", "x", "1.5", "", "9" * 5000, "²", "٣"])
def test_a_top_that_is_no_number_of_rows_is_refused(doors: Doors, top: str):
    assert refusal(top)["errors"] == ["top: a whole number from 1 to 200"]


@pytest.mark.parametrize("component", ["nobody", "gateway", ""])
def test_a_component_that_is_no_workflow_of_the_plan_is_refused(doors: Doors, component: str):
    no = refusal(component=component)
    assert no["status"] == 400
    words = f"component: {component!r} is none of the plan's workflows: orders-intake"
    assert no["errors"][0].startswith(words)


def test_every_error_of_a_query_is_named(doors: Doors):
    assert len(refusal("x", "x")["errors"]) == 2


def test_an_unknown_plan_is_not_found(doors: Doors):
    assert refusal(name="nobody")["status"] == 404


def test_who_asks_too_often_is_told_when_to_ask_again(doors: Doors, running: Workflows):
    """ARM's reads are those of the app that moves the plan, too."""
    seen()
    before = doors.mark()
    no = refusal()
    assert no["status"] == 429
    assert re.fullmatch(r".*ask again in [1-9] s", no["detail"])
    assert asked(doors, before, "/runs?") == set()


def test_a_silent_location_is_a_warning_and_hides_nothing_of_the_other(
    doors: Doors, running: Workflows
):
    name = begin(doors, running, HERE)
    with silent(doors, THERE, "arm", seconds=3 * desk.VIEW_SECONDS):
        view = seen()
    assert [row["name"] for row in view["rows"]] == [name, name]
    assert len(view["warnings"]) == 1
    assert view["warnings"][0].startswith(
        f"{THERE}: {WORKFLOWS} of {WORKFLOWS} workflows are not shown: "
    )


def test_two_silent_locations_are_two_warnings(doors: Doors, running: Workflows):
    for location in (HERE, THERE):
        doors.world.lose(location, {"arm"})
    view = seen(component=WORKFLOW)
    assert view["rows"] == []
    assert sorted(words.split(":")[0] for words in view["warnings"]) == [HERE, THERE]


def test_a_location_that_asks_for_a_pause_is_not_asked_on(doors: Doors, running: Workflows):
    doors.world.faults.add({"match": {"path": "rg-contoso-we"}, "effect": {"status": 429}})
    before = doors.mark()
    view = seen()
    refused = [row for row in doors.world.journal.after(before) if row["status"] == 429]
    assert len(refused) <= history_desk.THREADS
    assert "workflows are not shown: 429 " in view["warnings"][0]


def test_a_workflow_that_is_not_deployed_in_one_location_is_said(doors: Doors, running: Workflows):
    gone = workflow(doors, THERE)
    doors.world.resources.remove(gone.id)
    try:
        view = seen(component=WORKFLOW)
    finally:
        doors.world.resources.place(gone.id, gone.body)
    assert view["warnings"] == [f"{THERE}: not deployed there: {WORKFLOW}"]


def test_a_workflow_that_ran_in_both_locations_is_seen_to(doors: Doors, running: Workflows):
    names = {(at, begin(doors, running, at)) for at in (THERE, HERE)}
    rows = [row for row in seen()["rows"] if row["kind"] == "run"]
    assert {(row["location"], row["name"]) for row in rows} == names
    assert {row["component"] for row in rows} == {WORKFLOW}
    assert {row["correlation"] for row in rows} == {"order-7"}


def test_rows_of_both_locations_are_one_list_newest_first(doors: Doors, running: Workflows):
    names = [begin(doors, running, at) for at in (THERE, HERE, THERE)]
    rows = seen()["rows"]
    assert [row["name"] for row in rows if row["kind"] == "run"] == names[::-1]
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)


def test_a_run_and_the_trigger_that_began_it_are_both_shown(doors: Doors, running: Workflows):
    name = begin(doors, running, HERE)
    rows = seen(component=WORKFLOW)["rows"]
    run, trigger = sorted(rows, key=lambda row: row["kind"])
    common = {"location": HERE, "component": WORKFLOW, "name": name}
    assert {**run, **common, "kind": "run", "status": "Running"} == run
    assert {**trigger, **common, "kind": "trigger", "status": "Succeeded"} == trigger


def test_a_failed_run_says_why_without_what_is_secret(doors: Doors, running: Workflows):
    name = begin(doors, running, HERE)
    words = f"GET https://x.example.net/?sig={SECRET} answered 500"

    async def fail() -> None:
        flow = running.flow(workflow(doors, HERE))
        run = next(run for run in flow.runs if run.name == name)
        flow.abandon()
        run.end("Failed", doors.world.now, {"code": "ActionFailed", "message": words})

    doors.wire.run(fail())
    run = next(row for row in seen(component=WORKFLOW)["rows"] if row["kind"] == "run")
    assert run["status"] == "Failed"
    assert run["because"] == "ActionFailed: GET https://x.example.net/?... answered 500"


def test_a_top_bounds_the_list_and_what_is_asked_for(doors: Doors, running: Workflows):
    names = [begin(doors, running, HERE) for _ in range(4)]
    before = doors.mark()
    rows = seen("2", WORKFLOW)["rows"]
    assert [row["name"] for row in rows] == [names[3], names[3]]
    lists = asked(doors, before, "/runs?") | asked(doors, before, "/histories?")
    assert len(lists) == 4
    assert all("top=2" in url for url in lists)


def test_one_component_is_asked_for_alone(doors: Doors, running: Workflows):
    begin(doors, running, HERE, "orders-intake")
    name = begin(doors, running, HERE)
    before = doors.mark()
    view = seen(component=WORKFLOW)
    assert {row["name"] for row in view["rows"]} == {name}
    assert view["component"] == WORKFLOW
    assert len(asked(doors, before, f"/{WORKFLOW}/")) == history.REQUESTS_EACH
    assert asked(doors, before, "/runs?") == asked(doors, before, f"/{WORKFLOW}/runs?")


def test_several_components_are_asked_for_and_no_other(doors: Doors, running: Workflows):
    names = {begin(doors, running, HERE, name) for name in (WORKFLOW, "orders-intake")}
    begin(doors, running, HERE, "orders-status")
    before = doors.mark()
    view = seen(component=f"{WORKFLOW},orders-intake")
    assert {row["name"] for row in view["rows"]} == names
    assert (view["component"], view["warnings"]) == (f"orders-intake,{WORKFLOW}", [])
    assert len(asked(doors, before)) == 2 * history.REQUESTS_EACH


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


def test_all_requests_of_one_answer_fit_arms_bucket_of_reads(doors: Doors, running: Workflows):
    before = doors.mark()
    view = seen()
    assert view["warnings"] == []
    assert len(asked(doors, before)) == WORKFLOWS * history.REQUESTS_EACH
    assert LIMITS["reads"][0] > history.READS_MAX


@pytest.fixture
def doorbells(doors: Doors) -> Iterator[list[str]]:
    """A workflow of three triggers in one location; their names."""
    found = workflow(doors, HERE)
    before = copy.deepcopy(found.body)
    own = found.properties["definition"]["triggers"]
    names = [*own, *("bell-1", "bell-2")]
    found.properties["definition"]["triggers"] = dict.fromkeys(names, next(iter(own.values())))
    yield names
    found.body = before


def test_a_further_trigger_that_cannot_be_paid_for_is_named_and_not_asked_for(
    doors: Doors, doorbells: list[str], running: Workflows, monkeypatch: pytest.MonkeyPatch
):
    """Whatever a page asks for comes out of history's share of ARM's bucket."""
    monkeypatch.setattr(history, "READS_MAX", history.REQUESTS_EACH)
    monkeypatch.setattr(history, "READS_PER_SECOND", 0.001)
    history_desk.forget()
    before = doors.mark()
    left = ", ".join(f"{WORKFLOW}/{name}" for name in doorbells[1:])
    words = f"{HERE}: triggers that are not shown: {left}: ask for a component"
    assert seen(component=WORKFLOW)["warnings"] == [words]
    assert len(asked(doors, before)) == history.REQUESTS_EACH


def test_every_trigger_that_can_be_paid_for_is_shown(
    doors: Doors, doorbells: list[str], running: Workflows
):
    before = doors.mark()
    assert seen(component=WORKFLOW)["warnings"] == []
    histories = asked(doors, before, "/histories?")
    assert sum("rg-contoso-ne" in url for url in histories) == len(doorbells)


def test_what_goes_over_the_wire_is_as_published(doors: Doors, running: Workflows):
    begin(doors, running, HERE)
    before = doors.mark()
    seen("5", WORKFLOW)
    check_exchanges(doors.world.journal.after(before))


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
