"""API connections: look at one, make a missing one, say what is wrong with it.

After Microsoft.Web 2016-06-01. What a person has to consent to can be made, not authorized.
"""

from collections.abc import Callable

from shared import api_connections, clients, readiness
from shared.api_connections import CONNECTED, VERSION
from shared.clients import Bounds
from shared.denials import denied
from shared.guard import guarded, still
from shared.outcome import refused, skipped, succeeded
from shared.reply import Reply, Surprise

HOSTS_SHOWN_MAX = 3
CONSENT = "authorize it in the portal, or let it use a managed identity"


def observe_connection(payload: dict) -> dict:
    """The connection's status: facts `state`, `serving`; a broken one is refused for `verify`.

    With `dryRun`: `calls`, what would be sent for a missing one. Safe to repeat: reads.
    """
    part = payload["component"]
    seen = _seen(part, clients.HURRIED if payload.get("verb") == "verify" else None)
    if payload.get("dryRun") and seen.get("missing") and _declared(payload):
        calls = {"promote": [api_connections.call(part, payload["location"])]}
        return {**seen, "calls": calls, "would": "be made, and wait for consent where it needs one"}
    if payload.get("dryRun"):
        return {**seen, "would": "not be changed: its authorization is for a person"}
    if payload.get("verb") == "verify" and seen["status"] == "succeeded" and not seen["serving"]:
        return refused(f"{part['name']} {seen['because']}", serving=False)
    return seen


@guarded
def promote_connection(payload: dict) -> dict:
    """Make the connection where it is missing and the plan has its values.

    Safe to repeat: what is there is left as it is.
    """
    part = payload["component"]
    seen = _seen(part, None)
    if seen.get("missing") and _declared(payload):
        body = api_connections.creation(part, payload["location"])
        reply = _ask("PUT", part, body, still(payload))
        no = denied(reply, f"connection {_name(part)}")
        if no:
            return no
        state, code = api_connections.state_of(reply.properties)
        if state == CONNECTED:
            return succeeded("was missing, is made and connected")
        return refused(f"was missing and is made, but is {state} {code}".strip() + f": {CONSENT}")
    if seen["status"] == "refused":
        return seen
    if not seen["serving"]:
        return refused(f"{part['name']} {seen['because']}: {CONSENT}")
    return skipped("is there and connected")


def check_connection(payload: dict) -> dict:
    """Would workflows in `location` be able to use it? Facts `checks`. Safe to repeat: reads."""
    part, location = payload["component"], payload["location"]
    reply = _ask("GET", part)
    if reply.status == 404:
        return succeeded("is missing", checks=[missing(payload)])
    no = denied(reply, f"connection {_name(part)}")
    if no:
        return no
    rows = [status(part, location, reply.properties), api(part, location, reply.properties)]
    host, theirs = part.get("hosts", {}).get(location), _theirs(part["other"])
    if host:
        rows.append(endpoint(part, location, reply.properties, host))
    else:
        rows.append(undeclared(part, location, reply.properties, theirs))
    rows.append(alike(part, location, reply.properties, theirs))
    return succeeded(f"{len(rows)} checks", checks=rows)


def missing(payload: dict) -> dict:
    name, location = payload["component"]["name"], payload["location"]
    if _declared(payload):
        words = "there is none: a failover makes it, and a person may have to consent then"
        return readiness.check(name, location, "connection", "warn", words, "make it before")
    fix = "make it there, or give its values in the plan"
    return readiness.check(name, location, "connection", "fail", "there is none", fix)


def status(part: dict, location: str, properties: dict) -> dict:
    """Is it connected?"""
    state, code = api_connections.state_of(properties)
    if state == CONNECTED:
        return readiness.check(part["name"], location, "connection", "ok", "is connected")
    words = f"is {state} {code}".strip()
    return readiness.check(part["name"], location, "connection", "fail", words, CONSENT)


def api(part: dict, location: str, properties: dict) -> dict:
    """Is it of the right connector, and of its own location's?"""
    name, where = api_connections.api_of(properties)
    if where != location:
        words = f"is of the connector in {where or 'no location'}: it is lost with that"
        fix = f"make it with the managed API of {location}"
        return readiness.check(part["name"], location, "api", "fail", words, fix)
    if name != part["api"].lower():
        words, fix = f"is of connector {name}, not {part['api']}", "make it of the one in the plan"
        return readiness.check(part["name"], location, "api", "fail", words, fix)
    return readiness.check(part["name"], location, "api", "ok", f"is of {name} in {location}")


def endpoint(part: dict, location: str, properties: dict, host: str) -> dict:
    """Does it point at the system that the plan says?"""
    what = "the system that both share" if part["endpoint"] == "shared" else "its own replica"
    found = api_connections.points_at(properties, host)
    if found:
        words = f"points at {what}, {host}, by {found}"
        return readiness.check(part["name"], location, "endpoint", "ok", words)
    other = next((h for at, h in part["hosts"].items() if at != location and h != host), "")
    if other and api_connections.points_at(properties, other):
        words = f"points at {other}, the other location's replica"
        fix = f"let it point at {host}"
        return readiness.check(part["name"], location, "endpoint", "fail", words, fix)
    if not api_connections.values_of(properties):
        words = f"shows no parameter: nobody can tell whether it points at {host}"
        return readiness.check(part["name"], location, "endpoint", "warn", words, "look by hand")
    words = f"points nowhere at {host}, {what}"
    return readiness.check(part["name"], location, "endpoint", "fail", words, f"point it at {host}")


def undeclared(part: dict, location: str, mine: dict, theirs: dict | None) -> dict:
    """Where the plan names no host: do both point where `endpoint` lets them, by what they show?"""
    fix = "give its `hosts` in the plan, or look by hand"
    if theirs is None:
        words = "the plan names no host, and the active one does not answer: not compared"
        return readiness.check(part["name"], location, "endpoint", "warn", words, fix)
    here, there = (api_connections.hosts_of(one) for one in (mine, theirs))
    if not here or not there:
        words = (
            "the plan names no host and not both sides show one: nobody can tell where it points"
        )
        return readiness.check(part["name"], location, "endpoint", "warn", words, fix)
    shared = part["endpoint"] == api_connections.SAME
    at, other = named(here), named(there)
    if here == there:
        words = f"points at {at}, as the active one does"
        if shared:
            return readiness.check(part["name"], location, "endpoint", "ok", words)
        words, fix = f"{words}: no replica of its own", "let it point at its location's own"
        return readiness.check(part["name"], location, "endpoint", "fail", words, fix)
    words = f"points at {at}, the active one at {other}"
    if shared:
        fix = "let both point at one system, or say `endpoint: replica`"
        return readiness.check(part["name"], location, "endpoint", "warn", words, fix)
    return readiness.check(part["name"], location, "endpoint", "ok", words)


def named(hosts: list[str]) -> str:
    more = f" and {len(hosts) - HOSTS_SHOWN_MAX} more" if len(hosts) > HOSTS_SHOWN_MAX else ""
    return ", ".join(hosts[:HOSTS_SHOWN_MAX]) + more


def alike(part: dict, location: str, mine: dict, theirs: dict | None) -> dict:
    """Has it every parameter that the active one has? Names alone: values may be secrets."""
    if theirs is None:
        words, fix = "the active one does not answer: not compared", "look again when it does"
        return readiness.check(part["name"], location, "parameters", "warn", words, fix)
    lacking = sorted(set(api_connections.values_of(theirs)) - set(api_connections.values_of(mine)))
    if lacking:
        words, fix = f"has no {', '.join(lacking[:5])}, as the active one has", "make both alike"
        return readiness.check(part["name"], location, "parameters", "warn", words, fix)
    words = "has the active one's parameters"
    return readiness.check(part["name"], location, "parameters", "ok", words)


def _declared(payload: dict) -> bool:
    return payload["location"] in payload["component"].get("values", {})


def _seen(part: dict, bounds: Bounds | None) -> dict:
    reply = _ask("GET", part, bounds=bounds)
    no = denied(reply, f"connection {_name(part)}")
    if no:
        return no
    state, code = api_connections.state_of(reply.properties)
    words = f"is {state} {code}".strip()
    return succeeded(words, state=state, serving=state == CONNECTED)


def _theirs(part: dict) -> dict | None:
    try:
        reply = _ask("GET", part, bounds=clients.HURRIED)
    except Surprise:
        return None
    return reply.properties if reply.ok else None


def _ask(
    method: str,
    part: dict,
    body: dict | None = None,
    before: Callable[[], None] | None = None,
    bounds: Bounds | None = None,
) -> Reply:
    return clients.ask(
        method, part["resource"], body, version=VERSION, before=before, bounds=bounds
    )


def _name(part: dict) -> str:
    return str(part["resource"]).rsplit("/", 1)[-1]
