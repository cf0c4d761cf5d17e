"""API Management's data plane: what a caller gets, by configuration, key, policy and outage."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest
from multidict import CIMultiDict

from rehearsal import gateway
from rehearsal.certificates import Authority
from rehearsal.gateway_config import compile_template
from rehearsal.gateway_policy import Broken, Exchange, NotEmulated, Rules
from rehearsal.network_calls import Answer, Caller, Unreachable, start_internet
from rehearsal.world import World

T = TypeVar("T")
WEST = "westeurope"
SERVICE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/apim-c-we"
HOST = "https://apim-c-we.azure-api.net"
RETURN = (
    "<return-response><set-status code='201'/><set-body>{{region}}</set-body></return-response>"
)
MARK = "<set-header name='x-mark'><value>1</value></set-header>"


def policy(inbound: str, outbound: str = "<base/>") -> dict:
    """A policy resource's body."""
    text = f"<policies><inbound>{inbound}</inbound><backend><base/></backend>"
    text += f"<outbound>{outbound}</outbound><on-error/></policies>"
    return {"properties": {"format": "xml", "value": text}}


def make_world() -> World:
    """A service with two APIs, a product, a key and a backend."""
    world = World()
    world.recover(WEST)
    rows: dict[str, dict] = {
        "": {"location": WEST, "identity": {"principalId": "oid-1"}, "properties": {}},
        "/namedValues/region": {"properties": {"displayName": "region", "value": "west & co"}},
        "/backends/shop": {"properties": {"url": "https://shop.example.net/base"}},
        "/policyFragments/mark": {"properties": {"value": f"<fragment>{MARK}</fragment>"}},
        "/policies/policy": policy(
            "<set-header name='x-region'><value>{{region}}</value></set-header>"
        ),
        "/apis/open": {"properties": {"path": "open", "subscriptionRequired": False}},
        "/apis/closed": {"properties": {"path": "closed", "subscriptionRequired": True}},
        "/products/p": {"properties": {}},
        "/products/p/apis/closed": {"properties": {}},
        "/subscriptions/one": {
            "properties": {"scope": f"{SERVICE}/products/p", "primaryKey": "k1", "state": "active"}
        },
        "/apis/closed/policies/policy": policy(RETURN),
    }
    operations = {
        "static": ("GET", "/static", policy(f"<base/>{RETURN}")),
        "odd": ("GET", "/odd", policy("<rate-limit calls='1'/>")),
        "shop": (
            "POST",
            "/items/{id}",
            policy(
                "<base/><include-fragment fragment-id='mark'/>"
                "<authentication-managed-identity resource='https://management.azure.com/'/>"
                "<set-backend-service backend-id='shop'/>"
                "<rewrite-uri template='/v1/{id}?a=1'/>",
                "<set-header name='x-out'><value>o</value></set-header>",
            ),
        ),
    }
    for name, (method, template, own) in operations.items():
        shown = {"properties": {"method": method, "urlTemplate": template}}
        rows[f"/apis/open/operations/{name}"] = shown
        rows[f"/apis/open/operations/{name}/policies/policy"] = own
    rows["/apis/closed/operations/get"] = {"properties": {"method": "GET", "urlTemplate": "/"}}
    for tail, body in rows.items():
        world.resources.place(SERVICE + tail, body)
    return world


@pytest.fixture(name="authority", scope="module")
def make_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    yield Authority(tmp_path_factory.mktemp("ca"))


Ask = Callable[[str, str], Awaitable[Answer]]


def play(world: World, authority: Authority, story: Callable[[Caller], Awaitable[T]]) -> T:
    """Open the gateways, call from outside, close everything, within a bound."""

    async def bounded() -> T:
        async with asyncio.timeout(10):
            tls = authority.leaf("gateway", "shop.example.net").server()
            planes = await gateway.start(world, tls, authority.client())
            caller = Caller(world, None, authority.client())
            try:
                return await story(caller)
            finally:
                await caller.close()
                await planes.stop()

    return asyncio.run(bounded())


def status_of(
    authority: Authority, path: str, method: str = "GET", key: str = "", world: World | None = None
) -> int:
    """The status of one call."""

    async def story(caller: Caller) -> int:
        headers = {"Ocp-Apim-Subscription-Key": key} if key else {}
        return (await caller.call(method, HOST + path, 0.5, headers)).status

    return play(world or make_world(), authority, story)


def test_a_path_of_no_api_is_not_found(authority: Authority) -> None:
    assert status_of(authority, "/nothing/here") == 404


def test_a_method_of_no_operation_is_not_found(authority: Authority) -> None:
    assert status_of(authority, "/open/static", "DELETE") == 404


def test_a_missing_key_is_refused(authority: Authority) -> None:
    assert status_of(authority, "/closed") == 401


def test_a_wrong_key_is_refused(authority: Authority) -> None:
    assert status_of(authority, "/closed", key="k2") == 401


def test_an_unknown_policy_is_refused_by_name(authority: Authority) -> None:
    async def story(caller: Caller) -> Answer:
        return await caller.call("GET", f"{HOST}/open/odd", 1)

    reply = play(make_world(), authority, story)
    assert reply.status == 501 and b"rate-limit" in reply.body


def test_a_backend_that_nobody_is_becomes_a_bad_gateway(authority: Authority) -> None:
    assert status_of(authority, "/open/items/7", "POST") == 502


def test_a_lost_location_never_answers(authority: Authority) -> None:
    world = make_world()

    async def story(caller: Caller) -> Answer:
        world.lose(WEST, {"data"})
        return await caller.call("GET", f"{HOST}/open/static", 0.3)

    with pytest.raises(Unreachable):
        play(world, authority, story)


def test_a_brownout_answers_what_the_fault_says(authority: Authority) -> None:
    world = make_world()
    world.faults.add({"match": {"path": "azure-api.net/open"}, "effect": {"status": 503}})
    assert status_of(authority, "/open/static", world=world) == 503


def test_the_status_address_answers(authority: Authority) -> None:
    assert status_of(authority, gateway.STATUS_PATH) == 200


def test_a_key_of_the_product_opens_its_api(authority: Authority) -> None:
    assert status_of(authority, "/closed", key="k1") == 201


def test_a_returned_response_carries_named_values(authority: Authority) -> None:
    async def story(caller: Caller) -> Answer:
        return await caller.call("GET", f"{HOST}/open/static", 1)

    reply = play(make_world(), authority, story)
    assert (reply.status, reply.body) == (201, b"west & co")


def test_a_call_is_rewritten_and_forwarded(authority: Authority) -> None:
    world = make_world()

    async def story(caller: Caller) -> tuple[Answer, dict]:
        tls = authority.leaf("shop", "shop.example.net").server()
        shop = await start_internet(world, ("shop.example.net",), tls)
        reply = await caller.call("POST", f"{HOST}/open/items/7?b=2", 2, body=b"hello")
        await shop.stop()
        return reply, shop.seen[0]

    reply, seen = play(world, authority, story)
    assert (reply.status, reply.headers["x-out"]) == (200, "o")
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/base/v1/7", "hello")


def test_a_changed_configuration_is_taken_up(authority: Authority) -> None:
    world = make_world()

    async def story(caller: Caller) -> list[int]:
        said = [(await caller.call("GET", f"{HOST}/open/static", 1)).status]
        world.resources.remove(f"{SERVICE}/apis/open")
        await asyncio.sleep(gateway.RELOAD_SECONDS + 0.1)
        said.append((await caller.call("GET", f"{HOST}/open/static", 1)).status)
        return said

    assert play(world, authority, story) == [201, 404]


RULES = Rules({"region": "we"}, {"shop": "https://s"}, {}, lambda audience: f"token for {audience}")


def inbound(text: str) -> Exchange:
    """What one policy makes of an empty request."""
    exchange = Exchange("/", [], CIMultiDict(), {})
    chain: list[str | None] = [f"<policies><inbound>{text}</inbound></policies>"]
    for element in RULES.steps(chain, "inbound"):
        RULES.apply(element, exchange, outbound=False)
    return exchange


def test_a_policy_expression_is_refused() -> None:
    with pytest.raises(NotEmulated, match="expression"):
        inbound("<set-body>@(context.Request.Body)</set-body>")


def test_a_named_value_that_is_not_there_is_an_error() -> None:
    with pytest.raises(Broken, match="nothing"):
        inbound("<set-body>{{nothing}}</set-body>")


def test_a_policy_that_is_not_xml_is_an_error() -> None:
    with pytest.raises(Broken, match="well-formed"):
        inbound("<set-body>")


def test_the_managed_identity_signs_in() -> None:
    made = inbound("<authentication-managed-identity resource='https://r'/>")
    assert made.headers["Authorization"] == "Bearer token for https://r"


def test_a_template_takes_one_segment() -> None:
    pattern = compile_template("/items/{id}")
    found = pattern.match("/items/7")
    assert found is not None and found["id"] == "7" and not pattern.match("/items/7/8")
