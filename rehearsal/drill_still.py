"""What stands still: is an exclusive component of any kind at work in a location?

By the world itself, which knows nothing of the app; and by a dry run's rows, the app's own word.
"""

from collections.abc import Iterable

from rehearsal.providers.batch import SCHEDULES
from rehearsal.providers.data_factory import STARTED
from rehearsal.world import World
from shared import scaling
from shared.dryrun import SAME
from shared.plan import Plan


def at_work(world: World, plan: Plan, location: str) -> list[str]:
    """What is at work there of all that must stand still where the plan is not active.

    What the location does not have works nowhere in it.
    """
    parts = [plan.component(name, location) for name in plan.exclusive(location)]
    return [part["name"] for part in parts if LOOKS[part["kind"]](world, part, location)]


def _flow(world: World, part: dict, location: str) -> bool:
    return _property(world, part["resource"], "state") == "Enabled"


def _site_flow(world: World, part: dict, location: str) -> bool:
    path = f"{part['resource']}/workflows/{part['workflow']}"
    return _site(world, part, location) and _property(world, path, "state", "Enabled") == "Enabled"


def _site(world: World, part: dict, location: str) -> bool:
    return _property(world, part["resource"], "state", "Running") == "Running"


def _factory(world: World, part: dict, location: str) -> bool:
    """Does any of its triggers fire?"""
    rows = world.resources.under(part["resource"], "Microsoft.DataFactory/factories/triggers")
    names = part.get("triggers") or [row.name for row in rows]
    return any(r.properties.get("runtimeState") == STARTED for r in rows if r.name in names)


def _batch(world: World, part: dict, location: str) -> bool:
    """Does any of its job schedules start jobs?"""
    account = world.resources.get(part["resource"])
    rows = account.body.get(SCHEDULES, {}) if account else {}
    return any(rows.get(name, {}).get("state") == "active" for name in part["schedules"])


def _scale_set(world: World, part: dict, location: str) -> bool:
    found = world.resources.get(part["resource"])
    capacity = (found.body.get("sku") or {}).get("capacity", 0) if found else 0
    return capacity > scaling.target(part, location, "demote")


def _property(world: World, path: str, key: str, default: str = "") -> str:
    """A property of a resource; empty where there is none such."""
    found = world.resources.get(path)
    return str(found.properties.get(key, default)) if found else ""


LOOKS = {
    "logicWorkflow": _flow,
    "logicAppWorkflow": _site_flow,
    "functionApp": _site,
    "dataFactory": _factory,
    "batch": _batch,
    "scaleSet": _scale_set,
}


def unlike(differences: list[dict], verb: str, names: Iterable[str]) -> list[str]:
    """Which of these components a dry run would change by `verb`, or does not speak of."""
    rows = {row["component"]: row for row in differences if row["verb"] == verb}
    return [
        f"{name} ({rows[name]['seen'] if name in rows else 'not looked at'})"
        for name in names
        if name not in rows or rows[name]["would"] != SAME
    ]
