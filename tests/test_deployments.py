"""ARM templates as the rehearsal takes them: refused by name, compared, carried out in order."""

import json
import time
from collections.abc import Iterator

import pytest

from rehearsal.deployments.expressions import BadExpression, evaluate, parse, resolved
from rehearsal.deployments.functions import PURE
from rehearsal.deployments.template import BadTemplate, Template
from tests.app_index import ROOT
from tests.wire import Wire, open_wire

GROUP = "/subscriptions/s/resourceGroups/rg"
INFRA = ROOT / "infra"


def template(raw: dict, **given: object) -> Template:
    parameters = {name: {"value": value} for name, value in given.items()}
    return Template({"resources": [], **raw}, parameters, GROUP, "westeurope", "tenant")


def valued(text: str) -> object:
    return evaluate(parse(text), PURE)


def resource(name: str, **more: object) -> dict:
    return {"type": "Some.Provider/things", "apiVersion": "2024-01-01", "name": name, **more}


# --- expressions --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["[format('a']", "[format('a'))]", "['a' 'b']", "[,]", "[a.b]"])
def test_an_expression_that_cannot_be_read_is_refused(text: str):
    with pytest.raises(BadExpression):
        parse(text)


def test_a_function_that_is_not_emulated_is_refused_by_its_name():
    with pytest.raises(BadExpression, match="uniqueString is not emulated"):
        valued("[uniqueString('a')]")


def test_an_expression_nested_without_end_is_refused():
    with pytest.raises(BadExpression, match="nested more than"):
        parse("[" + "not(" * 60 + "true()" + ")" * 60 + "]")


def test_format_fills_in_its_places():
    assert valued("[format('https://{0}.blob.{1}', 'a', 'b')]") == "https://a.blob.b"


def test_a_quote_is_written_twice():
    assert valued("['it''s']") == "it's"


def test_a_property_is_found_in_any_letter_case():
    assert valued("[environment().Suffixes.STORAGE]") == "core.windows.net"


def test_two_brackets_are_no_expression():
    assert resolved("[[not one]", PURE) == "[not one]"


def test_the_same_words_give_the_same_guid():
    assert valued("[guid('a', 'b')]") == valued("[guid('a', 'b')]") != valued("[guid('b', 'a')]")


def test_only_the_branch_that_is_taken_is_worked_out():
    assert valued("[if(true(), 'yes', nobody())]") == "yes"


# --- templates ----------------------------------------------------------------------------------


def test_every_fault_of_the_parameters_is_named():
    rules = {"a": {"type": "string"}, "b": {"type": "int", "maxValue": 3}}
    with pytest.raises(BadTemplate) as told:
        template({"parameters": rules}, b=4, c=1)
    assert len(told.value.problems) == 3


def test_a_dependency_that_nobody_defines_is_refused():
    needs = [resource("a", dependsOn=["[resourceId('Some.Provider/things', 'b')]"])]
    with pytest.raises(BadTemplate, match="which the template does not define"):
        template({"resources": needs}).wanted()


def test_a_circle_of_dependencies_is_refused():
    def needing(name: str, other: str) -> dict:
        return resource(name, dependsOn=[f"[resourceId('Some.Provider/things', '{other}')]"])

    with pytest.raises(BadTemplate, match="circle"):
        template({"resources": [needing("a", "b"), needing("b", "a")]}).wanted()


def test_a_copy_loop_makes_one_of_each_and_what_waits_for_it_comes_last():
    rows = [
        resource("last", dependsOn=["queues"]),
        resource("[format('q{0}', copyIndex(1))]", copy={"name": "queues", "count": 3}),
    ]
    made = [one.id.rsplit("/", 1)[-1] for one in template({"resources": rows}).wanted()]
    assert sorted(made[:3]) == ["q1", "q2", "q3"] and made[3] == "last"


def test_what_reference_names_is_made_first_without_being_told():
    told = {"value": "[reference(resourceId('Some.Provider/things', 'b')).key]"}
    rows = [resource("a", properties=told), resource("b")]
    made = [one.id.rsplit("/", 1)[-1] for one in template({"resources": rows}).wanted()]
    assert made == ["b", "a"]


def test_what_a_condition_leaves_out_is_neither_made_nor_waited_for():
    rows = [
        resource("a", dependsOn=["[resourceId('Some.Provider/things', 'b')]"]),
        resource("b", condition="[not(true())]"),
    ]
    assert len(template({"resources": rows}).wanted()) == 1


@pytest.mark.parametrize("location", ["westeurope", "northeurope"])
def test_our_own_template_needs_only_what_is_emulated(location: str):
    raw = json.loads((INFRA / "main.json").read_text(encoding="utf-8"))
    given = json.loads((INFRA / f"parameters.{location}.json").read_text(encoding="utf-8"))
    made = Template(raw, given["parameters"], GROUP, location, "tenant").wanted()
    assert len(made) > 20


# --- carried out by the rehearsal's ARM ---------------------------------------------------------
VERSION = "api-version=2024-11-01"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
ROLE, ASSIGNMENT = (
    f"Microsoft.Authorization/role{what}" for what in ("Definitions", "Assignments")
)
LOGIC = "Microsoft.Logic/workflows"


def identities(*names: str) -> list[dict]:
    return [
        {"type": IDENTITY, "apiVersion": "2023-01-31", "name": name, "location": "westeurope"}
        for name in names
    ]


@pytest.fixture
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with open_wire(tmp_path_factory.mktemp("deployments")) as opened:
        yield opened


def path(wire: Wire, name: str = "one") -> str:
    group = f"{wire.subscription}/resourceGroups/rg-we"
    return f"{group}/providers/Microsoft.Resources/deployments/{name}"


def body(resources: list[dict], **outputs: str) -> dict:
    shown = {name: {"type": "string", "value": value} for name, value in outputs.items()}
    raw = {"resources": resources, "outputs": shown}
    return {"properties": {"mode": "Incremental", "template": raw, "parameters": {}}}


def settled(wire: Wire, told: dict, name: str = "one") -> dict:
    """Deploy and wait; gives the deployment's properties."""
    assert wire.ask("PUT", f"{path(wire, name)}?{VERSION}", told).status_code in (200, 201)
    found: dict = {}
    for _ in range(100):
        found = wire.ask("GET", f"{path(wire, name)}?{VERSION}").json()["properties"]
        if found["provisioningState"] in ("Succeeded", "Failed"):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{name} is still {found}")


def compared(wire: Wire, told: dict) -> dict[str, str]:
    """What-if: name -> what would be done to it."""
    answer = wire.ask("POST", f"{path(wire)}/whatIf?{VERSION}", told)
    assert answer.status_code == 202
    for _ in range(100):
        found = wire.ask("GET", answer.headers["Location"])
        if found.status_code == 200:
            rows = found.json()["properties"]["changes"]
            return {row["resourceId"].rsplit("/", 1)[-1]: row["changeType"] for row in rows}
        time.sleep(0.05)
    raise AssertionError("what-if does not end")


def test_a_template_that_cannot_be_right_is_refused_at_once_with_its_reason(wire: Wire):
    needing = [{**identities("a")[0], "dependsOn": ["nobody"]}]
    answer = wire.ask("PUT", f"{path(wire)}?{VERSION}", body(needing))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidTemplate")
    assert "nobody" in answer.json()["error"]["message"]


def test_another_mode_than_incremental_is_refused_by_name(wire: Wire):
    told = body([])
    told["properties"]["mode"] = "Complete"
    assert wire.ask("PUT", f"{path(wire)}?{VERSION}", told).status_code == 501


def test_a_deployment_fails_with_the_words_of_the_resource_that_would_not_be_made(wire: Wire):
    site = {"type": "Microsoft.Web/sites", "apiVersion": "2024-11-01", "name": "site"}
    properties = {"serverFarmId": "[resourceId('Microsoft.Web/serverfarms', 'none')]"}
    found = settled(wire, body([{**site, "properties": properties}]))
    assert found["provisioningState"] == "Failed"
    assert "Cannot find serverfarm" in found["error"]["message"]


def test_what_is_made_gives_the_outputs(wire: Wire):
    told = f"[reference(resourceId('{IDENTITY}', 'a')).principalId]"
    found = settled(wire, body(identities("a"), principal=told))
    assert found["outputs"]["principal"]["value"] in wire.world.principals


def test_what_if_says_what_would_be_made_and_makes_nothing(wire: Wire):
    assert compared(wire, body(identities("a", "b"))) == {"a": "Create", "b": "Create"}
    assert wire.world.resources.of_type(IDENTITY) == []


def test_what_was_deployed_would_not_be_changed_by_deploying_it_again(wire: Wire):
    settled(wire, body(identities("a")))
    assert compared(wire, body(identities("a", "b"))) == {"a": "NoChange", "b": "Create"}


def test_a_secure_parameter_is_never_shown(wire: Wire):
    told = body([])
    told["properties"]["template"]["parameters"] = {"key": {"type": "securestring"}}
    told["properties"]["parameters"] = {"key": {"value": "hush"}}
    settled(wire, told)
    assert "hush" not in wire.ask("GET", f"{path(wire)}?{VERSION}").text


# --- roles --------------------------------------------------------------------------------------


def with_role(wire: Wire, *actions: str) -> None:
    """Let the test's app have a role in rg-we, and let roles count."""
    group = f"{wire.subscription}/resourceGroups/rg-we"
    role = f"{group}/providers/{ROLE}/r"
    permissions = [{"actions": list(actions), "notActions": []}]
    wire.world.resources.place(role, {"properties": {"permissions": permissions}})
    told = {"principalId": wire.oid, "roleDefinitionId": role}
    wire.world.resources.place(f"{group}/providers/{ASSIGNMENT}/a", {"properties": told})
    wire.world.roles_enforced = True


def asked(wire: Wire, group: str, tail: str = "", method: str = "GET") -> int:
    root = f"{wire.subscription}/resourceGroups/{group}/providers/{LOGIC}/job"
    return wire.ask(method, f"{root}{tail}?api-version=2019-05-01").status_code


def test_what_no_role_grants_is_forbidden(wire: Wire):
    with_role(wire, f"{LOGIC}/read")
    assert asked(wire, "rg-we", "/enable", "POST") == 403


def test_a_role_grants_nothing_in_another_group(wire: Wire):
    with_role(wire, f"{LOGIC}/*")
    assert asked(wire, "rg-ne") == 403


def test_what_a_role_grants_is_done(wire: Wire):
    with_role(wire, f"{LOGIC}/*")
    assert asked(wire, "rg-we") == 404  # Nobody forbids it; there is no such workflow.


def test_the_roles_of_our_own_template_are_whole_actions(wire: Wire):
    raw = json.loads((INFRA / "access.json").read_text(encoding="utf-8"))
    roles = [one["properties"]["permissions"] for one in raw["resources"] if one["type"] == ROLE]
    actions = [action for (permission,) in roles for action in permission["actions"]]
    assert len(actions) == len(set(actions))
    assert all(action.startswith("Microsoft.") for action in actions)
