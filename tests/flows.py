"""A workflow runtime under a clock that tests move, and definitions to run in it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from rehearsal.workflows import Workflows
from rehearsal.world import Resource, World

T = TypeVar("T")
WEST, NORTH = "westeurope", "northeurope"
START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """A time after the start."""
    return START + timedelta(seconds=seconds)


def poll(path: str, session: str = "None") -> dict:
    """A definition with one managed connector's trigger."""
    inputs = {"path": path, "queries": {"sessionId": session}}
    own = {"type": "ApiConnection", "recurrence": {"frequency": "Second", "interval": 1}}
    return {"triggers": {"start": {**own, "inputs": inputs}}}


PEEK = "/@{encodeURIComponent(encodeURIComponent('orders'))}/messages/head/peek"


SECOND = {"recurrence": {"frequency": "Second", "interval": 1}}
RECURRENCE = {"triggers": {"tick": {"type": "Recurrence", **SECOND}}, "actions": {"note": {}}}
MANUAL = {"type": "Request", "kind": "Http"}
ANSWER = {"type": "Response", "inputs": {"statusCode": 201, "body": {"ok": True}}}
REQUEST = {"triggers": {"manual": MANUAL}, "actions": {"respond": ANSWER}}
HOOK = {"triggers": {"hook": {"type": "HttpWebhook", "inputs": {}}}}


class Play:
    """A runtime under a clock that the test moves."""

    def __init__(self) -> None:
        self.now = START
        self.world = World(clock=lambda: self.now)
        self.world.recover(WEST)
        self.world.recover(NORTH)
        self.runtime = Workflows(self.world)

    def workflow(
        self, definition: dict, name: str = "w", location: str = WEST, seconds: str = "0"
    ) -> Resource:
        """An enabled workflow."""
        id = (
            f"/subscriptions/s/resourceGroups/{location}/providers/Microsoft.Logic/workflows/{name}"
        )
        tags = {"rehearsal-run-seconds": seconds}
        properties = {"state": "Enabled", "definition": definition}
        body = {"location": location, "tags": tags, "properties": properties}
        made = self.world.resources.place(id, body)
        self.runtime.enabled(made)
        return made

    def switch(self, workflow: Resource, on: bool) -> None:
        """What ARM does on enable and disable."""
        workflow.properties["state"] = "Enabled" if on else "Disabled"
        (self.runtime.enabled if on else self.runtime.disabled)(workflow)

    async def pass_time(self, seconds: int) -> None:
        """Second by second; runs get the loop in between."""
        for _ in range(seconds):
            self.now += timedelta(seconds=1)
            self.runtime.tick()
            await asyncio.sleep(0.002)

    def keys(self, location: str = WEST) -> list[str]:
        """The effects of one location."""
        return [row["key"] for row in self.world.effects if row["location"] == location]


def play(story: Callable[[Play], Awaitable[T]]) -> T:
    """Play one story within a bound, then end what it left running."""

    async def bounded() -> T:
        stage = Play()
        async with asyncio.timeout(10):
            try:
                return await story(stage)
            finally:
                await stage.runtime.stop()

    return asyncio.run(bounded())
