"""The embedded Azure Resource Manager: one door, and everything that goes through it on record.

`start(world, port, ssl_context)` serves it. Around the providers' work stand, in this order:
faults, lost regions, latency, the token, throttling, the api-version.
Not emulated: what no provider has registered; it answers 501 `NotEmulated` and names itself.
"""

import asyncio
import json
import logging
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from rehearsal.arm_crud import Crud, check_parents
from rehearsal.arm_guards import authenticate, check_version, find_provider, held
from rehearsal.arm_operations import Operations
from rehearsal.arm_provider import (
    ASYNC_OPERATION,
    LOCATION,
    Call,
    Principal,
    Provider,
    Refused,
    Reply,
    Resource,
    Running,
    World,
    running,
)
from rehearsal.arm_roles import check_role
from rehearsal.arm_routes import Route, parse, regions
from rehearsal.arm_throttle import Throttle
from rehearsal.providers import metadata, registered, resources

__all__ = [
    "ASYNC_OPERATION",
    "LOCATION",
    "Arm",
    "Call",
    "Provider",
    "Refused",
    "Reply",
    "Resource",
    "Running",
    "running",
    "serve",
    "start",
]

BODY_MAX_BYTES = 16 * 1024 * 1024
HTML = "<html><head><title>Bad Gateway</title></head><body><h1>502</h1></body></html>"
ASKED_BY = {
    "operationresults": LOCATION,
    "operationstatuses": ASYNC_OPERATION,
}


@dataclass(frozen=True)
class Asked:
    """A request as it arrived: what for, from whom, and which regions it needs."""

    route: Route
    body: dict
    refusal: Refused | None
    who: Principal
    places: set[str]
    place: str
    row: dict


@dataclass
class Arm:
    """The server, its operations and its throttle."""

    world: World
    runner: web.AppRunner
    providers: dict[str, Provider]
    port: int = 0
    throttle: Throttle = field(default_factory=Throttle)

    def __post_init__(self) -> None:
        self.operations = Operations(self.world)
        self.crud = Crud(self.operations)
        self.namespaces: dict[str, list[Provider]] = {}
        for provider in self.providers.values():
            self.namespaces.setdefault(provider.type.partition("/")[0], []).append(provider)

    @property
    def url(self) -> str:
        """What clients call the endpoint."""
        return f"https://localhost:{self.port}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One exchange, journalled whatever becomes of it."""
        asked = self._read(request, await request.read())
        effect = self.world.faults.take(
            request.method, request.path, asked.place, asked.who.location or None
        )
        effect = effect or {}
        reply = await self._afflicted(effect)
        if reply is None and not effect.get("drop"):
            reply = await self._answer(request, asked)
        if reply is None or effect.get("loseAnswer"):
            reply = Reply(0)
        self._stamp(request, reply)
        told = {"response_headers": dict(reply.headers), "response_body": reply.body}
        self.world.journal.append({**asked.row, "status": reply.status, **told})
        if reply.status == 0:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        return _response(reply)

    def _read(self, request: web.Request, raw: bytes) -> Asked:
        """What is asked, by whom, of which regions."""
        route, (body, problem) = parse(request.path), _json(raw)
        who, refusal = authenticate(self.world, request.headers.get("Authorization", ""))
        places = regions(self.world, route, body)
        found = self.world.resources.get(route.id) if route.id else None
        place = (found.location if found else "") or min(places, default="")
        row = {
            "at": self.world.now.isoformat(),
            "location": place,
            "principal": who.name,
            "method": request.method,
            "url": f"https://{request.host}{request.raw_path}",
            "request_headers": dict(request.headers),
            "request_body": (raw.decode(errors="replace") if problem else body) if raw else None,
        }
        return Asked(route, body, refusal or problem, who, places, place, row)

    def _stamp(self, request: web.Request, reply: Reply) -> None:
        """The ids by which Azure's support would find this exchange; none on a lost answer."""
        if reply.status:
            own = self.world.uuid()
            theirs = request.headers.get("x-ms-correlation-request-id", own)
            reply.headers |= {"x-ms-request-id": own, "x-ms-correlation-request-id": theirs}

    async def _afflicted(self, effect: dict) -> Reply | None:
        """What a fault answers in the provider's stead; None: go on."""
        if effect.get("drop"):
            await asyncio.sleep(float(effect.get("delaySeconds", self.world.hold_seconds)))
            return None
        if effect.get("delaySeconds"):
            await asyncio.sleep(float(effect["delaySeconds"]))
        if not effect.get("status") and "body" not in effect:
            return None
        status, headers = int(effect.get("status", 200)), dict(effect.get("headers", {}))
        if "body" in effect:
            text = HTML if effect["body"] == "HTML" else effect["body"]
            return Reply(status, text, {"Content-Type": "text/html", **headers})
        refusal = Refused(status, "FaultInjected", f"The rehearsal answers {status} here.")
        return Reply(status, refusal.body if status >= 400 else None, headers)

    async def _answer(self, request: web.Request, asked: Asked) -> Reply:
        """Everything that Azure would ask before the provider, and then the provider."""
        world, who, route = self.world, asked.who, asked.route
        spent: dict[str, str] = {}
        await asyncio.sleep(world.latency_seconds)
        try:
            if route.path == "/metadata/endpoints":
                return metadata.endpoints(world, f"https://{request.host}")
            if asked.refusal is not None:
                raise asked.refusal
            wait, spent = self.throttle.take(
                request.method, who.oid, route.subscription, who.location, world.now
            )
            if wait:
                message = "The request is being throttled: too many requests."
                raise Refused(429, "TooManyRequests", message, {"Retry-After": str(wait)})
            await held(world, asked.places)
            check_role(world, who, request.method, route)
            query = {key.lower(): value for key, value in request.query.items()}
            headers = {key.lower(): value for key, value in request.headers.items()}
            base = f"https://{request.host}"
            call = Call(world, request.method, route, query, headers, asked.body, base, who)
            call.namespaces, call.ask = self.namespaces, partial(self._ask, call)
            reply = await self._provide(call)
        except Refused as refused:
            reply = Reply(refused.status, refused.body, dict(refused.headers))
        except Exception:
            # A provider's own mistake must be on record as an exchange too, and loud in the log.
            logging.exception("ARM failed at %s %s", request.method, route.path)
            failure = Refused(
                500, "InternalServerError", "The rehearsal's ARM failed; see its log."
            )
            reply = Reply(failure.status, failure.body)
        reply.headers |= spent
        return reply

    async def _provide(self, call: Call) -> Reply:
        asked = ASKED_BY.get(call.route.type.rsplit("/", 1)[-1].lower())
        if asked and call.method == "GET":
            return self.operations.ask(call, asked)
        if call.method == "GET" and call.route.tail.lower().startswith("providers/"):
            return Reply(200, resources.one_provider(call, call.route.tail.partition("/")[2]))
        call.resource = self.world.resources.get(call.route.id) if call.route.id else None
        provider, kind = find_provider(self.providers, call)
        check_version(call, provider)
        check_parents(call)
        return await self.crud.answer(call, provider, kind)

    async def _ask(self, outer: Call, method: str, id: str, version: str, body: dict) -> Reply:
        """One request of a deployment, in its caller's name, to the very end."""
        route, query = parse(id), {"api-version": version}
        await held(self.world, regions(self.world, route, body))
        call = Call(self.world, method, route, query, {}, body, outer.base_url, outer.principal)
        call.namespaces = self.namespaces
        return await self.operations.settled(await self._provide(call))

    async def stop(self) -> None:
        """Stop serving; operations under way are ended."""
        await self.operations.stop()
        for connection in self.runner.server.connections if self.runner.server else []:
            # A TLS goodbye waits for a peer that may be gone.
            if connection.transport is not None:
                connection.transport.abort()
        await self.runner.cleanup()
        self.world.journal.close()


def _json(raw: bytes) -> tuple[dict, Refused | None]:
    """The body as an object; an empty one is {}."""
    if not raw.strip():
        return {}, None
    problem = Refused(400, "InvalidRequestContent", "The request content was invalid JSON.")
    # ARM's reader is lenient, and the az CLI relies on it: this one key it sends without quotes.
    raw = raw.replace(b", template:{", b', "template":{', 1)
    try:
        body = json.loads(raw)
    except ValueError:
        return {}, problem
    return (body, None) if isinstance(body, dict) else ({}, problem)


def _response(reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.body is None:
        return web.Response(status=reply.status, headers=headers)
    kind = headers.pop("Content-Type", "application/json")
    text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body, default=str)
    return web.Response(
        status=reply.status, text=text, headers=headers, content_type=kind, charset="utf-8"
    )


async def start(
    world: World,
    ssl_context: ssl.SSLContext,
    port: int = 0,
    providers: Iterable[Provider] | None = None,
) -> Arm:
    """Serve ARM on loopback (port 0: the system picks one) with every provider there is."""
    app = web.Application(client_max_size=BODY_MAX_BYTES)
    known = {provider.type.lower(): provider for provider in (providers or registered())}
    arm = Arm(world, web.AppRunner(app, access_log=None), known)
    app.router.add_route("*", "/{path:.*}", arm.handle)
    await arm.runner.setup()
    site = web.TCPSite(arm.runner, "127.0.0.1", port, ssl_context=ssl_context)
    await site.start()
    arm.port = arm.runner.addresses[0][1]
    return arm


async def serve(world: World, port: int, ssl_context: ssl.SSLContext) -> Arm:
    """`start` with the arguments in the order that the stage uses."""
    return await start(world, ssl_context, port)
