"""Role-based access: may this principal do that here? Asked where the world says so.

After "Azure role-based access control": an assignment at a scope grants its role's actions there
and below. Only control-plane actions are judged; data actions belong to the data planes.
Not emulated: deny assignments, conditions, groups, and built-in roles on ARM's own resources.
"""

import re
from functools import cache

from rehearsal.arm_provider import Principal, Refused
from rehearsal.arm_routes import Route
from rehearsal.world import GROUP_TYPE, World

ASSIGNMENT = "/providers/microsoft.authorization/roleassignments/"
VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
# Whoever started an operation may ask how it stands.
ASKING = ("operationresults", "operationstatuses")
# By this name roles know a resource group (Microsoft.Resources' operations).
NAMED = {GROUP_TYPE: "Microsoft.Resources/subscriptions/resourceGroups"}


def action_of(method: str, route: Route) -> str:
    """The action that a request is: `Microsoft.Logic/workflows/enable/action`."""
    if method == "POST" and route.tail:
        return f"{route.type}/{route.tail}/action"
    kind = route.collection if route.tail else route.type
    return f"{NAMED.get(kind, kind)}/{VERBS.get(method, 'action')}"


def check_role(world: World, who: Principal, method: str, route: Route) -> None:
    """Raise ARM's 403 where roles are enforced and no assignment of `who` grants the action.

    People (principals without a location) may do everything: what is rehearsed is the app.
    """
    asks = route.type.rsplit("/", 1)[-1].lower() in ASKING
    if not world.roles_enforced or not who.location or not route.subscription or asks:
        return
    action = action_of(method, route)
    if not any(matches(pattern, action) for pattern in granted(world, who.oid, route.id)):
        message = (
            f"The client '{who.name}' with object id '{who.oid}' does not have authorization to "
            f"perform action '{action}' over scope '{route.id}' or the scope is invalid."
        )
        raise Refused(403, "AuthorizationFailed", message)
    world.permitted.add(action)


def granted(world: World, oid: str, id: str) -> list[str]:
    """The actions that a principal's roles grant at `id`."""
    found: list[str] = []
    for row in world.resources.of_type("Microsoft.Authorization/roleAssignments"):
        scope = row.id.lower().rpartition(ASSIGNMENT)[0]
        if row.properties.get("principalId") != oid or not within(id.lower(), scope):
            continue
        role = world.resources.get(str(row.properties.get("roleDefinitionId")))
        for permission in role.properties.get("permissions", []) if role else []:
            found += permission.get("actions", [])
    return found


def within(id: str, scope: str) -> bool:
    return id == scope or id.startswith(f"{scope}/")


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*"), re.IGNORECASE)


def matches(pattern: str, action: str) -> bool:
    """`Microsoft.Logic/workflows/*` and the like."""
    return _pattern(pattern).fullmatch(action) is not None
