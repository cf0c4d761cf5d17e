"""The stage's data planes: workflows, gateways, Traffic Manager, and the customer who calls."""

import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from rehearsal import batch, client, gateway, traffic, workflows
from rehearsal.certificates import Authority, Leaf
from rehearsal.client import Client
from rehearsal.estate import Estate
from rehearsal.network import start_forwarder
from rehearsal.stage_buses import Players
from rehearsal.traffic import Traffic
from rehearsal.world import Address, World, normal


@dataclass
class Planes:
    """Everything that serves callers, running."""

    traffic: Traffic
    client: Client
    running: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def dns_url(self) -> str:
        """Traffic Manager's DNS, as HTTP."""
        return self.traffic.dns

    def clients(self) -> dict:
        """What the customer sees."""
        return self.client.snapshot()

    async def stop(self) -> None:
        """Stop the planes, the last one first."""
        await self.running.aclose()


def names(estate: Estate) -> tuple[str, ...]:
    """Host names, beside Azure's own suffixes, that the planes' certificate must carry."""
    return (estate.client.host, estate.trafficManager.dnsName)


async def start(
    world: World, estate: Estate, leaf: Leaf, authority: Authority, players: Players
) -> Planes:
    """Start the planes over the world as it stands; the customer begins to call last."""
    running, trust = AsyncExitStack(), authority.client()
    try:
        routed = await _start_planes(world, estate, leaf, trust, players, running)
        wanted = estate.client
        caller = await client.start(world, trust, wanted.host, wanted.path, wanted.everySeconds)
        running.push_async_callback(caller.stop)
    except BaseException:
        await running.aclose()
        raise
    return Planes(routed, caller, running)


async def _start_planes(
    world: World,
    estate: Estate,
    leaf: Leaf,
    trust: ssl.SSLContext,
    players: Players,
    running: AsyncExitStack,
) -> Traffic:
    """Gateways and workflows before Traffic Manager, whose first probes should find them."""
    gateways = await gateway.start(world, leaf.server(), trust)
    running.push_async_callback(gateways.stop)
    ways = await _ways_to_workload(world, estate, players, running)
    shorts = {name: place.short for name, place in estate.locations.items()}
    flows = await workflows.start(world, leaf.server(), shorts, ways)
    running.push_async_callback(flows.stop)
    accounts = await batch.start(world, leaf.server())
    running.push_async_callback(accounts.stop)
    routed = await traffic.start(world, trust)
    running.push_async_callback(routed.stop)
    return routed


async def _ways_to_workload(
    world: World, estate: Estate, players: Players, running: AsyncExitStack
) -> dict[str, str]:
    """location -> the connection string by which its workflows reach the workload's queues."""
    own = estate.workload
    if own is None:
        return {}
    player, made = players.players[own.namespace], {}
    for name in estate.locations:
        target = Address(player.port, normal(own.location), "servicebus")
        forwarder = await start_forwarder(world, name, target, own="data")
        running.push_async_callback(forwarder.stop)
        made[name] = player.connection_string(forwarder.port)
    return made
