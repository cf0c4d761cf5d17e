"""A folder of workflow definitions becomes a table of what each may be in two locations."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import roles, roles_of
from shared.connectors import BUILT_IN, MANAGED


def managed(name: str, **inputs: object) -> dict:
    host = {"connection": {"name": f"@parameters('$connections')['{name}']['connectionId']"}}
    return of("ApiConnection", host=host, **inputs)


def built_in(name: str, operation: str = "receive", **parameters: object) -> dict:
    provider = {"serviceProviderId": f"/serviceProviders/{name}", "operationId": operation}
    return of("ServiceProvider", serviceProviderConfiguration=provider, parameters=parameters)


def of(kind: str, **inputs: object) -> dict:
    return {"triggers": {"start": {"type": kind, "inputs": inputs}}, "actions": {}}


def row(definition: object) -> dict:
    [found] = roles_of.judged("w", json.dumps(definition))
    return found


def told(path: Path, *more: str) -> int:
    return roles_of.main([str(path), *more])


def test_what_is_not_json_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    assert told(tmp_path) == 1
    assert "not JSON" in capsys.readouterr().out


def test_what_is_not_text_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "broken.json").write_bytes(b"\xff\xfe\x00")
    assert told(tmp_path) == 1
    assert "cannot be read" in capsys.readouterr().out


def test_a_file_that_is_no_definition_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "host.json"
    file.write_text("{}", encoding="utf-8")
    assert told(file) == 1
    assert "no workflow definition" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--json"], ["/nowhere/at/all.json"]])
def test_what_is_not_there_is_a_wrong_call(arguments: list[str]):
    assert roles_of.main(arguments) == 2


@pytest.mark.parametrize(
    "definition",
    [of("Quantum"), {"triggers": {}}, {"triggers": []}, managed("shinynewthing"), built_in("new")],
)
def test_what_is_not_known_is_treated_as_clients_memory_and_reported(definition: dict):
    found = row(definition)
    assert (found["trigger"], found["state"], found["known"]) == ("clientPolling", "client", False)


def test_an_unknown_connector_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "odd.json").write_text(json.dumps(managed("shinynewthing")), encoding="utf-8")
    assert told(tmp_path) == 1
    out = capsys.readouterr().out
    assert "polls shinynewthing" in out and "not known here: odd" in out


def test_one_unknown_trigger_among_known_ones_is_reported():
    both = {"triggers": {**of("Recurrence")["triggers"], "b": {"type": "Quantum"}}}
    found = row(both)
    assert (found["trigger"], found["known"]) == ("recurrence", False)
    assert "most exclusive of its 2 triggers" in found["because"]


def test_there_are_more_than_sixty_connectors():
    assert len(MANAGED) + len(BUILT_IN) > 60 and len(MANAGED) > 60


@pytest.mark.parametrize(("table", "make"), [(MANAGED, managed), (BUILT_IN, built_in)])
def test_every_connector_has_the_class_of_its_side(table: dict, make):
    expected = {"server": "queue", "client": "clientPolling", "push": "webhook"}
    found = {name: row(make(name)) for name in table}
    wrong = [n for n, one in found.items() if one["trigger"] != expected[table[n].side]]
    assert wrong == [] and all(one["known"] for one in found.values())


@pytest.mark.parametrize(
    "definition",
    [
        managed("servicebus", queries={"sessionId": "Next Available"}),
        built_in("serviceBus", isSessionsEnabled=True),
    ],
)
def test_sessions_keep_the_order(definition: dict):
    found = row(definition)
    assert found["trigger"] == "orderedQueue" and "sequential convoy" in found["because"]


@pytest.mark.parametrize("name", ["servicebus-1", "servicebus_12", "ServiceBus"])
def test_connections_may_be_numbered(name: str):
    assert row(managed(name))["trigger"] == "queue"


def test_standards_managed_connections_are_known_by_reference():
    definition = of("ApiConnection", host={"connection": {"referenceName": "office365-2"}})
    assert row(definition)["because"].startswith("trigger start, office365: it remembers the time")


def test_the_api_is_known_by_its_url_whatever_the_connection_is_called():
    host = {
        "connection": {"name": "mine"},
        "api": {"runtimeUrl": "https://logic-apis-we.azure-apim.net/apim/ftp"},
    }
    assert row(of("ApiConnection", host=host))["because"].startswith("trigger start, ftp: ")


def test_a_queue_that_is_browsed_gives_everything_to_everyone():
    assert row(built_in("mq", "browseMessages"))["trigger"] == "clientPolling"


@pytest.mark.parametrize(
    "document",
    [
        of("Recurrence"),
        {"definition": of("Recurrence"), "kind": "Stateful"},
        {"type": "Microsoft.Logic/workflows", "properties": {"definition": of("Recurrence")}},
    ],
)
def test_a_definition_is_found_as_it_is_kept(document: dict):
    assert row(document)["roles"] == ["activePassive", "split"]


SCHEMA = "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#"


def resource(name: str, definition: object, **more: object) -> dict:
    kind = "Microsoft.Logic/workflows"
    return {"type": kind, "name": name, "properties": {"definition": definition}, **more}


def template(*resources: dict) -> dict:
    """Its schema's name ends as a definition's does not."""
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    return {"$schema": schema, "contentVersion": "1.0.0.0", "resources": list(resources)}


@pytest.mark.parametrize(
    "document", [{"definition": {"actions": {}}, "kind": "Stateful"}, {"$schema": SCHEMA}]
)
def test_a_workflow_without_a_trigger_is_told(
    document: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "flow.json").write_text(json.dumps(document), encoding="utf-8")
    assert told(tmp_path) == 1
    out = capsys.readouterr().out
    assert "the definition has no trigger;" in out and "not known here: flow" in out


@pytest.mark.parametrize("text", ["{}", "[]", "null", '{"definition": "later"}'])
def test_standards_file_is_a_workflow_whatever_stands_in_it(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "workflow.json").write_text(text, encoding="utf-8")
    assert told(tmp_path) == 1
    assert "no workflow definition\n1 workflows:" in capsys.readouterr().out


def test_every_workflow_of_a_template_has_its_row(tmp_path: Path):
    """Also below another resource, in a nested deployment, and where keys name resources."""
    inner = template(resource("c", of("Batch")))
    nested = {"type": "Microsoft.Resources/deployments", "name": "more"}
    file = tmp_path / "azuredeploy.json"
    document = template(
        resource("a", of("Request")),
        {"type": "Any/other", "name": "x", "resources": [resource("b", of("Recurrence"))]},
        nested | {"properties": {"template": inner}},
        nested | {"properties": {"template": {"resources": {"d": resource("", of("Http"))}}}},
    )
    file.write_text(json.dumps(document), encoding="utf-8")
    assert [(one["workflow"], one["trigger"]) for one in roles_of.rows_of([tmp_path])] == [
        ("azuredeploy/a", "request"),
        ("azuredeploy/x/b", "recurrence"),
        ("azuredeploy/more/c", "batch"),
        ("azuredeploy/more/d", "httpPolling"),
    ]


@pytest.mark.parametrize(
    ("definition", "because"),
    [
        ("[json(parameters('definition'))]", "its definition is a template expression"),
        (None, "no workflow definition"),
        (7, "no workflow definition"),
        ({"actions": {}}, "the definition has no trigger;"),
        ({"triggers": "[variables('all')]"}, "no trigger that is known here"),
    ],
)
def test_what_a_template_leaves_open_is_told(
    definition: object, because: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "azuredeploy.json"
    text = json.dumps(template(resource("[parameters('name')]", definition)))
    file.write_text(text, encoding="utf-8")
    assert told(tmp_path) == 1
    out = capsys.readouterr().out
    assert because in out and "not known here: azuredeploy/[parameters('name')]" in out


def test_what_a_template_deploys_besides_is_no_workflow(tmp_path: Path):
    alert = {"type": "Microsoft.Insights/activityLogAlerts", "name": "a"}
    alert |= {"properties": {"actions": {"actionGroups": []}}}
    referred = resource("there", None, existing=True)
    (tmp_path / "azuredeploy.json").write_text(json.dumps(template(alert, referred)), "utf-8")
    (tmp_path / "alert.json").write_text(json.dumps(alert), encoding="utf-8")
    assert roles_of.rows_of([tmp_path]) == []


def test_a_template_that_nests_too_deep_is_told():
    document = template(resource("a", of("Request")))
    for _ in range(roles_of.NESTED_MAX):
        document = template({"type": "Any/other", "name": "x", **document})
    [found] = roles_of.judged("w", json.dumps(document))
    assert (found["known"], "nests deeper" in found["because"]) == (False, True)


def test_a_folder_that_is_too_large_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(roles_of, "FILES_MAX", 1)
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps(of("Request")), encoding="utf-8")
    assert [one["known"] for one in roles_of.rows_of([tmp_path])] == [True, False]


def test_a_folder_is_told_by_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "orders").mkdir()
    text = json.dumps({"definition": of("Request"), "kind": "Stateful"})
    (tmp_path / "orders" / "workflow.json").write_text(text, encoding="utf-8")
    (tmp_path / "clock.json").write_text(json.dumps(of("Recurrence")), encoding="utf-8")
    (tmp_path / "connections.json").write_text("{}", encoding="utf-8")
    assert told(tmp_path, "--json") == 0
    assert [one["workflow"] for one in json.loads(capsys.readouterr().out)] == ["clock", "orders"]


def test_a_combination_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.json").write_text(json.dumps(of("Request")), encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps(of("Batch")), encoding="utf-8")
    assert told(tmp_path) == 0
    assert "1 in one at a time (a combination: the plan gives each" in capsys.readouterr().out


def test_every_class_says_its_roles_and_where_its_memory_lies():
    classes = set(roles.TRIGGERS)
    assert set(roles.ROLES) == set(roles_of.SIDES) == classes
    assert not [n for n in roles.NOTES if n not in classes]


@pytest.mark.parametrize("trigger", sorted(roles.TRIGGERS))
def test_what_is_exclusive_is_never_active_in_both(trigger: str):
    assert ("activeActive" in roles.ROLES[trigger]) != roles.exclusive(trigger)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5),
        lambda part: (
            st.lists(part, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["triggers", "type", "inputs", "host", "connection", "queries", "actions"]
                    + ["resources", "properties", "definition", "template", "name"]
                ),
                part,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_breaks_it(document: object):
    found = roles_of.judged("w", json.dumps(document))
    assert all(one["because"] for one in found)
