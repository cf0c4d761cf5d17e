"""Microsoft.ApiManagement as the official client sees it: configuration, backup, restore."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import cast

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.apimanagement.models import (
    ApiManagementServiceBackupRestoreParameters as Place,
)
from azure.mgmt.apimanagement.models import (
    PolicyContract,
)

from rehearsal.runtimes import MemoryBlobs
from tests.wire import Wire, check_exchanges, open_wire, small_world

V = "api-version=2024-05-01"
HOME, STANDBY = ("rg-we", "apim-we"), ("rg-ne", "apim-ne")
PLACE = Place(
    storage_account="stne",
    container_name="apim-backups",
    backup_name="b1",
    access_type="SystemAssignedManagedIdentity",
)
XML = "<policies><inbound><base /></inbound></policies>"


def base_of(wire: Wire, group: str, name: str) -> str:
    root = f"{wire.subscription}/resourceGroups/{group}/providers"
    return f"{root}/Microsoft.ApiManagement/service/{name}"


def place_service(wire: Wire, group: str, name: str, location: str, tier: str = "Standard") -> None:
    """A service that is there already, as an estate makes it."""
    wire.world.resources.place(
        base_of(wire, group, name),
        {
            "location": location,
            "sku": {"name": tier, "capacity": 1},
            "identity": {
                "type": "SystemAssigned",
                "principalId": wire.world.uuid(),
                "tenantId": wire.world.tenant_id,
            },
            "properties": {"publisherEmail": "a@b.example", "publisherName": "Contoso"},
        },
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with open_wire(tmp_path_factory.mktemp("apim"), small_world()) as opened:
        opened.arm.throttle.set_limit("writes", 10_000, 1_000)  # It is not on trial here.
        yield opened


@pytest.fixture
def wire(served: Wire) -> Iterator[Wire]:
    """Two services, the home one configured; whatever is sent and told is as published."""
    world = served.world
    world.blobs = MemoryBlobs(("stne", "apim-backups"))
    place_service(served, *HOME, "westeurope")
    place_service(served, *STANDBY, "northeurope")
    last = len(world.journal.after())
    configure(served)
    yield served
    for group, name in (HOME, STANDBY):
        world.resources.remove(base_of(served, group, name))
    check_exchanges(world.journal.after(last))


def configure(wire: Wire) -> None:
    """A little of everything, through ARM."""
    base = base_of(wire, *HOME)
    rows: list[tuple[str, dict]] = [
        ("namedValues/region", {"displayName": "region", "value": "westeurope"}),
        ("namedValues/key", {"displayName": "key", "value": "hush", "secret": True}),
        ("backends/orders", {"url": "https://we.example.net", "protocol": "http"}),
        ("apis/orders", {"displayName": "Orders", "path": "orders"}),
        ("apis/orders/operations/get", {"displayName": "g", "method": "GET", "urlTemplate": "/"}),
        ("apis/orders/policies/policy", {"value": XML, "format": "xml"}),
        ("policies/policy", {"value": XML, "format": "xml"}),
        ("products/trade", {"displayName": "Trade"}),
        ("apiVersionSets/v", {"displayName": "V", "versioningScheme": "Segment"}),
        ("policyFragments/f", {"value": "<fragment />", "format": "xml"}),
        ("subscriptions/fabrikam", {"displayName": "F", "scope": f"{base}/products/trade"}),
        ("gateways/edge", {"locationData": {"name": "edge"}}),
    ]
    for path, properties in rows:
        reply = wire.ask("PUT", f"{base}/{path}?{V}", {"properties": properties})
        assert reply.status_code in (200, 201), reply.text
    assert wire.ask("PUT", f"{base}/products/trade/apis/orders?{V}").status_code == 201


def refusal_of(wire: Wire, verb: str, service: tuple[str, str], place: Place = PLACE) -> str:
    """The refusal of a backup or restore, whenever it comes."""
    with wire.apim() as client, pytest.raises(HttpResponseError) as refusal:
        getattr(client.api_management_service, f"begin_{verb}")(*service, place).result(10)
    return str(refusal.value)


def back_up(wire: Wire) -> None:
    with wire.apim() as client:
        client.api_management_service.begin_backup(*HOME, PLACE).result(10)


def restore(wire: Wire) -> None:
    with wire.apim() as client:
        client.api_management_service.begin_restore(*STANDBY, PLACE).result(10)


def blobs_of(wire: Wire) -> dict[tuple[str, str, str], bytes]:
    return cast("MemoryBlobs", wire.world.blobs).blobs


def test_a_policy_that_is_not_xml_is_refused(wire: Wire) -> None:
    with wire.apim() as client, pytest.raises(HttpResponseError) as refusal:
        client.policy.create_or_update(*HOME, "policy", PolicyContract(value="<policies>"))
    assert "ValidationError" in str(refusal.value)


def test_a_policy_that_names_an_unknown_named_value_is_refused(wire: Wire) -> None:
    text = XML.replace("<base />", "<set-body>{{nowhere}}</set-body>")
    with wire.apim() as client, pytest.raises(HttpResponseError) as refusal:
        client.policy.create_or_update(*HOME, "policy", PolicyContract(value=text))
    assert "nowhere" in str(refusal.value)


def test_a_change_without_if_match_is_refused(wire: Wire) -> None:
    reply = wire.ask("DELETE", f"{base_of(wire, *HOME)}/products/trade?{V}")
    assert reply.status_code == 400


def test_two_apis_do_not_share_a_path(wire: Wire) -> None:
    body = {"properties": {"displayName": "Twin", "path": "orders"}}
    assert wire.ask("PUT", f"{base_of(wire, *HOME)}/apis/twin?{V}", body).status_code == 400


def test_a_backup_into_a_missing_container_is_refused_by_name(wire: Wire) -> None:
    place = Place(
        storage_account="stne",
        container_name="none",
        backup_name="b",
        access_type="SystemAssignedManagedIdentity",
    )
    assert "ContainerNotFound" in refusal_of(wire, "backup", HOME, place)


def test_a_v2_tier_has_no_backup(wire: Wire) -> None:
    place_service(wire, *HOME, "westeurope", "StandardV2")
    assert "MethodNotAllowedInPricingTier" in refusal_of(wire, "backup", HOME)


def test_a_service_without_identity_cannot_back_up(wire: Wire) -> None:
    found = wire.world.resources.get(base_of(wire, *HOME))
    assert found is not None
    found.body.pop("identity")
    assert "ManagedIdentityNotFound" in refusal_of(wire, "backup", HOME)


def test_a_closed_storage_account_refuses_the_backup(wire: Wire) -> None:
    id = (
        f"{wire.subscription}/resourceGroups/rg-ne/providers/Microsoft.Storage/storageAccounts/stne"
    )
    rules = {"networkAcls": {"defaultAction": "Deny", "bypass": "None"}}
    wire.world.resources.place(id, {"location": "northeurope", "properties": rules})
    told = refusal_of(wire, "backup", HOME)
    wire.world.resources.remove(id)
    assert "firewall" in told


def test_a_backup_of_another_tier_is_not_restored(wire: Wire) -> None:
    back_up(wire)
    place_service(wire, *STANDBY, "northeurope", "Developer")
    told = refusal_of(wire, "restore", STANDBY)
    assert "current SKU is 'Developer', backup SKU is 'Standard'" in told


def test_an_expired_backup_is_not_restored(wire: Wire) -> None:
    back_up(wire)
    key, data = next(iter(blobs_of(wire).items()))
    content = json.loads(data)
    content["at"] = (wire.world.now - timedelta(days=31)).isoformat()
    blobs_of(wire)[key] = json.dumps(content).encode()
    assert "backup expired" in refusal_of(wire, "restore", STANDBY)


def test_a_blob_that_is_no_backup_is_not_restored(wire: Wire) -> None:
    blobs_of(wire)["stne", "apim-backups", "b1"] = b"not a backup"
    assert "not a backup" in refusal_of(wire, "restore", STANDBY)


def test_a_busy_service_refuses_a_second_backup(wire: Wire) -> None:
    with wire.apim() as client:
        first = client.api_management_service.begin_backup(*HOME, PLACE)
        with pytest.raises(HttpResponseError) as refusal:
            client.api_management_service.begin_backup(*HOME, PLACE)
        first.result(10)
    assert refusal.value.status_code == 409


def test_a_refused_backup_leaves_the_service_idle(wire: Wire) -> None:
    cast("MemoryBlobs", wire.world.blobs).containers.clear()
    refusal_of(wire, "backup", HOME)
    with wire.apim() as client:
        shown = client.api_management_service.get(*HOME)
    assert shown.provisioning_state == "Succeeded"


def test_a_backup_is_one_blob_with_the_configuration(wire: Wire) -> None:
    back_up(wire)
    (data,) = blobs_of(wire).values()
    assert b"hush" in data
    assert HOME[1].encode() not in json.dumps(json.loads(data)["configuration"]).encode()


def test_a_restore_makes_the_standbys_configuration_the_homes(wire: Wire) -> None:
    back_up(wire)
    stray = f"{base_of(wire, *STANDBY)}/backends/stray"
    wire.world.resources.place(stray, {"properties": {"url": "https://x.example"}})
    restore(wire)
    assert configuration(wire, HOME) == configuration(wire, STANDBY)


def configuration(wire: Wire, service: tuple[str, str]) -> dict[str, str]:
    base = base_of(wire, *service)
    return {
        row.id[len(base) :]: json.dumps(row.body).replace(base, "")
        for row in wire.world.resources
        if row.id.startswith(f"{base}/")
    }


def test_a_restore_leaves_identity_and_host_names_to_the_target(wire: Wire) -> None:
    with wire.apim() as client:
        before = client.api_management_service.get(*STANDBY)
        back_up(wire)
        restore(wire)
        after = client.api_management_service.get(*STANDBY)
    assert before.identity is not None and after.identity is not None
    assert after.identity.principal_id == before.identity.principal_id
    assert after.gateway_url == "https://apim-ne.azure-api.net"


def test_what_changes_while_a_restore_runs_is_overwritten(wire: Wire) -> None:
    back_up(wire)
    with wire.apim() as client:
        poller = client.api_management_service.begin_restore(*STANDBY, PLACE)
        path = f"{base_of(wire, *STANDBY)}/backends/late?{V}"
        body = {"properties": {"url": "https://late.example", "protocol": "http"}}
        assert wire.ask("PUT", path, body).status_code == 201
        poller.result(10)
    assert wire.world.resources.get(path.partition("?")[0]) is None


def test_a_restore_stands_still_while_its_region_is_lost(wire: Wire) -> None:
    back_up(wire)
    with wire.apim() as client:
        poller = client.api_management_service.begin_restore(*STANDBY, PLACE)
        wire.world.lose("northeurope", {"arm"})
        found = wire.world.resources.get(base_of(wire, *STANDBY))
        assert found is not None
        assert found.properties["provisioningState"] == "Updating"
        wire.world.recover("northeurope")
        poller.result(10)
