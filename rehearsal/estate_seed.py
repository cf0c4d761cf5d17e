"""Make a world of an estate: every resource that ARM shows when the stage opens.

Home serves: its gateway holds the configuration and all its workflows are enabled. The standby's
gateway is nearly empty, and what must be exclusive waits there disabled.
"""

from collections.abc import Iterator
from typing import cast

from rehearsal import estate_roles
from rehearsal.estate import Estate, over
from rehearsal.estate_parts import Other
from rehearsal.world import World, normal
from shared import slip

APIM = "Microsoft.ApiManagement/service"
LOGIC = "Microsoft.Logic/workflows"
BUS = "Microsoft.ServiceBus/namespaces"
STORAGE = "Microsoft.Storage/storageAccounts"
SLIP_QUEUES = tuple(f"slip-{name}" for name in (*slip.STAGES, "relay", "poison"))
SLIP_QUEUE = {
    "lockDuration": "PT15S",
    "maxDeliveryCount": 10,
    "requiresDuplicateDetection": True,
    "duplicateDetectionHistoryTimeWindow": "PT1H",
    "defaultMessageTimeToLive": "P1D",
    "deadLetteringOnMessageExpiration": True,
    "maxSizeInMegabytes": 1024,
    "status": "Active",
}
Row = tuple[str, dict]


def seed(world: World, estate: Estate, bare: bool = False) -> None:
    """Fill an empty world with the estate; `bare` without what the app itself stands on."""
    world.subscription_id, world.tenant_id = estate.subscription, estate.tenant
    world.witness_location = normal(estate.witness.location)
    world.latency_seconds = estate.latencySeconds
    world.timings["apim_backup_seconds"] = estate.timings.apimBackupSeconds
    world.timings["apim_restore_seconds"] = estate.timings.apimRestoreSeconds
    for name in (*estate.locations, world.witness_location):
        world.recover(name)
    for id, body in _rows(world, estate, bare):
        world.resources.place(id, body)
    world.roles_enforced = estate.rolesEnforced and not bare


def _rows(world: World, estate: Estate, bare: bool) -> Iterator[Row]:
    subscription = f"/subscriptions/{estate.subscription}"
    known = {"subscriptionId": estate.subscription, "tenantId": estate.tenant}
    yield subscription, {**known, "displayName": estate.name.capitalize(), "state": "Enabled"}
    done = {"provisioningState": "Succeeded"}
    for group, location in estate.resourceGroups.items():
        yield estate.group_id(group), {"location": location, "tags": {}, "properties": dict(done)}
    yield from () if bare else _storage(estate)
    yield from _buses(estate, bare)
    for location in estate.locations:
        yield from _service(world, estate, location)
        yield from _workflows(estate, location)
    yield from _configuration(estate)
    yield from _traffic(estate)
    yield from _others(estate)
    yield from estate_roles.rows(world, estate) if estate.rolesEnforced and not bare else ()


def _id(estate: Estate, group: str, type: str, name: str) -> str:
    return f"{estate.group_id(group)}/providers/{type}/{name}"


def service_id(estate: Estate, location: str) -> str:
    """The id of a location's gateway."""
    name = estate.fill(estate.gateway.name, location)
    return _id(estate, estate.locations[location].resourceGroup, APIM, name)


def workflow_id(estate: Estate, location: str, name: str) -> str:
    """The id of a workflow in a location; the name may have {short} in it."""
    group = estate.locations[location].resourceGroup
    return _id(estate, group, LOGIC, estate.fill(name, location))


def _storage(estate: Estate) -> Iterator[Row]:
    places = [(name, p.resourceGroup, p.storage) for name, p in estate.locations.items()]
    places.append((estate.witness.location, estate.witness.resourceGroup, estate.witness.storage))
    for location, group, account in places:
        id = _id(estate, group, STORAGE, account)
        blob = f"https://{account}.blob.core.windows.net/"
        yield (
            id,
            {
                "location": location,
                "kind": "StorageV2",
                "sku": {"name": "Standard_LRS", "tier": "Standard"},
                "tags": {},
                "properties": {
                    "provisioningState": "Succeeded",
                    "primaryLocation": location,
                    "statusOfPrimary": "available",
                    "primaryEndpoints": {"blob": blob},
                    "supportsHttpsTrafficOnly": True,
                    "allowSharedKeyAccess": True,
                    "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow"},
                },
            },
        )
        yield f"{id}/blobServices/default", {"properties": {"cors": {"corsRules": []}}}


def containers(estate: Estate) -> list[tuple[str, str]]:
    """(account, container) of every blob container that exists at the start."""
    made = [(estate.witness.storage, "understudy")]
    for place in estate.locations.values():
        made += [(place.storage, "understudy"), (place.storage, "apim-backups")]
    return made


def queues(estate: Estate, bare: bool = False) -> dict[str, dict[str, dict]]:
    """Namespace -> queue -> ARM's queue properties, of the slips (not `bare`) and the workload."""
    slips = {name: dict(SLIP_QUEUE) for name in (() if bare else SLIP_QUEUES)}
    made: dict[str, dict[str, dict]] = {p.slips: dict(slips) for p in estate.locations.values()}
    if estate.workload is not None:
        made[estate.workload.namespace] = dict(estate.workload.queues)
    return made


def _buses(estate: Estate, bare: bool) -> Iterator[Row]:
    own = [] if bare else estate.locations.items()
    places = [(name, p.resourceGroup, p.slips) for name, p in own]
    if estate.workload is not None:
        load = estate.workload
        places.append((load.location, load.resourceGroup, load.namespace))
    for location, group, namespace in places:
        id = _id(estate, group, BUS, namespace)
        properties = {
            "provisioningState": "Succeeded",
            "status": "Active",
            "serviceBusEndpoint": f"https://{namespace}.servicebus.windows.net:443/",
        }
        sku = {"name": "Standard", "tier": "Standard"}
        yield id, {"location": location, "sku": sku, "tags": {}, "properties": properties}
        for queue, wanted in queues(estate)[namespace].items():
            yield f"{id}/queues/{queue}", {"properties": {"status": "Active", **wanted}}


def _service(world: World, estate: Estate, location: str) -> Iterator[Row]:
    gateway, id = estate.gateway, service_id(estate, location)
    name, oid = id.rsplit("/", 1)[-1], world.uuid()
    world.principals[oid] = (name, location)
    url = f"{name}.azure-api.net"
    yield (
        id,
        {
            "location": location,
            "sku": gateway.sku.model_dump(),
            "tags": {},
            "identity": {
                "type": "SystemAssigned",
                "principalId": oid,
                "tenantId": estate.tenant,
            },
            "properties": {
                "publisherName": gateway.publisherName,
                "publisherEmail": gateway.publisherEmail,
                "provisioningState": "Succeeded",
                "targetProvisioningState": "",
                "createdAtUtc": world.now.isoformat(),
                "gatewayUrl": f"https://{url}",
                "managementApiUrl": f"https://{name}.management.azure-api.net",
                "hostnameConfigurations": [
                    {"type": "Proxy", "hostName": url, "defaultSslBinding": True},
                    {"type": "Proxy", "hostName": estate.trafficManager.dnsName},
                ],
                "platformVersion": "stv2.1",
                "publicNetworkAccess": "Enabled",
                "virtualNetworkType": "None",
            },
        },
    )


def _workflows(estate: Estate, location: str) -> Iterator[Row]:
    for workflow in estate.workflows:
        state = workflow.home if location == estate.home else workflow.standby
        # What a run takes is the rehearsal's own knowledge, so it rides in a tag.
        tags = {"rehearsal-run-seconds": str(workflow.runSeconds)}
        id = workflow_id(estate, location, workflow.name)
        properties = {
            "provisioningState": "Succeeded",
            "state": state,
            "definition": estate.fill(workflow.definition, location),
            "parameters": {},
        }
        yield id, {"location": location, "tags": tags, "properties": properties}


def _policy(text: str) -> dict:
    return {"properties": {"format": "xml", "value": text}}


def _configuration(estate: Estate) -> Iterator[Row]:
    """What the home location's gateway holds."""
    home, gateway = estate.home, estate.gateway
    id = service_id(estate, home)
    for name, value in estate.fill(gateway.namedValues, home).items():
        yield f"{id}/namedValues/{name}", {"properties": {"displayName": name, **value}}
    for name, backend in estate.fill(gateway.backends, home).items():
        yield f"{id}/backends/{name}", {"properties": {"protocol": "http", **backend}}
    for name, text in gateway.policyFragments.items():
        yield f"{id}/policyFragments/{name}", _policy(text)
    if gateway.policy:
        yield f"{id}/policies/policy", _policy(gateway.policy)
    yield from _apis(estate, id)
    for name, product in gateway.products.items():
        shown = {**product.model_dump(exclude={"apis"}), "state": "published"}
        yield f"{id}/products/{name}", {"properties": shown}
        for api in product.apis:
            link = gateway.apis[api].model_dump(include={"path", "displayName"})
            yield f"{id}/products/{name}/apis/{api}", {"properties": link}
    for name, subscription in gateway.subscriptions.items():
        scope = f"{id}{subscription['scope']}"
        properties = {"state": "active", **subscription, "scope": scope}
        yield f"{id}/subscriptions/{name}", {"properties": properties}


def _apis(estate: Estate, service: str) -> Iterator[Row]:
    for name, api in estate.gateway.apis.items():
        shown = api.model_dump(exclude={"operations", "policy"})
        shown |= {"protocols": ["https"], "isCurrent": True, "apiRevision": "1"}
        yield f"{service}/apis/{name}", {"properties": shown}
        if api.policy:
            yield f"{service}/apis/{name}/policies/policy", _policy(api.policy)
        for key, operation in api.operations.items():
            properties = operation.model_dump(exclude={"policy"}) | {"displayName": key}
            named = operation.urlTemplate.split("{")[1:]
            properties["templateParameters"] = [
                {"name": part.split("}")[0], "type": "string", "required": True} for part in named
            ]
            id = f"{service}/apis/{name}/operations/{key}"
            yield id, {"properties": properties}
            if operation.policy:
                yield f"{id}/policies/policy", _policy(operation.policy)


def _others(estate: Estate) -> Iterator[Row]:
    for one in estate.resources:
        for path, location in places(estate, one):
            body = over(one.body, one.standby if location == estate.standby else {})
            yield path, estate.fill(cast(dict, body), location)


def places(estate: Estate, one: Other) -> Iterator[tuple[str, str]]:
    """(id, location) of each copy; without a path it is a resource group."""
    for location in [estate.home] if one.resourceGroup else one.at or estate.locations:
        group = one.resourceGroup or estate.locations[location].resourceGroup
        path = f"/providers/{one.path}" if one.path else ""
        yield estate.fill(f"{estate.group_id(group)}{path}", location), location


def _traffic(estate: Estate) -> Iterator[Row]:
    traffic = estate.trafficManager
    dns = {"relativeName": traffic.name, "fqdn": traffic.dnsName, "ttl": traffic.ttlSeconds}
    properties = {
        "profileStatus": "Enabled",
        "trafficRoutingMethod": "Priority",
        "dnsConfig": dns,
        "monitorConfig": {"profileMonitorStatus": "CheckingEndpoints"}
        | traffic.monitor.model_dump(),
    }
    yield estate.profile_id, {"location": "global", "tags": {}, "properties": properties}
    for priority, (location, target) in enumerate(traffic.endpoints.items(), start=1):
        endpoint = {
            "target": target,
            "endpointStatus": "Enabled",
            "endpointMonitorStatus": "CheckingEndpoint",
            "alwaysServe": "Disabled",
            "weight": 1,
            "priority": priority,
            "endpointLocation": location,
        }
        yield f"{estate.profile_id}/externalEndpoints/{location}", {"properties": endpoint}
