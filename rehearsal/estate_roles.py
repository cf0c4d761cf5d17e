"""What the apps may do in an estate: the roles of infra/access.json, in every resource group."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from rehearsal.estate import Estate
from rehearsal.world import World

ACCESS = Path(__file__).resolve().parents[1] / "infra" / "access.json"


def rows(world: World, estate: Estate) -> Iterator[tuple[str, dict]]:
    """(id, body) of each role, and of its assignment {app}-{role} to each location's app."""
    raw = json.loads(ACCESS.read_text(encoding="utf-8"))
    made = [one for one in raw["resources"] if one["type"].endswith("/roleDefinitions")]
    apps = {p.app: world.principal(p.app, name) for name, p in estate.locations.items()}
    for group, one in product(estate.resourceGroups, made):
        role = one["name"].split("'")[1]  # [variables('reader')]
        own = f"{estate.group_id(group)}/providers/Microsoft.Authorization"
        id = f"{own}/roleDefinitions/{role}"
        yield id, {"properties": {"permissions": one["properties"]["permissions"]}}
        for app, oid in apps.items():
            told = {"principalId": oid, "roleDefinitionId": id}
            yield f"{own}/roleAssignments/{app}-{role}", {"properties": told}
