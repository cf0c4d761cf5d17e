"""Microsoft.Storage: geo-redundant accounts, the age of their copies, customer-managed failover.

After api-version 2025-08-01 and storage-disaster-recovery-guidance. An account of the table that
has no location of its own is one: ARM reaches it while its resource group's region is up. Error
codes are recollections. Not emulated: the copies' data, failback of what was not synced.
"""

from datetime import datetime, timedelta

from rehearsal.arm_provider import Call, Refused, Running, running
from rehearsal.providers import storage
from rehearsal.providers.storage import accounts
from rehearsal.world import Resource

PROVIDERS = []
GEO = ("Standard_GRS", "Standard_GZRS", "Standard_RAGRS", "Standard_RAGZRS")
PLAIN = ("provisioningState", "supportsHttpsTrafficOnly", "creationTime")
LAG_SECONDS = 30.0  # How late a copy is while both sides live; `lagSeconds` beside the properties.
accounts.methods = accounts.methods | {"PATCH"}


def geo(account: Resource) -> bool:
    """Is it one of this module's?"""
    return "location" not in account.body and "primaryLocation" in account.properties


def place_of(account: Resource, side: str) -> str:
    """`primary` or `secondary`: where that side is."""
    return account.properties[f"{side}Location"]


def synced_at(call: Call, account: Resource) -> str:
    """The last sync: a little ago, or when the primary was last seen alive."""
    lag = timedelta(seconds=float(account.body.get("lagSeconds", LAG_SECONDS)))
    if call.world.up(place_of(account, "primary"), "storage") or "syncedAt" not in account.body:
        account.body["syncedAt"] = (call.world.now - lag).isoformat()
    return account.body["syncedAt"]


def stats(call: Call, account: Resource) -> dict:
    """`geoReplicationStats` as they are expanded."""
    due = account.body.get("liveAt")
    if due and datetime.fromisoformat(due) > call.world.now:
        return {"status": "Bootstrap", "canFailover": False, "canPlannedFailover": False}
    alive = call.world.up(place_of(account, "primary"), "storage")
    last = synced_at(call, account)
    return {
        "status": "Live",
        "lastSyncTime": last,
        "canFailover": True,
        "canPlannedFailover": alive,
        "postFailoverRedundancy": "Standard_LRS",
    }


def show(call: Call, account: Resource) -> dict:
    """An account, with its copy's statistics when they are asked for."""
    if not geo(account):
        return storage.show_account(call, account)
    properties = {key: v for key, v in account.properties.items() if key in PLAIN}
    first, second = place_of(account, "primary"), place_of(account, "secondary")
    properties["primaryLocation"] = first
    up = call.world.up(first, "storage")
    properties["statusOfPrimary"] = "available" if up else "unavailable"
    if account.body["sku"]["name"] in GEO:
        properties |= {"secondaryLocation": second, "statusOfSecondary": "available"}
        if call.query.get("$expand") == "geoReplicationStats":
            properties["geoReplicationStats"] = stats(call, account)
    if account.properties.get("failoverInProgress"):
        properties["failoverInProgress"] = True
    tags = account.body.get("tags", {})
    known = {"id": account.id, "name": account.name, "type": account.type, "tags": tags}
    sku = {"name": account.body["sku"]["name"], "tier": "Standard"}
    return {**known, "location": first, "kind": "StorageV2", "sku": sku, "properties": properties}


def put(call: Call, body: dict, known: Resource | None) -> None:
    """A changed tier: what becomes geo-redundant is copied anew first."""
    if known is None or not geo(known):
        return storage.put_account(call, body, known)
    before, after = known.body["sku"]["name"], body["sku"]["name"]
    if before not in GEO and after in GEO:
        due = call.world.now + timedelta(seconds=call.world.timings["settle_seconds"])
        body["liveAt"] = due.isoformat()
    return None


@accounts.action("failover")
def fail_over(call: Call) -> Running:
    """The secondary becomes the primary: planned with both alive, else at any time."""
    account, planned = call.found(), call.query.get("failovertype") == "Planned"
    if not geo(account) or account.body["sku"]["name"] not in GEO:
        message = "The account is not geo-redundant: it cannot be failed over."
        raise Refused(409, "AccountNotGeoRedundant", message)
    if account.properties.get("failoverInProgress"):
        raise Refused(409, "FailoverInProgress", "A failover of the account is in progress.")
    if not stats(call, account)["canPlannedFailover" if planned else "canFailover"]:
        raise Refused(409, "FailoverNotPossible", "The account cannot be failed over now.")
    account.properties["failoverInProgress"] = True

    def then() -> None:
        first, second = place_of(account, "primary"), place_of(account, "secondary")
        account.properties.update({"primaryLocation": second, "secondaryLocation": first})
        account.properties.pop("failoverInProgress")
        account.body.pop("syncedAt", None)
        if not planned:
            account.body["sku"] = {"name": "Standard_LRS", "tier": "Standard"}

    return running(call.world.timings["settle_seconds"], then)


accounts.shown(show)
accounts.put(put)
