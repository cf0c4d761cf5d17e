"""Readiness of a Standard workflow: each deliberate fault is found by its name."""

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import one_look
from tests.doors import HERE, THERE, Doors
from tests.test_logic_app import FLOW, GROUPS, MARKER, settings, site_of, task
from tests.test_logic_app import std as std
from tests.wire import check_exchanges


def check(doors: Doors, location: str = HERE, **more: object) -> dict[str, dict]:
    away = THERE if location == HERE else HERE
    payload = {"plan": "contoso", "location": location, "away": away}
    part = task(doors, "check", location, **more)["component"]
    part["other"] = {**part, "resource": site_of(doors, away)}
    outcome = doors.call("check_logic_app_workflow", {**payload, "component": part})
    return {row["name"]: row for row in outcome.get("checks", [])} or {"refused": outcome}


def flow(doors: Doors, location: str = HERE) -> dict:
    found = doors.world.resources.get(f"{site_of(doors, location)}/workflows/{FLOW}")
    assert found is not None
    return found.properties


def site(doors: Doors) -> dict:
    found = doors.world.resources.get(site_of(doors, HERE))
    assert found is not None
    return found.body


@pytest.fixture
def ready(std: Doors) -> Iterator[Doors]:
    mark = std.mark()
    yield std
    check_exchanges(std.world.journal.after(mark))


def test_a_site_that_is_missing_says_what_to_do(ready: Doors) -> None:
    seen = check(ready, resource=site_of(ready, HERE) + "-gone")["refused"]
    assert (seen["status"], "deploy it there" in seen["because"]) == ("refused", True)


def test_an_app_of_another_kind_is_no_host(ready: Doors) -> None:
    site(ready)["kind"] = "functionapp"
    assert check(ready)["host"]["status"] == "fail"


def test_a_stopped_site_fails_unless_something_starts_it(ready: Doors) -> None:
    site(ready)["properties"]["state"] = "Stopped"
    assert check(ready)["host"]["status"] == "fail"
    assert check(ready, waitsFor=["apps"])["host"]["status"] == "warn"


def test_a_workflow_that_is_missing_is_found(ready: Doors) -> None:
    ready.world.resources.remove(f"{site_of(ready, HERE)}/workflows/{FLOW}")
    row = check(ready)["workflow"]
    assert (row["status"], row["fix"]) == ("fail", "deploy it there")


def test_a_workflow_that_the_host_cannot_load_is_found(ready: Doors) -> None:
    told = {"code": "WorkflowInvalid", "message": "it quotes a secret"}
    flow(ready)["health"] = {"state": "Unhealthy", "error": told}
    row = check(ready)["workflow"]
    assert (row["status"], "WorkflowInvalid" in row["because"]) == ("fail", True)
    assert "secret" not in row["because"]


def test_an_exclusive_workflow_that_runs_in_the_standby_is_found(ready: Doors) -> None:
    flow(ready)["state"] = "Enabled"
    assert check(ready)["state"]["status"] == "fail"


def test_a_definition_that_differs_is_found_unless_it_is_declared(ready: Doors) -> None:
    changed = copy.deepcopy(flow(ready)["definition"])
    changed["triggers"]["every"]["recurrence"]["interval"] = 2
    flow(ready)["definition"] = changed
    found = check(ready)["definition"]
    assert found["status"] == "fail"
    assert "/triggers/every/recurrence/interval" in found["because"]
    declared = ["/triggers/every/recurrence"]
    assert check(ready, differs=declared)["definition"]["status"] == "ok"


def connect(doors: Doors, group: str = GROUPS[HERE], api: str = HERE) -> None:
    """The workflow names a managed connection and a built-in one, whose files have secrets."""
    base = f"/subscriptions/{doors.world.subscription_id}"
    host = {"connection": {"referenceName": "stock"}}
    provider = {"serviceProviderConfiguration": {"connectionName": "files"}}
    flow(doors)["definition"] = {
        **flow(doors)["definition"],
        "actions": {"a": {"inputs": {"host": host}}, "b": {"inputs": provider}},
    }
    stock = {
        "api": {"id": f"{base}/providers/Microsoft.Web/locations/{api}/managedApis/sql"},
        "connection": {
            "id": f"{base}/resourceGroups/{group}/providers/Microsoft.Web/connections/s"
        },
        "authentication": {"type": "Raw", "scheme": "Key", "parameter": MARKER},
    }
    files = {"parameterValues": {"password": "@appsetting('KEY')", "host": MARKER}}
    file = {
        "managedApiConnections": {"stock": stock},
        "serviceProviderConnections": {"files": files},
    }
    where = f"{site_of(doors, HERE)}/workflowsconfiguration/connections"
    doors.world.resources.place(where, {"properties": file})


def test_a_connection_of_the_lost_region_is_found(ready: Doors) -> None:
    connect(ready, group=GROUPS[THERE], api=THERE)
    row = check(ready)["connections"]
    assert (row["status"], "stock is of the connector in another" in row["because"]) == (
        "fail",
        True,
    )
    connect(ready, group=GROUPS[THERE])
    row = check(ready)["connections"]
    assert (row["status"], "stock is not in rg-contoso-ne" in row["because"]) == ("fail", True)


def test_a_setting_that_a_connection_needs_is_missed_by_name(ready: Doors) -> None:
    connect(ready)
    del settings(ready)["KEY"]
    row = check(ready)["connections"]
    assert (row["status"], row["because"]) == ("fail", "files: the site has no app setting key")


def test_the_settings_in_an_id_are_what_the_site_has(ready: Doors) -> None:
    """The group's name is compared and not told: it might be anything."""
    connect(ready, group="@{appsetting('GROUP')}")
    settings(ready)["GROUP"] = GROUPS[HERE]
    assert check(ready)["connections"]["status"] == "ok"
    settings(ready)["GROUP"] = GROUPS[THERE]
    row = check(ready)["connections"]
    assert (row["status"], GROUPS[THERE] in str(row)) == ("fail", False)


def test_connections_of_its_own_tell_no_secret(ready: Doors) -> None:
    connect(ready)
    seen = check(ready)
    assert (seen["connections"]["status"], MARKER in str(seen)) == ("ok", False)


def test_a_connection_that_the_site_does_not_have_is_found(ready: Doors) -> None:
    connect(ready)
    ready.world.resources.remove(f"{site_of(ready, HERE)}/workflowsconfiguration/connections")
    row = check(ready)["connections"]
    assert (row["status"], "files is not among the site's" in row["because"]) == ("fail", True)


@pytest.mark.parametrize("path", ["listWorkflowsConnections", "appsettings/list"])
def test_what_is_not_shown_to_us_is_a_warning(ready: Doors, path: str) -> None:
    connect(ready)
    fault = {"match": {"method": "POST", "path": path}, "effect": {"status": 403}}
    ready.world.faults.add(fault)
    row = check(ready)["connections"]
    assert (row["status"], bool(row["fix"])) == ("warn", True)


@pytest.mark.parametrize(
    "body",
    [
        "<html>sorry</html>",
        {"properties": {}},
        {"properties": {"files": {"connections.json": MARKER}}},
    ],
)
def test_an_answer_of_another_shape_is_one_warning(std: Doors, body: object) -> None:
    connect(std)
    effect = {"status": 200, "body": body}
    std.world.faults.add({"match": {"path": "listWorkflows"}, "effect": effect})
    row = check(std)["connections"]
    assert (row["status"], "does not show" in row["because"]) == ("warn", True)
    assert MARKER not in str(row)


def test_a_site_is_asked_once_for_all_of_its_workflows_in_a_look(ready: Doors) -> None:
    connect(ready)
    look, mark = one_look.anew(check), ready.mark()
    with ThreadPoolExecutor(4) as pool:
        rows = [one.result() for one in [pool.submit(look, ready) for _ in range(8)]]
    assert [one["connections"]["status"] for one in rows] == ["ok"] * 8
    assert len(ready.sent(mark, "POST")) == 2
    check(ready)
    assert len(ready.sent(mark, "POST")) == 4  # A look of its own.


def test_only_a_locations_own_app_is_missed_a_permission(ready: Doors) -> None:
    connect(ready)
    flow(ready, THERE)["definition"] = flow(ready)["definition"]
    fault = {"match": {"method": "POST", "path": "listWorkflows"}, "effect": {"status": 403}}
    ready.world.faults.add(fault)
    assert "403" in check(ready)["connections"]["because"]
    row = check(ready, THERE)["connections"]
    assert (row["status"], "only westeurope's own app" in row["because"]) == ("warn", True)


def test_a_role_that_the_trigger_does_not_allow_is_found(ready: Doors) -> None:
    assert check(ready, role="activeActive")["role"]["status"] == "fail"


def test_a_workflow_of_the_active_site_that_is_not_in_the_standby_is_named(ready: Doors) -> None:
    more = f"{site_of(ready, THERE)}/workflows/forgotten"
    ready.world.resources.place(more, {"properties": {"definition": {}}})
    row = check(ready)["set"]
    assert (row["status"], "forgotten" in row["because"]) == ("warn", True)


def test_without_the_active_side_likeness_is_only_a_warning(ready: Doors) -> None:
    ready.world.faults.add({"match": {"location": THERE}, "effect": {"status": 404}})
    assert check(ready)["definition"]["status"] == "warn"


def test_all_is_well(ready: Doors) -> None:
    seen = check(ready)
    assert {name: row["status"] for name, row in seen.items()} == dict.fromkeys(
        ("host", "workflow", "state", "role", "definition", "set"), "ok"
    )
