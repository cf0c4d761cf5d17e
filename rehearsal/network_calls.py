"""Calls and answers inside the cloud process that obey the world's network.

`Caller` is how a gateway, a prober or a customer calls a real Azure name; `plane` is what every
data plane wraps its answers in: lost means silent, and faults asked for are played.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDict

from rehearsal.network_doors import HOLD_SECONDS_MAX
from rehearsal.traffic_answers import Resolver
from rehearsal.world import Address, World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
BODY_BYTES_MAX = 4_000_000
REQUESTS_KEPT_MAX = 1_000


class Unreachable(Exception):
    """No answer: no such name, a cut way, a refusal, or too slow. The text says which."""


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer and the location that gave it."""

    status: int
    headers: CIMultiDict[str]
    body: bytes
    location: str


class _Loopback(AbstractResolver):
    """aiohttp's resolver: every name is on loopback, at the port that the world gives it."""

    def __init__(self, find: Callable[[str], Address | None]) -> None:
        self._find = find

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """One address, or OSError for a name that is not there."""
        found = self._find(host)
        if found is None:
            raise OSError(f"no such host: {host}")
        flags = socket.AI_NUMERICHOST
        row: ResolveResult = {
            "hostname": host,
            "host": "127.0.0.1",
            "port": found.port,
            "family": socket.AF_INET,
            "proto": 0,
            "flags": flags,
        }
        return [row]

    async def close(self) -> None:
        """Nothing is open."""


class Caller:
    """An HTTP client at a place: a location, or None for the world outside.

    `fresh` opens a connection per call, so that every call follows DNS.
    """

    def __init__(
        self, world: World, source: str | None, tls: ssl.SSLContext, fresh: bool = False
    ) -> None:
        self.world, self.source = world, source
        self.names = Resolver(world, source or "")
        connector = TCPConnector(
            resolver=_Loopback(self.names.find),
            ssl=tls,
            use_dns_cache=False,
            force_close=fresh,
            limit=200,
        )
        self._session = ClientSession(connector=connector, auto_decompress=False)

    async def call(
        self,
        method: str,
        url: str,
        timeout_seconds: float,
        headers: CIMultiDict[str] | dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """One exchange, or Unreachable; redirects are not followed."""
        host = urlsplit(url).hostname or ""
        address = self.names.find(host)
        if address is None:
            raise Unreachable(f"no such host: {host}")
        if not self.world.reaches(self.source, address.location, address.scope):
            await asyncio.sleep(0 if self.world.refuse_when_cut else timeout_seconds)
            raise Unreachable(f"{host} did not answer within {timeout_seconds:g} s")
        limit = ClientTimeout(total=timeout_seconds)
        try:
            async with self._session.request(
                method, url, headers=headers, data=body, timeout=limit, allow_redirects=False
            ) as reply:
                data = await reply.read()
        except TimeoutError as slow:
            raise Unreachable(f"{host} did not answer within {timeout_seconds:g} s") from slow
        except (ClientError, OSError) as wrong:
            raise Unreachable(f"{host}: {wrong}") from wrong
        return Answer(reply.status, CIMultiDict(reply.headers), data, address.location)

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


def plane(world: World, location: str, scope: str, name: str) -> Callable:
    """Middleware of a data plane: silent while its scope is lost; plays faults.

    A fault's `match.path` is compared with `{name}{path}`, for example
    `apim-contoso-we.azure-api.net/orders/health`.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not world.up(location, scope):
            return await _silence(world, request)
        effect = world.faults.take(request.method, f"{name}{request.path}", location, None)
        reply = await _faulted(world, request, effect) if effect else None
        reply = reply or await handler(request)
        if not world.up(location, scope):
            return await _silence(world, request)
        return reply

    return guard


async def _faulted(world: World, request: web.Request, effect: dict) -> web.StreamResponse | None:
    """Play a fault; None when it only delays."""
    await asyncio.sleep(min(float(effect.get("delaySeconds", 0)), HOLD_SECONDS_MAX))
    if effect.get("drop"):
        return await _silence(world, request)
    if "status" not in effect:
        return None
    body = effect.get("body", '{"error":{"code":"Fault","message":"A fault was asked for."}}')
    headers = {"Content-Type": "application/json", **effect.get("headers", {})}
    return web.Response(status=int(effect["status"]), text=str(body), headers=headers)


async def _silence(world: World, request: web.Request) -> web.StreamResponse:
    """Never answer: hold for a bounded time, then drop the connection."""
    if not world.refuse_when_cut:
        await asyncio.sleep(HOLD_SECONDS_MAX)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=504)  # Nobody is left to read it.


@dataclass
class Server:
    """A running aiohttp server on a loopback port."""

    runner: web.AppRunner
    port: int = 0
    seen: list[dict] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address, for servers without TLS."""
        return f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Close the server; whoever is held is let go."""
        await self.runner.cleanup()


async def open_server(app: web.Application, tls: ssl.SSLContext | None) -> Server:
    """Serve an application on a port that the system gives."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls, backlog=1024)
    await site.start()
    return Server(runner, runner.addresses[0][1])


async def start_internet(
    world: World, names: tuple[str, ...], tls: ssl.SSLContext | None
) -> Server:
    """The rest of the internet: `names` answer 200 to anything, on TLS or (without) plain.

    What is sent to them is kept in `seen` as `{"at", "method", "host", "path", "body"}`.
    """
    seen: list[dict] = []

    async def any_request(request: web.Request) -> web.Response:
        body = (await request.read()).decode("utf-8", errors="replace")
        row = {"method": request.method, "host": request.host, "path": request.path, "body": body}
        seen.append({"at": world.now.isoformat(), **row})
        del seen[:-REQUESTS_KEPT_MAX]
        return web.Response(text="ok")

    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.router.add_route("*", "/{path:.*}", any_request)
    server = await open_server(app, tls)
    server.seen = seen
    for name in names:
        world.hosts[name.lower()] = Address(server.port, "", "network")
    return server
