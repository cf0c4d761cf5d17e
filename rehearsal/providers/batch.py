"""Microsoft.Batch: accounts and their pools as ARM shows them; job schedules are elsewhere.

After api-version 2024-07-01.
Not emulated: keys, certificates, applications, networks, pools that scale, quotas that bind.
"""

from rehearsal.arm_provider import ASYNC_OPERATION, Call, Provider, Refused, Running, running
from rehearsal.world import Resource, normal

VERSIONS = ("2024-07-01", "2025-06-01")
TYPE = "Microsoft.Batch/batchAccounts"
# Where the data plane keeps its job schedules: in the account's body, which ARM does not show.
SCHEDULES = "jobSchedules"
accounts = Provider(TYPE, VERSIONS, states=True)
pools = Provider(f"{TYPE}/pools", VERSIONS, created_status=200)
PROVIDERS = [accounts, pools]
QUOTAS = {
    "dedicatedCoreQuota": 100,
    "lowPriorityCoreQuota": 100,
    "poolQuota": 20,
    "activeJobAndJobScheduleQuota": 100,
}


def endpoint(account: Resource) -> str:
    """The name of an account's data plane."""
    return f"{account.name}.{normal(account.location)}.batch.azure.com".lower()


@accounts.put
def put_account(call: Call, body: dict, known: Resource | None) -> Running | None:
    """An account has a location; the service gives it its quotas."""
    if not isinstance(body.get("location"), str):
        raise Refused(400, "LocationRequired", "The location property is required.")
    body["properties"] = {**QUOTAS, "poolAllocationMode": "BatchService"} | body.get(
        "properties", {}
    )
    if known:
        return None
    return running(call.world.timings["settle_seconds"], lambda: None, via=(ASYNC_OPERATION,))


@accounts.shown
def show_account(call: Call, account: Resource) -> dict:
    """An account with the address of its data plane, and without what that one keeps."""
    shown = {key: value for key, value in account.shown().items() if key != SCHEDULES}
    return {**shown, "properties": {**account.properties, "accountEndpoint": endpoint(account)}}
