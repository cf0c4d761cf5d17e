"""Doors of the rehearsal's network: ports whose connections are relayed, held or cut.

A connection knows the path that it takes. When an outage or a partition takes the path away, a
new connection vanishes into a black hole and a live one is cut at once.
"""

import asyncio
import contextlib
import ssl
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rehearsal.world import World

HOLD_SECONDS_MAX = 30.0
HEAD_SECONDS_MAX = 75.0
CONNECT_SECONDS_MAX = 5.0
LINGER_SECONDS_MAX = 30.0
WATCH_SECONDS = 0.05
CHUNK_BYTES = 65_536
# What a peer that goes away, or one that talks nonsense, looks like from here.
GONE = (OSError, EOFError, asyncio.LimitOverrunError, TimeoutError)

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Way:
    """From a source (None: the world outside) to a scope of a location."""

    source: str | None
    location: str
    scope: str
    own: str = "network"  # The scope of the source that must be up for it to talk at all.

    def open(self, world: World) -> bool:
        """Can a packet take this way now?"""
        if self.source is not None and not world.up(self.source, self.own):
            return False
        # What is local to the source (its identity endpoint) needs no network.
        return self.scope == "local" or world.reaches(self.source, self.location, self.scope)


class Door(ABC):
    """Loopback ports; `serve` handles each connection, a watcher cuts those whose way is gone."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.port = 0
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._ways: dict[asyncio.Task[None], Way] = {}
        self._watcher: asyncio.Task[None] | None = None

    async def listen(self, tls: ssl.SSLContext | None = None) -> int:
        """Open one more port of this door; the first is `port`. Returns the port."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls, backlog=1024)
        self._servers.append(server)
        port = int(server.sockets[0].getsockname()[1])
        self.port = self.port or port
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch())
        return port

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection."""

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._attend(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._ways.pop(task, None)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # A peer that goes away ends its connection; there is nobody to tell.
            with contextlib.suppress(*GONE):
                await self.serve(reader, writer)
                await finish(writer)
        finally:
            writer.transport.abort()

    def take(self, way: Way) -> bool:
        """Bind the current connection to a way, so that it is cut with it; False: no way."""
        task = asyncio.current_task()
        if task is not None:
            self._ways[task] = way
        if way.open(self.world):
            return True
        # Nothing is left to cut: the connection will be held.
        self._ways.pop(task, None) if task is not None else None
        return False

    async def vanish(self, reader: asyncio.StreamReader) -> None:
        """The black hole: swallow what comes and never answer, for a bounded time."""
        if self.world.refuse_when_cut:
            return
        async with asyncio.timeout(HOLD_SECONDS_MAX):
            while await reader.read(CHUNK_BYTES):
                continue

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            gone = {way for way in set(self._ways.values()) if not way.open(self.world)}
            for task in [task for task, way in self._ways.items() if way in gone]:
                task.cancel()

    async def stop(self) -> None:
        """Close the ports and every connection."""
        for server in self._servers:
            server.close()
        doing = [*self._tasks, *([self._watcher] if self._watcher else [])]
        for task in doing:
            task.cancel()
        await asyncio.gather(*doing, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
        await asyncio.sleep(0)  # Lets aborted transports close before the loop goes.


async def connect(
    port: int, tls: ssl.SSLContext | None = None, name: str | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A loopback connection, or OSError / TimeoutError."""
    async with asyncio.timeout(CONNECT_SECONDS_MAX):
        return await asyncio.open_connection(
            "127.0.0.1", port, ssl=tls, server_hostname=name if tls else None
        )


async def finish(writer: asyncio.StreamWriter) -> None:
    """Send what is left, then close."""
    await writer.drain()
    writer.close()
    async with asyncio.timeout(CONNECT_SECONDS_MAX):
        await writer.wait_closed()


class Talk:
    """Two ends of a relayed conversation."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.unanswered = False  # Did the caller say something after the last answer?

    async def relay(self, far: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        """Carry bytes both ways until the far end is done, or the caller went away."""
        up = asyncio.create_task(self._pump(self.reader, near, True))
        down = asyncio.create_task(self._pump(far, self.writer, False))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            if not down.done():
                await asyncio.wait({down}, timeout=LINGER_SECONDS_MAX)
        finally:
            near.transport.abort()  # First: a cut may come while the pumps are waited for.
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asking: bool
    ) -> None:
        with contextlib.suppress(*GONE):  # Either end may go at any time.
            while data := await reader.read(CHUNK_BYTES):
                self.unanswered = asking
                writer.write(data)
                await writer.drain()
            if asking and writer.can_write_eof():
                writer.write_eof()
            elif asking:
                writer.close()
