"""Function apps: one that runs where the plan is active and waits, stopped, in the standby.

After Microsoft.Web 2025-05-01. Start and stop answer before the app is up or down; what is in
flight in a stopped one is cut off, and its triggers' sources give it again where they can (a
queue does, a timer does not). Nothing lists what runs in it, so there is nothing to drain by.
"""

from shared import clients, readiness
from shared.clients import Bounds
from shared.denials import denied
from shared.guard import guarded, still
from shared.outcome import refused, skipped, succeeded
from shared.reply import Reply, Surprise
from shared.stopping import stopped

STATES = {"promote": ("start", "Running"), "demote": ("stop", "Stopped")}
KIND = "functionapp"
SHOWN_MAX = 5


def observe_function_app(payload: dict) -> dict:
    """The app's state: facts `state`, `serving`; with verb `verify` a stopped one is refused.

    With `dryRun`: `calls` and `would`. Safe to repeat: reads.
    """
    verb, part = str(payload.get("verb")), payload["component"]
    seen = _seen(part, clients.HURRIED if verb in ("demote", "verify") else None)
    if seen["status"] == "succeeded" and verb == "verify" and not seen["serving"]:
        return refused(f"{part['name']} {seen['because']}", serving=False)
    if seen["status"] == "succeeded" and payload.get("dryRun"):
        version = clients.version_of(part["resource"])
        calls = {
            one: [{"method": "POST", "url": f"{_url(part, one)}?api-version={version}"}]
            for one in STATES
        }
        would = STATES[verb][1] if verb in STATES else "called"
        return {**seen, "calls": calls, "would": f"be {would}"}
    return seen


@guarded
def promote_function_app(payload: dict) -> dict:
    """Start the app unless it runs. Safe to repeat: a second start is not sent."""
    return _bring(payload, "promote", None)


@guarded
def demote_function_app(payload: dict) -> dict:
    """Stop the app unless it is; gives up within 5 s on a region that does not answer.

    Safe to repeat: a second stop is not sent.
    """
    return stopped(payload, lambda: _bring(payload, "demote", clients.HURRIED))


def check_function_app(payload: dict) -> dict:
    """Would a failover to `location` find this app? Facts `checks`. Safe to repeat: reads."""
    part, location = payload["component"], payload["location"]
    reply = _read(part, None)
    no = denied(reply, f"function app {_name(part)}")
    if no:
        return no
    rows = [host(part, location, reply.document), state(part, location, reply.properties)]
    rows.append(same(part, location, _functions(part), _functions(part["other"])))
    return succeeded(f"{len(rows)} checks", checks=rows)


def host(part: dict, location: str, site: dict) -> dict:
    """Is it a function app, and in its own location?"""
    name, kind = part["name"], str(site.get("kind", ""))
    where = str(site.get("location", "")).replace(" ", "").lower()
    if KIND not in kind.lower().split(","):
        words = f"the site is of kind {kind or 'app'}, no function app"
        return readiness.check(name, location, "host", "fail", words, "deploy one of this kind")
    if where != location:
        words = f"the app for {location} stands in {where}: it is lost with that"
        return readiness.check(name, location, "host", "fail", words, "deploy it in its own region")
    return readiness.check(name, location, "host", "ok", "a function app in its own location")


def state(part: dict, location: str, properties: dict) -> dict:
    """Does the standby's app wait as its role wants?"""
    name, now = part["name"], str(properties.get("state", ""))
    if part["role"] == "activePassive":
        if now == "Stopped":
            return readiness.check(name, location, "state", "ok", "is Stopped and waits")
        words = f"is {now} beside the active one: its triggers fire in both locations"
        return readiness.check(name, location, "state", "fail", words, "stop it there")
    if now == "Running":
        return readiness.check(name, location, "state", "ok", "runs, as in the active location")
    words, fix = f"is {now}", "start it; a failover would"
    return readiness.check(name, location, "state", "warn", words, fix)


def same(part: dict, location: str, mine: set[str] | None, theirs: set[str] | None) -> dict:
    """Has the standby's app every function of the active one?"""
    name = part["name"]
    if mine is None or theirs is None:
        words = "the functions of both apps cannot be compared: one does not tell them"
        return readiness.check(name, location, "functions", "warn", words, "look again later")
    missing = sorted(theirs - mine)
    if missing:
        words = f"without {', '.join(missing[:SHOWN_MAX])} ({len(missing)} in all)"
        fix = "deploy the same package to both"
        return readiness.check(name, location, "functions", "fail", words, fix)
    words = f"has all {len(theirs)} functions of the active one"
    return readiness.check(name, location, "functions", "ok", words)


def _bring(payload: dict, verb: str, bounds: Bounds | None) -> dict:
    part, (_, wanted) = payload["component"], STATES[verb]
    seen = _seen(part, bounds)
    if seen["status"] != "succeeded":
        return seen
    if seen["state"] == wanted:
        return skipped(f"is {wanted} already", state=wanted)
    reply = clients.ask("POST", _url(part, verb), bounds=bounds, before=still(payload))
    no = denied(reply, f"function app {_name(part)}")
    return no or succeeded(f"was {seen['state']}, is told to be {wanted}", was=seen["state"])


def _seen(part: dict, bounds: Bounds | None) -> dict:
    reply = _read(part, bounds)
    no = denied(reply, f"function app {_name(part)}")
    if no:
        return no
    now = str(reply.properties.get("state", ""))
    return succeeded(f"is {now}", state=now, serving=now == "Running")


def _read(part: dict, bounds: Bounds | None) -> Reply:
    return clients.ask("GET", part["resource"], bounds=bounds)


def _functions(part: dict) -> set[str] | None:
    """The names of an app's functions; None where they are not told."""
    try:
        reply = clients.ask("GET", f"{part['resource']}/functions", bounds=clients.HURRIED)
    except Surprise:
        return None
    rows = reply.document.get("value", []) if reply.ok else None
    return None if rows is None else {str(row["name"]).rsplit("/", 1)[-1] for row in rows}


def _url(part: dict, verb: str) -> str:
    return f"{part['resource']}/{STATES[verb][0]}"


def _name(part: dict) -> str:
    return str(part["resource"]).rsplit("/", 1)[-1]
