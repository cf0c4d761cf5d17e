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
from shared import flow_runs, ledger_asking, ledger_store
from shared.history_question import Question
from shared.reply import Unreachable
from tests.doors import HERE, THERE, Doors, made_doors
from tests.past_runs import fill

FLOW, OTHER, NAME = "refunds-intake", "orders-intake", "run-of-standard"
EPOCH = 0
BROKEN = [{"drop": True, "delaySeconds": 0}, {"status": 503}]  # Nobody answers; a gateway does.
HOSTS, REGION = "rg-contoso-we/.*/hostruntime/", "rg-contoso-we/"  # Home's.


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
    doors.whole()
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


def look(doors: Doors, **more: int) -> dict:
    at = ledger.workflows(doors.plan).index(FLOW)
    told = {"plan": "contoso", "epoch": EPOCH, "location": THERE, "cursor": at, "most": 1}
    return doors.call("keep_ledger", {**told, **more})


def sweep(doors: Doors) -> dict:
    """Look at every workflow, in one call."""
    return look(doors, cursor=0, most=len(ledger.workflows(doors.plan)))


def silence(doors: Doors, path: str, effect: dict) -> None:
    doors.world.faults.add({"match": {"path": path}, "effect": effect})


def begun_of(doors: Doors, running: Workflows, name: str) -> Run:
    """A run of a Consumption workflow that is in flight at home."""
    work, now = running.flow(flow(doors, THERE, name)), datetime.now(UTC) - timedelta(seconds=60)
    run = Run(f"run-of-{name}", work.triggers[0].name, name, name, now, now)
    work.runs.appendleft(run)
    return run


def kept(epoch: int | None = None) -> dict:
    held = ledger_store.read("contoso", epoch)
    assert held is not None
    return held


def freeze(doors: Doors, *claims: dict) -> None:
    told = {"plan": "contoso", "epoch": EPOCH + 1, "active": HERE, "claims": list(claims)}
    doors.call("freeze_ledger", told)


def claimed() -> dict:
    return {"run": "contoso-run", "at": datetime.now(UTC).isoformat(), "epoch": EPOCH + 1}


def review(doors: Doors) -> dict:
    return doors.call("review_ledger", {"plan": "contoso", "epoch": EPOCH})


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
    review(doors)
    held = kept(EPOCH)
    assert held["found"][NAME]["status"] == "HostStopped"
    assert [row["run"] for row in held["runs"]] == [NAME]


@pytest.mark.parametrize("effect", BROKEN)
def test_a_region_that_does_not_answer_for_its_site_either_is_silent(
    doors: Doors, effect: dict
) -> None:
    look(doors)
    silence(doors, REGION, effect)
    assert look(doors)["status"] == "refused"
    assert kept()["silent"] and not kept()["sweep"]["missed"]


def test_a_row_of_silent_hosts_is_their_region(doors: Doors) -> None:
    silence(doors, HOSTS, {"status": 503})
    hosts, part = ledger_asking.Hosts(), doors.plan.component(FLOW, THERE)
    for number in range(flow_runs.HOSTS_MAX - 1):
        with pytest.raises(ledger_asking.Hostless):
            hosts.ask({**part, "resource": f"{part['resource']}-{number}"}, "/runs")
    with pytest.raises(Unreachable):
        hosts.ask(part, "/runs")


@pytest.mark.parametrize("effect", BROKEN)
def test_a_silent_host_hides_no_other_workflow_from_the_ledger(
    doors: Doors, running: Workflows, effect: dict
) -> None:
    """Workflows in front of it and behind it, and what comes after the look."""
    names = ledger.workflows(doors.plan)
    others = [
        name for name in names if doors.plan.component(name, THERE)["kind"] == "logicWorkflow"
    ]
    runs = {begun_of(doors, running, name).name for name in others}
    silence(doors, HOSTS, effect)
    seen_all = sweep(doors)
    assert (seen_all["status"], seen_all["cursor"]) == ("succeeded", 0)
    assert {row["run"] for row in kept()["runs"]} == runs


def test_a_silent_host_is_asked_once_for_all_its_workflows(doors: Doors) -> None:
    silence(doors, HOSTS, {"status": 503})
    mark = doors.mark()
    sweep(doors)
    assert sum("/hostruntime/" in url for url in doors.sent(mark, "GET")) == 1
    assert set(kept()["sweep"]["missed"]) == {FLOW, "settlement-flow"}


@pytest.mark.parametrize("state", ["Stopped", "Running"])
def test_a_workflow_that_no_look_saw_is_missed_since_the_last_one_that_did(
    doors: Doors, stopped: Resource, state: str
) -> None:
    sweep(doors)
    whole = kept()["sweep"]["completeSince"]
    stopped.properties["state"] = "Stopped"
    sweep(doors)
    stopped.properties["state"] = state
    sweep(doors)
    since = kept()["sweep"]
    assert since["missed"].get(FLOW) == (whole if state == "Stopped" else None)
    assert since["completeSince"] > whole


def test_what_began_unseen_is_asked_for_since_the_last_look_that_saw_it(
    doors: Doors, running: Workflows, stopped: Resource
) -> None:
    """Also where all other workflows were seen much later."""
    sweep(doors)
    stopped.properties["state"] = "Stopped"
    sweep(doors)
    early = (datetime.now(UTC) - timedelta(minutes=10)).isoformat()
    held = kept()
    held["sweep"]["missed"][FLOW] = early
    ledger_store.change("contoso", lambda was: held)
    stopped.properties["state"] = "Running"
    begun(doors, running).end("Failed", datetime.now(UTC))
    freeze(doors, claimed())
    review(doors)
    assert NAME in [row["run"] for row in kept(EPOCH)["runs"]]


@pytest.mark.parametrize("effect", [None, *BROKEN])
def test_late_runs_that_a_host_cannot_tell_are_said_to_be_left_out(
    doors: Doors, stopped: Resource, effect: dict | None
) -> None:
    """The host of a demoted app is stopped: nobody knows what it had begun."""
    sweep(doors)
    freeze(doors, claimed())
    if effect:
        silence(doors, HOSTS, effect)
    else:
        stopped.properties["state"] = "Stopped"
    assert review(doors)["status"] == "succeeded"
    assert kept(EPOCH)["late"]["cursor"] is None
    assert kept(EPOCH)["cut"] == {FLOW: 1, "settlement-flow": 1}


@pytest.mark.parametrize("effect", BROKEN)
def test_a_silent_host_holds_up_no_review_of_other_runs(
    doors: Doors, running: Workflows, effect: dict
) -> None:
    begun(doors, running)
    other = begun_of(doors, running, OTHER)
    sweep(doors)
    freeze(doors)
    other.end("Failed", datetime.now(UTC))
    silence(doors, HOSTS, effect)
    assert review(doors)["status"] == "succeeded"
    found = {run: one["status"] for run, one in kept(EPOCH)["found"].items()}
    assert found == {NAME: "HostSilent", other.name: "Failed"}


@pytest.mark.parametrize("effect", BROKEN)
def test_a_silent_host_hides_no_other_workflow_of_its_location(
    doors: Doors, running: Workflows, monkeypatch: pytest.MonkeyPatch, effect: dict
) -> None:
    monkeypatch.setattr(history_desk, "THREADS", 1)
    fill(running, flow(doors, THERE, OTHER), 1, timedelta(seconds=1), 0)
    silence(doors, HOSTS, effect)
    lists, words = history_desk.look(doors.plan, THERE, [FLOW, OTHER], Question(top=5))
    assert {row["component"] for one in lists for row in one.rows} == {OTHER}
    assert words[0].startswith(f"{THERE}: 1 of 2 workflows are not shown")
