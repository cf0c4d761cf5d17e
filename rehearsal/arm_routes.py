"""ARM's paths, pure: what a path names, where it runs, and in what letter case (none).

After the ARM RPC: ids are alternating types and names after the last `providers` segment.
"""

from dataclasses import dataclass
from urllib.parse import unquote

from rehearsal.world import GROUP_TYPE, SUBSCRIPTION_TYPE, World, normal, parent_of


@dataclass(frozen=True)
class Route:
    """What a path names.

    With `tail` the path has an odd segment at its end: a collection, or an action on `id`.
    """

    path: str
    subscription: str
    group: str
    type: str  # Of the resource `id`; "" when the path names none.
    id: str
    tail: str
    location: str  # From a /locations/{location}/ segment.

    @property
    def name(self) -> str:
        """The last name."""
        return self.id.rsplit("/", 1)[-1] if self.id else ""

    @property
    def parent_id(self) -> str:
        """The id above."""
        return parent_of(self.id)

    @property
    def collection(self) -> str:
        """The type whose instances the path lists."""
        if not self.type or self.type in (GROUP_TYPE, SUBSCRIPTION_TYPE):
            return {"subscriptions": SUBSCRIPTION_TYPE, "resourcegroups": GROUP_TYPE}.get(
                self.tail.lower(), self.tail
            )
        return self.tail if "/" in self.tail else f"{self.type}/{self.tail}"


def _after(parts: list[str], word: str) -> str:
    """The segment after the first one that is `word`."""
    lower = [part.lower() for part in parts]
    at = lower.index(word) + 1 if word in lower else len(parts)
    return parts[at] if at < len(parts) else ""


def parse(path: str) -> Route:
    """Read a path, percent-decoded, with any number of slashes at its ends."""
    clean = "/" + unquote(path).strip("/")
    parts = clean[1:].split("/") if clean != "/" else []
    lower = [part.lower() for part in parts]
    subscription = _after(parts, "subscriptions") if lower[:1] == ["subscriptions"] else ""
    group = _after(parts, "resourcegroups")
    location = normal(_after(parts, "locations"))
    if "providers" not in lower or lower[-1] == "providers":
        odd = len(parts) % 2
        id = "/" + "/".join(parts[:-1] if odd else parts)
        kinds = {2: SUBSCRIPTION_TYPE, 4: GROUP_TYPE}
        kind = kinds.get(len(parts) - odd, "")
        return Route(
            clean, subscription, group, kind, id if kind else "", parts[-1] if odd else "", location
        )
    at = len(parts) - 1 - lower[::-1].index("providers")
    scope, namespace, rest = parts[:at], parts[at + 1], parts[at + 2 :]
    odd = len(rest) % 2
    named = rest[:-1] if odd else rest
    tail = rest[-1] if odd else ""
    if not named:  # A collection of a top-level type, or the provider itself.
        kinds = {2: SUBSCRIPTION_TYPE, 4: GROUP_TYPE}
        whole = f"{namespace}/{tail}" if tail else f"providers/{namespace}"
        id = "/" + "/".join(scope) if scope else ""
        above = kinds.get(len(scope), "") if "providers" not in lower[:at] else ""
        return Route(clean, subscription, group, above, id, whole, location)
    id = "/" + "/".join([*scope, "providers", namespace, *named])
    kind = "/".join([namespace, *named[0::2]])
    return Route(clean, subscription, group, kind, id, tail, location)


def regions(world: World, route: Route, body: dict) -> set[str]:
    """The regions that must be up for this request: the resource's own and its group's.

    Control-plane operations go through the resource group's location as well (azure-docs,
    azure-resource-manager/management/overview.md).
    """
    found: set[str] = {route.location} if route.location else set()
    group = world.resources.get(f"/subscriptions/{route.subscription}/resourceGroups/{route.group}")
    if group is not None:
        found.add(group.location)
    id = route.id
    for _ in range(8):  # The nearest ancestor that exists; ids are at most a few levels deep.
        resource = world.resources.get(id) if id.count("/") > 4 else None
        if resource is not None:
            return found | {resource.location}
        id = parent_of(id) if id.count("/") > 6 else ""
    own = body.get("location")
    return found | ({normal(own)} if isinstance(own, str) else set())
