"""A plan is read as a whole, or refused as a whole with every error and its path."""

import json
from pathlib import Path

import pytest
import yaml

from shared import roles
from shared.plan import BadPlan, Plan, json_schema, load

PLANS = Path(__file__).resolve().parents[1] / "plans"
CONTOSO = (PLANS / "contoso.yaml").read_text(encoding="utf-8")


def document() -> dict:
    return yaml.safe_load(CONTOSO)


def component(data: dict, name: str) -> dict:
    return next(part for part in data["components"] if part["name"] == name)


def problems(data: object) -> list[str]:
    with pytest.raises(BadPlan) as bad:
        load(data if isinstance(data, str) else json.dumps(data))
    return bad.value.problems


def check_refused(data: object, words: str) -> None:
    found = problems(data)
    assert any(words in problem for problem in found), found


def test_an_unknown_key_is_refused_with_its_path():
    data = document()
    component(data, "gateway")["colour"] = "blue"
    check_refused(data, "components[0].colour: Extra inputs")


def test_a_wrong_type_is_refused_with_its_path():
    data = document()
    data["watch"]["rounds"] = "three"
    check_refused(data, "watch.rounds: Input should be a valid integer")


def test_a_number_in_quotes_is_refused():
    data = document()
    data["watch"]["rounds"] = "3"
    check_refused(data, "watch.rounds")


def test_one_location_is_refused():
    data = document()
    del data["locations"]["northeurope"]
    check_refused(data, "locations: Dictionary should have at least 2")


def test_three_locations_are_refused():
    data = document()
    data["locations"]["swedencentral"] = data["locations"]["westeurope"]
    check_refused(data, "locations: Dictionary should have at most 2")


def test_a_home_that_is_no_location_is_refused():
    check_refused({**document(), "home": "uksouth"}, "home: uksouth is none of the locations")


def test_the_same_resource_twice_is_refused_whatever_its_case():
    data = document()
    same = component(data, "orders-intake")["resource"].replace("workflows/o", "Workflows/O")
    component(data, "orders-status")["resource"] = same
    check_refused(data, "is the resource of components[1] too")


def test_one_resource_in_both_locations_is_refused():
    data = document()
    group = data["locations"]["westeurope"]["resourceGroup"]
    workflow = f"{group}/providers/Microsoft.Logic/workflows/orders-intake"
    component(data, "orders-intake")["resource"] = workflow
    check_refused(data, "is the same in westeurope and northeurope")


def test_a_resource_of_another_type_is_refused():
    data = document()
    wrong = "{resourceGroup}/providers/Microsoft.Web/sites/x"
    component(data, "orders-intake")["resource"] = wrong
    check_refused(data, "is no id of a Microsoft.Logic/workflows")


def test_a_component_without_a_resource_is_refused():
    data = document()
    del component(data, "orders-intake")["resource"]
    check_refused(data, "components[1]: give resource")


def test_a_cycle_of_waits_is_refused_and_told():
    data = document()
    component(data, "orders-intake")["waitsFor"] = ["orders-status"]
    component(data, "orders-status")["waitsFor"] = ["orders-intake"]
    check_refused(data, "a cycle of waitsFor: orders-")


def test_a_component_that_waits_for_itself_is_refused():
    data = document()
    component(data, "front")["waitsFor"] = ["front"]
    check_refused(data, "front waits for front")


def test_a_wait_for_an_unknown_component_is_refused():
    data = document()
    component(data, "front")["waitsFor"] = ["nobody"]
    check_refused(data, "waitsFor: there is no component nobody")


def test_a_wait_for_a_later_stage_is_refused():
    data = document()
    component(data, "gateway")["waitsFor"] = ["front"]
    check_refused(data, "front is promoted later, in stage redirect")


@pytest.mark.parametrize("trigger", [name for name, t in roles.TRIGGERS.items() if t.exclusive])
def test_an_exclusive_trigger_in_an_active_active_role_is_refused(trigger: str):
    data = document()
    component(data, "orders-intake")["trigger"] = trigger
    check_refused(data, f"a {trigger} trigger cannot be activeActive")


def test_keeping_backups_for_thirty_days_is_refused():
    data = document()
    data["backup"]["keepDays"] = 30
    check_refused(data, "backup.keepDays: Input should be less than 30")


def test_an_unknown_template_variable_is_refused():
    data = document()
    component(data, "gateway")["gatewayUrl"] = "https://apim-{region}.example"
    check_refused(data, "{region} is none of location, resourceGroup, short")


def test_a_name_given_twice_is_refused():
    data = document()
    component(data, "front")["name"] = "gateway"
    check_refused(data, "gateway is the name of components[0] too")


def test_a_second_gateway_is_refused():
    data = document()
    data["components"].append({**component(data, "gateway"), "name": "gateway-two"})
    check_refused(data, "a plan has one apiManagement component")


def test_backups_for_a_strange_location_are_refused():
    data = document()
    component(data, "gateway")["backups"]["uksouth"] = {"account": "abc", "container": "abc"}
    check_refused(data, "components[0].backups.uksouth: no location of the plan")


def test_backups_for_one_location_only_are_refused():
    data = document()
    del component(data, "gateway")["backups"]["northeurope"]
    check_refused(data, "components[0].backups: northeurope is missing")


def test_an_unknown_kind_is_refused():
    data = document()
    component(data, "front")["kind"] = "frontDoor"
    check_refused(data, "components[16]: Input tag 'frontDoor'")


def test_an_observer_given_twice_is_refused():
    data = document()
    data["watch"]["observers"] = ["health", "health"]
    check_refused(data, "watch.observers: health is given twice")


def test_errors_of_every_sort_are_told_together():
    data = document()
    data["home"] = "uksouth"
    data["colour"] = "blue"
    component(data, "front")["waitsFor"] = ["nobody"]
    found = problems(data)
    assert [p.split(":")[0] for p in found] == ["colour", "home", "components[16].waitsFor"]


def test_the_sample_plan_is_good():
    assert load(CONTOSO).name == "contoso"


def test_the_sample_plan_covers_at_least_twelve_workflows():
    parts = [p for p in load(CONTOSO).components if p.kind == "logicWorkflow"]
    assert len(parts) >= 12


def test_json_is_read_like_yaml():
    assert load(json.dumps(document())).digest == load(CONTOSO).digest


def test_the_canonical_document_gives_the_same_plan():
    plan = load(CONTOSO)
    again = Plan.model_validate(json.loads(json.dumps(plan.document)))
    assert again.digest == plan.digest


def test_the_order_of_keys_does_not_change_the_digest():
    data = document()
    assert load(json.dumps(dict(reversed(data.items())))).digest == load(CONTOSO).digest


def test_a_component_is_seen_from_its_location():
    seen = load(CONTOSO).component("gateway", "northeurope")
    assert seen["resource"].endswith(
        "/rg-contoso-ne/providers/Microsoft.ApiManagement/service/apim-contoso-ne"
    )


def test_a_gateway_url_is_filled_in():
    seen = load(CONTOSO).component("gateway", "westeurope")
    assert seen["gatewayUrl"] == "https://apim-contoso-we.azure-api.net"


def test_resources_name_each_location():
    data = document()
    part = component(data, "orders-intake")
    template = part.pop("resource")
    part["resources"] = {
        name: template.replace("{resourceGroup}", spot["resourceGroup"])
        for name, spot in data["locations"].items()
    }
    seen = load(json.dumps(data)).component("orders-intake", "northeurope")
    assert "/rg-contoso-ne/" in seen["resource"]


def test_the_other_location_is_the_other():
    assert load(CONTOSO).other("westeurope") == "northeurope"


def test_a_stranger_has_no_other_location():
    with pytest.raises(KeyError):
        load(CONTOSO).other("uksouth")


def test_the_published_schema_is_that_of_the_code():
    published = json.loads((PLANS / "schema.json").read_text(encoding="utf-8"))
    assert published == json_schema()
