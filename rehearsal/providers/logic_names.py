"""Names around a workflow: its parts' ids, its host, its callback URL, its version, its times."""

import hashlib
import hmac
import re
from datetime import UTC, datetime

from rehearsal.arm_provider import Call, not_found
from rehearsal.world import Resource, World

URL_VERSION = "2016-10-01"
BASE = "Microsoft.Logic/workflows"
VERSIONS = ("2019-05-01", "2016-06-01")


def stamp(at: datetime) -> str:
    """A time as Logic Apps writes it."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "0Z"


def version_of(workflow: Resource) -> str:
    """Versions sort newest first, as Azure's do: they count ticks down."""
    ticks = 10**20 - 1 - int(workflow.changed_at.timestamp() * 10_000_000)
    return f"{ticks:020d}"


def host_of(world: World, workflow: Resource) -> str:
    """`prod-{short}.{location}.logic.azure.com`, as the planes opened it for this location."""
    suffix = f".{workflow.location}.logic.azure.com"
    return next((name for name in sorted(world.hosts) if name.endswith(suffix)), f"prod-00{suffix}")


def signature(world: World, workflow: Resource, trigger: str) -> str:
    """The `sig` of a trigger's URL; deterministic, so that the plane can check it."""
    key = f"{world.seed}:{workflow.id.lower()}".encode()
    return hmac.new(key, trigger.lower().encode(), hashlib.sha256).hexdigest()


def callback(world: World, workflow: Resource, trigger: str) -> dict:
    """What listCallbackUrl answers."""
    base = f"https://{host_of(world, workflow)}:443/workflows/{workflow.name}"
    return signed(world, workflow, trigger, f"{base}/triggers/{trigger}/paths/invoke", URL_VERSION)


def signed(world: World, workflow: Resource, trigger: str, base: str, version: str) -> dict:
    """A trigger's URL with its signature, whole and in its parts."""
    permission = f"%2Ftriggers%2F{trigger}%2Frun"
    queries = {
        "api-version": version,
        "sp": permission.replace("%2F", "/"),
        "sv": "1.0",
        "sig": signature(world, workflow, trigger),
    }
    query = f"api-version={version}&sp={permission}&sv=1.0&sig={queries['sig']}"
    return {"value": f"{base}?{query}", "method": "POST", "basePath": base, "queries": queries}


def workflow_of(call: Call) -> Resource:
    """The workflow that a path is about, however deep the path goes."""
    id = re.sub(r"(?i)(/providers/Microsoft\.Logic/workflows/[^/]+).*", r"\1", call.route.id)
    found = call.world.resources.get(id)
    if found is None:
        raise not_found(call.route)
    return found


def part(call: Call, word: str) -> str:
    """The name after `word` in the path, as it was written."""
    parts = call.route.path.split("/")
    lower = [part.lower() for part in parts]
    return parts[lower.index(word) + 1] if word in lower[:-1] else ""


def item(call: Call, workflow: Resource, kind: str, row: dict, above: str = "") -> dict:
    """A run, trigger ... as ARM shows it: with id, type and a reference to its workflow."""
    path = f"{above}/{kind}" if above else f"/{kind}"
    type = BASE + "/" + "/".join(path.strip("/").split("/")[0::2])
    shown = {"id": f"{workflow.id}{path}/{row['name']}", "type": type, "name": row["name"]}
    return {**shown, "properties": dict(row.get("properties", {}))}


def reference(workflow: Resource) -> dict:
    version = version_of(workflow)
    return {
        "id": f"{workflow.id}/versions/{version}",
        "name": version,
        "type": f"{BASE}/versions",
    }
