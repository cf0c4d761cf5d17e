"""Traffic Manager: probe the endpoints, write what they are, answer DNS.

Probes are real HTTP calls from outside, per profile at its interval; an endpoint is Degraded
after more failures in a row than are tolerated. `traffic_answers` holds the rules, without sockets.
Not emulated: TCP probes, custom headers, several probing places.
"""

import asyncio
import ssl
from dataclasses import dataclass, field

from aiohttp import web

from rehearsal.network_calls import Caller, Server, Unreachable, open_server
from rehearsal.traffic_answers import ENDPOINT, PROFILE, monitor_status, profile_status, query
from rehearsal.world import Resource, World

LOOK_SECONDS = 0.1


@dataclass
class Tally:
    """What the probes of one endpoint said."""

    probes: int = 0
    failures: int = 0  # in a row
    was_on: bool = True

    def reset(self) -> None:
        """It was switched on again: nothing is known."""
        self.probes, self.failures = 0, 0


@dataclass
class Traffic:
    """The probers of every profile, and the HTTP form of their DNS."""

    world: World
    caller: Caller
    server: Server
    tallies: dict[str, Tally] = field(default_factory=dict)
    _next: dict[str, float] = field(default_factory=dict)
    _busy: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _loop: asyncio.Task[None] | None = None

    @property
    def dns(self) -> str:
        """GET {dns}?name=... answers as DNS would."""
        return f"{self.server.url}/"

    @property
    def port(self) -> int:
        """The port of the DNS endpoint."""
        return self.server.port

    def start(self) -> None:
        """Begin to probe."""
        self._loop = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        """Stop probing and answering."""
        doing = [*self._busy.values(), *([self._loop] if self._loop else [])]
        for task in doing:
            task.cancel()
        await asyncio.gather(*doing, return_exceptions=True)
        await self.caller.close()
        await self.server.stop()

    async def _keep_looking(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            for profile in self.world.resources.of_type(PROFILE):
                self.settle(profile)
                if clock() >= self._next.get(profile.id, 0) and profile.id not in self._busy:
                    monitor = profile.properties.get("monitorConfig", {})
                    self._next[profile.id] = clock() + float(monitor.get("intervalInSeconds", 30))
                    self._begin(profile)
            await asyncio.sleep(LOOK_SECONDS)

    def _begin(self, profile: Resource) -> None:
        task = asyncio.create_task(self.probe(profile))
        self._busy[profile.id] = task
        task.add_done_callback(lambda _: self._busy.pop(profile.id, None))

    async def probe(self, profile: Resource) -> None:
        """One round: every endpoint that is on and not always served, at once."""
        await asyncio.gather(*(self._ask(profile, end) for end in self._ends(profile)))
        self.settle(profile)

    def _ends(self, profile: Resource) -> list[Resource]:
        return self.world.resources.under(profile.id, ENDPOINT)

    async def _ask(self, profile: Resource, end: Resource) -> None:
        if monitor_status(end.properties, 0, 1, 0) in ("Disabled", "Unmonitored"):
            return
        monitor = profile.properties.get("monitorConfig", {})
        protocol = str(monitor.get("protocol", "HTTP")).lower()
        port, default = int(monitor.get("port", 80)), 443 if protocol == "https" else 80
        at = "" if port == default else f":{port}"
        url = f"{protocol}://{end.properties.get('target', '')}{at}{monitor.get('path', '/')}"
        try:
            reply = await self.caller.call("GET", url, float(monitor.get("timeoutInSeconds", 10)))
            well = reply.status == 200
        except Unreachable:
            well = False
        tally = self.tallies.setdefault(end.id.lower(), Tally())
        tally.probes += 1
        tally.failures = 0 if well else tally.failures + 1

    def settle(self, profile: Resource) -> None:
        """Write the statuses into the profile and its endpoints; a switch shows at once."""
        monitor = profile.properties.setdefault("monitorConfig", {})
        tolerated = int(monitor.get("toleratedNumberOfFailures", 3))
        statuses = []
        for end in self._ends(profile):
            tally = self.tallies.setdefault(end.id.lower(), Tally())
            probed = monitor_status(end.properties, 0, 1, 0) == "Online"
            if probed and not tally.was_on:
                tally.reset()
            tally.was_on = probed
            status = monitor_status(end.properties, tally.failures, tally.probes, tolerated)
            end.properties["endpointMonitorStatus"] = status
            statuses.append(status)
        on = profile.properties.get("profileStatus", "Enabled") == "Enabled"
        monitor["profileMonitorStatus"] = profile_status(statuses, on)

    async def answer(self, request: web.Request) -> web.Response:
        """The DNS of the world as HTTP."""
        name = request.query.get("name", "")
        found = query(self.world, name)
        if found is None:
            return web.json_response({"name": name, "error": "no such name"}, status=404)
        return web.json_response(found)


async def start(world: World, tls: ssl.SSLContext) -> Traffic:
    """Open the DNS endpoint and begin to probe; `tls` is a client's context."""
    app = web.Application()
    caller = Caller(world, None, tls, fresh=True)
    traffic = Traffic(world, caller, Server(web.AppRunner(app)))
    app.router.add_get("/", traffic.answer)
    traffic.server = await open_server(app, None)
    traffic.start()
    return traffic
