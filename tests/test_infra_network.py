"""Network rules are parameters: open to those with a token, closed where rules are given."""

import pytest

from tests.template_rig import Made, location, made

STORAGE = "Microsoft.Storage/storageAccounts"
NAMESPACE = "Microsoft.ServiceBus/namespaces"
RULES = f"{NAMESPACE}/networkRuleSets"
SITE = "Microsoft.Web/sites"
SUBNET = "/subscriptions/s/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets"
CLOSED = {"allowedSubnets": [f"{SUBNET}/a", f"{SUBNET}/b"], "dataAddresses": ["203.0.113.0/24"]}


def witness(**given: object) -> Made:
    both = {"principalId": "p", "otherPrincipalId": "o"}
    return made("witness", {"storage": "stwitness", **both, **given})


def acls(of: Made) -> dict:
    return of.only(STORAGE)["properties"]["networkAcls"]


@pytest.mark.parametrize("template", [location, witness])
def test_storage_that_is_given_rules_denies_the_rest(template):
    found = acls(template(**CLOSED))
    assert found["defaultAction"] == "Deny"
    assert [rule["value"] for rule in found["ipRules"]] == ["203.0.113.0/24"]
    assert [rule["id"] for rule in found["virtualNetworkRules"]] == CLOSED["allowedSubnets"]


@pytest.mark.parametrize("template", [location, witness])
def test_azure_s_own_services_reach_storage_all_the_same(template):
    """API Management writes its backups with its identity."""
    assert acls(template(**CLOSED))["bypass"] == "AzureServices"


@pytest.mark.parametrize("template", [location, witness])
def test_storage_without_rules_is_open_to_those_with_a_token(template):
    assert acls(template())["defaultAction"] == "Allow"


@pytest.mark.parametrize("kind", [STORAGE, NAMESPACE, SITE])
def test_everything_can_be_left_to_private_endpoints(kind: str):
    shown = location(publicNetworkAccess="Disabled").only(kind)
    assert shown["properties"]["publicNetworkAccess"] == "Disabled"


def test_a_standard_namespace_is_given_no_rules_that_it_would_refuse():
    assert location(**CLOSED).of_type(RULES) == []


def test_a_premium_namespace_lets_in_both_apps_and_nobody_else():
    rules = location(slipsSku="Premium", **CLOSED).only(RULES)["properties"]
    assert rules["defaultAction"] == "Deny"
    subnets = [rule["subnet"]["id"] for rule in rules["virtualNetworkRules"]]
    assert subnets == CLOSED["allowedSubnets"]


def test_an_address_that_may_call_the_app_is_let_in_and_others_are_not():
    config = location(allowedAddresses=["198.51.100.0/24"]).only(SITE)["properties"]["siteConfig"]
    assert config["ipSecurityRestrictionsDefaultAction"] == "Deny"
    rules = config["ipSecurityRestrictions"]
    assert [(rule["ipAddress"], rule["action"]) for rule in rules] == [("198.51.100.0/24", "Allow")]


def test_an_app_without_rules_is_open_to_those_with_a_token():
    config = location().only(SITE)["properties"]["siteConfig"]
    assert config["ipSecurityRestrictionsDefaultAction"] == "Allow"


def test_an_app_goes_out_through_the_subnet_that_it_is_given():
    told = location(subnetId=f"{SUBNET}/a").only(SITE)["properties"]["virtualNetworkSubnetId"]
    assert told == f"{SUBNET}/a"
