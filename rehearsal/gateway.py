"""API Management's data plane: one TLS port per service, serving what ARM made of it.

`{name}.azure-api.net` resolves to it; Traffic Manager's name reaches it too. While a restore
runs it serves the old configuration, because the world still has it.
Not emulated: products' approval, rate limits, caches, OAuth, versions and revisions, GraphQL.
"""

import ssl
from dataclasses import dataclass, field

from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from rehearsal.gateway_config import SERVICE, Api, Config, Operation, load
from rehearsal.gateway_policy import Broken, Exchange, NotEmulated, Rules
from rehearsal.identity import mint
from rehearsal.network_calls import Caller, Server, Unreachable, open_server, plane
from rehearsal.world import Address, Resource, World

STATUS_PATH = "/status-0123456789abcdef"
KEY_HEADER, KEY_QUERY = "Ocp-Apim-Subscription-Key", "subscription-key"
BACKEND_SECONDS_MAX = 20.0
RELOAD_SECONDS = 0.25
BODY_BYTES_MAX = 4_000_000
# Headers that belong to one connection, not to the message.
HOP = ("Host", "Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Upgrade")
NO_KEY = (
    "Access denied due to missing subscription key. Make sure to include subscription key when "
    "making requests to an API."
)
BAD_KEY = (
    "Access denied due to invalid subscription key. Make sure to provide a valid key for an "
    "active subscription."
)


def _no(status: int, message: str) -> web.Response:
    return web.json_response({"statusCode": status, "message": message}, status=status)


class Gateway:
    """The data plane of one service."""

    def __init__(self, world: World, service: Resource, caller: Caller) -> None:
        self.world, self.service, self.caller = world, service, caller
        self.host = f"{service.name}.azure-api.net".lower()
        self.server: Server | None = None
        self._config = Config()
        self._loaded_at: float | None = None

    @property
    def port(self) -> int:
        """Its TLS port."""
        return self.server.port if self.server else 0

    def config(self) -> Config:
        """The configuration, at most RELOAD_SECONDS old; kept when the service is gone."""
        now = self.world.now.timestamp()
        if self._loaded_at is None or abs(now - self._loaded_at) >= RELOAD_SECONDS:
            self._config, self._loaded_at = load(self.world, self.service), now
        return self._config

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One call from outside."""
        if request.path == STATUS_PATH:
            return web.Response(text="Service Operational")
        if self.world.resources.get(self.service.id) is None:
            return _no(404, "Resource not found")
        config = self.config()
        found = config.find(request.path)
        matched = _operation(found[0], request.method, found[1]) if found else None
        if found is None or matched is None:
            return _no(404, "Resource not found")
        key = request.headers.get(KEY_HEADER) or request.query.get(KEY_QUERY, "")
        if found[0].needs_key and not config.admits(key, found[0]):
            return _no(401, BAD_KEY if key else NO_KEY)
        operation, parameters = matched
        product = config.product_policies.get(config.product_of(key) or "")
        chain = [operation.policy, found[0].policy, product, config.policy]
        return await self._through(request, found[0], found[1], parameters, chain)

    async def _through(
        self,
        request: web.Request,
        api: Api,
        rest: str,
        parameters: dict[str, str],
        chain: list[str | None],
    ) -> web.StreamResponse:
        headers = CIMultiDict((k, v) for k, v in request.headers.items() if k.title() not in HOP)
        headers.popall(KEY_HEADER, None)
        query = [(k, v) for k, v in request.query.items() if k != KEY_QUERY]
        exchange = Exchange(rest, query, headers, parameters, api.service_url or "")
        config = self._config
        rules = Rules(config.named_values, config.backends, config.fragments, self._token)
        try:
            for section in ("inbound", "backend"):
                self._run(rules, chain, section, exchange)
            if not exchange.done:
                await self._forward(request, exchange)
                self._run(rules, chain, "outbound", exchange)
        except NotEmulated as unknown:
            return _no(501, f"NotEmulated: the rehearsal does not emulate {unknown}.")
        except Broken as wrong:
            return _no(500, f"Internal server error: {wrong}.")
        except Unreachable as silent:
            return _no(502, f"BackendConnectionFailure: {silent}")
        return web.Response(
            status=exchange.status, headers=exchange.reply_headers, body=exchange.reply_body
        )

    def _run(self, rules: Rules, chain: list[str | None], section: str, exchange: Exchange) -> None:
        for element in rules.steps(chain, section):
            rules.apply(element, exchange, section == "outbound")
            if exchange.done:
                return

    def _token(self, audience: str) -> str:
        oid = (self.service.body.get("identity") or {}).get("principalId")
        if not oid:
            raise Broken("the service has no managed identity")
        return mint(self.world, oid, audience, self.world.now)

    async def _forward(self, request: web.Request, exchange: Exchange) -> None:
        if not exchange.backend:
            raise Broken("no backend is set for this operation")
        body = exchange.body if exchange.body is not None else await request.read()
        reply = await self.caller.call(
            request.method, _url(exchange), BACKEND_SECONDS_MAX, exchange.headers, body or None
        )
        exchange.status, exchange.reply_body = reply.status, reply.body
        for name, value in reply.headers.items():
            if name.title() not in HOP and name.title() != "Date":
                exchange.reply_headers.add(name, value)


def _operation(api: Api, method: str, rest: str) -> tuple[Operation, dict[str, str]] | None:
    for operation in api.operations:
        fits = operation.pattern.match(rest) if operation.method in (method, "*") else None
        if fits:
            return operation, fits.groupdict()
    return None


def _url(exchange: Exchange) -> str:
    path, _, query = (exchange.rewritten or exchange.path).partition("?")
    url = URL(exchange.backend.rstrip("/") + "/" + path.lstrip("/"), encoded=True)
    if query:
        url = URL(f"{url}?{query}", encoded=True)
    if exchange.query and exchange.keep_query:
        url = url.extend_query(exchange.query)
    return str(url)


@dataclass
class Gateways:
    """The data planes of every service."""

    world: World
    tls: ssl.SSLContext
    client_tls: ssl.SSLContext
    all: dict[str, Gateway] = field(default_factory=dict)  # by host name

    async def open(self, service: Resource) -> Gateway:
        """Serve one service, also one that ARM made later."""
        caller = Caller(self.world, service.location, self.client_tls)
        gateway = Gateway(self.world, service, caller)
        guard = plane(self.world, service.location, "data", gateway.host)
        app = web.Application(middlewares=[guard], client_max_size=BODY_BYTES_MAX)
        app.router.add_route("*", "/{path:.*}", gateway.serve)
        gateway.server = await open_server(app, self.tls)
        self.world.hosts[gateway.host] = Address(gateway.port, service.location, "data")
        self.all[gateway.host] = gateway
        return gateway

    async def stop(self) -> None:
        """Close every gateway."""
        for gateway in self.all.values():
            if gateway.server is not None:
                await gateway.server.stop()
            await gateway.caller.close()


async def start(world: World, tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> Gateways:
    """Open the data plane of every API Management service of the world.

    `tls` is a server's context with the names of the gateways; `client_tls` is for backends.
    """
    gateways = Gateways(world, tls, client_tls)
    for service in world.resources.of_type(SERVICE):
        await gateways.open(service)
    return gateways
