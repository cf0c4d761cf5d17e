"""Microsoft.Compute/virtualMachineScaleSets: models, and instances that follow their capacity.

After api-versions 2025-04-01 and 2026-04-01. The model shows a new capacity at once; it is
Updating until the instances are there.
Not emulated: instances, images, networks, upgrades, power, quotas of cores (a world's fault can
refuse in their name), autoscale rules, flexible orchestration.
"""

from rehearsal.arm_provider import ASYNC_OPERATION, Call, Provider, Refused, Running, running
from rehearsal.world import Resource

TYPE = "Microsoft.Compute/virtualMachineScaleSets"
VERSIONS = ("2025-04-01", "2026-04-01", "2024-11-01", "2024-07-01")
INSTANCES_MAX = 1000
GROUP_MAX = 100
sets = Provider(TYPE, VERSIONS, states=True)
PROVIDERS = [sets]


@sets.put
def put_set(call: Call, body: dict, known: Resource | None) -> Running | None:
    """A set has a location, a size and a capacity; what changes it takes a while."""
    if not isinstance(body.get("location"), str):
        raise Refused(400, "LocationRequired", "The location property is required.")
    sku = body.get("sku") or {}
    if not sku.get("name"):
        raise Refused(400, "InvalidParameter", "Required parameter 'sku.name' is missing (null).")
    capacity = sku.setdefault("capacity", 1)
    properties = body.setdefault("properties", {})
    most = GROUP_MAX if properties.setdefault("singlePlacementGroup", True) else INSTANCES_MAX
    if not isinstance(capacity, int) or not 0 <= capacity <= most:
        message = f"The capacity of a scale set is from 0 to {most}, not {capacity}."
        raise Refused(400, "InvalidParameter", message)
    sku.setdefault("tier", "Standard")
    body["sku"] = sku
    if known and known.body.get("sku") == sku and known.properties == properties:
        return None
    seconds = call.world.timings["settle_seconds"]
    status = 200 if known else 201
    return running(seconds, lambda: None, via=(ASYNC_OPERATION,), status=status)
