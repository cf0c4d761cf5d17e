"""Microsoft.Logic as the official client sees it, judged by the published contract."""

from collections.abc import Iterable, Iterator

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.logic.models import SetTriggerStateActionDefinition, Workflow

from rehearsal.runtimes import IdleWorkflows
from rehearsal.world import Resource
from tests.wire import Wire, check_exchanges, open_wire, small_world

DEFINITION = {
    "$schema": "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
    "contentVersion": "1.0.0.0",
    "triggers": {
        "manual": {"type": "Request", "kind": "Http", "inputs": {"schema": {}}},
        "tick": {"type": "Recurrence", "recurrence": {"frequency": "Minute", "interval": 1}},
    },
    "actions": {},
    "outputs": {},
}
RUN = {
    "name": "08584",
    "properties": {"status": "Running", "startTime": "2026-11-21T09:00:00.0000000Z"},
}


class Recorder(IdleWorkflows):
    """A runtime that writes down what ARM tells it, and has one run."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def enabled(self, workflow: Resource) -> None:
        self.told.append(("enabled", workflow.name))

    def disabled(self, workflow: Resource) -> None:
        self.told.append(("disabled", workflow.name))

    def deleted(self, workflow: Resource) -> None:
        self.told.append(("deleted", workflow.name))

    def runs(self, workflow: Resource) -> list[dict]:
        return [RUN]

    def cancel(self, workflow: Resource, run: str) -> bool:
        self.told.append(("cancel", run))
        return self.told.count(("cancel", run)) == 1

    def fire(self, workflow: Resource, trigger: str) -> str | None:
        return "08585"

    def set_state(self, workflow: Resource, trigger: str, source: Resource, name: str) -> None:
        self.told.append(("set_state", workflow.name, trigger, source.name, name))


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    world = small_world()
    world.workflows = Recorder()
    with open_wire(tmp_path_factory.mktemp("logic"), world) as opened:
        yield opened


@pytest.fixture
def recorder(wire: Wire) -> Recorder:
    runtime = wire.world.workflows
    assert isinstance(runtime, Recorder)
    runtime.told.clear()
    return runtime


@pytest.fixture(autouse=True)
def judged(wire: Wire) -> Iterator[None]:
    """Whatever a test sends and gets is as Microsoft published it."""
    last = len(wire.world.journal.after())
    yield
    wire.world.recover("westeurope")
    check_exchanges(wire.world.journal.after(last))


def make(wire: Wire, name: str, state: str = "Enabled", group: str = "rg-we") -> Workflow:
    place = {"rg-we": "westeurope", "rg-ne": "northeurope"}[group]
    body = Workflow(location=place, state=state, definition=DEFINITION)
    with wire.logic() as client:
        return client.workflows.create_or_update(group, name, body)


def named(rows: Iterable[object]) -> list[str]:
    """The names in a list (which the client's own types call a list of pages)."""
    return [str(getattr(row, "name", "")) for row in rows]


def test_a_workflow_without_a_definition_is_refused(wire: Wire) -> None:
    with wire.logic() as client, pytest.raises(HttpResponseError) as refusal:
        client.workflows.create_or_update("rg-we", "bare", Workflow(location="westeurope"))
    assert "definition" in str(refusal.value)


def test_a_workflow_does_not_move_to_another_location(wire: Wire) -> None:
    make(wire, "settled")
    body = Workflow(location="northeurope", definition=DEFINITION)
    with wire.logic() as client, pytest.raises(HttpResponseError) as refusal:
        client.workflows.create_or_update("rg-we", "settled", body)
    assert refusal.value.status_code == 409


def test_an_unknown_workflow_is_not_found(wire: Wire) -> None:
    with wire.logic() as client, pytest.raises(ResourceNotFoundError):
        client.workflows.get("rg-we", "nobody")


def test_running_a_trigger_of_a_disabled_workflow_is_refused(wire: Wire) -> None:
    make(wire, "asleep", "Disabled")
    with wire.logic() as client, pytest.raises(HttpResponseError) as refusal:
        client.workflow_triggers.run("rg-we", "asleep", "tick")
    assert "WorkflowTriggerIsNotEnabled" in str(refusal.value)


def test_a_run_is_cancelled_once(wire: Wire, recorder: Recorder) -> None:
    make(wire, "runner")
    with wire.logic() as client:
        client.workflow_runs.cancel("rg-we", "runner", RUN["name"])
        with pytest.raises(HttpResponseError) as refusal:
            client.workflow_runs.cancel("rg-we", "runner", RUN["name"])
    assert refusal.value.status_code == 409


def test_state_is_not_taken_from_a_workflow_in_a_lost_region(wire: Wire) -> None:
    source = make(wire, "window").id
    make(wire, "window", group="rg-ne")
    wire.world.lose("westeurope")
    reply = wire.ask(
        "POST",
        f"{wire.subscription}/resourceGroups/rg-ne/providers/Microsoft.Logic/workflows/window"
        "/triggers/tick/setState?api-version=2019-05-01",
        {"source": {"id": f"{source}/triggers/tick"}},
    )
    assert reply.status_code == 502


def test_a_workflow_shows_what_azure_adds(wire: Wire) -> None:
    shown = make(wire, "full")
    assert shown.provisioning_state == "Succeeded"
    assert shown.version is not None and shown.access_endpoint is not None
    assert "westeurope.logic.azure.com" in shown.access_endpoint


def test_enable_and_disable_switch_the_state_and_tell_the_runtime(
    wire: Wire, recorder: Recorder
) -> None:
    make(wire, "switched", "Disabled")
    with wire.logic() as client:
        client.workflows.enable("rg-we", "switched")
        client.workflows.enable("rg-we", "switched")
        assert client.workflows.get("rg-we", "switched").state == "Enabled"
        client.workflows.disable("rg-we", "switched")
        assert client.workflows.get("rg-we", "switched").state == "Disabled"
    assert recorder.told == [("enabled", "switched"), ("disabled", "switched")]


def test_a_deleted_workflow_is_gone_and_its_runtime_told(wire: Wire, recorder: Recorder) -> None:
    make(wire, "brief")
    with wire.logic() as client:
        client.workflows.delete("rg-we", "brief")
        client.workflows.delete("rg-we", "brief")
    assert ("deleted", "brief") in recorder.told


def test_a_list_of_many_workflows_comes_in_pages(wire: Wire) -> None:
    root = f"{wire.subscription}/resourceGroups/rg-ne/providers/Microsoft.Logic/workflows"
    for number in range(120):
        wire.world.resources.place(
            f"{root}/many-{number}",
            {"location": "northeurope", "properties": {"definition": DEFINITION}},
        )
    with wire.logic() as client:
        names = named(client.workflows.list_by_resource_group("rg-ne"))
    assert {f"many-{number}" for number in range(120)} <= set(names)


def test_runs_are_filtered_by_status(wire: Wire) -> None:
    make(wire, "filtered")
    with wire.logic() as client:
        listed = client.workflow_runs.list
        running = named(listed("rg-we", "filtered", filter="status eq 'Running'"))
        failed = named(listed("rg-we", "filtered", filter="status eq 'Failed'"))
    assert (running, failed) == ([RUN["name"]], [])


def test_one_run_is_read_by_name(wire: Wire) -> None:
    make(wire, "named")
    with wire.logic() as client:
        assert client.workflow_runs.get("rg-we", "named", RUN["name"]).status == "Running"


def test_triggers_are_listed_run_and_reset(wire: Wire) -> None:
    make(wire, "pulled")
    with wire.logic() as client:
        triggers = named(client.workflow_triggers.list("rg-we", "pulled"))
        client.workflow_triggers.run("rg-we", "pulled", "tick")
        client.workflow_triggers.reset("rg-we", "pulled", "tick")
    assert triggers == ["manual", "tick"]


def test_a_trigger_takes_the_state_of_another(wire: Wire, recorder: Recorder) -> None:
    source = make(wire, "shift")
    make(wire, "shift", group="rg-ne")
    reference = {"id": f"{source.id}/triggers/tick"}
    body = SetTriggerStateActionDefinition.deserialize({"source": reference})
    with wire.logic() as client:
        client.workflow_triggers.set_state("rg-ne", "shift", "tick", body)
    assert ("set_state", "shift", "tick", "shift", "tick") in recorder.told


def test_a_callback_url_is_signed_and_stays_the_same(wire: Wire) -> None:
    make(wire, "called")
    with wire.logic() as client:
        urls = [
            client.workflow_triggers.list_callback_url("rg-we", "called", "manual").value
            for _ in range(2)
        ]
    assert urls[0] == urls[1]
    assert "/workflows/called/triggers/manual/paths/invoke" in str(urls[0])
