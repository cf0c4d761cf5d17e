"""An API Management service of the rehearsal: its secrets, lists, making and network."""

import json

from azure.mgmt.apimanagement.models import (
    ApiManagementServiceResource,
    ApiManagementServiceSkuProperties,
    NamedValueCreateContract,
)

from tests.test_provider_apim import HOME, V, base_of, configuration
from tests.test_provider_apim import served as served
from tests.test_provider_apim import wire as wire
from tests.wire import Wire


def test_secrets_leave_only_by_the_actions_that_list_them(wire: Wire) -> None:
    with wire.apim() as client:
        assert client.named_value.get(*HOME, "key").value is None
        assert client.named_value.list_value(*HOME, "key").value == "hush"
        assert client.subscription.get(*HOME, "fabrikam").primary_key is None
        assert client.subscription.list_secrets(*HOME, "fabrikam").primary_key


def test_the_journal_keeps_no_secret_value(wire: Wire) -> None:
    with wire.apim() as client:
        client.named_value.list_value(*HOME, "key")
    assert "hush" not in json.dumps(wire.world.journal.after())


def test_a_named_value_settles_after_a_while(wire: Wire) -> None:
    body = NamedValueCreateContract(display_name="later", value="v")
    with wire.apim() as client:
        made = client.named_value.begin_create_or_update(*HOME, "later", body).result(10)
    assert made.value == "v"


def test_every_kind_of_configuration_is_listed(wire: Wire) -> None:
    base = base_of(wire, *HOME)
    kinds = (
        "apis apis/orders/operations apis/orders/policies policies products products/trade/apis "
        "namedValues backends policyFragments apiVersionSets subscriptions certificates gateways"
    )
    lists = {kind: wire.ask("GET", f"{base}/{kind}?{V}").json() for kind in kinds.split()}
    counts = {kind: len(page["value"]) for kind, page in lists.items()}
    assert counts == dict.fromkeys(kinds.split(), 1) | {"namedValues": 2, "certificates": 0}


def test_an_api_goes_with_its_operations_and_out_of_its_products(wire: Wire) -> None:
    with wire.apim() as client:
        client.api.begin_delete(*HOME, "orders", if_match="*").result(10)
    assert not [key for key in configuration(wire, HOME) if "orders" in key and "/apis" in key]


def test_a_service_that_is_being_made_cannot_be_deleted_yet(wire: Wire) -> None:
    path = f"{base_of(wire, 'rg-we', 'apim-new')}?{V}"
    body = {
        "location": "westeurope",
        "sku": {"name": "Developer", "capacity": 1},
        "properties": {"publisherEmail": "a@b.example", "publisherName": "C"},
    }
    assert wire.ask("PUT", path, body).json()["properties"]["provisioningState"] == "Creating"
    assert wire.ask("DELETE", path).status_code == 409


def test_a_service_is_made_and_taken_away_in_its_time(wire: Wire) -> None:
    body = ApiManagementServiceResource(
        location="westeurope",
        sku=ApiManagementServiceSkuProperties(name="Developer", capacity=1),
        publisher_email="a@b.example",
        publisher_name="C",
    )
    with wire.apim() as client:
        services = client.api_management_service
        made = services.begin_create_or_update("rg-we", "apim-brief", body).result(10)
        services.begin_delete("rg-we", "apim-brief").result(10)
        listed = [row.name for row in services.list_by_resource_group("rg-we")]
    assert made.provisioning_state == "Succeeded"
    assert "apim-brief" not in listed


def test_network_status_says_when_the_storage_is_lost(wire: Wire) -> None:
    with wire.apim() as client:
        (row,) = client.network_status.list_by_service(*HOME)
    assert row.network_status is not None
    assert row.network_status.connectivity_status[0].status == "success"
