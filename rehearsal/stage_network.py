"""The stage's network: an egress per location, forwarders to the slips, fronts for outsiders."""

import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from rehearsal.certificates import Leaf
from rehearsal.estate import Estate
from rehearsal.network import (
    Egress,
    Forwarder,
    Front,
    start_egress,
    start_forwarder,
    start_front,
)
from rehearsal.stage_buses import Players
from rehearsal.stage_storage import Storage
from rehearsal.traffic_answers import Resolver
from rehearsal.world import Address, World


@dataclass
class Network:
    """Every door of the stage; `apps` and `stores` are the fronts that outsiders use."""

    egresses: dict[str, Egress] = field(default_factory=dict)
    slips: dict[tuple[str | None, str], Forwarder] = field(default_factory=dict)
    apps: dict[str, Front] = field(default_factory=dict)
    stores: dict[str, Front] = field(default_factory=dict)
    doors: AsyncExitStack = field(default_factory=AsyncExitStack)

    def host_moved(self, location: str, port: int | None) -> None:
        """A location's Functions host listens here now, or nowhere."""
        self.apps[location].point(port or 0)

    def slips_from(self, source: str | None, players: Players, estate: Estate) -> dict[str, str]:
        """location -> the connection string by which `source` reaches its slips."""
        return {
            name: players.players[place.slips].connection_string(self.slips[source, name].port)
            for name, place in estate.locations.items()
        }

    def store(self, storage: Storage, account: str) -> str:
        """The connection string by which an outsider reaches an account, without TLS."""
        return storage.accounts[account].connection_string(self.stores[account].url)

    async def stop(self) -> None:
        """Close every door, the last one first."""
        await self.doors.aclose()


async def start(
    world: World,
    estate: Estate,
    leaf: Leaf,
    storage: Storage,
    players: Players,
    trust: ssl.SSLContext,
) -> Network:
    """Open the doors; hosts and planes may come and go behind them."""
    network = Network()
    try:
        for name, place in estate.locations.items():
            egress = await start_egress(world, name, Resolver(world, name).find)
            network.doors.push_async_callback(egress.stop)
            network.egresses[name] = egress
            names = (f"{place.app}.azurewebsites.net",)
            front = await start_front(world, name, "functions", names, leaf.server())
            network.doors.push_async_callback(front.stop)
            network.apps[name] = front
        for source in (None, *estate.locations):
            for name, place in estate.locations.items():
                target = Address(players.players[place.slips].port, name, "servicebus")
                forwarder = await start_forwarder(world, source, target)
                network.doors.push_async_callback(forwarder.stop)
                network.slips[source, name] = forwarder
        for account, running in storage.accounts.items():
            at = world.hosts[f"{account}.blob.core.windows.net"].location
            front = await start_front(world, at, "storage")
            network.doors.push_async_callback(front.stop)
            front.point(running.port, trust)
            network.stores[account] = front
    except BaseException:
        await network.stop()
        raise
    return network
