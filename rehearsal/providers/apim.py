"""Microsoft.ApiManagement/service: the service itself, its life and its network status.

After api-version 2024-05-01. While a backup, a restore or an update runs, the service refuses
changes to itself; changes to its configuration are taken, and a restore overwrites them
(azure-docs, api-management-howto-disaster-recovery-backup-restore.md).
Not emulated: workspaces, loggers, diagnostics, users, groups, portal, SSO tokens, soft delete,
network updates, private endpoints, upgrades, migration.
"""

from datetime import UTC

from rehearsal.arm_provider import (
    ASYNC_OPERATION,
    LOCATION,
    Call,
    Provider,
    Refused,
    Reply,
    Running,
)
from rehearsal.arm_provider import running as run_for
from rehearsal.world import Resource

BASE = "Microsoft.ApiManagement/service"
VERSIONS = ("2024-05-01", "2023-05-01-preview", "2022-08-01", "2021-08-01")
TIERS = (
    "Consumption",
    "Developer",
    "Basic",
    "Standard",
    "Premium",
    "BasicV2",
    "StandardV2",
    "PremiumV2",
)
BOTH = (LOCATION, ASYNC_OPERATION)
SETTLED = ("Succeeded", "Failed", "Created")
ENVELOPE = ("location", "sku", "identity", "tags", "zones")
service = Provider(BASE, VERSIONS, states=True, head_status=200, etag_body=True)
PROVIDERS = [service]


def service_of(call: Call) -> Resource:
    """The service that a path is under."""
    id = "/".join(call.route.id.split("/")[:9])
    found = call.world.resources.get(id)
    if found is None:
        message = f"The Resource '{BASE}/{id.rsplit('/', 1)[-1]}' was not found."
        raise Refused(404, "ResourceNotFound", message)
    return found


def check_idle(resource: Resource) -> None:
    """Refuse what the service cannot take while another operation changes it."""
    state = resource.properties.get("provisioningState", "Succeeded")
    if state not in SETTLED:
        message = f"Service {resource.name} is being updated (state {state}); try again later."
        raise Refused(409, "ServiceIsBeingUpdated", message)


@service.put
def put_service(call: Call, body: dict, known: Resource | None) -> Running:
    """Creating and updating take time; a name and a tier are required."""
    properties = body.setdefault("properties", {})
    sku = body.get("sku") or {}
    if not isinstance(body.get("location"), str):
        raise Refused(400, "LocationRequired", "The location property is required.")
    if sku.get("name") not in TIERS or not isinstance(sku.get("capacity"), int):
        raise Refused(400, "InvalidParameters", f"sku.name is one of {', '.join(TIERS)}.")
    for key in ("publisherEmail", "publisherName"):
        if not properties.get(key):
            raise Refused(400, "InvalidParameters", f"Invalid parameter: properties.{key}.")
    if known:
        check_idle(known)
        _forget_ciphers(call, properties)
    _identify(call, body)
    properties.setdefault("createdAtUtc", call.world.now.astimezone(UTC).isoformat())
    status = 201 if known is None else 202
    return run_for(call.world.timings["apim_create_seconds"], lambda: None, via=BOTH, status=status)


def _forget_ciphers(call: Call, properties: dict) -> None:
    """Protocols and ciphers that a PATCH with some of them leaves out go back to their defaults.

    As the service's definition says of customProperties (2024-05-01).
    """
    sent = (call.body.get("properties") or {}).get("customProperties")
    if call.method == "PATCH" and isinstance(sent, dict):
        properties["customProperties"] = dict(sent)


def _identify(call: Call, body: dict) -> None:
    """A system-assigned identity gets its principal, and the world knows it."""
    identity = body.get("identity")
    if not isinstance(identity, dict) or "SystemAssigned" not in str(identity.get("type")):
        return
    if "principalId" not in identity:
        identity |= {"principalId": call.world.uuid(), "tenantId": call.world.tenant_id}
    call.world.principals[identity["principalId"]] = (call.route.name, body["location"])


@service.removed
def remove_service(call: Call, resource: Resource) -> Running:
    """A service goes with everything in it."""
    check_idle(resource)
    resource.properties["provisioningState"] = "Deleting"
    return run_for(call.world.timings["apim_create_seconds"], lambda: None, via=BOTH)


@service.shown
def show_service(call: Call, resource: Resource) -> dict:
    """The service with the addresses that Azure gives it."""
    name = resource.name
    url = f"https://{name}.azure-api.net"
    own = {key: resource.body[key] for key in ENVELOPE if resource.body.get(key)}
    added = {
        "provisioningState": "Succeeded",
        "targetProvisioningState": "",
        "gatewayUrl": url,
        "gatewayRegionalUrl": f"https://{name}-{resource.location}-01.regional.azure-api.net",
        "managementApiUrl": f"https://{name}.management.azure-api.net",
        "scmUrl": f"https://{name}.scm.azure-api.net",
        "developerPortalUrl": f"https://{name}.developer.azure-api.net",
        "hostnameConfigurations": [
            {
                "type": "Proxy",
                "hostName": f"{name}.azure-api.net",
                "defaultSslBinding": True,
                "negotiateClientCertificate": False,
                "certificateSource": "BuiltIn",
            }
        ],
        "platformVersion": "stv2.1",
        "publicNetworkAccess": "Enabled",
        "virtualNetworkType": "None",
        "disableGateway": False,
    }
    properties = {**added, **resource.properties}
    return {"id": resource.id, "name": name, "type": BASE, **own, "properties": properties}


@service.action("networkstatus", "GET")
def network_status(call: Call) -> Reply:
    """What the service can reach: its storage and its database, as far as they are up."""
    resource = call.found()
    now = call.world.now.astimezone(UTC).isoformat()
    connected = call.world.up(resource.location, "storage")
    status = {
        "name": f"{resource.name}.blob.core.windows.net",
        "status": "success" if connected else "failure",
        "error": "" if connected else "The storage of the location does not answer.",
        "lastUpdated": now,
        "lastStatusChange": now,
        "resourceType": "BlobStorage",
        "isOptional": False,
    }
    network = {"dnsServers": ["168.63.129.16"], "connectivityStatus": [status]}
    return Reply(200, [{"location": resource.location, "networkStatus": network}])
