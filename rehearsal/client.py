"""The customer: calls through Traffic Manager all the time and counts what it loses.

It caches DNS as long as the TTL says and opens a connection per call, so what it counts is what
a caller without retries would see.
"""

import asyncio
import ssl
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime

from rehearsal.network_calls import Caller, Unreachable
from rehearsal.world import World

OUTAGES_MAX = 200
CALLS_AT_ONCE_MAX = 40


@dataclass
class Outage:
    """A stretch without an answer; `to` is None while it lasts."""

    since: datetime
    to: datetime | None
    failed: int


@dataclass
class Count:
    """What the client saw, in the order in which its calls were made. Pure."""

    since: datetime
    calls: int = 0
    failures: int = 0
    per_location: Counter[str] = field(default_factory=Counter)
    answering: str | None = None
    last: str | None = None
    last_switch_at: datetime | None = None
    outages: deque[Outage] = field(default_factory=lambda: deque(maxlen=OUTAGES_MAX))

    def note(self, made_at: datetime, ended_at: datetime, location: str | None) -> None:
        """One call, made and ended then, answered by `location` (None: not well)."""
        self.calls += 1
        open_outage = self.outages[-1] if self.outages and self.outages[-1].to is None else None
        if location is None:
            self.failures += 1
            self._failed(made_at, open_outage)
            return
        self.per_location[location] += 1
        if open_outage is not None:
            if made_at < open_outage.since:
                return  # A call that was on its way when the outage began ends nothing.
            open_outage.to = ended_at
        self.answering = location
        if self.last is not None and location != self.last:
            self.last_switch_at = ended_at
        self.last = location

    def _failed(self, made_at: datetime, open_outage: Outage | None) -> None:
        if open_outage is not None:
            open_outage.since = min(open_outage.since, made_at)
            open_outage.failed += 1
            self.answering = None
            return
        closed = self.outages[-1] if self.outages else None
        # A slow failure that was made before the outage ended belongs to that outage.
        if closed is not None and closed.to is not None and made_at <= closed.to:
            closed.failed += 1
            return
        self.answering = None
        self.outages.append(Outage(made_at, None, 1))

    def snapshot(self) -> dict:
        """GET /clients of the control API."""
        return {
            "answering": self.answering,
            "calls": self.calls,
            "failures": self.failures,
            "perLocation": dict(self.per_location),
            "outages": [
                {"from": _at(o.since), "to": _at(o.to), "failed": o.failed} for o in self.outages
            ],
            "since": _at(self.since),
            "lastSwitchAt": _at(self.last_switch_at),
        }


def _at(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


@dataclass
class Client:
    """A running customer."""

    world: World
    caller: Caller
    url: str
    every_seconds: float
    timeout_seconds: float
    count: Count
    _calls: set[asyncio.Task[None]] = field(default_factory=set)
    _loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to call."""
        self._loop = asyncio.create_task(self._keep_calling())

    def snapshot(self) -> dict:
        """What it saw so far."""
        return self.count.snapshot()

    async def stop(self) -> None:
        """Hang up."""
        doing = [*self._calls, *([self._loop] if self._loop else [])]
        for task in doing:
            task.cancel()
        await asyncio.gather(*doing, return_exceptions=True)
        await self.caller.close()

    async def _keep_calling(self) -> None:
        while True:
            if len(self._calls) < CALLS_AT_ONCE_MAX:
                task = asyncio.create_task(self._call())
                self._calls.add(task)
                task.add_done_callback(self._calls.discard)
            await asyncio.sleep(self.every_seconds)

    async def _call(self) -> None:
        made_at, location = self.world.now, None
        try:
            reply = await self.caller.call("GET", self.url, self.timeout_seconds)
            location = reply.location if reply.status == 200 else None
        except Unreachable:
            location = None
        self.count.note(made_at, self.world.now, location)


async def start(
    world: World,
    tls: ssl.SSLContext,
    host: str,
    path: str = "/",
    every_seconds: float = 0.2,
    timeout_seconds: float = 2.0,
) -> Client:
    """Start calling `https://{host}{path}`; `tls` is a client's context."""
    caller = Caller(world, None, tls, fresh=True)
    url = f"https://{host}{path}"
    client = Client(world, caller, url, every_seconds, timeout_seconds, Count(world.now))
    client.start()
    return client
