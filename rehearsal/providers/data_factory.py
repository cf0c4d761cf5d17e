"""Microsoft.DataFactory: factories and their triggers, started and stopped.

After api-version 2018-06-01. A trigger that is to hear of events is started or stopped a while
after the answer, the others at once; one that is started cannot be changed.
What they start is in `data_factory_code`.
Not emulated: triggers that fire, runs of pipelines, integration runtimes.
"""

import asyncio

from rehearsal.arm_provider import Call, Provider, Refused, Reply
from rehearsal.providers.data_factory_code import check_references
from rehearsal.world import Resource

VERSIONS = ("2018-06-01",)
STARTED, STOPPED = "Started", "Stopped"
EVENTS = ("BlobEventsTrigger", "CustomEventsTrigger")
factories = Provider("Microsoft.DataFactory/factories", VERSIONS, created_status=200)
triggers = Provider(
    "Microsoft.DataFactory/factories/triggers", VERSIONS, created_status=200, page_size=50
)
PROVIDERS = [factories, triggers]


@factories.put
def put_factory(call: Call, body: dict, known: Resource | None) -> None:
    """A factory has a location; the rest the service adds."""
    if not isinstance(body.get("location"), str):
        raise Refused(400, "LocationRequired", "The location property is required.")
    added = {"provisioningState": "Succeeded", "createTime": call.world.now.isoformat()}
    body["properties"] = {"version": "2018-06-01", **added, **body.get("properties", {})}


@triggers.put
def put_trigger(call: Call, body: dict, known: Resource | None) -> None:
    """A new trigger stands still; what it starts is there."""
    properties = body.setdefault("properties", {})
    if not properties.get("type") or not isinstance(properties.get("typeProperties"), dict):
        raise Refused(400, "BadRequest", "A trigger needs type and typeProperties.")
    check_references(call, body)
    if known and known.properties.get("runtimeState") == STARTED:
        message = (
            f"Cannot update enabled Trigger; the trigger needs to be disabled first: {known.name}."
        )
        raise Refused(400, "TriggerEnabledCannotUpdate", message)
    properties["runtimeState"] = STOPPED


def bring(call: Call, state: str) -> Reply:
    """Started or stopped, at once or when the events are subscribed to."""
    trigger = call.found()
    if trigger.properties.get("runtimeState") == "Disabled":
        raise Refused(400, "BadRequest", f"The trigger {trigger.name} is disabled.")

    def then() -> None:
        trigger.properties["runtimeState"] = state
        call.world.resources.touch(trigger)

    if trigger.properties.get("type") in EVENTS:
        asyncio.get_running_loop().call_later(call.world.timings["settle_seconds"], then)
    else:
        then()
    return Reply(200)


@triggers.action("start")
def start_trigger(call: Call) -> Reply:
    """From now on it fires."""
    return bring(call, STARTED)


@triggers.action("stop")
def stop_trigger(call: Call) -> Reply:
    """What it has started goes on."""
    return bring(call, STOPPED)
