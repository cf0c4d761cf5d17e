"""What the HTTP API shows of both locations' run histories, over Contoso at the wire."""

import copy
import re
from collections.abc import Iterator

import pytest

from activities import desk, history_desk
from rehearsal.arm_throttle import LIMITS
from rehearsal.workflows import Workflows
from shared import history
from tests.doors import HERE, THERE, Doors
from tests.history_doors import WORKFLOW, asked, begin, refusal, seen, workflow
from tests.history_doors import rested as rested
from tests.history_doors import running as running
from tests.patience import silent
from tests.wire import check_exchanges

WORKFLOWS = 16  # Of contoso.
SECRET = "hunter2"


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
