"""The stage's Service Bus: one player process per namespace, and ARM's way to its queues."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from rehearsal.estate import Estate
from rehearsal.estate_seed import queues
from rehearsal.processes import Child, ready

READY_SECONDS = 20.0
ADMIN_SECONDS_MAX = 10.0


@dataclass(frozen=True)
class Player:
    """One namespace that answers AMQP on loopback."""

    namespace: str
    child: Child
    port: int
    admin: str

    def connection_string(self, port: int | None = None) -> str:
        """How a client reaches it, directly or through a forwarder at `port`."""
        at = port or self.port
        keys = "SharedAccessKeyName=rehearsal;SharedAccessKey=rehearsal"
        return f"Endpoint=sb://127.0.0.1:{at};{keys};UseDevelopmentEmulator=true;"


class Players:
    """Every namespace of the estate, running; the `Buses` that ARM's provider talks to."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.players: dict[str, Player] = {}
        self._session = session

    async def create_queue(self, namespace: str, name: str, properties: dict) -> None:
        """Create or update a queue with ARM's SBQueueProperties; nowhere in an unplayed one."""
        await self._ask("PUT", namespace, name, properties)

    async def delete_queue(self, namespace: str, name: str) -> None:
        """Delete a queue with what is in it."""
        await self._ask("DELETE", namespace, name)

    async def counts(self, namespace: str, name: str) -> dict:
        """What ARM shows of a queue: `messageCount`, `sizeInBytes`, `countDetails`."""
        if namespace not in self.players:
            return {}  # It is in ARM alone.
        shown = (await self._ask("GET", namespace, name)).get("properties", {})
        return {key: shown[key] for key in ("messageCount", "sizeInBytes", "countDetails")}

    async def _ask(self, method: str, namespace: str, queue: str, body: dict | None = None) -> dict:
        if namespace not in self.players:
            return {}
        url = f"{self.players[namespace].admin}/queues/{queue}"
        async with self._session.request(method, url, json=body) as reply:
            reply.raise_for_status()
            return await reply.json(content_type=None) if method == "GET" else {}

    async def stop(self) -> None:
        """End every player."""
        await asyncio.gather(*(player.child.stop() for player in self.players.values()))
        await self._session.close()


async def start(estate: Estate, folder: Path, bare: bool = False) -> Players:
    """Start a player per namespace with the estate's queues in it; `bare` without the slips'."""
    limit = aiohttp.ClientTimeout(total=ADMIN_SECONDS_MAX)
    # The admin door is loopback; a proxy of the machine has no business here.
    buses = Players(aiohttp.ClientSession(timeout=limit, trust_env=False))
    try:
        wanted = queues(estate, bare)
        started = await asyncio.gather(*(_player(name, folder) for name in wanted))
        buses.players |= {player.namespace: player for player in started}
        for namespace, named in wanted.items():
            for name, properties in named.items():
                await buses.create_queue(namespace, name, properties)
    except BaseException:
        await buses.stop()
        raise
    return buses


async def _player(namespace: str, folder: Path) -> Player:
    file, database = folder / f"{namespace}.json", folder / f"{namespace}.db"
    command = [sys.executable, "-m", "rehearsal.servicebus", "--namespace", namespace]
    command += [
        "--db",
        str(database),
        "--port",
        "0",
        "--admin-port",
        "0",
        "--ready-file",
        str(file),
    ]
    child = Child(f"service bus {namespace}", command, folder / "logs" / f"bus-{namespace}.log")
    said = await ready(child, file, READY_SECONDS)
    return Player(namespace, child, int(said["amqp"]), str(said["admin"]).rstrip("/"))
