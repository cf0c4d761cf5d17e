"""What a plan may say of connections, gateways and diagnostic settings."""

import pytest

from tests.test_plan_hosts import check_refused, plan

WE, NE = "westeurope", "northeurope"
ROOT = "{resourceGroup}/providers/Microsoft.Web"
LINK = {"name": "stock", "kind": "apiConnection", "resource": f"{ROOT}/connections/s", "api": "sql"}
GATEWAY = {
    "name": "home",
    "kind": "dataGateway",
    "resource": f"{ROOT}/connectionGateways/home",
    "members": {WE: ["a", "b"], NE: ["c", "d"]},
}


@pytest.mark.parametrize("key", ["password", "connectionString", "accountKey", "clientSecret"])
def test_a_plan_holds_no_secret(key: str) -> None:
    check_refused("a plan holds no secrets", {**LINK, "values": {WE: {key: "x"}, NE: {}}})


def test_a_replica_names_its_hosts() -> None:
    check_refused("name the host of each location's replica", {**LINK, "endpoint": "replica"})


def test_one_host_is_no_replica() -> None:
    part = {**LINK, "endpoint": "replica", "hosts": {WE: "a.net", NE: "A.net"}}
    check_refused("that is one system", part)


def test_two_hosts_are_not_shared() -> None:
    check_refused("are two systems", {**LINK, "hosts": {WE: "a.net", NE: "b.net"}})


def test_a_host_is_needed_for_both_locations() -> None:
    check_refused("hosts: northeurope is missing", {**LINK, "hosts": {WE: "a.net"}})


def test_one_connection_does_not_serve_both_locations() -> None:
    id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/connections/s"
    check_refused("is the same in", {**LINK, "resource": id})


def test_a_machine_is_in_one_cluster() -> None:
    part = {**GATEWAY, "members": {WE: ["a", "b"], NE: ["B", "c"]}}
    check_refused("b is in both clusters", part)


def test_workspaces_are_needed_for_both_locations() -> None:
    space = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w"
    flow = "{resourceGroup}/providers/Microsoft.Logic/workflows/x"
    part = {
        "name": "logs",
        "kind": "diagnosticSetting",
        "resource": flow,
        "workspaces": {WE: space},
    }
    check_refused("workspaces: northeurope is missing", part)


def test_what_nothing_promotes_is_in_no_wave() -> None:
    found = plan(LINK, GATEWAY)
    assert found.promoted_in("home") is None
    assert any("stock" in wave for wave in found.waves("promote", NE))
