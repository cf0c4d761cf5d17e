"""The network: one egress per location, fronts for what listens, forwarders for AMQP.

The egress is a location's way out and its DNS: it takes real Azure names to loopback ports and
drops what an outage or a partition cuts. Nothing that passes is read; TLS stays end to end.
"""

import asyncio
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from rehearsal.network_doors import (
    CHUNK_BYTES,
    GONE,
    HEAD_SECONDS_MAX,
    Door,
    Talk,
    Way,
    connect,
)
from rehearsal.world import Address, World

LOOPBACK = ("localhost", "127.0.0.1")
HOP_HEADERS = (b"connection:", b"proxy-connection:", b"keep-alive:")
Resolve = Callable[[str], Address | None]


def answer(status: int, reason: str, text: str) -> bytes:
    """A short HTTP answer that ends its connection."""
    body = text.encode()
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


class Egress(Door):
    """The HTTP proxy of one location: CONNECT tunnels and absolute URIs."""

    def __init__(self, world: World, location: str, resolve: Resolve) -> None:
        super().__init__(world)
        self.location, self._resolve = location, resolve

    @property
    def url(self) -> str:
        """HTTP_PROXY and HTTPS_PROXY."""
        return f"http://127.0.0.1:{self.port}"

    def find(self, host: str, port: int) -> Address | None:
        """Where a name answers; loopback names only on ports that the world knows."""
        name = host.lower()
        if name in LOOPBACK:
            return self.world.hosts.get(f"localhost:{port}")
        return self._resolve(name)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One proxied connection."""
        async with asyncio.timeout(HEAD_SECONDS_MAX):
            head = await reader.readuntil(b"\r\n\r\n")
        line, _, rest = head.partition(b"\r\n")
        words = line.decode("latin-1").split(" ")
        if len(words) != 3:
            writer.write(answer(400, "Bad Request", "not an HTTP request"))
            return
        host, port, first = _target(words, rest)
        address = self.find(host, port)
        if address is None:
            writer.write(answer(502, "Bad Gateway", f"no such host: {host}:{port}"))
            return
        way = Way(self.location, address.location, address.scope, own="functions")
        if not self.take(way):
            await self.vanish(reader)
            return
        try:
            far, near = await connect(address.port)
        except GONE:
            writer.write(answer(502, "Bad Gateway", f"nothing answers at {host}:{port}"))
            return
        if first:
            near.write(first)
        else:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await Talk(reader, writer).relay(far, near)


def _target(words: list[str], rest: bytes) -> tuple[str, int, bytes]:
    """Host, port, and what to send first: nothing for a tunnel, the request for an absolute URI."""
    method, target, version = words
    if method.upper() == "CONNECT":
        host, _, port = target.rpartition(":")
        return host, int(port) if port.isdigit() else 443, b""
    url = urlsplit(target)
    origin = (url.path or "/") + (f"?{url.query}" if url.query else "")
    kept = [
        line for line in rest.split(b"\r\n") if line and not line.lower().startswith(HOP_HEADERS)
    ]
    # One request per connection: the next one may be for another host.
    lines = [f"{method} {origin} {version}".encode("latin-1"), *kept, b"Connection: close"]
    return url.hostname or "", url.port or 80, b"\r\n".join(lines) + b"\r\n\r\n"


class Forwarder(Door):
    """A TCP way from a source (None: outside) to one address; for AMQP to a namespace."""

    def __init__(
        self, world: World, source: str | None, target: Address, own: str = "functions"
    ) -> None:
        super().__init__(world)
        self.target = target
        self._way = Way(source, target.location, target.scope, own)

    def point(self, port: int) -> None:
        """The target was started again on another port."""
        self.target = Address(port, self.target.location, self.target.scope)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One forwarded connection."""
        if not self.take(self._way):
            await self.vanish(reader)
            return
        far, near = await connect(self.target.port)
        await Talk(reader, writer).relay(far, near)


class Front(Door):
    """The stable public ports of an HTTP server that may come and go.

    503 while nothing listens behind it, as App Service's front end does; a black hole while its
    scope of the location is lost.
    """

    def __init__(self, world: World, location: str, scope: str) -> None:
        super().__init__(world)
        self.location, self.scope = location, scope
        self.backend = 0
        self.tls_port = 0
        self._backend_tls: ssl.SSLContext | None = None
        self._way = Way(None, location, scope)

    @property
    def url(self) -> str:
        """Where an outsider finds it, plain."""
        return f"http://127.0.0.1:{self.port}"

    def point(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Relay to this loopback port from now on; 0: nothing is there. `tls`: it speaks TLS."""
        self.backend, self._backend_tls = port, tls

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: wait for the first words, then relay or say 503."""
        if not self.take(self._way):
            await self.vanish(reader)
            return
        async with asyncio.timeout(HEAD_SECONDS_MAX):
            first = await reader.read(CHUNK_BYTES)
        if not first:
            return
        talk = Talk(reader, writer)
        try:
            if not self.backend:
                raise ConnectionRefusedError
            far, near = await connect(self.backend, self._backend_tls, "localhost")
        except GONE:
            writer.write(answer(503, "Service Unavailable", "The service is unavailable."))
            return
        near.write(first)
        talk.unanswered = True
        await talk.relay(far, near)
        if talk.unanswered:  # It died with a question in its hands.
            writer.write(answer(503, "Service Unavailable", "The service is unavailable."))


async def start_egress(world: World, location: str, resolve: Resolve) -> Egress:
    """Open a location's egress; `resolve` is its DNS (traffic.Resolver.find)."""
    egress = Egress(world, location, resolve)
    await egress.listen()
    return egress


async def start_forwarder(
    world: World, source: str | None, target: Address, own: str = "functions"
) -> Forwarder:
    """Open a forwarder; `own` is the scope of the source that must be up for it to talk."""
    forwarder = Forwarder(world, source, target, own)
    await forwarder.listen()
    return forwarder


async def start_front(
    world: World,
    location: str,
    scope: str,
    names: tuple[str, ...] = (),
    tls: ssl.SSLContext | None = None,
) -> Front:
    """Open a front: a plain port, and with `tls` a TLS port that `names` resolve to."""
    front = Front(world, location, scope)
    await front.listen()
    if tls is not None:
        front.tls_port = await front.listen(tls)
        for name in names:
            world.hosts[name.lower()] = Address(front.tls_port, location, scope)
    return front
