"""Layers at the wire: no secret, nothing unforeseen and nothing twice is deployed."""

import json
from collections.abc import Iterator

import pytest

from shared import layer
from shared.plan import BadPlan
from tests.doors import HERE, THERE, Doors
from tests.parts import MARKER, called, ended, judged, plan_with, task

TYPE = "Microsoft.Compute/virtualMachineScaleSets"
PART = {"name": "edge", "kind": "deployment", "template": "edge-test", "types": [TYPE]}
RULES = {"name": {"type": "string"}, "count": {"type": "int"}}
GIVEN = {"name": {"value": "vmss-layer"}, "count": {"value": 2}}


def scale_set(**more: object) -> dict:
    return {
        "type": TYPE,
        "apiVersion": "2025-04-01",
        "name": "[parameters('name')]",
        "location": "[resourceGroup().location]",
        "sku": {"name": "Standard_B2s", "tier": "Standard", "capacity": "[parameters('count')]"},
        "properties": {"singlePlacementGroup": True},
        **more,
    }


def template(*resources: dict, **more: object) -> dict:
    given = {"$schema": "https://x", "contentVersion": "1.0.0.0", "parameters": RULES}
    return {**given, "resources": list(resources) or [scale_set()], **more}


def lay(doors: Doors, what: dict | None = None, given: dict | None = None) -> None:
    """The template and HERE's parameters in the storage of the app in HERE."""
    files = zip(
        layer.blobs("edge-test", HERE),
        (what or template(), {"parameters": GIVEN if given is None else given}),
        strict=True,
    )
    for name, document in files:
        doors.lay("stcontosone", "understudy", name, json.dumps(document).encode())


@pytest.fixture(autouse=True)
def nothing_there(doors: Doors) -> Iterator[None]:
    table = doors.world.resources
    group = doors.plan.document["locations"][HERE]["resourceGroup"]
    yield
    for name in layer.blobs("edge-test", HERE):
        doors.drop("stcontosone", "understudy", name)
    table.remove(f"{group}/providers/{TYPE}/vmss-layer")
    for one in table.of_type("Microsoft.Resources/deployments"):
        table.remove(one.id)


def made(doors: Doors) -> bool:
    return any(one.name == "vmss-layer" for one in doors.world.resources.of_type(TYPE))


def deployed(doors: Doors, payload: dict) -> dict:
    return ended(doors, called(doors, "promote_layer", payload))


def test_a_template_by_a_path_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="template"):
        plan_with(doors, {**PART, "template": "../other"})


def test_a_layer_without_types_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="types"):
        plan_with(doors, {**PART, "types": []})


def test_a_template_that_is_not_there_is_refused_by_name(doors: Doors) -> None:
    outcome = called(doors, "promote_layer", task(doors, PART, "promote"))
    assert outcome["because"].startswith("no templates/edge-test.json in the app's own container")


def test_text_that_is_no_json_is_refused(doors: Doors) -> None:
    lay(doors)
    doors.lay("stcontosone", "understudy", "templates/edge-test.json", b"{")
    outcome = called(doors, "promote_layer", task(doors, PART, "promote"))
    assert outcome["because"] == "edge-test is not deployed: template: not JSON"


@pytest.mark.parametrize(
    "what, given, path",
    [
        (
            template(parameters={**RULES, "key": {"type": "secureString"}}),
            {**GIVEN, "key": {"value": MARKER}},
            "parameters.key: a secure parameter",
        ),
        (
            template(parameters={**RULES, "k": {"type": "securestring", "defaultValue": MARKER}}),
            GIVEN,
            "template.parameters.k: a secure parameter has a default",
        ),
        (
            template(scale_set(tags={"adminPassword": MARKER})),
            GIVEN,
            "template.resources[0].tags.adminPassword: looks like a secret",
        ),
        (
            template(scale_set(tags={"c": f"AccountName=a;AccountKey={MARKER}"})),
            GIVEN,
            "template.resources[0].tags.c: looks like a secret",
        ),
        (template(), {**GIVEN, "other": {"value": "A" * 86 + "=="}}, "parameters.other"),
        (template(), {**GIVEN, "dbPassword": {"value": MARKER}}, "parameters.dbPassword"),
    ],
)
def test_a_secret_in_clear_is_refused_by_its_path(
    doors: Doors, what: dict, given: dict, path: str
) -> None:
    lay(doors, what, given)
    mark = doors.mark()
    outcome = called(doors, "promote_layer", task(doors, PART, "promote"))
    assert (outcome["status"], path in outcome["because"]) == ("refused", True)
    assert doors.sent(mark, "PUT") + doors.sent(mark, "POST") == []


@pytest.mark.parametrize("key", ["keyVaultName", "primaryKeyName"])
def test_a_name_is_no_secret(key: str) -> None:
    assert list(layer.secrets({key: "kv-contoso"})) == []


def test_a_password_by_expression_is_no_secret() -> None:
    assert list(layer.secrets({"password": "[parameters('password')]"})) == []


VAULT = "@Microsoft.KeyVault(SecretUri=https://kv-contoso.vault.azure.net/secrets/orders)"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ORDERS_KEY", VAULT),
        ("ORDERS_PASSWORD", VAULT),
        ("Ocp-Apim-Subscription-Key", "@parameters('k')"),
        ("token", "@body('t')?['access_token']"),
        ("token", "Bearer @{body('t')?['access_token']}"),
        ("apiKey", "{{kv-ref}}"),
        ("dedup_key", "orders"),
        ("max_completion_tokens", 500),
        ("MAX_TOKENS", "500"),
        ("password", 20240229),
        ("password", True),
        ("password", ""),
    ],
)
def test_a_reference_a_number_and_what_only_sounds_so_are_no_secrets(
    name: str, value: object
) -> None:
    assert list(layer.secrets({name: value})) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Ocp-Apim-Subscription-Key", MARKER),
        ("token", MARKER),
        ("token", f"@@{MARKER}"),
        ("clientSecret", f"[[{MARKER}"),
        ("to", f"@concat('https://x.example.net/?code={'x' * 40}')"),
    ],
)
def test_what_is_no_reference_is_a_secret(name: str, value: str) -> None:
    assert list(layer.secrets({name: value})) == [f"{name}: looks like a secret: refer to a vault"]


def test_a_secure_parameter_may_refer_to_a_vault_by_default() -> None:
    rules = {"key": {"type": "secureString", "defaultValue": VAULT}}
    assert list(layer.given_in_clear({"parameters": rules}, {})) == []


def test_a_type_that_the_plan_does_not_name_refuses_the_whole(doors: Doors) -> None:
    flow = {"type": "Microsoft.Logic/workflows", "apiVersion": "2019-05-01", "name": "stray"}
    flow |= {"location": "northeurope", "properties": {"definition": {}}}
    lay(doors, template(scale_set(), flow))
    mark = doors.mark()
    outcome = called(doors, "promote_layer", task(doors, PART, "promote"))
    assert "does not name the types" in outcome["because"]
    assert (doors.sent(mark, "PUT"), made(doors)) == ([], False)


@pytest.mark.parametrize("change", ["Delete", "Unsupported", "SomethingNew"])
def test_what_cannot_be_allowed_refuses_the_whole(change: str) -> None:
    one = {"resourceId": f"/subscriptions/s/resourceGroups/g/providers/{TYPE}/x"}
    assert change in layer.refusal([{**one, "changeType": change}], [TYPE])


def test_a_template_that_azure_refuses_is_told_in_its_words(doors: Doors) -> None:
    lay(doors, given={"name": {"value": "vmss-layer"}})
    outcome = called(doors, "promote_layer", task(doors, PART, "promote"))
    assert (outcome["status"], "InvalidTemplate" in outcome["because"]) == ("refused", True)


def test_a_task_of_an_old_epoch_deploys_nothing(doors: Doors) -> None:
    lay(doors)
    outcome = called(doors, "promote_layer", task(doors, PART, "promote", epoch=0))
    assert (outcome.get("stale"), made(doors)) == (True, False)


def test_a_layer_is_deployed(doors: Doors) -> None:
    lay(doors)
    payload = task(doors, PART, "promote")
    with judged(doors):
        assert deployed(doors, payload)["status"] == "succeeded"
        assert called(doors, "observe_layer", payload)["serving"] is True
    assert made(doors)


def test_a_repeat_finds_the_deployment_of_its_run(doors: Doors) -> None:
    lay(doors)
    payload = task(doors, PART, "promote")
    deployed(doors, payload)
    mark = doors.mark()
    assert called(doors, "promote_layer", payload)["status"] == "skipped"
    assert doors.sent(mark, "PUT") == []


def test_one_that_is_under_way_is_waited_for(doors: Doors) -> None:
    lay(doors)
    payload = task(doors, PART, "promote")
    path = layer.path_of(payload["component"], "run-1")
    doors.world.resources.place(path, {"properties": {"provisioningState": "Running"}})
    mark = doors.mark()
    assert called(doors, "promote_layer", payload)["status"] == "running"
    assert doors.sent(mark, "PUT") == []


def test_a_layer_that_is_as_its_template_says_is_not_deployed_again(doors: Doors) -> None:
    lay(doors)
    payload = task(doors, PART, "promote")
    deployed(doors, payload)
    doors.world.resources.remove(layer.path_of(payload["component"], "run-1"))
    mark = doors.mark()
    assert called(doors, "promote_layer", payload)["because"] == "all is as the template says"
    assert doors.sent(mark, "PUT") == []


def test_a_dry_run_names_the_changes_and_makes_none(doors: Doors) -> None:
    lay(doors)
    payload = {**task(doors, PART, "promote", dryRun=True)}
    del payload["run"], payload["witness"]
    mark = doors.mark()
    with judged(doors):
        seen = called(doors, "observe_layer", payload)
    assert seen["would"] == f"Create {TYPE} vmss-layer"
    assert (len(seen["calls"]["promote"]), doors.sent(mark, "PUT")) == (1, [])


def test_one_run_has_one_name_and_it_is_short_enough() -> None:
    names = {layer.name_of("c" * 40, run) for run in ("run-1", "run-1", "run-2")}
    assert (len(names), max(map(len, names)) <= 64) == (2, True)


@pytest.mark.parametrize("there, status", [(True, "ok"), (False, "fail")])
def test_readiness_looks_for_the_template(doors: Doors, there: bool, status: str) -> None:
    if there:
        lay(doors)
    found = called(doors, "check_layer", task(doors, PART, "check"))
    assert [row["status"] for row in found["checks"]] == [status]


def test_the_template_of_the_other_location_is_not_taken_for_seen(doors: Doors) -> None:
    found = called(doors, "check_layer", {**task(doors, PART, "check"), "location": THERE})
    (row,) = found["checks"]
    assert row["status"] == "warn" and "only westeurope's own app" in row["because"]
