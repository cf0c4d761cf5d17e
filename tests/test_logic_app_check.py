"""Readiness of a Standard workflow: each deliberate fault is found by its name."""

import copy
from collections.abc import Iterator

import pytest

from tests.doors import HERE, THERE, Doors
from tests.test_logic_app import FLOW, site_of, task
from tests.test_logic_app import std as std
from tests.wire import check_exchanges


def check(doors: Doors, **more: object) -> dict[str, dict]:
    payload = {"plan": "contoso", "location": HERE, "away": THERE}
    part = task(doors, "check", HERE, **more)["component"]
    part["other"] = {**part, "resource": site_of(doors, THERE)}
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
