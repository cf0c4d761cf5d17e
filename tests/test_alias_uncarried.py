"""What a pairing does not carry over: both namespaces' rules and settings, and messages."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rehearsal.world import Resource
from shared import alias_uncarried
from shared.permissions import GRANTS, HUBS, NAMESPACE
from tests.aliases import (
    KINDS,
    both_kinds,
    checks,
    emptied,
    entity,
    namespace,
    paired,
    placed,
    topic,
)
from tests.doors import HERE, THERE, Doors

SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/a"
DENIED = {
    "access": (GRANTS,),
    "networks": (f"{NAMESPACE}/networkRuleSets/read", f"{HUBS}/networkRuleSets/read"),
    "messages": (f"{NAMESPACE}/topics/subscriptions/read",),
}


@pytest.fixture(autouse=True)
def clean(doors: Doors) -> Iterator[None]:
    """Every test begins without namespaces of its own, and its exchanges are judged."""
    with emptied(doors):
        yield


@contextmanager
def barred(doors: Doors, actions: tuple[str, ...]) -> Iterator[None]:
    """The app's roles lack these actions."""
    roles = doors.world.resources.of_type("Microsoft.Authorization/roleDefinitions")
    kept = [(one, one.body) for one in roles]
    for one, body in kept:
        rows = [
            {"actions": [a for a in row["actions"] if a not in actions]}
            for row in body["properties"]["permissions"]
        ]
        one.body = {"properties": {"permissions": rows}}
    yield
    for one, body in kept:
        one.body = body


# What the primary's rule set says -> what readiness says of it.
RULES = {
    "default": ({"defaultAction": "Deny"}, "defaultAction is Deny at"),
    "public": ({"publicNetworkAccess": "Disabled"}, "publicNetworkAccess is Disabled at"),
    "trusted": ({"trustedServiceAccessEnabled": True}, "trustedServiceAccessEnabled is True at"),
    "ranges": ({"ipRules": [{"ipMask": "203.0.113.0/24", "action": "Allow"}]}, "203.0.113.0/24"),
    "subnets": (
        {"virtualNetworkRules": [{"subnet": {"id": SUBNET}}]},
        "only: v/subnets/a",
    ),
}


def ruled(doors: Doors, kind: str, location: str, properties: dict) -> None:
    id = f"{namespace(doors, kind, location)}/networkRuleSets/default"
    doors.world.resources.place(id, {"properties": properties})


@both_kinds
@pytest.mark.parametrize("what", RULES)
@pytest.mark.parametrize("location", [HERE, THERE])
def test_network_rules_that_differ_are_named(
    doors: Doors, kind: str, what: str, location: str
) -> None:
    paired(doors, kind)
    ruled(doors, kind, location, RULES[what][0])
    seen = checks(doors, kind)["networks"]
    words = RULES[what][1] if location == THERE else RULES[what][1].split(" is ")[0]
    assert (seen["status"], words in seen["because"]) == ("warn", True), seen


@both_kinds
def test_the_same_network_rules_are_fine(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    alike = {key: value for told, _ in RULES.values() for key, value in told.items()}
    for location in (HERE, THERE):
        ruled(doors, kind, location, alike)
    assert checks(doors, kind)["networks"]["status"] == "ok"


def linked(found: Resource, status: str) -> None:
    """A private endpoint in another network, as its namespace shows it."""
    id = f"{found.id}/privateEndpointConnections/one"
    state = {"privateLinkServiceConnectionState": {"status": status}}
    found.properties["privateEndpointConnections"] = [
        {"id": id, "name": "one", "properties": state}
    ]


@both_kinds
@pytest.mark.parametrize("state, status", [("Approved", "ok"), ("Pending", "warn")])
def test_a_private_endpoint_has_a_counterpart_that_is_approved(
    doors: Doors, kind: str, state: str, status: str
) -> None:
    paired(doors, kind)
    linked(placed(doors, kind, THERE), "Approved")
    linked(placed(doors, kind, HERE), state)
    assert checks(doors, kind)["networks"]["status"] == status


# What the primary is set up with -> what readiness says of it.
SETTINGS = {
    "keys": ({"properties": {"disableLocalAuth": True}}, "local authentication is off at"),
    "identity": ({"identity": {"type": "SystemAssigned"}}, "the identity is SystemAssigned at"),
    "encryption": (
        {"properties": {"encryption": {"keySource": "Microsoft.KeyVault"}}},
        "the keys' source is Microsoft.KeyVault at",
    ),
}


@both_kinds
@pytest.mark.parametrize("what", SETTINGS)
def test_settings_that_differ_are_named(doors: Doors, kind: str, what: str) -> None:
    paired(doors, kind)
    found, (body, words) = placed(doors, kind, THERE), SETTINGS[what]
    found.properties.update(body.get("properties", {}))
    found.body.update({key: value for key, value in body.items() if key != "properties"})
    seen = checks(doors, kind)["namespace"]
    assert (seen["status"], words in seen["because"]) == ("warn", True), seen


@both_kinds
def test_a_version_of_tls_is_compared_where_both_show_it(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    placed(doors, kind, THERE).properties["minimumTlsVersion"] = "1.2"
    assert checks(doors, kind)["namespace"]["status"] == "ok"
    placed(doors, kind, HERE).properties["minimumTlsVersion"] = "1.0"
    assert "TLS version is 1.2 at" in checks(doors, kind)["namespace"]["because"]


@both_kinds
def test_a_secondary_that_is_smaller_is_named(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    for location, capacity in ((THERE, 4), (HERE, 1)):
        placed(doors, kind, location).body["sku"]["capacity"] = capacity
    assert "the capacity is 4 at" in checks(doors, kind)["namespace"]["because"]


def test_an_event_hub_that_does_not_inflate_is_named(doors: Doors) -> None:
    paired(doors, KINDS[1])
    told = {"isAutoInflateEnabled": True, "maximumThroughputUnits": 10}
    placed(doors, KINDS[1], THERE).properties.update(told)
    assert "auto-inflate is 10 at" in checks(doors, KINDS[1])["namespace"]["because"]


def test_messages_of_queues_and_subscriptions_are_counted(doors: Doors) -> None:
    paired(doors, KINDS[0])
    entity(doors, KINDS[0], THERE, "e0", messageCount=3, countDetails={"activeMessageCount": 3})
    topic(doors, THERE, activeMessageCount=4, deadLetterMessageCount=1)
    seen = checks(doors, KINDS[0])["messages"]
    assert seen["status"] == "warn" and "read them from ns-alias-westeurope" in seen["fix"]
    assert "8 messages lie in ns-alias-westeurope: news/audit 5, e0 3" in seen["because"]


def test_messages_in_the_secondary_are_not_what_a_failover_leaves(doors: Doors) -> None:
    paired(doors, KINDS[0])
    entity(doors, KINDS[0], HERE, "e0", messageCount=3)
    seen = checks(doors, KINDS[0])["messages"]
    assert (seen["status"], "none lies in 1 queues" in seen["because"]) == ("ok", True)


def test_topics_that_were_not_looked_into_are_told() -> None:
    part = {"other": {"resource": "/x/sb-there"}}
    seen = alias_uncarried.messages(part, {"q": 0}, 7)
    assert (seen["status"], "7 topics were not looked into" in seen["because"]) == ("warn", True)


def test_of_event_hubs_only_a_sentence_tells_of_events_and_offsets(doors: Doors) -> None:
    paired(doors, KINDS[1])
    seen = checks(doors, KINDS[1])
    assert "messages" not in seen and "offset" in seen["notReplicated"]["because"]


@both_kinds
@pytest.mark.parametrize("name", DENIED)
def test_what_the_app_may_not_read_is_a_warning_of_its_own(
    doors: Doors, kind: str, name: str
) -> None:
    paired(doors, kind)
    topic(doors, THERE, activeMessageCount=1) if kind == KINDS[0] else None
    with barred(doors, DENIED[name]):
        seen = checks(doors, kind)
    if (kind, name) == (KINDS[1], "messages"):
        assert name not in seen
        return
    row = seen.pop(name)
    assert (row["status"], "AuthorizationFailed" in row["because"]) == ("warn", True)
    assert "infra/access.json" in row["fix"] and seen["pairing"]["status"] == "ok"
    assert not [one for one in seen.values() if "cannot be compared" in one["because"]]


@both_kinds
def test_entities_that_the_app_may_not_list_hide_nothing_else(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    with barred(doors, (f"{NAMESPACE}/queues/read", f"{HUBS}/eventhubs/read")):
        seen = checks(doors, kind)
    assert "AuthorizationFailed" in seen["entities"]["because"]
    assert (seen["access"]["status"], seen["regions"]["status"]) == ("ok", "ok")


@both_kinds
def test_a_namespace_of_the_basic_tier_is_compared_too(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    placed(doors, kind, HERE, "Basic")
    ruled(doors, kind, THERE, {"defaultAction": "Deny"})
    seen = checks(doors, kind)
    assert (seen["tier"]["status"], seen["networks"]["status"]) == ("fail", "warn")
    assert "defaultAction is Deny" in seen["networks"]["because"]
