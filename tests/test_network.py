"""The network at the wire: egress, fronts and forwarders obey outages and partitions."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from aiohttp import ClientError, ClientSession, ClientTimeout, ServerDisconnectedError, web

from rehearsal.certificates import Authority
from rehearsal.network import Egress, start_egress, start_forwarder, start_front
from rehearsal.network_calls import Server, open_server
from rehearsal.traffic_answers import Resolver
from rehearsal.world import Address, World

T = TypeVar("T")
WEST, NORTH = "westeurope", "northeurope"
HOST = "apim-contoso-we.azure-api.net"


def run(story: Callable[[], Awaitable[T]]) -> T:
    """Play one story on a loop of its own, within a bound."""

    async def bounded() -> T:
        async with asyncio.timeout(15):
            return await story()

    return asyncio.run(bounded())


def make_world(refuse: bool = False) -> World:
    """Two locations, nothing wrong."""
    world = World(refuse_when_cut=refuse)
    world.recover(WEST)
    world.recover(NORTH)
    return world


async def serve_text(text: str, tls: ssl.SSLContext | None = None) -> Server:
    """A server that answers everything with one text, late on /slow."""

    async def any_request(request: web.Request) -> web.Response:
        if request.path == "/slow":
            await asyncio.sleep(5)
        return web.Response(text=f"{text} {request.method} {request.path_qs}")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", any_request)
    return await open_server(app, tls)


async def get(url: str, proxy: Egress | None = None, seconds: float = 1, **more: object) -> str:
    """The body, or `status N`, or the kind of failure."""
    limit = ClientTimeout(total=seconds)
    try:
        async with ClientSession(timeout=limit) as session:
            tls = more.get("ssl")
            via = proxy.url if proxy else None
            context = tls if isinstance(tls, ssl.SSLContext) else True
            async with session.get(url, proxy=via, ssl=context) as reply:
                return await reply.text() if reply.status == 200 else f"status {reply.status}"
    except TimeoutError:
        return "timeout"
    except ServerDisconnectedError:
        return "disconnected"
    except (ClientError, OSError) as wrong:
        return type(wrong).__name__


async def west_through(world: World, source: str = NORTH) -> tuple[Egress, Server]:
    """A plain server that the world knows as HOST in westeurope, and an egress to it."""
    server = await serve_text("west")
    world.hosts[HOST] = Address(server.port, WEST, "data")
    return await start_egress(world, source, Resolver(world).find), server


def told(world: World, before: Callable[[World], object], url: str = f"http://{HOST}/x?y=1") -> str:
    """What one call through northeurope's egress gets after something happened to the world."""

    async def story() -> str:
        egress, server = await west_through(world)
        before(world)
        try:
            return await get(url, egress, seconds=0.5)
        finally:
            await egress.stop()
            await server.stop()

    return run(story)


def test_an_unknown_name_is_a_bad_gateway() -> None:
    assert told(make_world(), lambda w: None, "http://nowhere.example.net/") == "status 502"


def test_an_unknown_loopback_port_is_a_bad_gateway() -> None:
    assert told(make_world(), lambda w: None, "http://localhost:9/") == "status 502"


def test_a_lost_location_never_answers() -> None:
    assert told(make_world(), lambda w: w.lose(WEST)) == "timeout"


def test_a_lost_location_refuses_where_the_world_says_so() -> None:
    assert told(make_world(refuse=True), lambda w: w.lose(WEST)) == "disconnected"


def test_a_partition_never_answers() -> None:
    assert told(make_world(), lambda w: w.cut(WEST, NORTH)) == "timeout"


def test_a_location_without_functions_cannot_call_anyone() -> None:
    assert told(make_world(), lambda w: w.lose(NORTH, {"functions"})) == "timeout"


def test_an_outage_of_another_scope_lets_calls_pass() -> None:
    assert told(make_world(), lambda w: w.lose(WEST, {"arm"})) == "west GET /x?y=1"


def test_an_absolute_uri_reaches_the_host_of_its_name() -> None:
    assert told(make_world(), lambda w: None) == "west GET /x?y=1"


def test_the_identity_endpoint_needs_no_network() -> None:
    async def story() -> str:
        world = make_world()
        egress, server = await west_through(world)
        world.hosts[f"localhost:{server.port}"] = Address(server.port, "", "local")
        world.cut(NORTH, "internet")
        try:
            return await get(f"http://127.0.0.1:{server.port}/msi", egress)
        finally:
            await egress.stop()
            await server.stop()

    assert run(story) == "west GET /msi"


def test_a_tunnel_carries_tls_that_is_verified(tmp_path: Path) -> None:
    async def story() -> str:
        authority, world = Authority(tmp_path), make_world()
        server = await serve_text("tls", authority.leaf("leaf").server())
        world.hosts[HOST] = Address(server.port, WEST, "data")
        egress = await start_egress(world, NORTH, Resolver(world).find)
        try:
            return await get(f"https://{HOST}/", egress, ssl=authority.client())
        finally:
            await egress.stop()
            await server.stop()

    assert run(story) == "tls GET /"


def test_a_live_call_is_cut_with_its_location() -> None:
    async def story() -> bytes:
        world = make_world()
        egress, server = await west_through(world)
        reader, writer = await asyncio.open_connection("127.0.0.1", egress.port)
        writer.write(f"GET http://{HOST}/slow HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        await asyncio.sleep(0.2)
        world.lose(WEST)
        try:
            async with asyncio.timeout(4):
                return await reader.read()
        except ConnectionResetError:
            return b"reset"
        finally:
            writer.transport.abort()
            await egress.stop()
            await server.stop()

    assert run(story) in (b"", b"reset")


def test_a_front_says_503_while_nothing_is_behind_it() -> None:
    async def story() -> str:
        front = await start_front(make_world(), WEST, "functions")
        try:
            return await get(front.url)
        finally:
            await front.stop()

    assert run(story) == "status 503"


def test_a_front_says_503_when_its_host_dies_in_the_middle_of_a_request() -> None:
    async def story() -> str:
        async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            writer.close()

        dying = await asyncio.start_server(die, "127.0.0.1", 0)
        front = await start_front(make_world(), WEST, "functions")
        front.point(dying.sockets[0].getsockname()[1])
        try:
            return await get(front.url)
        finally:
            await front.stop()
            dying.close()
            await dying.wait_closed()

    assert run(story) == "status 503"


def test_a_front_of_a_lost_location_never_answers() -> None:
    async def story() -> str:
        world, server = make_world(), await serve_text("host")
        front = await start_front(world, WEST, "functions")
        front.point(server.port)
        world.lose(WEST, {"functions"})
        try:
            return await get(front.url, seconds=0.5)
        finally:
            await front.stop()
            await server.stop()

    assert run(story) == "timeout"


def test_a_front_follows_its_host_to_another_port() -> None:
    async def story() -> list[str]:
        world, first, second = make_world(), await serve_text("one"), await serve_text("two")
        front = await start_front(world, WEST, "functions")
        said = []
        for server in (first, second):
            front.point(server.port)
            said.append(await get(front.url))
        for thing in (front, first, second):
            await thing.stop()
        return said

    assert run(story) == ["one GET /", "two GET /"]


def test_a_front_opens_a_tls_server_to_plain_callers(tmp_path: Path) -> None:
    async def story() -> str:
        authority = Authority(tmp_path)
        server = await serve_text("blob", authority.leaf("leaf").server())
        front = await start_front(make_world(), WEST, "storage")
        front.point(server.port, authority.client())
        try:
            return await get(f"{front.url}/stcontosowe?comp=list")
        finally:
            await front.stop()
            await server.stop()

    assert run(story) == "blob GET /stcontosowe?comp=list"


def test_a_forwarder_is_cut_by_a_partition_at_once() -> None:
    async def story() -> tuple[bytes, bytes]:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(100):
                writer.write(data)
            writer.close()

        world, server = make_world(), await asyncio.start_server(echo, "127.0.0.1", 0)
        target = Address(server.sockets[0].getsockname()[1], WEST, "servicebus")
        forwarder = await start_forwarder(world, NORTH, target)
        reader, writer = await asyncio.open_connection("127.0.0.1", forwarder.port)
        writer.write(b"amqp")
        heard = await reader.readexactly(4)
        world.cut(NORTH, WEST)
        try:
            after = await reader.read(1)
        except ConnectionResetError:
            after = b""
        writer.transport.abort()
        await forwarder.stop()
        server.close()
        await server.wait_closed()
        return heard, after

    assert run(story) == (b"amqp", b"")


def test_an_egress_carries_many_calls_at_once() -> None:
    async def story() -> int:
        world = make_world()
        egress, server = await west_through(world)
        said = await asyncio.gather(*(get(f"http://{HOST}/{n}", egress, 8) for n in range(200)))
        await egress.stop()
        await server.stop()
        return sum(text.startswith("west GET") for text in said)

    assert run(story) == 200
