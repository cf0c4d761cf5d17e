"""Traffic Manager and the customer: what is answered, what probes write, what is counted."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from aiohttp import ClientSession, web
from hypothesis import given
from hypothesis import strategies as st

from rehearsal import client, traffic
from rehearsal.certificates import Authority
from rehearsal.client import Count
from rehearsal.network_calls import Server, open_server
from rehearsal.traffic_answers import Resolver, answer, monitor_status, profile_status, query
from rehearsal.world import Address, World

T = TypeVar("T")
WEST, NORTH = "westeurope", "northeurope"
FQDN = "contoso.trafficmanager.net"
START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
PROFILE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/trafficmanagerprofiles/contoso"
)
STATUSES = ("Online", "Degraded", "CheckingEndpoint", "Disabled", "Unmonitored")


def end(name: str, priority: int, status: str = "Online", **more: object) -> dict:
    """The properties of an endpoint."""
    own = {"target": f"{name}.azure-api.net", "priority": priority, "endpointLocation": name}
    return {**own, "endpointStatus": "Enabled", "endpointMonitorStatus": status, **more}


def targets(profile: dict, *ends: dict, pick: float = 0.0) -> list[str]:
    """Who is answered with."""
    return [e["endpointLocation"] for e in answer(profile, list(ends), pick)]


def seconds(n: float) -> datetime:
    """A time after the start."""
    return START + timedelta(seconds=n)


def test_a_disabled_profile_answers_nothing() -> None:
    assert targets({"profileStatus": "Disabled"}, end(WEST, 1)) == []


def test_a_method_that_is_not_emulated_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="Geographic"):
        answer({"trafficRoutingMethod": "Geographic"}, [end(WEST, 1)])


def test_a_disabled_endpoint_is_never_answered() -> None:
    assert targets({}, end(WEST, 1, endpointStatus="Disabled"), end(NORTH, 2)) == [NORTH]


def test_the_first_in_order_that_is_well_is_answered() -> None:
    assert targets({}, end(NORTH, 2), end(WEST, 1, "Degraded")) == [NORTH]


def test_it_fails_back_by_itself() -> None:
    assert targets({}, end(NORTH, 2), end(WEST, 1)) == [WEST]


def test_all_degraded_means_all_answered() -> None:
    assert targets({}, end(WEST, 1, "Degraded"), end(NORTH, 2, "Degraded")) == [WEST, NORTH]


def test_weights_are_respected() -> None:
    profile = {"trafficRoutingMethod": "Weighted"}
    ends = end(WEST, 1, weight=1), end(NORTH, 2, weight=9)
    assert targets(profile, *ends, pick=0.05) == [WEST]
    assert targets(profile, *ends, pick=0.5) == [NORTH]


@given(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=6))
def test_an_enabled_endpoint_means_an_answer(statuses: list[str]) -> None:
    ends = [end(f"l{n}", n + 1, status) for n, status in enumerate(statuses)]
    assert answer({}, ends)


def test_tolerated_failures_change_nothing() -> None:
    assert monitor_status(end(WEST, 1), failures=3, probes=9, tolerated=3) == "Online"


def test_one_failure_more_than_tolerated_degrades() -> None:
    assert monitor_status(end(WEST, 1), failures=4, probes=9, tolerated=3) == "Degraded"


def test_one_success_heals() -> None:
    assert monitor_status(end(WEST, 1, "Degraded"), failures=0, probes=9, tolerated=3) == "Online"


def test_always_serve_is_not_monitored() -> None:
    kept = end(WEST, 1, alwaysServe="Enabled")
    assert monitor_status(kept, failures=9, probes=9, tolerated=3) == "Unmonitored"


def test_a_profile_is_degraded_when_one_endpoint_is() -> None:
    assert profile_status(["Online", "Degraded"], on=True) == "Degraded"


def estate(world: World, ttl: int = 10, tolerated: int = 1) -> None:
    """A profile with two endpoints; nothing behind them yet."""
    for name in (WEST, NORTH):
        world.recover(name)
    monitor = {"protocol": "HTTPS", "port": 443, "path": "/status"}
    monitor |= {"intervalInSeconds": 0.2, "timeoutInSeconds": 0.2}
    properties = {
        "profileStatus": "Enabled",
        "trafficRoutingMethod": "Priority",
        "dnsConfig": {"fqdn": FQDN, "ttl": ttl},
        "monitorConfig": {**monitor, "toleratedNumberOfFailures": tolerated},
    }
    world.resources.place(PROFILE, {"location": "global", "properties": properties})
    for n, name in enumerate((WEST, NORTH), start=1):
        body = {"properties": end(name, n, "CheckingEndpoint")}
        world.resources.place(f"{PROFILE}/externalEndpoints/{name}", body)


def test_a_name_that_no_profile_has_is_unknown() -> None:
    world = World()
    estate(world)
    assert query(world, "fabrikam.trafficmanager.net") is None


def test_a_resolver_keeps_an_answer_for_its_ttl() -> None:
    times = [START]
    world = World(clock=lambda: times[-1])
    estate(world)
    for n, name in enumerate((WEST, NORTH), start=1):
        world.hosts[f"{name}.azure-api.net"] = Address(n, name, "data")
    resolver, west = Resolver(world), f"{PROFILE}/externalEndpoints/{WEST}"
    said = [resolver.find(FQDN)]
    row = world.resources.get(west)
    assert row is not None
    row.properties["endpointStatus"] = "Disabled"
    for later in (9, 10):
        times.append(seconds(later))
        said.append(resolver.find(FQDN))
    assert [found.location if found else None for found in said] == [WEST, WEST, NORTH]


def test_an_outage_lasts_from_the_first_failed_call_to_the_next_answer() -> None:
    count = Count(START)
    for made, ended, location in ((0, 0.1, WEST), (1, 3, None), (2, 4, None), (5, 5.1, NORTH)):
        count.note(seconds(made), seconds(ended), location)
    assert count.snapshot()["outages"] == [
        {"from": seconds(1).isoformat(), "to": seconds(5.1).isoformat(), "failed": 2}
    ]


def test_a_slow_failure_from_before_the_end_opens_no_second_outage() -> None:
    count = Count(START)
    for made, ended, location in ((1, 3, None), (4, 4.1, NORTH), (2.5, 4.5, None)):
        count.note(seconds(made), seconds(ended), location)
    shown = count.snapshot()
    assert (len(shown["outages"]), shown["failures"], shown["answering"]) == (1, 2, NORTH)


def test_a_switch_of_location_is_noted() -> None:
    count = Count(START)
    count.note(seconds(0), seconds(1), WEST)
    count.note(seconds(2), seconds(3), NORTH)
    assert count.snapshot()["lastSwitchAt"] == seconds(3).isoformat()


def run(story: Callable[[], Awaitable[T]]) -> T:
    """Play one story within a bound."""

    async def bounded() -> T:
        async with asyncio.timeout(15):
            return await story()

    return asyncio.run(bounded())


async def until(holds: Callable[[], bool], bound_seconds: float = 6) -> bool:
    """Wait until something holds; False when it does not in time."""
    for _ in range(int(bound_seconds / 0.05)):
        if holds():
            return True
        await asyncio.sleep(0.05)
    return False


async def behind(world: World, authority: Authority) -> list[Server]:
    """A TLS server per endpoint."""

    async def any_request(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    servers = []
    for name in (WEST, NORTH):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", any_request)
        server = await open_server(app, authority.leaf(name).server())
        world.hosts[f"{name}.azure-api.net"] = Address(server.port, name, "data")
        servers.append(server)
    return servers


def status(world: World, name: str) -> str:
    """endpointMonitorStatus of one endpoint."""
    row = world.resources.get(f"{PROFILE}/externalEndpoints/{name}")
    return row.properties["endpointMonitorStatus"] if row else ""


def test_probes_degrade_a_lost_endpoint_and_heal_it_again(tmp_path: Path) -> None:
    async def story() -> list[bool]:
        world, authority = World(), Authority(tmp_path)
        estate(world)
        servers = await behind(world, authority)
        plane = await traffic.start(world, authority.client())
        seen = [await until(lambda: status(world, WEST) == "Online")]
        world.lose(WEST)
        seen.append(await until(lambda: status(world, WEST) == "Degraded"))
        world.recover(WEST)
        seen.append(await until(lambda: status(world, WEST) == "Online"))
        for thing in (plane, *servers):
            await thing.stop()
        return seen

    assert run(story) == [True, True, True]


def test_a_customer_is_moved_and_its_losses_are_counted(tmp_path: Path) -> None:
    async def story() -> tuple[bool, bool, dict]:
        world, authority = World(), Authority(tmp_path)
        estate(world, ttl=0)
        servers = await behind(world, authority)
        plane = await traffic.start(world, authority.client())
        customer = await client.start(world, authority.client(), FQDN, "/", 0.05, 0.3)
        first = await until(lambda: customer.snapshot()["answering"] == WEST)
        world.lose(WEST)
        second = await until(lambda: customer.snapshot()["answering"] == NORTH)
        shown = customer.snapshot()
        for thing in (customer, plane, *servers):
            await thing.stop()
        return first, second, shown

    first, second, shown = run(story)
    assert first and second
    assert shown["failures"] > 0 and len(shown["outages"]) == 1


def test_dns_is_asked_over_http(tmp_path: Path) -> None:
    async def story() -> tuple[dict, int]:
        world, authority = World(), Authority(tmp_path)
        estate(world)
        plane = await traffic.start(world, authority.client())
        async with ClientSession() as session:
            async with session.get(plane.dns, params={"name": FQDN}) as reply:
                known = await reply.json()
            async with session.get(plane.dns, params={"name": "no.example.net"}) as reply:
                unknown = reply.status
        await plane.stop()
        return known, unknown

    known, unknown = run(story)
    row = {"target": f"{WEST}.azure-api.net", "endpoint": WEST, "location": WEST}
    assert (known, unknown) == ({"name": FQDN, "answers": [row], "ttl": 10}, 404)
