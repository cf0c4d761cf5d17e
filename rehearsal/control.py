"""The control API: break the world, mend it, and look at it. Loopback HTTP, JSON.

The routes are the Contract's; beside them `POST /alerts` is the webhook that the plan's alerts
go to, and `GET /alerts` shows what came.
"""

import json
import re
from collections import deque
from typing import Annotated, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rehearsal.world import ALL, SCOPES, World

ALERTS_MAX = 1_000


class Broken(Exception):
    """A request that cannot be carried out: an HTTP status and one sentence."""

    def __init__(self, status: int, because: str) -> None:
        super().__init__(because)
        self.status, self.because = status, because


class Staged(Protocol):
    """What the control API needs of a stage."""

    world: World
    alerts: deque[dict]

    async def lose(self, location: str, scopes: frozenset[str]) -> None:
        """Take scopes of a location down."""

    async def recover(self, location: str) -> None:
        """Bring a location back."""

    async def kill_host(self, location: str) -> None:
        """SIGKILL the Functions host of a location."""

    async def start_host(self, location: str) -> None:
        """Start it again."""

    def clients(self) -> dict:
        """What the client that follows Traffic Manager sees."""
        ...


class Match(BaseModel):
    """Which requests a fault meets; what is left out matches all."""

    model_config = ConfigDict(extra="forbid", strict=True)

    method: str | None = None
    path: str | None = None
    location: str | None = None
    source: Annotated[str | None, Field(alias="from")] = None


class Effect(BaseModel):
    """What it does to them; `body` and `loseAnswer` go beyond the Contract."""

    model_config = ConfigDict(extra="forbid", strict=True)

    status: Annotated[int, Field(ge=100, le=599)] | None = None
    headers: dict[str, str] | None = None
    delay_seconds: Annotated[
        float | None, Field(alias="delaySeconds", ge=0, le=3600, strict=False)
    ] = None
    drop: bool | None = None
    body: str | None = None
    lose_answer: Annotated[bool | None, Field(alias="loseAnswer")] = None


class Fault(BaseModel):
    """A fault, as the Contract has it: a misspelt key must not make one that meets everything."""

    model_config = ConfigDict(extra="forbid", strict=True)

    match: Match = Match()
    effect: Effect
    times: Annotated[int, Field(ge=1)] | None = None


class Control:
    """The handlers, over one stage."""

    def __init__(self, stage: Staged) -> None:
        self.stage = stage

    async def outage(self, request: web.Request) -> web.Response:
        """Lose scopes of a location, by default all."""
        name, body = self._place(request), await _body(request)
        scopes = body.get("scope", sorted(ALL))
        known = isinstance(scopes, list) and all(isinstance(s, str) for s in scopes)
        if not known or not scopes or not set(scopes) <= ALL:
            raise Broken(400, f"scope is a list out of {', '.join(SCOPES)}")
        await self.stage.lose(name, frozenset(scopes))
        return _say(location=name, outages=sorted(self.stage.world.locations[name].outages))

    async def recover(self, request: web.Request) -> web.Response:
        """Everything in a location works again."""
        name = self._place(request)
        await self.stage.recover(name)
        return _say(location=name, outages=[])

    async def add_fault(self, request: web.Request) -> web.Response:
        """Add a fault; a malformed one is refused."""
        try:
            asked = Fault.model_validate(await _body(request))
        except ValidationError as wrong:
            rows = wrong.errors(include_url=False, include_context=False, include_input=False)
            told = [f"{'.'.join(map(str, row['loc']))}: {row['msg']}" for row in rows]
            raise Broken(400, "; ".join(told)) from wrong
        try:
            fault = asked.model_dump(by_alias=True, exclude_none=True)
            if not fault["effect"]:
                raise Broken(400, "effect: says nothing")
            self.stage.world.faults.add(fault)
        except (re.error, TypeError) as wrong:
            raise Broken(400, f"match.path is not a regular expression: {wrong}") from wrong
        return _say(faults=len(self.stage.world.faults.rows))

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Forget every fault."""
        self.stage.world.faults.clear()
        return _say(faults=0)

    async def process(self, request: web.Request) -> web.Response:
        """Kill or start the Functions host of a location."""
        name, verb = self._place(request), request.match_info["verb"]
        await (self.stage.kill_host if verb == "kill" else self.stage.start_host)(name)
        return _say(location=name, process="functions", did=verb)

    async def cut(self, request: web.Request) -> web.Response:
        """Two places no longer see each other."""
        ends, world = (await _body(request)).get("between"), self.stage.world
        places = {*world.locations, "witness", "internet"}
        if not isinstance(ends, list) or len(ends) != 2 or ends[0] == ends[1]:
            raise Broken(400, "between is a list of two places")
        if not set(ends) <= places:
            raise Broken(400, f"places are {', '.join(sorted(places))}")
        world.cut(*ends)
        return _say(partitions=[sorted(pair) for pair in world.partitions])

    async def heal(self, request: web.Request) -> web.Response:
        """Every place sees every other again."""
        self.stage.world.heal()
        return _say(partitions=[])

    async def show_world(self, request: web.Request) -> web.Response:
        """Every emulated resource, and what is wrong with the world."""
        world = self.stage.world
        return _say(
            now=world.now.isoformat(),
            locations={name: sorted(place.outages) for name, place in world.locations.items()},
            partitions=[sorted(pair) for pair in world.partitions],
            faults=world.faults.rows,
            resources=[resource.shown() for resource in world.resources],
            effects=len(world.effects),
        )

    async def journal(self, request: web.Request) -> web.Response:
        """Every ARM exchange numbered above `after`."""
        after = request.query.get("after", "0")
        if not after.isdigit():
            raise Broken(400, "after is a whole number")
        return _json(self.stage.world.journal.after(int(after)))

    async def effects(self, request: web.Request) -> web.Response:
        """What workflows did to the world, oldest first."""
        return _json(list(self.stage.world.effects))

    async def clients(self, request: web.Request) -> web.Response:
        """What a client that follows Traffic Manager sees now."""
        return _json(self.stage.clients())

    async def alert(self, request: web.Request) -> web.Response:
        """Keep an alert that the app sent."""
        self.stage.alerts.append({**(await _body(request)), "at": self.stage.world.now.isoformat()})
        return web.Response(status=202)

    async def show_alerts(self, request: web.Request) -> web.Response:
        """The alerts kept, oldest first."""
        return _json(list(self.stage.alerts))

    def _place(self, request: web.Request) -> str:
        name = request.match_info["name"]
        if name not in self.stage.world.locations:
            raise Broken(404, f"no location {name}")
        return name

    def routes(self) -> list[web.RouteDef]:
        """Every route of the Contract, and the two of the alerts."""
        return [
            web.post("/locations/{name}/outage", self.outage),
            web.post("/locations/{name}/recover", self.recover),
            web.post("/faults", self.add_fault),
            web.delete("/faults", self.clear_faults),
            web.post("/processes/{name}/functions/{verb:kill|start}", self.process),
            web.post("/partition", self.cut),
            web.delete("/partition", self.heal),
            web.get("/world", self.show_world),
            web.get("/journal", self.journal),
            web.get("/effects", self.effects),
            web.get("/clients", self.clients),
            web.post("/alerts", self.alert),
            web.get("/alerts", self.show_alerts),
        ]


async def _body(request: web.Request) -> dict:
    """The JSON object of a request; no body is an empty one."""
    text = await request.text()
    try:
        found = json.loads(text) if text.strip() else {}
    except ValueError as wrong:
        raise Broken(400, f"the body is not JSON: {wrong}") from wrong
    if not isinstance(found, dict):
        raise Broken(400, "the body is not a JSON object")
    return found


def _json(value: object) -> web.Response:
    return web.json_response(value, dumps=lambda item: json.dumps(item, default=str))


def _say(**facts: object) -> web.Response:
    return _json(facts)


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Broken as broken:
        return web.json_response({"because": broken.because}, status=broken.status)


class Served:
    """The control API while it is open."""

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner
        self.port: int = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Close it."""
        await self._runner.cleanup()


async def start(stage: Staged, port: int = 0) -> Served:
    """Open the control API on loopback (port 0: the system picks one)."""
    app = web.Application(middlewares=[_refusals])
    app.add_routes(Control(stage).routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return Served(runner)
