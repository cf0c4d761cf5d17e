"""Readiness of a Standard workflow: the standby's site, its copy of the workflow, and its likeness.

After Microsoft.Web 2025-05-01. The envelope of a workflow shows its files; what it says of an
unhealthy one is told by its code alone, for the message may quote settings. A site's connections
and settings are shown only to who may act there; of both nothing but names is told.
"""

from shared import arm_calls, clients, one_look, readiness, readiness_flows, site_connections
from shared.denials import denied
from shared.outcome import refused, succeeded
from shared.reply import Surprise
from shared.resource_ids import group_of

KIND = "workflowapp"


def check_logic_app_workflow(payload: dict) -> dict:
    """Would a failover to `location` find this workflow? Facts `checks`. Safe to repeat: reads."""
    part, location = payload["component"], payload["location"]
    name, site = part["name"], str(part["resource"]).rsplit("/", 1)[-1]
    seen = clients.ask("GET", part["resource"])
    no = denied(seen, f"site {site}")
    if no:
        return no
    rows = [host(part, location, seen.document)]
    if rows[0]["status"] == "fail" or seen.properties.get("state") != "Running":
        return succeeded(rows[0]["because"], checks=rows)
    mine = _envelope(part)
    if mine["status"] != "succeeded":
        return succeeded(
            mine["because"],
            checks=[*rows, readiness.seen(name, location, "workflow", mine, "deploy it there")],
        )
    rows.append(health(name, location, mine["properties"]))
    state = str(mine["properties"].get("flowState", ""))
    rows.append(readiness.workflow(name, part["role"], part["trigger"], location, state))
    theirs, listed = _theirs(part["other"])
    own = _words(part, location)
    definition = _definition(mine)
    rows.append(readiness_flows.role(name, location, part["trigger"], part["role"], definition))
    rows += _connected(part, location, definition)
    other = _words(part["other"], payload["away"])
    rows.append(
        readiness_flows.definition(
            name,
            location,
            readiness_flows.neutral(definition, own),
            readiness_flows.neutral(_definition(theirs), other) if theirs else None,
            part.get("differs", []),
        )
    )
    names = _names(part)
    rows.append(readiness_flows.same_set(location, names or set(), listed))
    return succeeded(f"{len(rows)} checks", checks=rows)


def host(part: dict, location: str, site: dict) -> dict:
    """Is the site a Standard logic app that runs?"""
    name, kind = part["name"], str(site.get("kind", ""))
    state = str((site.get("properties") or {}).get("state", ""))
    if KIND not in kind.lower().split(","):
        words = f"the site is of kind {kind or 'app'}, no Standard logic app"
        return readiness.check(name, location, "host", "fail", words, "deploy one of this kind")
    if state == "Running":
        return readiness.check(name, location, "host", "ok", "the site is there and runs")
    words = f"the site is {state}"
    if part.get("waitsFor"):
        words += f"; {', '.join(part['waitsFor'])} has to start it"
        return readiness.check(name, location, "host", "warn", words, "start it, or trust in that")
    fix = "start it, or let the workflow wait for a functionApp component that does"
    return readiness.check(name, location, "host", "fail", words, fix)


def health(name: str, location: str, envelope: dict) -> dict:
    """Can the host load the workflow?"""
    told = envelope.get("health") or {}
    state = str(told.get("state", "Unknown"))
    if state == "Healthy":
        return readiness.check(name, location, "workflow", "ok", "the host has loaded it")
    code = (told.get("error") or {}).get("code", "without a code")
    status = "fail" if state == "Unhealthy" else "warn"
    words = f"the host says {state}: {code}"
    return readiness.check(name, location, "workflow", status, words, "see the site's own log")


def _connected(part: dict, location: str, definition: dict) -> list[dict]:
    """Are the connections that the workflow names its own location's? None where it names none."""
    used = site_connections.used(definition)
    if not used:
        return []
    name, site = part["name"], part["resource"]
    url = f"{site}/listWorkflowsConnections"
    reply = one_look.once(url, lambda: clients.ask("POST", url))
    if reply.status == 403 and clients.settings().location != location:
        return [readiness.unseen("connections", location)]
    file = site_connections.file_of(reply.body) if reply.ok else None
    if file is None:
        words = f"the site does not show its connections: {reply.status} {reply.code}".rstrip()
        fix = "see that the app's identity may list them, where it acts"
        return [readiness.check(name, location, "connections", "warn", words, fix)]
    settings: dict | None = {}
    if site_connections.settings_named(file, used):
        status, listed = arm_calls.settings(site)
        settings = listed if status == 200 else None
    groups = (group_of(site), group_of(part["other"]["resource"]))
    return [site_connections.connections(name, location, groups, file, used, settings)]


def _theirs(part: dict) -> tuple[dict | None, set[str] | None]:
    """The active side's envelope and its workflows' names; null where it does not answer."""
    try:
        found, names = _envelope(part), _names(part)
    except Surprise:
        return None, None
    return (found if found["status"] == "succeeded" else None), names


def _envelope(part: dict) -> dict:
    reply = clients.ask("GET", f"{part['resource']}/workflows/{part['workflow']}")
    if reply.status == 400:
        return refused(f"the site's host does not run: {reply.code}")
    no = denied(reply, f"workflow {part['workflow']}")
    return no or succeeded(properties=reply.properties)


def _names(part: dict) -> set[str] | None:
    """The names of the site's workflows."""
    found: set[str] = set()
    for reply in arm_calls.pages(f"{part['resource']}/workflows"):
        if not reply.ok:
            return None
        found |= {str(row["name"]).rsplit("/", 1)[-1] for row in reply.document.get("value", [])}
    return found


def _definition(envelope: dict) -> dict:
    files = envelope["properties"].get("files") or {}
    told = files.get("workflow.json") if isinstance(files, dict) else None
    found = told.get("definition") if isinstance(told, dict) else None
    return found if isinstance(found, dict) else {}


def _words(part: dict, location: str) -> dict[str, str]:
    """What of a definition belongs to its location."""
    words = str(part["resource"]).split("/")
    return {
        "site": words[-1],
        "resourceGroup": "/".join(words[:5]),
        "group": words[4],
        "location": location,
    }
