"""What a data factory runs, redeployed from a template before its triggers start, at the wire.

The published contracts that are at hand name neither pipelines nor datasets: the exchanges of a
deployment are judged by them, the provider's own follow the examples of azure-rest-api-specs.
"""

import copy
import json
from collections.abc import Iterator

import pytest

from rehearsal import estate as estates
from rehearsal.providers.data_factory_code import code_of
from rehearsal.world import Resource
from shared import layer
from tests.doors import HERE, THERE, Doors, made_doors
from tests.parts import MARKER, called, ended, judged
from tests.wire import Wire, open_wire, small_world

ESTATE = estates.DEFAULT.parent / "everything.yaml"
CODE, LOADS = "factory-code", "warehouse-load"
FACTORY = "Microsoft.DataFactory/factories"
KINDS = ("linkedservices", "datasets", "pipelines", "triggers")
WRONG = "The document creation or update failed because of invalid reference '{}'."


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with made_doors(tmp_path_factory.mktemp("code"), ESTATE) as made, made.led():
        yield made


@pytest.fixture
def doors(whole: Doors) -> Iterator[Doors]:
    """The estate with every kind; afterwards its factories are as they were."""
    table = whole.world.resources
    kept = {one.id: copy.deepcopy(one.body) for one in table if f"{FACTORY}/" in one.type}
    yield whole
    for one in [one for one in table if f"{FACTORY}/" in one.type]:
        table.remove(one.id)
    for id, body in kept.items():
        table.place(id, body)
    for one in table.of_type("Microsoft.Resources/deployments"):
        table.remove(one.id)


def factory(doors: Doors, location: str = HERE) -> str:
    return doors.plan.component(LOADS, location)["resource"]


def code(doors: Doors, location: str) -> dict[str, dict]:
    return code_of(doors.world.resources, factory(doors, location))


def found(doors: Doors, path: str) -> Resource:
    row = doors.world.resources.get(f"{factory(doors)}/{path}")
    assert row is not None
    return row


def deployed(doors: Doors) -> dict:
    return ended(doors, called(doors, "promote_layer", doors.task(CODE, "promote")))


def lay(doors: Doors, template: dict) -> None:
    """The layer's template in the storage of the app in HERE."""
    name = layer.blobs(CODE, HERE)[0]
    doors.lay("stcontosone", "understudy", name, json.dumps(template).encode())


@pytest.fixture
def template(doors: Doors) -> Iterator[dict]:
    """The sample's template, to be changed; afterwards it lies there as it did."""
    raw = estates.load(ESTATE).estate.blobs[layer.blobs(CODE, HERE)[0]]
    assert isinstance(raw, dict)
    yield copy.deepcopy(raw)
    lay(doors, raw)


def test_the_standby_runs_older_code_until_the_layer_is_deployed(doors: Doors) -> None:
    assert code(doors, HERE) != code(doors, THERE)
    with judged(doors):
        assert deployed(doors)["status"] == "succeeded"
    assert code(doors, HERE) == code(doors, THERE)
    assert len(code(doors, HERE)) == 5


def test_only_what_differs_is_named_beforehand_and_nothing_is_changed(doors: Doors) -> None:
    before = copy.deepcopy(code(doors, HERE))
    with judged(doors):
        seen = called(doors, "observe_layer", {**doors.task(CODE, "promote"), "dryRun": True})
    changes = f"Create {FACTORY}/datasets customers, Modify {FACTORY}/pipelines load"
    assert (seen["would"], code(doors, HERE)) == (changes, before)


def test_code_that_is_as_its_template_says_is_not_deployed_again(doors: Doors) -> None:
    deployed(doors)
    doors.world.resources.remove(layer.path_of(doors.plan.component(CODE, HERE), "run-1"))
    mark = doors.mark()
    assert deployed(doors)["because"] == "all is as the template says"
    assert doors.sent(mark, "PUT") == []


def test_the_triggers_wait_for_the_code_that_they_start(doors: Doors) -> None:
    assert doors.plan.promoted_in(CODE) == "promote"
    assert doors.plan.promoted_in(LOADS) == "activate"
    assert CODE in doors.plan.part(LOADS).waits_for
    deployed(doors)
    outcome = called(doors, "promote_factory", doors.task(LOADS, "promote"))
    # Who hears events subscribes to them at leisure: the run asks again.
    assert outcome["status"] == "succeeded" or outcome["busy"]
    assert found(doors, "triggers/nightly-load").properties["runtimeState"] == "Started"


def test_code_that_names_what_the_template_forgot_is_refused_in_azures_words(
    doors: Doors, template: dict
) -> None:
    """The pipeline stays as it was: the factory takes nothing that names what it has not."""
    kept = [one for one in template["resources"] if "'/customers'" not in one["name"]]
    for one in kept:
        one["dependsOn"] = [need for need in one.get("dependsOn", []) if "customers" not in need]
    lay(doors, {**template, "resources": kept})
    before = copy.deepcopy(found(doors, "pipelines/load").properties)
    outcome = deployed(doors)
    assert (outcome["status"], WRONG.format("customers") in outcome["because"]) == ("refused", True)
    assert found(doors, "pipelines/load").properties == before


def test_code_of_a_type_that_the_plan_does_not_name_is_refused(
    doors: Doors, template: dict
) -> None:
    flow = {"type": f"{FACTORY}/triggers", "apiVersion": "2018-06-01"}
    flow |= {"name": "[concat(parameters('factory'), '/more')]"}
    flow |= {"properties": {"type": "ScheduleTrigger", "typeProperties": {}}}
    lay(doors, {**template, "resources": [*template["resources"], flow]})
    mark = doors.mark()
    assert f"Create {FACTORY}/triggers more" in deployed(doors)["because"]
    assert doors.sent(mark, "PUT") == []


def test_a_key_of_a_store_in_the_template_is_refused_by_its_path(
    doors: Doors, template: dict
) -> None:
    given = {"type": "SecureString", "value": f"AccountName=a;AccountKey={MARKER}"}
    template["resources"][0]["properties"]["typeProperties"] = {"connectionString": given}
    lay(doors, template)
    mark = doors.mark()
    outcome = deployed(doors)
    where = "template.resources[0].properties.typeProperties.connectionString"
    assert (outcome["status"], where in outcome["because"]) == ("refused", True)
    assert doors.sent(mark, "PUT") + doors.sent(mark, "POST") == []


# --- the provider by itself ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with open_wire(tmp_path_factory.mktemp("factory"), small_world()) as opened:
        body = {"location": "westeurope", "properties": {}}
        assert opened.ask("PUT", path(opened, ""), body).status_code == 200
        yield opened


def path(wire: Wire, below: str) -> str:
    root = f"{wire.subscription}/resourceGroups/rg-we/providers/{FACTORY}/adf-1"
    return f"{root}{below}?api-version=2018-06-01"


def put(wire: Wire, below: str, properties: dict) -> tuple[int, dict]:
    reply = wire.ask("PUT", path(wire, f"/{below}"), {"properties": properties})
    return reply.status_code, reply.json()


STORE = {"type": "AzureBlobStorage", "typeProperties": {"serviceEndpoint": "https://x"}}
IN_STORE = {"type": "LinkedServiceReference", "referenceName": "store"}
TABLE = {"type": "DelimitedText", "linkedServiceName": IN_STORE, "typeProperties": {}}
TO_TABLE = {"type": "DatasetReference", "referenceName": "table"}
COPY = {"name": "copy", "type": "Copy", "inputs": [TO_TABLE], "typeProperties": {}}
LOOP = {"name": "each", "type": "ForEach", "typeProperties": {"activities": [COPY]}}
EVERY = {"type": "PipelineReference", "referenceName": "flow"}
CLOCK = {"type": "ScheduleTrigger", "typeProperties": {}}
CLOCK |= {"pipelines": [{"pipelineReference": EVERY}]}
INNER = {"name": "inner", "type": "ExecutePipeline", "typeProperties": {"pipeline": EVERY}}


@pytest.mark.parametrize(
    "below, properties, word",
    [
        ("pipelines/flow", {"activities": [{"name": "x"}]}, "name and type"),
        ("pipelines/flow", {"activities": "x"}, "name and type"),
        ("pipelines/flow", {"activities": [COPY, COPY]}, "one name"),
        ("datasets/table", {"type": "DelimitedText"}, "linkedServiceName"),
        ("linkedservices/store", {"typeProperties": {}}, "needs a type"),
        ("datasets/table", TABLE, WRONG.format("store")),
        ("pipelines/flow", {"activities": [LOOP]}, WRONG.format("table")),
        ("pipelines/outer", {"activities": [INNER]}, WRONG.format("flow")),
        ("triggers/clock", CLOCK, WRONG.format("flow")),
    ],
)
def test_what_is_not_whole_or_names_what_is_not_there_is_refused(
    wire: Wire, below: str, properties: dict, word: str
) -> None:
    status, body = put(wire, below, properties)
    assert (status, body["error"]["code"]) == (400, "BadRequest")
    assert word in body["error"]["message"]


@pytest.fixture
def made(wire: Wire) -> Iterator[Wire]:
    rows = {"linkedservices/store": STORE, "datasets/table": TABLE}
    rows |= {"pipelines/flow": {"activities": [LOOP]}, "triggers/clock": CLOCK}
    for below, properties in rows.items():
        assert put(wire, below, properties)[0] == 200
    yield wire
    for below in reversed(rows):
        assert wire.ask("DELETE", path(wire, f"/{below}")).status_code in (200, 204)


@pytest.mark.parametrize(
    "below, by",
    [("pipelines/flow", "clock"), ("datasets/table", "flow"), ("linkedservices/store", "table")],
)
def test_what_is_named_is_not_deleted(made: Wire, below: str, by: str) -> None:
    reply = made.ask("DELETE", path(made, f"/{below}"))
    words = f"The document cannot be deleted since it is referenced by {by}."
    assert (reply.status_code, reply.json()["error"]["message"]) == (400, words)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_code_is_listed_and_shown(made: Wire, kind: str) -> None:
    (row,) = made.ask("GET", path(made, f"/{kind}")).json()["value"]
    shown = made.ask("GET", path(made, f"/{kind}/{row['name']}")).json()
    assert shown["type"] == f"{FACTORY}/{kind}" and shown["properties"] == row["properties"]


def test_a_linked_service_shows_no_secret(made: Wire) -> None:
    secret = {"type": "SecureString", "value": MARKER}
    given = {**STORE, "typeProperties": {"connectionString": secret, "more": [secret]}}
    assert MARKER not in str(put(made, "linkedservices/store", given))
    shown = made.ask("GET", path(made, "/linkedservices/store")).json()["properties"]
    assert MARKER not in str(shown)
    assert shown["typeProperties"]["connectionString"]["value"] == "**********"
