"""Diagnostic settings at the wire: both workspaces receive, and nothing is kept in one region."""

from collections.abc import Iterator

import pytest

from shared.diagnostics import geo_redundant, namespace_of
from shared.stale import keeper
from tests.doors import HERE, THERE, Doors
from tests.wire import check_exchanges

GROUPS = {HERE: "rg-contoso-ne", THERE: "rg-contoso-we"}
FLOW = "logs-of-mine"
PATH = "providers/Microsoft.Insights/diagnosticSettings"


def group_of(doors: Doors, location: str) -> str:
    return f"/subscriptions/{doors.world.subscription_id}/resourceGroups/{GROUPS[location]}"


def flow_of(doors: Doors, location: str = HERE) -> str:
    return f"{group_of(doors, location)}/providers/Microsoft.Logic/workflows/{FLOW}"


def workspace_of(doors: Doors, location: str) -> str:
    return f"{group_of(doors, location)}/providers/Microsoft.OperationalInsights/workspaces/log"


@pytest.fixture
def logs(doors: Doors) -> Iterator[Doors]:
    """A workflow in both locations of which nobody is told anything."""
    properties = {"state": "Disabled", "definition": {}}
    for location in (HERE, THERE):
        body = {"location": location, "properties": properties}
        doors.world.resources.place(flow_of(doors, location), body)
    mark, held = doors.mark(), doors.world.hold_seconds
    doors.world.hold_seconds = 0.2
    yield doors
    doors.whole()
    doors.world.hold_seconds = held
    check_exchanges(doors.world.journal.after(mark))
    for location in (HERE, THERE):
        doors.world.resources.remove(flow_of(doors, location))


def send(doors: Doors, name: str, on: bool = True, at: str = HERE, **sinks: str) -> None:
    """A setting that is there already."""
    body = {**sinks, "logs": [{"categoryGroup": "allLogs", "enabled": on}]}
    doors.world.resources.place(f"{flow_of(doors, at)}/{PATH}/{name}", {"properties": body})


def send_to_both(doors: Doors, at: str) -> None:
    """The workflow of that location sends to both workspaces."""
    for location in (HERE, THERE):
        send(doors, f"understudy-{location}", at=at, workspaceId=workspace_of(doors, location))


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
    part["other"] = {**part, "resource": flow_of(doors, THERE)}
    return {**doors.task("nightly-invoices", verb), "away": THERE, "component": part}


def check(doors: Doors, **more: object) -> dict[str, dict]:
    told = task(doors, "check")
    outcome = doors.call("check_diagnostics", {**told, "component": {**told["component"], **more}})
    return {row["name"]: row for row in outcome["checks"]}


def mirror(doors: Doors, active: str = THERE) -> dict:
    """One round of the standby's ledger."""
    told = {**task(doors, "mirror"), "run": keeper("contoso", "ledger", HERE), "stage": "ledger"}
    doors.hold(epoch=0, active=active, run=None)
    return doors.call("mirror_diagnostics", {**told, "epoch": 0})


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


def test_an_active_side_that_keeps_its_logs_to_itself_is_found(logs: Doors) -> None:
    """When its region is lost, what it told is wanted at the other workspace."""
    send_to_both(logs, HERE)
    send(logs, "mine", at=THERE, workspaceId=workspace_of(logs, THERE))
    found = check(logs)
    assert (found["receivers"]["status"], found["activeReceivers"]["status"]) == ("ok", "warn")
    because = found["activeReceivers"]["because"]
    assert because == f"{THERE}: the workspace of {HERE} does not receive"
    send(logs, "yours", at=THERE, workspaceId=workspace_of(logs, HERE))
    assert check(logs)["activeReceivers"]["status"] == "ok"


def test_an_active_side_that_is_silent_is_a_warning(logs: Doors) -> None:
    send_to_both(logs, HERE)
    logs.world.lose(THERE)
    found = check(logs)
    assert (found["receivers"]["status"], found["activeReceivers"]["status"]) == ("ok", "warn")
    assert "cannot be seen" in found["activeReceivers"]["because"]


def test_a_resource_that_the_active_side_has_not_is_a_warning(logs: Doors) -> None:
    logs.world.resources.remove(flow_of(logs, THERE))
    assert "no resource logs-of-mine" in check(logs)["activeReceivers"]["because"]


def test_a_resource_of_both_locations_is_looked_at_once(logs: Doors) -> None:
    assert "activeReceivers" not in check(logs, other={"resource": flow_of(logs).upper()})


def test_storage_that_the_active_side_alone_sends_to_is_looked_at(logs: Doors) -> None:
    account = f"{group_of(logs, THERE)}/providers/Microsoft.Storage/storageAccounts/stlogs"
    body = {"location": THERE, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
    logs.world.resources.place(account, {**body, "properties": {}})
    send(logs, "archive", at=THERE, storageAccountId=account)
    assert check(logs)["storage"]["status"] == "warn"
    logs.world.resources.remove(account)


def test_a_mirror_adds_what_either_side_lacks_once(logs: Doors) -> None:
    send(logs, "mine", at=THERE, workspaceId=workspace_of(logs, THERE))
    mark = logs.mark()
    assert mirror(logs)["status"] == "succeeded"
    sent = logs.sent(mark, "PUT")
    assert len(sent) == 3
    assert [GROUPS[THERE] in url and f"understudy-{HERE}" in url for url in sent].count(True) == 1
    found = check(logs)
    assert (found["receivers"]["status"], found["activeReceivers"]["status"]) == ("ok", "ok")
    assert mirror(logs)["status"] == "skipped"
    assert len(logs.sent(mark, "PUT")) == 3


def test_a_mirror_mends_the_standby_while_the_active_side_is_silent(logs: Doors) -> None:
    logs.world.lose(THERE)
    outcome = mirror(logs)
    assert (outcome["status"], FLOW in outcome["because"]) == ("refused", True)
    assert check(logs)["receivers"]["status"] == "ok"


def test_a_mirror_says_what_arm_does_not_allow(logs: Doors) -> None:
    send_to_both(logs, HERE)
    faults = {"match": {"method": "PUT", "path": GROUPS[THERE]}, "effect": {"status": 403}}
    logs.world.faults.add(faults)
    outcome = mirror(logs)
    assert (outcome["status"], "roles" in outcome["because"]) == ("refused", True)


def test_a_mirror_of_what_has_begun_to_serve_adds_nothing(logs: Doors) -> None:
    mark = logs.mark()
    assert mirror(logs, active=HERE)["stale"] is True
    assert logs.sent(mark, "PUT") == []


def test_what_is_geo_redundant_is_known_by_its_sku() -> None:
    kept = [sku for sku in ("Standard_LRS", "Standard_ZRS", "Standard_GZRS") if geo_redundant(sku)]
    assert kept == ["Standard_GZRS"]


def test_a_rule_names_its_namespace() -> None:
    assert namespace_of("/a/namespaces/eh/AuthorizationRules/r") == "/a/namespaces/eh"
