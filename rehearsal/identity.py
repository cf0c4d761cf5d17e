"""Managed identity: the App Service endpoint, and tokens that say which location's app it is.

Plain HTTP on loopback, `GET ?api-version=2019-08-01&resource=...[&client_id=...]` with header
X-IDENTITY-HEADER (learn.microsoft.com, overview-managed-identity, REST endpoint). Tokens are
unsigned but shaped as Entra's: three parts with tid, oid, aud, iss, exp.
Not emulated: signatures, refresh before expiry, mi_res_id and object_id lookups of others.
"""

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web

from rehearsal.world import World

TOKEN_LIFE = timedelta(hours=1)


def _part(value: dict) -> str:
    raw = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def mint(world: World, oid: str, audience: str, now: datetime, life: timedelta = TOKEN_LIFE) -> str:
    """A token for `audience` that names the principal `oid` of this world."""
    issued = int(now.timestamp())
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{world.tenant_id}/",
        "iat": issued,
        "nbf": issued - 5,
        "exp": issued + int(life.total_seconds()),
        "appid": oid,
        "idtyp": "app",
        "oid": oid,
        "sub": oid,
        "tid": world.tenant_id,
        "ver": "1.0",
        "xms_mirid": world.principals.get(oid, ("", ""))[0],
    }
    return f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}.{secrets.token_urlsafe(32)}"


def claims_of(token: str) -> dict | None:
    """The payload of a token, or None when it is not shaped as one."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


@dataclass
class Identity:
    """The endpoint; one header secret per admitted app."""

    world: World
    runner: web.AppRunner
    port: int = 0
    headers: dict[str, str] = field(default_factory=dict)  # header secret -> system-assigned oid
    clients: dict[str, str] = field(default_factory=dict)  # client_id -> user-assigned oid

    @property
    def endpoint(self) -> str:
        """IDENTITY_ENDPOINT."""
        return f"http://127.0.0.1:{self.port}/msi/token"

    def admit(self, name: str, location: str, client_id: str = "") -> str:
        """Make an app known: its principal, and the IDENTITY_HEADER secret that it gets.

        With `client_id` the app also has a user-assigned identity of that client id.
        """
        oid, header = self.world.principal(name, location), secrets.token_hex(16)
        self.headers[header] = oid
        if client_id:
            assigned = self.world.uuid()
            self.world.principals[assigned] = (f"{name}-identity", location)
            self.clients[client_id] = assigned
        return header

    async def token(self, request: web.Request) -> web.Response:
        """One token, or the refusal that App Service gives."""
        oid = self.headers.get(request.headers.get("X-IDENTITY-HEADER", ""))
        resource = request.query.get("resource", "")
        if oid is None:
            return _no(401, "UnauthorizedAccess", "The X-IDENTITY-HEADER is not known.")
        if request.query.get("api-version") != "2019-08-01" or not resource:
            return _no(400, "BadRequest", "api-version 2019-08-01 and resource are required.")
        client = request.query.get("client_id", "")
        if client:
            oid = self.clients.get(client)
        if oid is None:
            return _no(400, "BadRequest", f"No user-assigned identity {client} found.")
        if not self.world.up(self.world.principals[oid][1], "functions"):
            return _no(500, "ServiceUnavailable", "The identity service is not available.")
        now = self.world.now.astimezone(UTC)
        return web.json_response(
            {
                "access_token": mint(self.world, oid, resource, now),
                "client_id": client or oid,
                "expires_on": str(int((now + TOKEN_LIFE).timestamp())),
                "not_before": str(int(now.timestamp()) - 5),
                "resource": resource,
                "token_type": "Bearer",
            }
        )

    async def stop(self) -> None:
        """Close the endpoint."""
        await self.runner.cleanup()


def _no(status: int, code: str, message: str) -> web.Response:
    body = {"statusCode": status, "message": f"{code}: {message}"}
    return web.json_response(body, status=status)


async def start(world: World, port: int = 0) -> Identity:
    """Open the endpoint on loopback (port 0: the system picks one)."""
    app = web.Application()
    identity = Identity(world, web.AppRunner(app, access_log=None))
    app.router.add_get("/msi/token", identity.token)
    await identity.runner.setup()
    site = web.TCPSite(identity.runner, "127.0.0.1", port)
    await site.start()
    identity.port = identity.runner.addresses[0][1]
    return identity
