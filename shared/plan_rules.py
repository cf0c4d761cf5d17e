"""Plan rules: what must hold between the parts of a plan document.

They read plain data and forgive every wrong shape, because pydantic reports those: so one look at
a bad plan gives all of its errors, not only those of the first kind.
"""

import re
from collections.abc import Iterator

from shared import (
    halves,
    maintenance,
    plan_gateways,
    plan_hosts,
    plan_links,
    plan_secrets,
    plan_steps,
    roles,
)
from shared.plan_order import cycles, later, waits
from shared.plan_raw import components, mapping

TEMPLATES = ("resource", "gatewayUrl", "url", "namespace", "group")
VARIABLES = ("location", "resourceGroup", "short")
VARIABLE = re.compile(r"\{([^{}]*)\}")
RESOURCE_TYPES = {
    "logicWorkflow": "Microsoft.Logic/workflows",
    "apiManagement": "Microsoft.ApiManagement/service",
    "trafficManager": "Microsoft.Network/trafficManagerProfiles",
    "integrationAccount": "Microsoft.Logic/integrationAccounts",
    "logicAppWorkflow": "Microsoft.Web/sites",
    "apiConnection": "Microsoft.Web/connections",
    "dataGateway": "Microsoft.Web/connectionGateways",
    "functionApp": "Microsoft.Web/sites",
    "batch": "Microsoft.Batch/batchAccounts",
    "dataFactory": "Microsoft.DataFactory/factories",
    "scaleSet": "Microsoft.Compute/virtualMachineScaleSets",
    "serviceBusAlias": "Microsoft.ServiceBus/namespaces",
    "eventHubsAlias": "Microsoft.EventHub/namespaces",
    "storageAccount": "Microsoft.Storage/storageAccounts",
    "sqlFailoverGroup": "Microsoft.Sql/servers",
    "cosmosDb": "Microsoft.DocumentDB/databaseAccounts",
}
GLOBAL = ("trafficManager", "storageAccount", "cosmosDb")  # One resource serves both locations.
BY_LOCATION = (
    "resources",
    "halves",
    "backups",
    "overlay",
    "endpoints",
    "hosts",
    "values",
    "members",
    "workspaces",
    "vaults",
    "capacity",
    "standbyCapacity",
)
# Maps that must name both locations.
WHOLE = (
    "resources",
    "hosts",
    "members",
    "workspaces",
    "halves",
    "backups",
    "endpoints",
    "capacity",
)
RESOURCE_ID = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/([^/]+/[^/]+)/[^/]+", re.IGNORECASE
)


def broken_rules(data: dict) -> list[str]:
    """Every rule that the document breaks, each with its path."""
    return [problem for rule in RULES for problem in rule(data)]


def resolved(part: dict, location: str, spot: dict) -> dict:
    """A component as seen from a location: `resource` is the id there, templates are filled in."""
    values = {"location": location, "resourceGroup": spot["resourceGroup"], "short": spot["short"]}
    seen = {key: value for key, value in part.items() if key != "resources"}
    if "resources" in part:
        seen["resource"] = part["resources"][location]
    for key in TEMPLATES:
        if key in seen:
            seen[key] = VARIABLE.sub(lambda found: values[found.group(1)], seen[key])
    return seen


def home(data: dict) -> Iterator[str]:
    places = mapping(data, "locations")
    if places and isinstance(data.get("home"), str) and data["home"] not in places:
        yield f"home: {data['home']} is none of the locations {', '.join(map(str, places))}"
    shorts = [p.get("short") for p in places.values() if isinstance(p, dict)]
    if len(shorts) == 2 and shorts[0] == shorts[1]:
        yield f"locations: both have the short name {shorts[0]}"


def names(data: dict) -> Iterator[str]:
    first: dict[object, str] = {}
    gateways = [path for path, part in components(data) if part.get("kind") == "apiManagement"]
    for path in gateways[1:]:
        yield f"{path}.kind: a plan has one apiManagement component, {gateways[0]} is one"
    for path, part in components(data):
        name = part.get("name")
        if not isinstance(name, str):
            continue
        if name in first:
            yield f"{path}.name: {name} is the name of {first[name]} too"
        first.setdefault(name, path)


def exclusive(data: dict) -> Iterator[str]:
    for path, part in components(data):
        trigger = roles.TRIGGERS.get(str(part.get("trigger")))
        if trigger and trigger.exclusive and part.get("role") == "activeActive":
            yield (
                f"{path}.role: a {part['trigger']} trigger cannot be activeActive: "
                f"{trigger.because}"
            )


def templates(data: dict) -> Iterator[str]:
    for path, part in components(data):
        texts = {key: part.get(key) for key in TEMPLATES}
        texts |= {f"halves.{at}": text for at, text in mapping(part, "halves").items()}
        for key, text in texts.items():
            for name in VARIABLE.findall(text) if isinstance(text, str) else ():
                if name not in VARIABLES:
                    yield f"{path}.{key}: {{{name}}} is none of {', '.join(VARIABLES)}"


def maps(data: dict) -> Iterator[str]:
    """What is given per location names the plan's locations, and where needed both of them."""
    places = set(mapping(data, "locations"))
    for path, part in components(data):
        for key in BY_LOCATION:
            given = part.get(key)
            if not isinstance(given, dict):
                continue
            for name in sorted(map(str, set(given) - places)):
                yield f"{path}.{key}.{name}: no location of the plan"
            for name in sorted(map(str, places - set(given))) if key in WHOLE else ():
                yield f"{path}.{key}: {name} is missing"
        if part.get("kind") not in RESOURCE_TYPES or part.get("role") == "split":
            continue
        if ("resource" in part) == ("resources" in part):
            yield f"{path}: give resource, a template, or resources, one id per location"


def ids(data: dict) -> Iterator[str]:
    """Every id is one of its kind, and no two components, or locations, share one."""
    owner: dict[str, tuple[str, str]] = {}
    for path, part in components(data):
        kind = str(part.get("kind"))
        for key, location, resource in places_of(data, part):
            where = f"{path}.{key}"
            found = RESOURCE_ID.fullmatch(resource)
            if not found or found.group(1).lower() != RESOURCE_TYPES[kind].lower():
                yield f"{where}: {resource} is no id of a {RESOURCE_TYPES[kind]}"
                continue
            # A site has many workflows, and each may be a component.
            own = f"{resource}/{part.get('workflow', '')}".lower()
            other, there = owner.setdefault(own, (where, location))
            if other != where:
                also = other.removesuffix(".resource")
                yield f"{where}: {resource} is the resource of {also} too"
            elif there != location and not shared_by_both(part):
                yield f"{where}: {resource} is the same in {there} and {location}"


def shared_by_both(part: dict) -> bool:
    """Does one resource serve both locations?"""
    return part.get("kind") in GLOBAL or part.get("mode") == "replication"


def aliases(data: dict) -> Iterator[str]:
    """A pairing has an alias, a replicated namespace one name and no alias."""
    for path, part in components(data):
        if part.get("kind") not in ("serviceBusAlias", "eventHubsAlias"):
            continue
        paired = part.get("mode", "pairing") == "pairing"
        if paired and "alias" not in part:
            yield f"{path}.alias: a pairing needs the name of its alias"
        if not paired and "alias" in part:
            yield f"{path}.alias: a replicated namespace has no alias"


def readable(data: dict) -> Iterator[str]:
    """An account that stays where it is has its copy read, so it must be known where to look."""
    for path, part in components(data):
        stays = part.get("kind") == "storageAccount" and part.get("failover", "none") == "none"
        if stays and not part.get("container"):
            yield (
                f"{path}.container: an account with failover: none needs a container, in which a "
                "run sees that the copy can be read"
            )


def places_of(data: dict, part: dict) -> Iterator[tuple[str, str, str]]:
    """(key, location, the resource's id there), where everything that takes is there."""
    if part.get("kind") not in RESOURCE_TYPES:
        return
    for location, spot in mapping(data, "locations").items():
        if not isinstance(spot, dict) or not all(
            isinstance(spot.get(key), str) for key in ("resourceGroup", "short")
        ):
            continue
        given = part.get("resources")
        texts = {
            "resource": given.get(location) if isinstance(given, dict) else part.get("resource")
        }
        texts |= {f"halves.{at}": text for at, text in mapping(part, "halves").items()}
        for key, text in texts.items():
            if isinstance(text, str) and set(VARIABLE.findall(text)) <= set(VARIABLES):
                seen = resolved({"resource": text}, str(location), spot)
                yield key, location, seen["resource"]


def split(data: dict) -> Iterator[str]:
    places = mapping(data, "locations").items()
    shorts = {at: str(spot.get("short")) for at, spot in places if isinstance(spot, dict)}
    yield from halves.problems(components(data), shorts)


def hosts(data: dict) -> Iterator[str]:
    yield from plan_hosts.problems(components(data))
    yield from plan_links.problems(components(data))
    spots = mapping(data, "locations").values()
    apps = {str(spot.get("app")) for spot in spots if isinstance(spot, dict)}
    for path, part in components(data):
        if part.get("kind") == "functionApp":
            ids = [resource for _, _, resource in places_of(data, part)]
            yield from plan_hosts.own(path, ids, apps)


def gateways(data: dict) -> Iterator[str]:
    yield from plan_gateways.problems(components(data), set(mapping(data, "locations")))


def observers(data: dict) -> Iterator[str]:
    """Two kinds must agree before anything is lost, so a kind counts once."""
    given = mapping(data, "watch").get("observers")
    kinds = [k for k in given if isinstance(k, str)] if isinstance(given, list) else []
    for kind in sorted({k for k in kinds if kinds.count(k) > 1}):
        yield f"watch.observers: {kind} is given twice"


def windows(data: dict) -> Iterator[str]:
    given = data.get("maintenance")
    for n, window in enumerate(given if isinstance(given, list) else []):
        for key, words in maintenance.problems(window) if isinstance(window, dict) else ():
            yield f"maintenance[{n}].{key}: {words}"


RULES = (
    home,
    names,
    waits,
    later,
    cycles,
    exclusive,
    split,
    templates,
    maps,
    ids,
    hosts,
    aliases,
    readable,
    gateways,
    observers,
    windows,
    plan_steps.problems,
    plan_secrets.problems,
)
