"""Batch's data plane: `https://{account}.{location}.batch.azure.com/jobschedules`.

After its REST API 2024-07-01.20.0: a schedule is got, enabled and disabled, with a token for
https://batch.core.windows.net/ and no other.
Not emulated: schedules that start jobs, jobs, tasks, nodes, keys, everything else.
"""

import ssl

from aiohttp import web

from rehearsal.identity import claims_of
from rehearsal.network_calls import Server, open_server, plane
from rehearsal.providers.batch import SCHEDULES, TYPE, endpoint
from rehearsal.world import Address, Resource, World

AUDIENCE = "https://batch.core.windows.net"
VERSION = "2024-07-01.20.0"
STATES = {"enable": "active", "disable": "disabled"}


def no(status: int, code: str) -> web.Response:
    """An error in the data plane's own shape."""
    message = {"lang": "en-US", "value": f"{code}."}
    return web.json_response({"code": code, "message": message}, status=status)


class Schedules:
    """The job schedules of one account."""

    def __init__(self, world: World, account: str) -> None:
        self.world, self.account = world, account

    def found(self) -> Resource | None:
        return self.world.resources.get(self.account)

    async def handle(self, request: web.Request) -> web.Response:
        """GET of a schedule, POST of enable and disable."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        account = self.found()
        rows = account.body.get(SCHEDULES, {}) if account else {}
        row = rows.get(request.match_info["schedule"])
        if account is None or row is None:
            return no(404, "JobScheduleNotFound")
        verb = request.match_info.get("verb")
        if verb is None:
            return web.json_response({"id": request.match_info["schedule"], **row})
        if verb not in STATES:
            return no(404, "ResourceNotFound")
        if row["state"] in ("completed", "terminating", "deleting"):
            return no(409, "JobScheduleCompleted")
        row["state"] = STATES[verb]
        self.world.resources.touch(account)
        return web.Response(status=204)

    def _refusal(self, request: web.Request) -> web.Response | None:
        header = request.headers.get("Authorization", "")
        claims = claims_of(header.removeprefix("Bearer ")) or {}
        if claims.get("oid") not in self.world.principals:
            return no(401, "InvalidAuthenticationInfo")
        if str(claims.get("aud", "")).rstrip("/") != AUDIENCE:
            return no(401, "InvalidAuthenticationInfo")
        if request.query.get("api-version") != VERSION:
            return no(400, "InvalidQueryParameterValue")
        return None


class Accounts:
    """The data planes of every account, running."""

    def __init__(self) -> None:
        self.servers: list[Server] = []

    async def stop(self) -> None:
        """Close them."""
        for server in self.servers:
            await server.stop()


async def start(world: World, tls: ssl.SSLContext) -> Accounts:
    """Open the data plane of each account that is there now."""
    running = Accounts()
    for account in world.resources.of_type(TYPE):
        name = endpoint(account)
        schedules = Schedules(world, account.id)
        app = web.Application(middlewares=[plane(world, account.location, "data", name)])
        app.router.add_route("*", "/jobschedules/{schedule}", schedules.handle)
        app.router.add_route("POST", "/jobschedules/{schedule}/{verb}", schedules.handle)
        server = await open_server(app, tls)
        running.servers.append(server)
        world.hosts[name] = Address(server.port, account.location, "data")
    return running
