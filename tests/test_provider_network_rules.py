"""Network rule sets of namespaces, and who has which role there, judged by their contracts."""

from collections.abc import Iterator

import pytest

from tests.wire import Wire, check_exchanges, open_wire, small_world

HUBS = "Microsoft.EventHub/namespaces"
BUS = "Microsoft.ServiceBus/namespaces"
SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/a"
SUBNETS = [{"subnet": {"id": SUBNET}, "ignoreMissingVnetServiceEndpoint": False}]
RANGES = [{"ipMask": "203.0.113.0/24", "action": "Allow"}]
both = pytest.mark.parametrize("service", [BUS, HUBS])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with open_wire(tmp_path_factory.mktemp("rules"), small_world()) as opened:
        yield opened


@pytest.fixture
def wire(served: Wire) -> Iterator[Wire]:
    last = len(served.world.journal.after())
    yield served
    check_exchanges(served.world.journal.after(last))


def namespace(wire: Wire, service: str, tier: str = "Premium") -> str:
    """A namespace of this tier; its id."""
    id = f"{wire.subscription}/resourceGroups/rg-we/providers/{service}/ns-{tier.lower()}"
    body = {"location": "westeurope", "sku": {"name": tier, "tier": tier}, "properties": {}}
    wire.world.resources.remove(id)
    wire.world.resources.place(id, body)
    return id


def rules(wire: Wire, method: str, namespace: str, **properties: object) -> tuple[int, dict]:
    """(status, body) of one request for the rule set."""
    body = {"properties": properties} if method == "PUT" else None
    path = f"{namespace}/networkRuleSets/default?api-version=2026-01-01"
    reply = wire.ask(method, path, body)
    return reply.status_code, reply.json()


@both
@pytest.mark.parametrize("tier", ["Basic", "Standard", "Premium"])
def test_a_namespace_lets_everybody_in_until_somebody_says_otherwise(
    wire: Wire, service: str, tier: str
):
    status, body = rules(wire, "GET", namespace(wire, service, tier))
    told = body["properties"]
    assert (status, told["defaultAction"], told["ipRules"]) == (200, "Allow", [])


@both
def test_rules_are_kept_and_listed(wire: Wire, service: str):
    id = namespace(wire, service)
    known = {"defaultAction": "Deny", "ipRules": RANGES, "virtualNetworkRules": SUBNETS}
    assert rules(wire, "PUT", id, **known)[0] == 200
    listed = wire.ask("GET", f"{id}/networkRuleSets?api-version=2026-01-01").json()["value"]
    shown = rules(wire, "GET", id)[1]
    assert listed == [shown] and shown["properties"].items() >= known.items()


@both
def test_a_namespace_that_is_not_there_has_no_rules(wire: Wire, service: str):
    assert rules(wire, "GET", f"{namespace(wire, service)}x")[0] == 404


@both
def test_there_is_no_second_rule_set(served: Wire, service: str):
    """Not judged: no contract knows the path."""
    path = f"{namespace(served, service)}/networkRuleSets/other?api-version=2026-01-01"
    assert served.ask("GET", path).status_code == 404


@pytest.mark.parametrize(
    "service, tier, wrong",
    [
        (HUBS, "Basic", {"ipRules": RANGES}),
        (BUS, "Standard", {"virtualNetworkRules": SUBNETS}),
        (BUS, "Premium", {"defaultAction": "Perhaps"}),
    ],
)
def test_rules_that_a_tier_does_not_have_are_refused(
    wire: Wire, service: str, tier: str, wrong: dict
):
    assert rules(wire, "PUT", namespace(wire, service, tier), **wrong)[0] == 400


@pytest.mark.parametrize(
    "query, names",
    [("", {"above", "here", "below"}), ("&$filter=atScope()", {"above", "here"})],
)
def test_roles_are_listed_at_a_scope_above_it_and_below_it(wire: Wire, query: str, names: set):
    id = namespace(wire, BUS)
    group, own = id.rsplit("/providers/", 1)[0], "providers/Microsoft.Authorization"
    scopes = {"above": group, "here": id, "below": f"{id}/queues/q", "beside": f"{id}-two"}
    for name, scope in scopes.items():
        told = {"principalId": wire.oid, "roleDefinitionId": f"{group}/{own}/roleDefinitions/r"}
        wire.world.resources.place(f"{scope}/{own}/roleAssignments/{name}", {"properties": told})
    path = f"{id}/{own}/roleAssignments?api-version=2022-04-01{query}"
    rows = wire.ask("GET", path).json()["value"]
    assert {row["name"]: row["properties"]["scope"] for row in rows} == {
        n: scopes[n] for n in names
    }
    assert {row["properties"]["principalType"] for row in rows} == {"ServicePrincipal"}
