"""Microsoft.ApiManagement/service: backup and restore that really carry the configuration.

After api-version 2024-05-01 and azure-docs, api-management-howto-disaster-recovery-backup-restore.
One blob holds the configuration as it was when the backup began; it goes through the storage data
plane with the service's own identity or the account's key. Hostnames, certificates of hosts,
identity, network, analytics, diagnostics, protocols and portal stay with the target.
Not emulated: regional rules of storage firewalls. Codes for wrong identities are recollections.
"""

import asyncio
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta

from rehearsal.arm_provider import Call, Refused, Running, running
from rehearsal.providers.apim import BASE, check_idle, service, show_service
from rehearsal.runtimes import BlobPlace, BlobRefused
from rehearsal.world import Resource, World

PROVIDERS = []
EXPIRES = timedelta(days=30)
SUPPORTED = ("Developer", "Basic", "Standard", "Premium")
HERE = "{service}"
FORMAT = 1


@service.action("backup")
def backup(call: Call) -> Running:
    """Begin a backup: refused at once for a wrong request, later for what storage says."""
    source, place = _ready(call)
    data = pack(call.world, source)
    source.properties["provisioningState"] = "Updating"

    async def then() -> dict:
        try:
            _check_firewall(call.world, place, "BackupFailed")
            await call.world.blobs.put(place, data)
        except BlobRefused as no:
            message = f"Backup to '{place.account}/{place.container}' failed: storage said {no}."
            raise Refused(400, "BackupFailed", message) from no
        finally:
            source.properties["provisioningState"] = "Succeeded"
        return {**show_service(call, source), "etag": f'"{source.etag}"'}

    return running(call.world.timings["apim_backup_seconds"], then)


@service.action("restore")
def restore(call: Call) -> Running:
    """Begin a restore: the configuration is replaced at its end, with all that came between."""
    target, place = _ready(call)
    target.properties["provisioningState"] = "Updating"
    seconds = call.world.timings["apim_restore_seconds"]

    async def then() -> dict:
        try:
            _check_firewall(call.world, place, "RestoreFailed")
            content = check(call.world, target, await call.world.blobs.get(place))
            await asyncio.sleep(seconds * 0.75)
            unpack(call.world, target, content)
        except BlobRefused as no:
            message = f"Restore from '{place.account}/{place.container}' failed: storage said {no}."
            raise Refused(400, "RestoreFailed", message) from no
        finally:
            target.properties["provisioningState"] = "Succeeded"
        return {**show_service(call, target), "etag": f'"{target.etag}"'}

    return running(seconds * 0.25, then)


def _ready(call: Call) -> tuple[Resource, BlobPlace]:
    """The service and the blob with whom to ask for it, or the refusal."""
    resource, body = call.found(), call.body
    for key in ("storageAccount", "containerName", "backupName"):
        if not isinstance(body.get(key), str) or not body[key]:
            raise Refused(400, "ValidationError", f"'{key}' must not be empty.")
    if resource.body.get("sku", {}).get("name") not in SUPPORTED:
        message = "Method not allowed in this pricing tier."
        raise Refused(400, "MethodNotAllowedInPricingTier", message)
    check_idle(resource)
    place = BlobPlace(body["storageAccount"], body["containerName"], body["backupName"])
    if body.get("accessType", "AccessKey") == "AccessKey":
        if not body.get("accessKey"):
            raise Refused(400, "ValidationError", "'accessKey' must not be empty.")
        return resource, replace(place, key=body["accessKey"])
    return resource, replace(place, principal=_principal(resource, body))


def _principal(resource: Resource, body: dict) -> str:
    """The object id of the identity that the request names."""
    identity, access = resource.body.get("identity") or {}, body["accessType"]
    if access == "SystemAssignedManagedIdentity":
        principal = identity.get("principalId", "")
    else:
        assigned = (identity.get("userAssignedIdentities") or {}).values()
        mine = [row for row in assigned if row.get("clientId") == body.get("clientId")]
        principal = mine[0].get("principalId", "") if mine else ""
    if not principal:
        message = f"The service has no managed identity for access type {access}."
        raise Refused(400, "ManagedIdentityNotFound", message)
    return principal


def _check_firewall(world: World, place: BlobPlace, code: str) -> None:
    """Azurite has no firewall, so ARM's picture of the account speaks for it.

    Trusted services get in with an identity, never with a key.
    """
    for row in world.resources.of_type("Microsoft.Storage/storageAccounts"):
        rules = row.properties.get("networkAcls") or {}
        trusted = place.principal and "AzureServices" in str(rules.get("bypass"))
        closed = rules.get("defaultAction") == "Deny" and not trusted
        if row.name.lower() == place.account.lower() and (
            closed or row.properties.get("publicNetworkAccess") == "Disabled"
        ):
            message = f"Storage account '{row.name}' refused: 403 AuthorizationFailure (firewall)."
            raise Refused(403, code, message)


def pack(world: World, source: Resource) -> bytes:
    """The configuration of a service as one document, free of the service's own id."""
    prefix = f"{source.id}/".lower()
    rows = [
        {"path": row.id[len(prefix) :], "body": row.body}
        for row in world.resources
        if row.id.lower().startswith(prefix) and row.type.lower().startswith(BASE.lower() + "/")
    ]
    text = re.sub(re.escape(source.id), HERE, json.dumps(rows), flags=re.IGNORECASE)
    head = {"format": FORMAT, "sku": source.body["sku"]["name"], "at": world.now.isoformat()}
    return json.dumps({**head, "service": source.name, "configuration": json.loads(text)}).encode()


def check(world: World, target: Resource, data: bytes) -> dict:
    """Read a backup for this target, or refuse it as Azure does."""
    try:
        content = json.loads(data)
        taken = datetime.fromisoformat(content["at"])
        tier, content["configuration"] = content["sku"], list(content["configuration"])
    except (ValueError, KeyError, TypeError) as error:
        message = "Cannot restore: the blob is not a backup of API Management."
        raise Refused(400, "RestoreFailed", message) from error
    if world.now - taken > EXPIRES:
        raise Refused(400, "RestoreFailed", "Cannot restore: backup expired")
    own = target.body["sku"]["name"]
    if tier != own:
        message = f"Cannot restore: current SKU is '{own}', backup SKU is '{tier}'"
        raise Refused(400, "RestoreFailed", message)
    return content


def unpack(world: World, target: Resource, content: dict) -> None:
    """Replace the target's configuration by the backup's."""
    for row in world.resources:
        if row.id.lower().startswith(f"{target.id}/".lower()):
            world.resources.remove(row.id)
    text = json.dumps(content["configuration"]).replace(HERE, target.id)
    for row in json.loads(text):
        world.resources.place(f"{target.id}/{row['path']}", row["body"])
    world.resources.touch(target)
