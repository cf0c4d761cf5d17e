"""The gateway's stories: carry its configuration to the standby, and prove that it arrived."""

import asyncio
import json
from datetime import datetime

from azure.core.exceptions import AzureError

from rehearsal.drill import Drill
from rehearsal.drill_story import Missed
from rehearsal.estate_seed import service_id
from rehearsal.world import Resource

BACKUP_SECONDS_MAX = 120.0
READY_SECONDS_MAX = 60.0
FILLED_APIS = 3


async def prove_standby(drill: Drill) -> None:
    """Ask for a backup, and wait until the standby has restored and proven it."""
    drill.timeline.chapter("Back the gateway up and prove it on the standby")
    await drill.so("home's record at the witness", lambda: drill.watcher.record, READY_SECONDS_MAX)
    status, body = await drill.api(drill.home, "POST", f"plans/{drill.name}/backup", {})
    if status not in (200, 202):
        raise Missed(f"the backup was refused: {status} {body}")
    known = drill.kept.setdefault("proven", [])

    async def proven() -> dict | None:
        found = await asyncio.to_thread(manifests, drill)
        fresh = [m for m in found if m.get("provenAt") and m["name"] not in known]
        return fresh[-1] if fresh else None

    manifest = await drill.until("a proven backup", proven, BACKUP_SECONDS_MAX)
    known.append(manifest["name"])
    drill.kept["manifest"] = manifest
    drill.say(f"{manifest['name']} is proven on {drill.standby}", lane="gateway")


def manifests(drill: Drill) -> list[dict]:
    """The manifests that lie beside the standby's backups, oldest first; in a thread."""
    storage, account = drill.stage.storage, drill.stage.estate.locations[drill.standby].storage
    try:
        names = [n for n in storage.names(account, "apim-backups") if n.endswith(".json")]
        found = [json.loads(storage.read(account, "apim-backups", name)) for name in names]
    except (AzureError, ValueError):
        return []
    return sorted(found, key=lambda m: datetime.fromisoformat(m["startedAt"]))


def configuration(drill: Drill, location: str) -> dict[str, dict]:
    """What a gateway holds: path below the service -> properties, without the location's own."""
    world, id = drill.stage.world, service_id(drill.stage.estate, location)
    rows = [r for r in world.resources if r.id.lower().startswith(f"{id.lower()}/")]
    return {_path(r, id): _shown(r, id) for r in rows if _carried(r)}


def _path(row: Resource, service: str) -> str:
    return row.id[len(service) :].lower()


def _carried(row: Resource) -> bool:
    return "/operationresults/" not in row.id.lower()


def _shown(row: Resource, service: str) -> dict:
    """Properties in which the service's own id is replaced, so that two services compare."""
    text = json.dumps(row.properties, sort_keys=True, default=str)
    return json.loads(text.replace(service, "SERVICE"))


def overlaid(drill: Drill, location: str) -> set[str]:
    """The paths that the plan's overlay makes different on purpose."""
    gateway = next(c for c in drill.plan["components"] if c["kind"] == "apiManagement")
    own = (gateway.get("overlay") or {}).get(location) or {}
    return {f"/{kind}/{name}".lower() for kind, named in own.items() for name in named}


def differences(drill: Drill) -> list[str]:
    """What the standby's gateway holds otherwise than home's, beside the overlay."""
    ours, theirs = configuration(drill, drill.home), configuration(drill, drill.standby)
    meant = overlaid(drill, drill.standby)
    paths = sorted({*ours, *theirs} - meant)
    return [path for path in paths if ours.get(path) != theirs.get(path)]


async def round_trip(drill: Drill) -> None:
    """Fill, back up, wipe, restore, compare."""
    world, estate = drill.stage.world, drill.stage.estate
    home, standby = (service_id(estate, name) for name in (drill.home, drill.standby))
    drill.timeline.chapter("Fill the gateway")
    for number in range(1, FILLED_APIS + 1):
        name = f"filled-{number}"
        properties = {"displayName": name, "path": name, "protocols": ["https"]}
        world.resources.place(f"{home}/apis/{name}", {"properties": properties})
        value = {"displayName": name, "value": f"value {number}", "secret": number % 2 == 0}
        world.resources.place(f"{home}/namedValues/{name}", {"properties": value})
    await prove_standby(drill)
    _compare(drill, "arrivedItemByItem")
    drill.timeline.chapter("Wipe the standby's gateway")
    for row in list(world.resources):
        if row.id.lower().startswith(f"{standby.lower()}/"):
            world.resources.remove(row.id)
    drill.check("wiped", not configuration(drill, drill.standby), "nothing was left to compare")
    # An unchanged configuration is not backed up again: change one thing.
    value = {"displayName": "round-trip", "value": "second", "secret": False}
    world.resources.place(f"{home}/namedValues/round-trip", {"properties": value})
    await prove_standby(drill)
    drill.timeline.chapter("Compare item by item")
    _compare(drill, "restoredItemByItem")


def _compare(drill: Drill, name: str) -> None:
    wrong, count = differences(drill), len(configuration(drill, drill.home))
    words = f"{count} items are equal" if not wrong else f"different: {', '.join(wrong[:10])}"
    drill.check(name, not wrong, words)
