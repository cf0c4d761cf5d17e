"""Microsoft.Storage: accounts and containers, to be looked at.

After api-versions 2025-08-01 and 2026-09-01. The data plane is Azurite's: an account can be made
only where the stage runs one of that name.
Geo-redundancy and failover: providers/storage_geo.py. Not emulated: keys, SAS, network rules.
"""

from rehearsal.arm_provider import Call, Provider, Refused
from rehearsal.world import Resource

VERSIONS = ("2025-08-01", "2026-09-01", "2024-01-01", "2023-05-01", "2023-01-01")
BASE = "Microsoft.Storage/storageAccounts"
METHODS = frozenset({"GET", "PUT"})
accounts = Provider(BASE, VERSIONS, methods=METHODS)
services = Provider(f"{BASE}/blobServices", VERSIONS, methods=METHODS)
containers = Provider(f"{BASE}/blobServices/containers", VERSIONS, methods=METHODS)
PROVIDERS = [accounts, services, containers]


@accounts.put
def put_account(call: Call, body: dict, known: Resource | None) -> None:
    """An account of the estate; the name of another one would belong to nobody here."""
    if f"{call.route.name}.blob.core.windows.net" not in call.world.hosts:
        message = f"The rehearsal runs no storage account {call.route.name}."
        raise Refused(501, "NotEmulated", message)
    blob = f"https://{call.route.name}.blob.core.windows.net/"
    added = {"primaryEndpoints": {"blob": blob}, "provisioningState": "Succeeded"}
    body["properties"] = {**added, **body.get("properties", {})}


@containers.put
async def put_container(call: Call, body: dict, known: Resource | None) -> None:
    """A container, in the data plane too."""
    account = call.route.id.split("/")[8]
    await call.world.blobs.make(account, call.route.name)


@accounts.shown
def show_account(call: Call, account: Resource) -> dict:
    """An account with its status: unavailable while its location's storage is."""
    name, here = account.name, account.location
    status = "available" if call.world.up(here, "storage") else "unavailable"
    added = {
        "provisioningState": "Succeeded",
        "primaryLocation": here,
        "primaryEndpoints": {"blob": f"https://{name}.blob.core.windows.net/"},
        "creationTime": account.created_at.isoformat(),
        "supportsHttpsTrafficOnly": True,
    }
    properties = {**added, **account.properties, "statusOfPrimary": status}
    return {"sku": {"name": "Standard_LRS", "tier": "Standard"}, "kind": "StorageV2"} | {
        **account.shown(),
        "properties": properties,
    }
