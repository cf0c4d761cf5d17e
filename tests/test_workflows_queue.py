"""Queue triggers, with the real client against the real player."""

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from aiohttp import ClientSession
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

from rehearsal.network import start_forwarder
from rehearsal.processes import Child
from rehearsal.stage_buses import Player
from rehearsal.workflows import Workflows
from rehearsal.world import Address, World
from tests.flows import (
    PEEK,
    WEST,
    poll,
)

T = TypeVar("T")


async def player(folder: Path) -> tuple[Child, Player]:
    """A Service Bus player with a queue and a queue with sessions."""
    ready_file = folder / "ready.json"
    command = [sys.executable, "-m", "rehearsal.servicebus", "--namespace", "sb-test"]
    command += ["--db", str(folder / "sb.sqlite"), "--ready-file", str(ready_file)]
    child = Child("player", command, folder / "player.log")
    for _ in range(200):
        if ready_file.exists():
            break
        await asyncio.sleep(0.05)
    facts = json.loads(ready_file.read_text(encoding="utf-8"))
    async with ClientSession() as session:
        for queue, sessions in (("orders", False), ("shipments", True)):
            body = {"lockDuration": "PT5S", "maxDeliveryCount": 10, "requiresSession": sessions}
            async with session.put(f"{facts['admin']}/queues/{queue}", json=body) as reply:
                reply.raise_for_status()
    return child, Player("sb-test", child, facts["amqp"], facts["admin"])


async def send(connection: str, queue: str, count: int, sessions: int = 0) -> None:
    """Numbered messages, as the stage's producers send them."""
    async with ServiceBusClient.from_connection_string(connection) as bus:
        sender = bus.get_queue_sender(queue)
        async with sender:
            for n in range(count):
                id, session = f"{queue}-{n}", f"s{n % sessions}" if sessions else None
                await sender.send_messages(
                    ServiceBusMessage(str(n), message_id=id, session_id=session)
                )


async def until(holds: Callable[[], bool], bound_seconds: float) -> bool:
    """Wait until something holds; False when it does not in time."""
    for _ in range(int(bound_seconds / 0.05)):
        if holds():
            return True
        await asyncio.sleep(0.05)
    return False


def worked(
    folder: Path, definition: dict, story: Callable[[World, Workflows, str], Awaitable[T]]
) -> T:
    """Play a story over a real clock and a real player with one workflow in westeurope."""

    async def bounded() -> T:
        child, bus = await player(folder)
        world = World()
        world.recover(WEST)
        target = Address(bus.port, "swedencentral", "servicebus")
        way = await start_forwarder(world, WEST, target, own="data")
        runtime = Workflows(world, {WEST: bus.connection_string(way.port)})
        id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Logic/workflows/w"
        tags = {"rehearsal-run-seconds": "0.1"}
        properties = {"state": "Enabled", "definition": definition}
        world.resources.place(id, {"location": WEST, "tags": tags, "properties": properties})
        await runtime.begin()
        try:
            async with asyncio.timeout(30):
                return await story(world, runtime, bus.connection_string())
        finally:
            await runtime.stop()
            await way.stop()
            await child.stop()

    return asyncio.run(bounded())


def test_messages_are_handled_once_each(tmp_path: Path) -> None:
    async def story(world: World, runtime: Workflows, bus: str) -> list[str]:
        await send(bus, "orders", 12)
        await until(lambda: len(world.effects) >= 12, 15)
        return sorted(row["key"] for row in world.effects)

    assert worked(tmp_path, poll(PEEK), story) == sorted(f"orders-{n}" for n in range(12))


@pytest.mark.slow
def test_sessions_are_handled_in_their_order(tmp_path: Path) -> None:
    async def story(world: World, runtime: Workflows, bus: str) -> list[list[int]]:
        await send(bus, "shipments", 8, sessions=2)
        await until(lambda: len(world.effects) >= 8, 20)
        numbers = [int(row["key"].split("-")[1]) for row in world.effects]
        return [[n for n in numbers if n % 2 == side] for side in (0, 1)]

    ordered = poll(PEEK.replace("orders", "shipments"), "Next Available")
    assert worked(tmp_path, ordered, story) == [[0, 2, 4, 6], [1, 3, 5, 7]]


@pytest.mark.slow
# azure-servicebus leaves the socket of a cut connection to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_lost_location_takes_no_messages_until_it_is_back(tmp_path: Path) -> None:
    async def story(world: World, runtime: Workflows, bus: str) -> tuple[int, bool]:
        await asyncio.sleep(1)
        world.lose(WEST)
        await asyncio.sleep(0.3)
        await send(bus, "orders", 3)
        await asyncio.sleep(1)
        lost = len(world.effects)
        world.recover(WEST)
        return lost, await until(lambda: len(world.effects) == 3, 20)

    seen = worked(tmp_path, poll(PEEK), story)
    gc.collect()  # So that the warning comes here and in no other test.
    assert seen == (0, True)
