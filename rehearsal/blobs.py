"""The storage data plane for API Management's own backups: blobs over HTTPS with a token or a key.

Speaks to the Azurite that the world knows as `{account}.blob.core.windows.net`, as the identity
of the service, and only when the network lets its location get there.
"""

import base64
import hashlib
import hmac
import ssl
from email.utils import format_datetime

import aiohttp

from rehearsal.identity import mint
from rehearsal.runtimes import BlobPlace, BlobRefused
from rehearsal.world import World

MAKING = "?restype=container"  # In the place of a blob's name.
AUDIENCE = "https://storage.azure.com"
VERSION = "2021-12-02"
TIMEOUT = aiohttp.ClientTimeout(total=30)


def shared_key(method: str, place: BlobPlace, headers: dict[str, str], length: int) -> str:
    """The Authorization header of Shared Key (learn.microsoft.com, authorize-with-shared-key)."""
    own = sorted(name for name in headers if name.startswith("x-ms-"))
    lines = [method, "", "", str(length or ""), "", headers["Content-Type"], *[""] * 6]
    lines += [f"{name}:{headers[name]}" for name in own]
    lines.append(f"/{place.account}/{place.container}/{place.name}")
    try:
        key = base64.b64decode(place.key, validate=True)
    except ValueError as error:
        raise BlobRefused(403, "AuthenticationFailed") from error
    signed = hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).digest()
    return f"SharedKey {place.account}:{base64.b64encode(signed).decode()}"


class HttpBlobs:
    """`world.blobs` of a stage: every call is one request with a fresh token."""

    def __init__(self, world: World, context: ssl.SSLContext) -> None:
        self._world, self._context = world, context

    async def make(self, account: str, container: str) -> None:
        """Make a container, as the storage service itself: nobody needs to be allowed to."""
        try:
            await self._ask("PUT", BlobPlace(account, container, MAKING), b"")
        except BlobRefused as refused:
            if refused.status != 409:  # It is there already.
                raise

    async def put(self, place: BlobPlace, data: bytes) -> None:
        """Write one block blob, replacing what has that name."""
        await self._ask("PUT", place, data)

    async def get(self, place: BlobPlace) -> bytes:
        """Read one blob."""
        return await self._ask("GET", place, b"")

    async def _ask(self, method: str, place: BlobPlace, data: bytes) -> bytes:
        world, host = self._world, f"{place.account}.blob.core.windows.net"
        address = world.hosts.get(host)
        if address is None:
            raise BlobRefused(404, "ResourceNotFound")
        source = world.principals.get(place.principal, ("", ""))[1]
        if not world.reaches(source or None, address.location, address.scope):
            raise BlobRefused(503, "ServerUnavailable")
        making = place.name == MAKING
        path = f"{place.container}{'' if making else '/'}{place.name}"
        headers = {
            "Host": host,
            "Content-Type": "application/octet-stream",
            "x-ms-version": VERSION,
            "x-ms-date": format_datetime(world.now, usegmt=True),
        }
        if method == "PUT" and not making:
            headers["x-ms-blob-type"] = "BlockBlob"
        if place.key:
            headers["Authorization"] = shared_key(method, place, headers, len(data))
        else:
            token = mint(world, place.principal, AUDIENCE, world.now)
            headers["Authorization"] = f"Bearer {token}"
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
