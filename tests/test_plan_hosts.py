"""Where a plan's workflows may stand: both locations alike, and nowhere that is gone."""

import json

import pytest
import yaml

from shared.flow_state import changed, setting, state_of
from shared.plan import BadPlan, Plan, load
from shared.readiness_flows import environment
from tests.app_index import ROOT

FLOW = {
    "name": "settlement",
    "kind": "logicAppWorkflow",
    "trigger": "recurrence",
    "resource": "{resourceGroup}/providers/Microsoft.Web/sites/logic-{short}",
    "workflow": "nightly",
}
GROUP = "/subscriptions/s/resourceGroups/rg-{}/providers/{}"


def plan(*parts: dict) -> Plan:
    text = (ROOT / "plans" / "contoso.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    data["components"] += parts
    return load(json.dumps(data))


def check_refused(words: str, *parts: dict) -> None:
    with pytest.raises(BadPlan) as bad:
        plan(*parts)
    assert any(words in problem for problem in bad.value.problems), bad.value.problems


def mixed(kind: str) -> dict:
    own = {key: value for key, value in FLOW.items() if key not in ("resource", "workflow")}
    ids = {
        "westeurope": GROUP.format("we", "Microsoft.Logic/workflows/settlement"),
        "northeurope": GROUP.format("ne", "Microsoft.Web/sites/logic-ne"),
    }
    return {**own, "kind": kind, "resources": ids}


@pytest.mark.parametrize("kind", ["logicWorkflow", "logicAppWorkflow"])
def test_a_consumption_workflow_has_no_standard_copy(kind: str) -> None:
    words = "both locations need the same host type: northeurope has Standard, westeurope has"
    check_refused(words, mixed(kind))


def test_an_integration_service_environment_is_said_to_be_retired() -> None:
    place = "Microsoft.Logic/integrationServiceEnvironments/ise/workflows/x"
    part = {**FLOW, "resource": "{resourceGroup}/providers/" + place}
    check_refused("retired on 31 August 2024", part)


def test_one_workflow_of_a_site_is_one_component() -> None:
    check_refused("is the resource of", FLOW, {**FLOW, "name": "twice"})


def test_a_standard_recurrence_is_exclusive() -> None:
    check_refused("cannot be activeActive", {**FLOW, "role": "activeActive"})


def test_a_standard_workflow_is_not_split() -> None:
    check_refused("only a recurrence can be split", {**FLOW, "role": "split"})


def test_several_workflows_of_a_site_are_several_components() -> None:
    found = plan(FLOW, {**FLOW, "name": "weekly", "workflow": "weekly"})
    assert {"settlement", "weekly"} <= set(found.exclusive())


def test_a_standard_clock_wakes_last() -> None:
    assert "settlement" in plan(FLOW).waves("activate", "northeurope")[-1]


def test_a_setting_is_found_whatever_its_case_and_absent_means_enabled() -> None:
    told = {"workflows.NIGHTLY.flowstate": "disabled", "KEY": "1"}
    assert (state_of(told, "nightly"), state_of({}, "nightly")) == ("Disabled", "Enabled")
    assert changed(told, "nightly", "Enabled") == {**told, "workflows.NIGHTLY.flowstate": "Enabled"}
    assert changed({}, "nightly", "Enabled") == {setting("nightly"): "Enabled"}


def test_a_plan_that_would_stop_understudy_itself_is_refused() -> None:
    site = "{resourceGroup}/providers/Microsoft.Web/sites/func-contoso-{short}"
    part = {"name": "apps", "kind": "functionApp", "resource": site}
    check_refused("func-contoso-we is Understudy's own app", part)


def test_a_function_app_is_exclusive_unless_the_plan_says_otherwise() -> None:
    site = "{resourceGroup}/providers/Microsoft.Web/sites/func-pricing-{short}"
    part = {"name": "apps", "kind": "functionApp", "resource": site}
    assert "apps" in plan(part).exclusive()
    assert "apps" not in plan({**part, "role": "activeActive"}).exclusive()


def test_a_workflow_in_an_integration_service_environment_is_found_by_readiness() -> None:
    ise = {"id": GROUP.format("we", "Microsoft.Logic/integrationServiceEnvironments/ise")}
    rows = environment("orders", "westeurope", {"integrationServiceEnvironment": ise})
    assert [(row["name"], row["status"]) for row in rows] == [("host", "fail")]
    assert environment("orders", "westeurope", {"state": "Enabled"}) == []
