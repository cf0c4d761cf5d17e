"""Microsoft.Web/sites: apps that are started and stopped, their settings, Standard's workflows.

After api-version 2025-05-01. Settings are replaced as a whole and have no ETag that counts. A
change of them restarts the app: until `site_restart_seconds` are over the old host serves, with
the old states of its workflows. A workflow is a child resource that keeps `definition` and
`state`, and runs where `world.workflows` runs Consumption's; `site_runs` shows what ran.
Not emulated: slots, scale, deployments into a site (its process is the stage's own), snapshots of
settings, stateless workflows.
"""

import asyncio
import re

from rehearsal.arm_provider import Call, Provider, Refused, Reply, not_found
from rehearsal.world import Resource, World

VERSIONS = ("2025-05-01", "2024-11-01", "2023-12-01")
BASE = "Microsoft.Web/sites"
FLOWS = f"{BASE}/workflows"
READ = frozenset({"GET"})
SITE_OF = re.compile(r"(?i).*?/providers/Microsoft\.Web/sites/[^/]+")
SETTINGS = "appsettings"
CONNECTIONS = "workflowsconfiguration/connections"

sites = Provider(BASE, VERSIONS, created_status=200)
config = Provider(f"{BASE}/config", VERSIONS, created_status=200)
flows = Provider(FLOWS, VERSIONS, methods=READ)
functions = Provider(f"{BASE}/functions", VERSIONS, methods=READ)
PROVIDERS = [sites, config, flows, functions]


@sites.put
def put_site(call: Call, body: dict, known: Resource | None) -> None:
    """A site stands on a plan that exists; its host name is its own."""
    properties = body.setdefault("properties", {})
    farm = properties.get("serverFarmId", "")
    if call.world.resources.get(farm) is None:
        message = f"Cannot find serverfarm with id {farm}."
        raise Refused(404, "NotFound", message)
    state = known.properties.get("state", "Running") if known else "Running"
    properties |= {"defaultHostName": f"{call.route.name}.azurewebsites.net", "state": state}


@sites.shown
def show_site(call: Call, site: Resource) -> dict:
    """A site with what the service adds."""
    added = {
        "state": "Running",
        "enabled": True,
        "availabilityState": "Normal",
        "defaultHostName": f"{site.name}.azurewebsites.net",
    }
    return {**site.shown(), "properties": {**added, **site.properties}}


def _switch(call: Call, state: str) -> Reply:
    """Start and stop answer 200 without a body, also when nothing changed."""
    site = call.found()
    if site.properties.get("state", "Running") != state:
        site.properties["state"] = state
        call.world.resources.touch(site)
        if state == "Running":
            restart(call.world, site)
        else:
            settle(call.world, site)
    return Reply(200)


@sites.action("start")
def start(call: Call) -> Reply:
    """The app runs; its host takes a while to come up."""
    return _switch(call, "Running")


@sites.action("stop")
def stop(call: Call) -> Reply:
    """Nothing of the app runs any more."""
    return _switch(call, "Stopped")


@config.put
def put_config(call: Call, body: dict, known: Resource | None) -> None:
    """Settings are names and texts, and the whole set of them."""
    if call.route.name.lower() != SETTINGS:
        return
    given = body.get("properties")
    if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
        raise Refused(400, "BadRequest", "The settings of a site are names and strings.")
    body.pop("location", None)


@config.placed
def placed_config(call: Call, row: Resource, before: dict | None) -> None:
    """Changed settings restart the app."""
    site = call.world.resources.get(call.route.parent_id)
    if site is not None and row.name.lower() == SETTINGS:
        restart(call.world, site)


@config.action("list")
def list_settings(call: Call) -> dict:
    """Every setting with its value: why listing them is an action of its own."""
    found = call.found()
    return {"id": found.id, "name": found.name, "type": config.type, "properties": found.properties}


@sites.action("listWorkflowsConnections")
def list_connections(call: Call) -> dict:
    """The one file of a logic app's connections; app settings stand in it by name."""
    site = host_of(call)
    known = call.world.resources.get(f"{site.id}/{CONNECTIONS}")
    return {
        "id": f"{site.id}/workflowconfigurations/connections",
        "name": f"{site.name}/connections",
        "type": f"{BASE}/workflowsconfiguration",
        "location": site.location,
        "properties": {
            "files": {"connections.json": known.properties} if known else {},
            "health": {"state": "Healthy"},
        },
    }


def restart(world: World, site: Resource) -> None:
    """The new host takes over when it is up; App Service overlaps the two."""
    seconds = world.timings.get("site_restart_seconds", 2.0)
    asyncio.get_running_loop().call_later(seconds, settle, world, site)


def settle(world: World, site: Resource) -> None:
    """Each workflow of the site as its settings have it; nothing runs in a stopped one."""
    on = site.properties.get("state", "Running") == "Running"
    known = world.resources.get(f"{site.id}/config/{SETTINGS}")
    settings = {key.lower(): value for key, value in (known.properties if known else {}).items()}
    for flow in world.resources.under(site.id, FLOWS):
        told = settings.get(f"workflows.{flow.name}.flowstate".lower(), "Enabled")
        state = "Disabled" if not on or told.lower() == "disabled" else "Enabled"
        if flow.properties.get("state", "Enabled") != state:
            flow.properties["state"] = state
            world.resources.touch(flow)
            runtime = world.workflows
            (runtime.enabled if state == "Enabled" else runtime.disabled)(flow)


def host_of(call: Call) -> Resource:
    """The site of a path, whose host must run to answer."""
    found = SITE_OF.match(call.route.path)
    site = call.world.resources.get(found.group(0)) if found else None
    if site is None:
        raise not_found(call.route)
    if site.properties.get("state", "Running") != "Running":
        message = "Encountered an error (ServiceUnavailable) from host runtime."
        raise Refused(400, "BadRequest", message)
    return site


@functions.shown
def show_function(call: Call, function: Resource) -> dict:
    """A function of an app, as it was deployed with it; a stopped app tells them too."""
    site = function.id.split("/")[-3]
    return {**function.shown(), "name": f"{site}/{function.name}"}


@flows.shown
def show_flow(call: Call, flow: Resource) -> dict:
    """A workflow's envelope: its files, its state, its health."""
    site = host_of(call)
    own = flow.properties
    files = {"workflow.json": {"definition": own.get("definition", {}), "kind": "Stateful"}}
    health = own.get("health", {"state": "Healthy"})
    return {
        "id": flow.id,
        "name": f"{site.name}/{flow.name}",
        "type": FLOWS,
        "kind": "Stateful",
        "location": site.location,
        "properties": {
            "files": own.get("files", files),
            "flowState": own.get("state", "Enabled"),
            "health": health,
        },
    }
