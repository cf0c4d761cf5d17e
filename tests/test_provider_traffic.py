"""Traffic Manager, Service Bus, Storage and permissions in ARM, judged by their contracts."""

from collections.abc import Iterator

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.trafficmanager.models import DnsConfig, Endpoint, MonitorConfig, Profile

from rehearsal.runtimes import NoBuses
from tests.wire import Wire, check_exchanges, open_wire, small_world

BUS = "api-version=2024-01-01"


class Recorder(NoBuses):
    """A player that writes down what it is told."""

    def __init__(self) -> None:
        self.queues: dict[tuple[str, str], dict] = {}

    async def create_queue(self, namespace: str, name: str, properties: dict) -> None:
        self.queues[namespace, name] = properties

    async def delete_queue(self, namespace: str, name: str) -> None:
        self.queues.pop((namespace, name))

    async def counts(self, namespace: str, name: str) -> dict:
        details = {"activeMessageCount": 3, "deadLetterMessageCount": 0}
        return {"messageCount": 3, "sizeInBytes": 99, "countDetails": details}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    world = small_world()
    world.buses = Recorder()
    with open_wire(tmp_path_factory.mktemp("traffic"), world) as opened:
        yield opened


@pytest.fixture
def wire(served: Wire) -> Iterator[Wire]:
    last = len(served.world.journal.after())
    yield served
    served.world.recover("northeurope")
    check_exchanges(served.world.journal.after(last))


def endpoint(priority: int, target: str = "a.example.net") -> Endpoint:
    return Endpoint(
        name=f"e{priority}",
        type="Microsoft.Network/trafficManagerProfiles/externalEndpoints",
        target=target,
        endpoint_status="Enabled",
        priority=priority,
    )


def make(wire: Wire, name: str) -> Profile:
    body = Profile(
        location="global",
        profile_status="Enabled",
        traffic_routing_method="Priority",
        dns_config=DnsConfig(relative_name=name, ttl=10),
        monitor_config=MonitorConfig(protocol="HTTPS", port=443, path="/"),
        endpoints=[endpoint(1), endpoint(2)],
    )
    with wire.traffic() as client:
        return client.profiles.create_or_update("rg-ne", name, body)


def statuses(wire: Wire, name: str) -> list[str | None]:
    with wire.traffic() as client:
        return [row.endpoint_status for row in client.profiles.get("rg-ne", name).endpoints or []]


def test_a_profile_without_a_ttl_is_refused(wire: Wire) -> None:
    body = Profile(location="global", dns_config=DnsConfig(relative_name="x"))
    with wire.traffic() as client, pytest.raises(HttpResponseError) as refusal:
        client.profiles.create_or_update("rg-ne", "x", body)
    assert "ttl" in str(refusal.value)


def test_two_endpoints_do_not_share_a_priority(wire: Wire) -> None:
    make(wire, "unique")
    with wire.traffic() as client, pytest.raises(HttpResponseError) as refusal:
        client.endpoints.create_or_update("rg-ne", "unique", "ExternalEndpoints", "e3", endpoint(1))
    assert refusal.value.status_code == 400


def test_a_profile_cannot_be_changed_while_its_groups_region_is_lost(wire: Wire) -> None:
    """The trap: the profile is global, its resource group is not."""
    make(wire, "trapped")
    wire.world.lose("northeurope", {"arm"})
    with wire.traffic() as client, pytest.raises(HttpResponseError) as refusal:
        client.profiles.update("rg-ne", "trapped", Profile(tags={"a": "b"}))
    assert refusal.value.status_code == 504


def test_a_profile_shows_its_endpoints_and_its_name_in_dns(wire: Wire) -> None:
    made = make(wire, "whole")
    assert made.dns_config is not None
    assert made.dns_config.fqdn == "whole.trafficmanager.net"
    assert [row.name for row in made.endpoints or []] == ["e1", "e2"]


def test_an_endpoint_is_switched_off_by_a_patch_and_stays_what_it_was(wire: Wire) -> None:
    make(wire, "patched")
    with wire.traffic() as client:
        client.endpoints.update(
            "rg-ne", "patched", "ExternalEndpoints", "e1", Endpoint(endpoint_status="Disabled")
        )
        after = client.endpoints.get("rg-ne", "patched", "ExternalEndpoints", "e1")
    assert (after.endpoint_status, after.endpoint_monitor_status) == ("Disabled", "Disabled")
    assert after.target == "a.example.net"
    assert statuses(wire, "patched") == ["Disabled", "Enabled"]


def test_a_profile_put_again_has_the_endpoints_that_it_names(wire: Wire) -> None:
    made = make(wire, "replaced")
    made.endpoints = [endpoint(5, "b.example.net")]
    with wire.traffic() as client:
        after = client.profiles.create_or_update("rg-ne", "replaced", made)
    assert [row.target for row in after.endpoints or []] == ["b.example.net"]


def test_a_deleted_profile_takes_its_endpoints_with_it(wire: Wire) -> None:
    made = make(wire, "gone")
    with wire.traffic() as client:
        client.profiles.delete("rg-ne", "gone")
    assert not [row for row in wire.world.resources if row.id.startswith(f"{made.id}/")]


def bus(wire: Wire, name: str, queue: str = "") -> str:
    base = f"{wire.subscription}/resourceGroups/rg-we/providers/Microsoft.ServiceBus/namespaces"
    return f"{base}/{name}{f'/queues/{queue}' if queue else ''}?{BUS}"


def test_a_queue_in_no_namespace_is_refused(wire: Wire) -> None:
    reply = wire.ask("PUT", bus(wire, "none", "q"), {"properties": {}})
    assert reply.json()["error"]["code"] == "ParentResourceNotFound"


def test_a_queue_made_in_arm_is_the_players_queue_and_shows_its_counts(wire: Wire) -> None:
    wire.ask("PUT", bus(wire, "sb"), {"location": "westeurope", "sku": {"name": "Standard"}})
    made = wire.ask("PUT", bus(wire, "sb", "orders"), {"properties": {"requiresSession": True}})
    shown = wire.ask("GET", bus(wire, "sb", "orders")).json()["properties"]
    players = wire.world.buses
    assert made.status_code == 200
    assert shown["countDetails"]["activeMessageCount"] == 3
    assert isinstance(players, Recorder)
    assert players.queues["sb", "orders"]["requiresSession"] is True


def test_a_queue_keeps_what_it_was_made_with(wire: Wire) -> None:
    wire.ask("PUT", bus(wire, "kept"), {"location": "westeurope", "sku": {"name": "Standard"}})
    wire.ask("PUT", bus(wire, "kept", "q"), {"properties": {"requiresSession": True}})
    reply = wire.ask("PUT", bus(wire, "kept", "q"), {"properties": {"requiresSession": False}})
    assert reply.status_code == 400


def test_a_storage_account_says_when_its_location_is_lost(wire: Wire) -> None:
    id = f"{wire.subscription}/resourceGroups/rg-ne/providers/Microsoft.Storage/storageAccounts/st"
    wire.world.resources.place(id, {"location": "northeurope", "properties": {}})
    wire.world.lose("northeurope", {"storage"})
    shown = wire.ask("GET", f"{id}?api-version=2025-08-01").json()
    assert shown["properties"]["statusOfPrimary"] == "unavailable"


def test_permissions_are_listed_for_a_group(wire: Wire) -> None:
    path = f"{wire.subscription}/resourcegroups/rg-we/providers/Microsoft.Authorization/permissions"
    reply = wire.ask("GET", f"{path}?api-version=2022-04-01").json()
    assert reply["value"][0]["actions"] == ["*"]
