"""What a gateway serves: its APIs, operations, policies and keys, compiled from the world.

Compiled anew at most a few times a second, as a real gateway takes up its configuration late.
"""

import re
from dataclasses import dataclass, field

from rehearsal.world import Resource, World

SERVICE = "Microsoft.ApiManagement/service"


@dataclass(frozen=True)
class Operation:
    """One operation: method, pattern of the path behind the API's own, policy."""

    name: str
    method: str
    pattern: re.Pattern[str]
    policy: str | None


@dataclass
class Api:
    """One current API."""

    name: str
    path: str
    needs_key: bool
    service_url: str | None
    policy: str | None = None
    operations: list[Operation] = field(default_factory=list)


@dataclass
class Config:
    """Everything that a request needs."""

    apis: list[Api] = field(default_factory=list)
    policy: str | None = None
    named_values: dict[str, str] = field(default_factory=dict)
    backends: dict[str, str] = field(default_factory=dict)
    fragments: dict[str, str] = field(default_factory=dict)
    products: dict[str, set[str]] = field(default_factory=dict)
    product_policies: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)  # key -> scope below the service, lower case

    def find(self, path: str) -> tuple[Api, str] | None:
        """The API with the longest path that fits, and the rest of the path."""
        for api in self.apis:
            prefix = f"/{api.path}" if api.path else ""
            if path.lower() == prefix.lower() or path.lower().startswith(f"{prefix}/".lower()):
                return api, path[len(prefix) :] or "/"
        return None

    def admits(self, key: str, api: Api) -> bool:
        """Does this subscription key open this API?"""
        scope = self.keys.get(key)
        if scope is None:
            return False
        kind, _, name = scope.strip("/").partition("/")
        if kind == "products":
            return api.name.lower() in self.products.get(name, set())
        return kind == "apis" and name in ("", api.name.lower())

    def product_of(self, key: str) -> str | None:
        """The product that a key belongs to."""
        kind, _, name = self.keys.get(key, "").strip("/").partition("/")
        return name if kind == "products" else None


def compile_template(template: str) -> re.Pattern[str]:
    """`/{id}` and `/*` as a pattern with named groups."""
    path = template.split("?")[0].strip("/")
    parts = re.split(r"(\{\*?[\w-]+\}|\*)", path)
    made = []
    for part in parts:
        if part == "*" or part.startswith("{*"):
            made.append(".*")
        elif part.startswith("{"):
            made.append(f"(?P<{re.sub(r'[^0-9A-Za-z_]', '_', part[1:-1])}>[^/]+)")
        else:
            made.append(re.escape(part))
    return re.compile(f"^/{''.join(made)}/?$", re.IGNORECASE)


def load(world: World, service: Resource) -> Config:
    """The configuration of a service as the world has it now."""
    config, base = Config(), f"{service.id.lower()}/"
    rows = [row for row in world.resources if row.id.lower().startswith(base)]
    policies: dict[str, str] = {}
    for row in rows:
        if row.type.lower().endswith("/policies"):
            policies[row.id.lower().rpartition("/policies/")[0]] = row.properties.get("value", "")
    config.policy = policies.get(service.id.lower())
    for row in rows:
        _take(config, row, row.type[len(SERVICE) + 1 :].lower(), base, policies)
    _pools(config, rows)
    _operations(config, rows, base, policies)
    config.apis.sort(key=lambda api: len(api.path), reverse=True)
    return config


def _take(config: Config, row: Resource, kind: str, base: str, policies: dict[str, str]) -> None:
    """Put one resource where requests look for it."""
    own, name = row.properties, row.name.lower()
    if kind == "namedvalues":
        config.named_values[str(own.get("displayName", row.name)).lower()] = own.get("value", "")
    elif kind == "backends":
        config.backends[name] = own.get("url", "")
    elif kind == "policyfragments":
        config.fragments[name] = own.get("value", "")
    elif kind == "products":
        config.products.setdefault(name, set())
        config.product_policies[name] = policies.get(row.id.lower(), "")
    elif kind == "products/apis":
        config.products.setdefault(row.id.lower().split("/")[-3], set()).add(name)
    elif kind == "subscriptions" and own.get("state", "active") == "active":
        scope = _scope(str(own.get("scope", "")).lower(), base)
        for key in (own.get("primaryKey"), own.get("secondaryKey")):
            if key:
                config.keys[key] = scope
    elif kind == "apis" and own.get("isCurrent", True):
        needs = bool(own.get("subscriptionRequired", True))
        policy = policies.get(row.id.lower())
        config.apis.append(Api(row.name, own.get("path", ""), needs, own.get("serviceUrl"), policy))


def _pools(config: Config, rows: list[Resource]) -> None:
    """A pool leads to its first member of the smallest priority; loads are not shared."""
    for row in rows:
        services = (row.properties.get("pool") or {}).get("services") or []
        if row.type.lower().endswith("/backends") and services:
            best = min(services, key=lambda service: service.get("priority", 0))
            member = str(best["id"]).lower().rpartition("/")[2]
            config.backends[row.name.lower()] = config.backends.get(member, "")


def _scope(scope: str, base: str) -> str:
    """A subscription's scope below its service; after a restore it may name the other service."""
    if scope.startswith(base):
        return scope[len(base) :]
    tail = re.search(r"/(products|apis)(/[^/]*)?/?$", scope)
    return tail[0].strip("/") if tail else scope.strip("/")


def _operations(config: Config, rows: list[Resource], base: str, policies: dict[str, str]) -> None:
    apis = {f"{base}apis/{api.name.lower()}": api for api in config.apis}
    for row in rows:
        owner = apis.get(row.id.lower().rpartition("/operations/")[0])
        if owner is None or not row.type.lower().endswith("/apis/operations"):
            continue
        pattern = compile_template(row.properties.get("urlTemplate", "/"))
        method, policy = row.properties.get("method", "GET"), policies.get(row.id.lower())
        owner.operations.append(Operation(row.name, method.upper(), pattern, policy))
    for api in config.apis:  # Fixed paths go before patterns.
        api.operations.sort(key=lambda operation: operation.pattern.groups)
