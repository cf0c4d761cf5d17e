"""Diagnostic settings at the wire: both workspaces receive, and nothing is kept in one region."""

from collections.abc import Iterator

import pytest

from shared.diagnostics import geo_redundant, namespace_of
from tests.doors import HERE, THERE, Doors
from tests.wire import check_exchanges

GROUPS = {HERE: "rg-contoso-ne", THERE: "rg-contoso-we"}
FLOW = "logs-of-mine"
PATH = "providers/Microsoft.Insights/diagnosticSettings"


def group_of(doors: Doors, location: str) -> str:
    return f"/subscriptions/{doors.world.subscription_id}/resourceGroups/{GROUPS[location]}"


def flow_of(doors: Doors) -> str:
    return f"{group_of(doors, HERE)}/providers/Microsoft.Logic/workflows/{FLOW}"


def workspace_of(doors: Doors, location: str) -> str:
    return f"{group_of(doors, location)}/providers/Microsoft.OperationalInsights/workspaces/log"


@pytest.fixture
def logs(doors: Doors) -> Iterator[Doors]:
    """A workflow of which nobody is told anything."""
    properties = {"state": "Disabled", "definition": {}}
    doors.world.resources.place(flow_of(doors), {"location": HERE, "properties": properties})
    mark = doors.mark()
    yield doors
    doors.whole()
    check_exchanges(doors.world.journal.after(mark))
    doors.world.resources.remove(flow_of(doors))


def send(doors: Doors, name: str, on: bool = True, **sinks: str) -> None:
    """A setting that is there already."""
    body = {**sinks, "logs": [{"categoryGroup": "allLogs", "enabled": on}]}
    doors.world.resources.place(f"{flow_of(doors)}/{PATH}/{name}", {"properties": body})


def task(doors: Doors, verb: str, **more: object) -> dict:
    part = {
        "name": "logs",
        "kind": "diagnosticSetting",
        "resource": flow_of(doors),
        "setting": "understudy",
        "workspaces": {at: workspace_of(doors, at) for at in (THERE, HERE)},
        "logs": ["allLogs"],
        **more,
    }
    return {**doors.task("nightly-invoices", verb), "component": part}


def check(doors: Doors) -> dict[str, dict]:
    outcome = doors.call("check_diagnostics", task(doors, "check"))
    return {row["name"]: row for row in outcome["checks"]}


def test_a_missing_resource_is_refused_by_name(logs: Doors) -> None:
    gone = task(logs, "promote", resource=flow_of(logs) + "-gone")
    assert "no resource logs-of-mine-gone" in logs.call("promote_diagnostics", gone)["because"]


def test_a_location_that_does_not_receive_is_refused_at_verification(logs: Doors) -> None:
    send(logs, "mine", workspaceId=workspace_of(logs, HERE))
    outcome = logs.call("observe_diagnostics", task(logs, "verify"))
    assert outcome["because"] == f"logs: the workspace of {THERE} does not receive"


def test_a_setting_whose_logs_are_off_sends_nothing(logs: Doors) -> None:
    for location in (HERE, THERE):
        send(logs, location, on=False, workspaceId=workspace_of(logs, location))
    row = check(logs)["receivers"]
    assert (row["status"], HERE in row["because"], THERE in row["because"]) == ("warn", True, True)


def test_a_category_that_goes_there_by_another_setting_is_said(logs: Doors) -> None:
    send(logs, "mine", workspaceId=workspace_of(logs, HERE))
    logs.world.faults.add(
        {"match": {"method": "PUT", "path": "diagnosticSettings"}, "effect": {"status": 409}}
    )
    outcome = logs.call("promote_diagnostics", task(logs, "promote"))
    assert (outcome["status"], outcome["busy"]) == ("refused", False)


def test_a_stale_task_adds_nothing(logs: Doors) -> None:
    payload = task(logs, "promote")
    logs.hold(epoch=7)
    mark = logs.mark()
    assert logs.call("promote_diagnostics", payload)["stale"] is True
    assert logs.sent(mark, "PUT") == []


def test_what_is_missing_is_added_once(logs: Doors) -> None:
    send(logs, "mine", workspaceId=workspace_of(logs, HERE).upper())
    mark = logs.mark()
    assert logs.call("promote_diagnostics", task(logs, "promote"))["status"] == "succeeded"
    assert [f"understudy-{THERE}" in url for url in logs.sent(mark, "PUT")] == [True]
    assert logs.call("promote_diagnostics", task(logs, "promote"))["status"] == "skipped"
    assert logs.call("observe_diagnostics", task(logs, "verify"))["serving"] is True
    assert check(logs)["receivers"]["status"] == "ok"


def test_a_dry_run_names_what_would_be_added_and_adds_nothing(logs: Doors) -> None:
    mark = logs.mark()
    seen = logs.call("observe_diagnostics", {**task(logs, "promote"), "dryRun": True})
    assert [one["method"] for one in seen["calls"]["promote"]] == ["PUT", "PUT"]
    assert logs.sent(mark, "PUT") == []


@pytest.mark.parametrize("sku, status", [("Standard_LRS", "warn"), ("Standard_RAGRS", "ok")])
def test_storage_that_is_kept_in_one_region_is_found(logs: Doors, sku: str, status: str) -> None:
    account = f"{group_of(logs, HERE)}/providers/Microsoft.Storage/storageAccounts/stlogs"
    body = {"location": HERE, "sku": {"name": sku}, "kind": "StorageV2", "properties": {}}
    logs.world.resources.place(account, body)
    send(logs, "archive", storageAccountId=account)
    assert check(logs)["storage"]["status"] == status
    logs.world.resources.remove(account)


def test_storage_that_cannot_be_seen_is_said(logs: Doors) -> None:
    account = f"{group_of(logs, HERE)}/providers/Microsoft.Storage/storageAccounts/nowhere"
    send(logs, "archive", storageAccountId=account)
    row = check(logs)["storage"]
    assert (row["status"], "cannot be seen" in row["because"]) == ("warn", True)


@pytest.mark.parametrize("paired, status", [(False, "warn"), (True, "ok")])
def test_event_hubs_that_are_not_paired_are_found(logs: Doors, paired: bool, status: str) -> None:
    space = f"{group_of(logs, HERE)}/providers/Microsoft.EventHub/namespaces/eh-logs"
    body = {"location": HERE, "sku": {"name": "Standard"}, "properties": {}}
    logs.world.resources.place(space, body)
    if paired:
        partner = space.replace(GROUPS[HERE], GROUPS[THERE]) + "-2"
        logs.world.resources.place(partner, {**body, "location": THERE})
        alias = {"role": "Primary", "provisioningState": "Succeeded", "partnerNamespace": partner}
        logs.world.resources.place(f"{space}/disasterRecoveryConfigs/logs", {"properties": alias})
    send(logs, "stream", eventHubAuthorizationRuleId=f"{space}/authorizationRules/send")
    assert check(logs)["eventHub"]["status"] == status
    logs.world.resources.remove(space)


def test_what_is_geo_redundant_is_known_by_its_sku() -> None:
    kept = [sku for sku in ("Standard_LRS", "Standard_ZRS", "Standard_GZRS") if geo_redundant(sku)]
    assert kept == ["Standard_GZRS"]


def test_a_rule_names_its_namespace() -> None:
    assert namespace_of("/a/namespaces/eh/AuthorizationRules/r") == "/a/namespaces/eh"
