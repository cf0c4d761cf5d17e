"""Microsoft.Storage: accounts and containers, to be looked at.

After api-versions 2025-08-01 and 2026-09-01. The data plane is Azurite's.
Not emulated: making or changing accounts, keys, SAS, failover, and containers that were not made
with the estate.
"""

from rehearsal.arm_provider import Call, Provider
from rehearsal.world import Resource

VERSIONS = ("2025-08-01", "2026-09-01", "2024-01-01", "2023-05-01", "2023-01-01")
BASE = "Microsoft.Storage/storageAccounts"
READ = frozenset({"GET"})
accounts = Provider(BASE, VERSIONS, methods=READ)
services = Provider(f"{BASE}/blobServices", VERSIONS, methods=READ)
containers = Provider(f"{BASE}/blobServices/containers", VERSIONS, methods=READ)
PROVIDERS = [accounts, services, containers]


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
