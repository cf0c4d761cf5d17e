"""The API Management pipeline: begin a backup or a restore, ask how it is going.

Nothing here waits: what takes long is begun, answered with `running`, and asked for on durable
timers. After Microsoft.ApiManagement 2024-05-01 and api-management-howto-disaster-recovery.
"""

import re
from collections.abc import Callable

from shared import blobs, clients
from shared.denials import refusal
from shared.guard import guarded, still
from shared.outcome import refused, running, succeeded
from shared.reply import Reply, Surprise
from shared.resource_ids import parts

TIERS = ("Developer", "Basic", "Standard", "Premium")
SETTLED = ("Succeeded", "Failed", "Canceled")
RETRY_SECONDS = 15.0
RETRY_SECONDS_MAX = 60.0
ADVICE = (
    (r"backup expired", "backups live 30 days: make a new one"),
    (r"current SKU is|SkuMismatch", "bring both gateways to the same tier"),
    (r"MethodNotAllowedInPricingTier", "only Developer, Basic, Standard and Premium have backups"),
    (r"ContainerNotFound|ContainerBeingDeleted", "create the backup container"),
    (r"BlobNotFound", "the backup is gone: make a new one"),
    (
        r"\b403\b|AuthorizationFailure|AuthorizationPermission|firewall",
        "let the gateway through the storage firewall (trusted Azure services) and give its "
        "identity Storage Blob Data Contributor",
    ),
    (r"ManagedIdentityNotFound|no managed identity", "give the gateway a managed identity"),
)


def check_gateway(payload: dict) -> dict:
    """Can this gateway be backed up and restored at all? Facts `sku`, `state`.

    Safe to repeat: reads. Refused for v2 and Consumption tiers, without an identity, in trouble.
    """
    id = parts(payload["component"]["resource"])
    service = clients.apim(id.subscription).api_management_service
    reply = clients.answer(service.get, id.group, id.name)
    if reply.status == 404:
        return refused(f"no gateway {id.name} in {id.group}")
    if reply.status in (401, 403):
        return refusal(reply, f"gateway {id.name}")
    body = reply.expect().document
    sku = str(body.get("sku", {}).get("name", ""))
    state = str(reply.properties.get("provisioningState", ""))
    facts = {"sku": sku, "state": state}
    if sku not in TIERS:
        words = f"{id.name} is of tier {sku}, which has no backup and restore"
        return refused(f"{words}: move to one of {', '.join(TIERS)}, or use APIOps", **facts)
    if not (body.get("identity") or {}).get("type"):
        return refused(f"{id.name} has no managed identity: give it one", **facts)
    if state in ("Failed", "Deleting", "Terminating", "Stopped"):
        return refused(f"{id.name} is {state}: repair it first", **facts)
    return succeeded(f"{id.name} is {sku}, {state}", **facts)


@guarded
def begin_backup(payload: dict) -> dict:
    """Begin the backup named `backup` of the component to `target`. Running, or refused.

    Safe to repeat: the caller names the backup, so one that is there already is not made again,
    and one whose 202 was lost is found in progress. Refused as stale where the location is no
    longer the active one of that epoch, or a run is under way.
    """
    target, name = payload["target"], payload["backup"]
    try:
        if blobs.of_account(target["account"], target["container"]).size(name) is not None:
            return succeeded(f"{name} is there already")
    except blobs.StorageRefused as error:
        return refused(f"backup cannot be kept: {error}")
    return _begin("backup", payload, still(payload))


@guarded
def begin_restore(payload: dict) -> dict:
    """Begin to restore `backup` from `target` over the component. Running, or refused.

    Safe to repeat: the same bytes are restored again, and a restore in progress is recognised.
    Refused as stale where the location has become the active one, or a run is under way.
    """
    target, name = payload["target"], payload["backup"]
    try:
        if blobs.of_account(target["account"], target["container"]).size(name) is None:
            where = f"{target['account']}/{target['container']}"
            return refused(f"{name} is not in {where}: make a new backup")
    except blobs.StorageRefused as error:
        return refused(f"backup cannot be read: {error}")
    return _begin("restore", payload, still(payload))


def ask_operation(payload: dict) -> dict:
    """How the operation at URL `operation` stands: running, succeeded, or refused with its error.

    Safe to repeat: one GET, with a token that is valid now.
    """
    url = payload["operation"]
    reply = clients.ask("GET", url)
    if reply.status == 202:
        return running(reply.headers.get("location") or url, _retry_after(reply))
    if reply.status in (400, 403, 404, 409, 412, 422):
        return refused(advised(reply.words))
    body = reply.expect().body
    found = body if isinstance(body, dict) else {}
    status = str(found.get("status") or reply_state(found))
    if status in ("Failed", "Canceled"):
        return refused(advised(f"{status}: {reply.words}"))
    if status and status not in ("Succeeded", "Created"):
        return running(url, _retry_after(reply))
    return succeeded()


def reply_state(body: dict) -> str:
    """The provisioningState of a resource that is asked in place of its operation."""
    properties = body.get("properties")
    state = properties.get("provisioningState") if isinstance(properties, dict) else None
    return str(state or "")


def advised(words: str) -> str:
    """An error's words, followed by what to do about it where that is known."""
    found = [advice for sign, advice in ADVICE if re.search(sign, words, re.IGNORECASE)]
    return f"{words}: {found[0]}" if found else words


def _begin(verb: str, payload: dict, before: Callable[[], None]) -> dict:
    part, target = payload["component"], payload["target"]
    access = {"accessType": "SystemAssignedManagedIdentity"}
    body = {
        "storageAccount": target["account"],
        "containerName": target["container"],
        "backupName": payload["backup"],
        **access,
    }
    reply = clients.ask("POST", f"{part['resource']}/{verb}", body, before=before)
    if reply.status == 202:
        operation = reply.headers.get("location") or reply.headers.get("azure-asyncoperation")
        if not operation:
            raise Surprise(f"{verb} was accepted without saying where to ask")
        return running(operation, _retry_after(reply))
    if reply.status == 401 or reply.code == "ScopeLocked":
        return refusal(reply, f"gateway {part['resource'].rsplit('/', 1)[-1]}")
    if reply.status == 409:
        return _busy(part["resource"], reply)
    if reply.status in (400, 403, 404, 405):
        return refused(advised(reply.words))
    reply.expect()
    return succeeded(f"{verb} is done")


def _busy(resource: str, reply: Reply) -> dict:
    """A gateway that is busy is most likely doing what we asked for when the 202 was lost.

    So we ask the gateway itself until it has settled; what follows (the blob, the comparison)
    shows whether it was ours.
    """
    seen = clients.ask("GET", resource).expect()
    state = str(seen.properties.get("provisioningState", ""))
    if state in SETTLED:
        raise Surprise(f"was busy a moment ago: {reply.words}")
    version = clients.version_of(resource)
    url = f"{clients.settings().arm_endpoint}{resource}?api-version={version}"
    return running(url, RETRY_SECONDS, adopted=True)


def _retry_after(reply: Reply) -> float:
    said = reply.headers.get("retry-after", "")
    return min(float(said), RETRY_SECONDS_MAX) if said.isdigit() else RETRY_SECONDS
