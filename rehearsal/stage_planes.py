"""The stage's data planes: workflows, gateways, Traffic Manager, and the customer who calls."""

import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from rehearsal import client, traffic
from rehearsal.certificates import Authority, Leaf
from rehearsal.client import Client
from rehearsal.estate import Estate
from rehearsal.stage_buses import Players
from rehearsal.traffic import Traffic
from rehearsal.world import World


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
    routed = await traffic.start(world, trust)
    running.push_async_callback(routed.stop)
    return routed
