"""Runs of Standard workflows in the history and in the ledger, over the estate with every kind."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from activities import history_desk, ledger
from rehearsal.estate import DEFAULT
from rehearsal.runtimes import IdleWorkflows
from rehearsal.workflows import Workflows
from rehearsal.workflows_flow import Run
from rehearsal.world import Resource
from shared import flow_runs, history, ledger_orders, ledger_store
from shared.history import Listed
from shared.history_question import Question
from tests.doors import HERE, THERE, Doors, made_doors
from tests.past_runs import fill
from tests.wire import check_exchanges

FLOW, OTHER, NAME = "refunds-intake", "orders-intake", "run-of-standard"
EPOCH = 0


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """The estate with every kind behind its doors."""
    folder = tmp_path_factory.mktemp("standard")
    with made_doors(folder, DEFAULT.parent / "everything.yaml") as made, made.led():
        yield made


@pytest.fixture(autouse=True)
def running(doors: Doors) -> Iterator[Workflows]:
    """Logic Apps at work, and nobody has looked at them yet."""
    runtime = Workflows(doors.world)
    doors.world.workflows = runtime
    doors.world.buses = doors.buses
    history_desk.forget()
    for name in doors.storage.names("stcontosone", "understudy"):
        if name.startswith("ledger/"):
            doors.drop("stcontosone", "understudy", name)
    yield runtime
    doors.wire.run(runtime.stop())
    doors.world.workflows = IdleWorkflows()


def flow(doors: Doors, location: str, name: str = FLOW) -> Resource:
    part = doors.plan.component(name, location)
    where = f"{part['resource']}/workflows/{part['workflow']}" if "workflow" in part else ""
    found = doors.world.resources.get(where or part["resource"])
    assert found is not None
    return found


def site(doors: Doors, location: str) -> Resource:
    found = doors.world.resources.get(doors.plan.component(FLOW, location)["resource"])
    assert found is not None
    return found


@pytest.fixture
def stopped(doors: Doors) -> Iterator[Resource]:
    """Home's site, whose host may be stopped; it runs again afterwards."""
    found = site(doors, THERE)
    yield found
    found.properties["state"] = "Running"


def begun(doors: Doors, running: Workflows) -> Run:
    """A run of the Standard workflow that is in flight at home."""
    work, now = running.flow(flow(doors, THERE)), datetime.now(UTC) - timedelta(seconds=60)
    run = Run(NAME, work.triggers[0].name, NAME, NAME, now, now)
    work.runs.appendleft(run)
    return run


def seen(component: str | None = FLOW) -> dict:
    return history_desk.one_history("contoso", None, component)[1]


def look(doors: Doors) -> dict:
    at = ledger.workflows(doors.plan).index(FLOW)
    told = {"plan": "contoso", "epoch": EPOCH, "location": THERE, "cursor": at, "most": 1}
    return doors.call("keep_ledger", told)


def kept(epoch: int | None = None) -> dict:
    held = ledger_store.read("contoso", epoch)
    assert held is not None
    return held


def freeze(doors: Doors) -> None:
    told = {"plan": "contoso", "epoch": EPOCH + 1, "active": HERE, "claims": []}
    doors.call("freeze_ledger", told)


def test_a_site_whose_host_is_stopped_is_a_warning(doors: Doors, stopped: Resource) -> None:
    stopped.properties["state"] = "Stopped"
    assert any(words.startswith(f"{THERE}: 1 of 1 workflows") for words in seen()["warnings"])


def test_a_stopped_host_hides_no_other_workflow(
    doors: Doors, running: Workflows, stopped: Resource
) -> None:
    stopped.properties["state"] = "Stopped"
    fill(running, flow(doors, HERE), 1, timedelta(seconds=1), 0)
    assert [row["location"] for row in seen()["rows"]] == [HERE]


def test_a_stopped_host_leaves_what_the_ledger_knew(
    doors: Doors, running: Workflows, stopped: Resource
) -> None:
    begun(doors, running)
    look(doors)
    stopped.properties["state"] = "Stopped"
    assert look(doors)["status"] == "succeeded"
    assert [row["run"] for row in kept()["runs"]] == [NAME]


def test_a_run_of_a_stopped_host_is_asked_for_again(
    doors: Doors, running: Workflows, stopped: Resource
) -> None:
    begun(doors, running)
    look(doors)
    freeze(doors)
    stopped.properties["state"] = "Stopped"
    doors.call("review_ledger", {"plan": "contoso", "epoch": EPOCH})
    held = kept(EPOCH)
    assert held["found"][NAME]["status"] == "HostStopped"
    assert [row["run"] for row in held["runs"]] == [NAME]


def test_an_order_for_a_standard_run_says_who_can_do_it(doors: Doors, running: Workflows) -> None:
    run = begun(doors, running)
    look(doors)
    freeze(doors)
    run.end("Failed", datetime.now(UTC))
    doors.call("review_ledger", {"plan": "contoso", "epoch": EPOCH})
    by = {"by": "Ada", "comment": ""}

    def enter(was: dict) -> dict:
        return ledger_orders.ordered(was, "resubmit", [NAME], {}, by, datetime.now(UTC))[0]

    ledger_store.change("contoso", enter, epoch=EPOCH)
    doors.hold(epoch=EPOCH + 1, active=HERE, run=None)
    witness = doors.plan.document["witness"]
    task = {"plan": "contoso", "run": f"contoso-ledger-{HERE}", "stage": "ledger", "of": EPOCH}
    task |= {"verb": "settle", "location": HERE, "epoch": EPOCH + 1, "witness": witness}
    doors.call("settle_orders", task)
    (order,) = kept(EPOCH)["orders"].values()
    assert order["state"] == "refused" and "site's own run history" in order["because"]


def crowded(doors: Doors, running: Workflows) -> Listed:
    """A page behind one that ended in a second in which three hundred runs began."""
    found = flow(doors, THERE, OTHER)
    fill(running, found, 300, timedelta(0), 0)
    oldest = min(run.started_at for run in running.flow(found).runs)
    asked = Question(top=1, component=OTHER, after=(oldest, "", "", -1, ""))
    return history_desk.listed(THERE, OTHER, asked, "run", f"{found.id}/runs")


def test_a_further_page_is_owed_and_the_next_question_pays(
    doors: Doors, running: Workflows
) -> None:
    crowded(doors, running)
    assert history_desk.lacking(history.READS_MAX) > 0


def test_runs_and_triggers_of_a_standard_workflow_are_in_the_history(
    doors: Doors, running: Workflows
) -> None:
    mark = doors.mark()
    for location in (HERE, THERE):
        fill(running, flow(doors, location), 2, timedelta(seconds=5), 0)
    rows = seen()["rows"]
    assert {row["location"] for row in rows if row["kind"] == "run"} == {HERE, THERE}
    assert {row["component"] for row in rows} == {FLOW}
    check_exchanges(doors.world.journal.after(mark))


def test_a_history_of_the_whole_plan_has_both_kinds(doors: Doors, running: Workflows) -> None:
    for name in (FLOW, OTHER):
        fill(running, flow(doors, THERE, name), 1, timedelta(seconds=5), 0)
    assert {FLOW, OTHER} <= {row["component"] for row in seen(None)["rows"]}


def test_a_standard_run_in_flight_is_in_the_ledger_until_its_end_is_known(
    doors: Doors, running: Workflows
) -> None:
    mark, run = doors.mark(), begun(doors, running)
    assert look(doors)["runs"] == 1
    freeze(doors)
    run.end("Failed", datetime.now(UTC))
    doors.call("review_ledger", {"plan": "contoso", "epoch": EPOCH})
    assert kept(EPOCH)["found"][NAME]["status"] == "Failed"
    check_exchanges(doors.world.journal.after(mark))


def test_the_root_of_a_consumption_workflow_is_its_resource() -> None:
    part = {"kind": "logicWorkflow", "resource": "/x"}
    assert flow_runs.root(part) == "/x" and not flow_runs.hostless(part, 400)
