"""On-premises data gateways: is the one of the standby there, in its region, and more than one?

After Microsoft.Web 2016-06-01. ARM shows a cluster's first machine alone; who else is in it only
the gateway's own service knows, so that the plan has to say it.
"""

from shared import clients, readiness
from shared.api_connections import VERSION
from shared.denials import denied
from shared.outcome import refused, succeeded
from shared.reply import Reply, Surprise

INSTALLED = ("installed", "live", "")  # A status is published without its values.
MEMBERS_MIN = 2


def observe_data_gateway(payload: dict) -> dict:
    """The gateway as ARM has it: facts `state`, `serving`; a gone one is refused for `verify`.

    With `dryRun` nothing is named: nothing is ever sent. Safe to repeat: reads.
    """
    part = payload["component"]
    reply = _read(part)
    no = denied(reply, f"data gateway {_name(part)}")
    if no:
        return no
    state = str(reply.properties.get("status") or "")
    serving = state.lower() in INSTALLED
    if payload.get("verb") == "verify" and not serving:
        return refused(f"{part['name']} is {state}", serving=False)
    return succeeded(f"is {state or 'there'}", state=state, serving=serving)


def check_data_gateway(payload: dict) -> dict:
    """Could connections in `location` use it? Facts `checks`. Safe to repeat: reads."""
    part, location = payload["component"], payload["location"]
    reply = _read(part)
    no = denied(reply, f"data gateway {_name(part)}")
    if no:
        return no
    body, properties = reply.document, reply.properties
    rows = [
        status(part, location, properties),
        region(part, location, body),
        members(part, location, properties),
        apart(part, location, properties, _theirs(part["other"])),
    ]
    return succeeded(f"{len(rows)} checks", checks=rows)


def status(part: dict, location: str, properties: dict) -> dict:
    """Is it installed?"""
    state = str(properties.get("status") or "")
    if state.lower() in INSTALLED:
        return readiness.check(part["name"], location, "gateway", "ok", f"is {state or 'there'}")
    words, fix = f"is {state}", "start its service, or recover it with its key"
    return readiness.check(part["name"], location, "gateway", "fail", words, fix)


def region(part: dict, location: str, body: dict) -> dict:
    """Are the resource and its installation in their own location?"""
    given = (body.get("properties") or {}).get("connectionGatewayInstallation") or {}
    words = str(given.get("id", "")).lower().split("/")
    at = words.index("locations") + 1 if "locations" in words[:-1] else 0
    places = {
        "resource": str(body.get("location", "")).replace(" ", "").lower(),
        "installation": words[at] if at else location,
    }
    wrong = [f"its {what} is in {where}" for what, where in places.items() if where != location]
    if wrong:
        told = f"{' and '.join(wrong)}, not in {location}: it is lost with that"
        fix = f"register a gateway for {location}"
        return readiness.check(part["name"], location, "region", "fail", told, fix)
    return readiness.check(part["name"], location, "region", "ok", f"is in {location}")


def members(part: dict, location: str, properties: dict) -> dict:
    """Has the cluster at least two machines, as the plan declares it?"""
    named = part["members"].get(location, [])
    machine = str(properties.get("machineName") or "")
    if len(named) < MEMBERS_MIN:
        told = f"has {len(named)} machine: it stops with that"
        fix = "add a second machine to the cluster, and to the plan"
        return readiness.check(part["name"], location, "members", "fail", told, fix)
    if machine and machine.lower() not in {one.lower() for one in named}:
        told = f"its first machine is {machine}, which is not among {', '.join(named)}"
        return readiness.check(part["name"], location, "members", "warn", told, "mend the plan")
    told = f"{len(named)} machines are declared; of them the resource manager shows one alone"
    return readiness.check(part["name"], location, "members", "ok", told)


def apart(part: dict, location: str, mine: dict, theirs: dict | None) -> dict:
    """Is it another cluster than the active location's?"""
    if theirs is None:
        told, fix = "the active one does not answer: not compared", "look again when it does"
        return readiness.check(part["name"], location, "apart", "warn", told, fix)
    ids = [
        str((one.get("connectionGatewayInstallation") or {}).get("id", "")).rsplit("/", 1)[-1]
        for one in (mine, theirs)
    ]
    if ids[0] and ids[0].lower() == ids[1].lower():
        told, fix = "both locations use one installation", "install a cluster for each"
        return readiness.check(part["name"], location, "apart", "fail", told, fix)
    told = "is not the active location's"
    return readiness.check(part["name"], location, "apart", "ok", told)


def _read(part: dict) -> Reply:
    return clients.ask("GET", part["resource"], version=VERSION)


def _theirs(part: dict) -> dict | None:
    try:
        reply = clients.ask("GET", part["resource"], version=VERSION, bounds=clients.HURRIED)
    except Surprise:
        return None
    return reply.properties if reply.ok else None


def _name(part: dict) -> str:
    return str(part["resource"]).rsplit("/", 1)[-1]
