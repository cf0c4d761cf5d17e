"""The stage's storage: one Azurite per account, with the containers and the plan in them."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from rehearsal import azurite, estate_faults
from rehearsal.azurite import Azurite
from rehearsal.certificates import Leaf
from rehearsal.estate import Estate, Scene
from rehearsal.estate_seed import containers
from rehearsal.world import Address, World, normal


@dataclass
class Storage:
    """Every storage account of the estate, running."""

    accounts: dict[str, Azurite]
    bundle: Path

    def client(self, account: str) -> BlobServiceClient:
        """A client from outside the world, with the account's key; close it after use."""
        running = self.accounts[account]
        text = running.connection_string(f"https://127.0.0.1:{running.port}")
        return BlobServiceClient.from_connection_string(text, connection_verify=str(self.bundle))

    def read(self, account: str, container: str, blob: str) -> bytes:
        """One blob, read in the calling thread; raises what azure-storage-blob raises."""
        with self.client(account) as service:
            return service.get_blob_client(container, blob).download_blob().readall()

    def names(self, account: str, container: str, prefix: str = "") -> list[str]:
        """The names of the blobs in a container."""
        with self.client(account) as service:
            found = service.get_container_client(container).list_blob_names(name_starts_with=prefix)
            return list(found)

    async def stop(self) -> None:
        """End every Azurite."""
        await asyncio.gather(*(running.stop() for running in self.accounts.values()))


async def start(world: World, scene: Scene, leaf: Leaf, bundle: Path, folder: Path) -> Storage:
    """Start the accounts of an estate, register their host names and lay the plan in them."""
    estate = scene.estate
    places = {place.storage: name for name, place in estate.locations.items()}
    places[estate.witness.storage] = normal(estate.witness.location)
    data, logs = folder / "azurite", folder / "logs"
    storage = Storage({}, bundle)
    try:
        started = await asyncio.gather(
            *(azurite.start(name, data / name, leaf.certificate, leaf.key, logs) for name in places)
        )
        storage.accounts |= {running.account: running for running in started}
        for running in started:
            host = f"{running.account}.blob.core.windows.net"
            world.hosts[host] = Address(running.port, places[running.account], "storage")
        if scene.templates is None:
            await asyncio.to_thread(_furnish, storage, scene)
            await asyncio.to_thread(lay_plan, storage, scene)
            await asyncio.to_thread(lay_blobs, storage, scene.estate, world.now)
    except BaseException:
        await storage.stop()
        raise
    return storage


def _furnish(storage: Storage, scene: Scene) -> None:
    """Make the containers."""
    for account, container in containers(scene.estate):
        with storage.client(account) as service:
            try:
                service.create_container(container)
            except ResourceExistsError:
                continue  # An Azurite that was started again keeps what it had.


def lay_blobs(storage: Storage, estate: Estate, now: datetime) -> None:
    """Put the estate's own documents, and what is wrong in them, where the apps look for them."""
    for (account, container, name), document in estate_faults.blobs(estate, now).items():
        with storage.client(account) as service:
            blob = service.get_blob_client(container, name)
            blob.upload_blob(json.dumps(document).encode(), overwrite=True)


def lay_plan(storage: Storage, scene: Scene) -> None:
    """Put the plan where each location's app looks for it."""
    for place in scene.estate.locations.values():
        with storage.client(place.storage) as service:
            blob = service.get_blob_client("understudy", f"plans/{scene.plan_name}.yaml")
            blob.upload_blob(scene.plan_text.encode(), overwrite=True)
