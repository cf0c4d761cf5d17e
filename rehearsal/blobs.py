"""The storage data plane for API Management's own backups: blobs over HTTPS with a token.

Speaks to the Azurite that the world knows as `{account}.blob.core.windows.net`, as the identity
of the service, and only when the network lets its location get there.
"""

import ssl
from email.utils import format_datetime

import aiohttp

from rehearsal.identity import mint
from rehearsal.runtimes import BlobRefused
from rehearsal.world import World

AUDIENCE = "https://storage.azure.com"
VERSION = "2021-12-02"
TIMEOUT = aiohttp.ClientTimeout(total=30)


class HttpBlobs:
    """`world.blobs` of a stage: every call is one request with a fresh token."""

    def __init__(self, world: World, context: ssl.SSLContext) -> None:
        self._world, self._context = world, context

    async def put(
        self, principal: str, account: str, container: str, name: str, data: bytes
    ) -> None:
        """Write one block blob, replacing what has that name."""
        await self._ask("PUT", principal, account, f"{container}/{name}", data)

    async def get(self, principal: str, account: str, container: str, name: str) -> bytes:
        """Read one blob."""
        return await self._ask("GET", principal, account, f"{container}/{name}", b"")

    async def _ask(
        self, method: str, principal: str, account: str, path: str, data: bytes
    ) -> bytes:
        world, host = self._world, f"{account}.blob.core.windows.net"
        address = world.hosts.get(host)
        if address is None:
            raise BlobRefused(404, "ResourceNotFound")
        source = world.principals.get(principal, ("", ""))[1]
        if not world.reaches(source, address.location, address.scope):
            raise BlobRefused(503, "ServerUnavailable")
        headers = {
            "Host": host,
            "Authorization": f"Bearer {mint(world, principal, AUDIENCE, world.now)}",
            "x-ms-version": VERSION,
            "x-ms-date": format_datetime(world.now, usegmt=True),
        }
        if method == "PUT":
            headers["x-ms-blob-type"] = "BlockBlob"
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT) as session,
                session.request(
                    method,
                    f"https://127.0.0.1:{address.port}/{path}",
                    data=data if method == "PUT" else None,
                    headers=headers,
                    ssl=self._context,
                ) as reply,
            ):
                content = await reply.read()
                if reply.status >= 400:
                    code = reply.headers.get("x-ms-error-code", reply.reason or "Unknown")
                    raise BlobRefused(reply.status, code)
                return content
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BlobRefused(503, "ServerUnavailable") from error
