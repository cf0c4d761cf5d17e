"""Virtual machine scale sets: look, scale up to the declared count, scale down to the standby's.

After Microsoft.Compute/virtualMachineScaleSets 2025-04-01. The model shows the new capacity at
once; the instances follow, and until then provisioningState is Updating.
"""

from shared import clients, dryrun, scaling
from shared.denials import denied
from shared.guard import guarded, still
from shared.outcome import refused, running, skipped, succeeded
from shared.reply import Unreachable
from shared.stopping import stopped

ROLE = "Virtual Machine Contributor there"
RETRY_SECONDS = 5.0
SETTLED = ("Succeeded", "Failed", "Canceled")


def observe_scale_set(payload: dict) -> dict:
    """Facts `capacity`, `serving`, `provisioningState`; in a dry run `calls` and `would`.

    With verb `verify` a set that has fewer instances than declared is refused. Safe to repeat:
    reads.
    """
    part, location, verb = payload["component"], payload["location"], payload.get("verb", "promote")
    seen = _read(part["resource"], **(clients.HURRIED if verb in ("demote", "verify") else {}))
    if seen["status"] != "succeeded":
        return seen
    wanted = "demote" if verb in ("demote", "undo", "protect") else "promote"
    same = scaling.reached(part, location, wanted, seen["capacity"])
    serving = same if wanted == "promote" else not same
    if verb == "verify" and not serving:
        return refused(f"{part['name']} {seen['because']}, too few", serving=False)
    if payload.get("dryRun"):
        seen |= {"calls": _calls(part, location, seen["sku"])}
        seen["would"] = f"have {scaling.target(part, location, wanted)} instances"
    return {**seen, "serving": serving}


@guarded
def promote_scale_set(payload: dict) -> dict:
    """Scale up to the location's capacity; more is left alone. Running while instances come.

    Safe to repeat: what is asked for already is waited for, not asked again.
    """
    return _scale(payload, "promote")


@guarded
def demote_scale_set(payload: dict) -> dict:
    """Scale down to the standby's capacity; gives up within 5 s on a region that is silent.

    Safe to repeat: as scaling up.
    """
    return stopped(payload, lambda: _scale(payload, "demote", **clients.HURRIED))


def check_scale_set(payload: dict) -> dict:
    """Facts `checks`: would the location's set do? Safe to repeat: reads."""
    part = payload["component"]
    mine = _read(part["resource"])
    try:
        other = _read(part["other"]["resource"], **clients.HURRIED)
    except Unreachable as error:
        other = refused(str(error))
    alone = part.get("role") == "activePassive"
    found = scaling.checks(part, payload["location"], alone, mine, other)
    return succeeded(checks=found)


def _scale(payload: dict, verb: str, **bounds: float) -> dict:
    part, location = payload["component"], payload["location"]
    seen = _read(part["resource"], **bounds)
    if seen["status"] != "succeeded":
        return seen
    body = scaling.body(part, location, verb, seen["sku"])
    if body is None and seen["provisioningState"] not in SETTLED:
        return running(_address(part["resource"]), RETRY_SECONDS)
    if body is None:
        return skipped(f"{seen['because']} already")
    reply = clients.ask("PATCH", part["resource"], body, bounds=bounds, before=still(payload))
    no = denied(reply, _named(part["resource"]), ROLE)
    if no:
        return no
    because = f"had {seen['capacity']} instances, is told to have {body['sku']['capacity']}"
    state = reply.properties.get("provisioningState", "") if reply.body else ""
    if reply.status == 202 or state not in SETTLED:
        headers = reply.headers
        url = headers.get("azure-asyncoperation") or headers.get("location")
        return running(url or _address(part["resource"]), RETRY_SECONDS)
    return succeeded(because)


def _read(resource: str, **bounds: float) -> dict:
    reply = clients.ask("GET", resource, bounds=bounds)
    no = denied(reply, _named(resource), ROLE)
    if no:
        return no
    given = reply.document.get("sku") or {}
    sku = {key: given[key] for key in ("name", "tier") if key in given}
    capacity = given.get("capacity")
    if not isinstance(capacity, int):
        return refused(f"{_named(resource)} has no sku.capacity: it is not one that can be scaled")
    state = str(reply.properties.get("provisioningState", ""))
    return succeeded(
        f"has {capacity} instances",
        capacity=capacity,
        sku={**sku, "capacity": capacity},
        provisioningState=state,
        singlePlacementGroup=bool(reply.properties.get("singlePlacementGroup")),
    )


def _calls(part: dict, location: str, sku: dict) -> dict[str, list[dict]]:
    version = clients.version_of(part["resource"])
    bodies = {verb: scaling.body(part, location, verb, sku) for verb in ("promote", "demote")}
    return {
        verb: [dryrun.call("PATCH", part["resource"], version, body)] if body else []
        for verb, body in bodies.items()
    }


def _address(resource: str) -> str:
    version = clients.version_of(resource)
    return f"{clients.settings().arm_endpoint}{resource}?api-version={version}"


def _named(resource: str) -> str:
    words = resource.strip("/").split("/")
    return f"scale set {words[-1]} in {words[3]}"
