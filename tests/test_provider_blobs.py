"""API Management's door to storage, against the real Azurite with certificates checked."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from azure.storage.blob.aio import BlobServiceClient

from rehearsal import azurite
from rehearsal.blobs import HttpBlobs
from rehearsal.certificates import Authority
from rehearsal.runtimes import BlobPlace, BlobRefused
from rehearsal.world import Address, World

T = TypeVar("T")
ACCOUNT, CONTAINER = "stcontosone", "apim-backups"
OID = "00000000-0000-4000-8000-000000000042"


def on_azurite(folder: Path, story: Callable[[World, HttpBlobs], Awaitable[T]]) -> T:
    """Tell a story over one running account with one container."""

    async def tell() -> T:
        world, authority = World(), Authority(folder / "ca")
        world.recover("northeurope")
        world.principals[OID] = ("apim-we", "westeurope")
        leaf = authority.leaf("blob")
        player = await azurite.start(ACCOUNT, folder / "data", leaf.certificate, leaf.key, folder)
        try:
            world.hosts[f"{ACCOUNT}.blob.core.windows.net"] = Address(
                player.port, "northeurope", "storage"
            )
            client = BlobServiceClient(
                f"https://127.0.0.1:{player.port}/{ACCOUNT}",
                credential={"account_name": ACCOUNT, "account_key": player.key},
                connection_verify=str(authority.bundle),
            )
            async with client:
                await client.create_container(CONTAINER)
            return await story(world, HttpBlobs(world, authority.client()))
        finally:
            await player.stop()

    if not azurite.script().exists() or azurite.find_node() is None:
        pytest.skip("Azurite is not set up: run `python -m rehearsal setup`")
    folder.joinpath("data").mkdir()
    return asyncio.run(tell())


def test_a_lost_storage_is_refused_without_a_request() -> None:
    world = World()
    world.hosts[f"{ACCOUNT}.blob.core.windows.net"] = Address(1, "northeurope", "storage")
    world.lose("northeurope", {"storage"})
    blobs = HttpBlobs(world, ssl.create_default_context())
    with pytest.raises(BlobRefused, match="ServerUnavailable"):
        asyncio.run(blobs.get(BlobPlace(ACCOUNT, CONTAINER, "b", principal=OID)))


def test_blobs_go_in_and_out_by_token_and_by_key_and_no_other_way(
    tmp_path: Path,
) -> None:
    async def story(world: World, blobs: HttpBlobs) -> list[object]:
        found: list[object] = []
        token = BlobPlace(ACCOUNT, CONTAINER, "by-token", principal=OID)
        key = BlobPlace(ACCOUNT, CONTAINER, "by-key", key=azurite.key_of(ACCOUNT))
        for place in (token, key):
            await blobs.put(place, b"configuration")
            found.append(await blobs.get(place))
        for place in (
            BlobPlace(ACCOUNT, "none", "b", principal=OID),
            BlobPlace(ACCOUNT, CONTAINER, "b", key="d3Jvbmc="),
        ):
            with pytest.raises(BlobRefused) as refusal:
                await blobs.put(place, b"")
            found.append(refusal.value.status // 100)
        return found

    assert on_azurite(tmp_path, story) == [
        b"configuration",
        b"configuration",
        4,
        4,
    ]
