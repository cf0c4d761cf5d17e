"""Diagnostic settings: what a resource tells is received in both locations.

After Microsoft.Insights 2021-05-01-preview. Logs that lie in the lost region alone are missing
when they are wanted most.
"""

from shared import clients, diagnostics, readiness
from shared.clients import Bounds
from shared.denials import denied
from shared.diagnostics import PATH
from shared.guard import guarded, still
from shared.outcome import refused, skipped, succeeded
from shared.reply import Surprise, brief

FIX = "add a diagnostic setting for each workspace; the standby's ledger does, where ARM allows it"
STORAGE, HUB = "storageAccountId", "eventHubAuthorizationRuleId"


def observe_diagnostics(payload: dict) -> dict:
    """Who receives: facts `lacking`, `serving` (both workspaces do). With `dryRun`: `calls`.

    With verb `verify` a location that does not receive is a refusal. Safe to repeat: reads.
    """
    part, verb = payload["component"], payload.get("verb")
    seen = _settings(part, clients.HURRIED if verb == "verify" else None)
    if seen["status"] != "succeeded":
        return seen
    lacking = diagnostics.lacking(part, seen["settings"])
    words = _words(part, lacking)
    if payload.get("dryRun"):
        calls = {"promote": [diagnostics.creation(part, at) for at in lacking]}
        would = "send to both workspaces"
        return succeeded(words, lacking=lacking, serving=not lacking, calls=calls, would=would)
    if verb == "verify" and lacking:
        return refused(f"{part['name']}: {words}", serving=False)
    return succeeded(words, lacking=lacking, serving=not lacking)


@guarded
def promote_diagnostics(payload: dict) -> dict:
    """Add the settings that are missing. Safe to repeat: only these are written."""
    return _added(payload, payload["component"], None)


@guarded
def mirror_diagnostics(payload: dict) -> dict:
    """Add the settings that are missing on either side, while the active one (`other`) lives.

    What it does not send to the standby before it is lost nobody sees afterwards. Safe to repeat:
    only what is missing is written.
    """
    told = []
    for part in _sides(payload["component"]):
        try:
            told.append(_added(payload, part, clients.HURRIED))
        except Surprise as silent:
            told.append(refused(brief(f"{_name(part)}: {silent}")))
    no = [one["because"] for one in told if one["status"] == "refused"]
    added = [one["because"] for one in told if one["status"] == "succeeded"]
    if no:
        return refused("; ".join([*no, *added]))
    return succeeded("; ".join(added)) if added else skipped("both sides send to both workspaces")


def _added(payload: dict, part: dict, bounds: Bounds | None) -> dict:
    """What came of adding the settings that the resource of one side lacks."""
    seen = _settings(part, bounds)
    if seen["status"] != "succeeded":
        return seen
    lacking = diagnostics.lacking(part, seen["settings"])
    if not lacking:
        return skipped(_words(part, lacking))
    for location in lacking:
        asked = diagnostics.creation(part, location)
        url, version = asked["url"].partition("?")[0], diagnostics.VERSION
        reply = clients.ask("PUT", url, asked["body"], version=version, before=still(payload))
        no = denied(reply, f"diagnostic setting of {_name(part)} to {location}")
        if no:
            return {**no, "busy": False}  # A category that goes there already stays so.
    return succeeded(f"the workspaces of {', '.join(lacking)} receive too")


def check_diagnostics(payload: dict) -> dict:
    """Is what the resources of both sides tell kept beyond their regions? Facts `checks`.

    What the active one does not send elsewhere is gone with its region. Safe to repeat: reads.
    """
    part, location = payload["component"], payload["location"]
    seen = _settings(part, None)
    if seen["status"] != "succeeded":
        return seen
    lacking, known = diagnostics.lacking(part, seen["settings"]), seen["settings"]
    status = "warn" if lacking else "ok"
    row = readiness.check(part["name"], location, "receivers", status, _words(part, lacking), FIX)
    rows = [row]
    for other in _sides(part)[1:]:
        theirs = _heard(other)
        known = [*known, *theirs.get("settings", [])]
        status, words = _active(other, theirs)
        told = f"{payload['away']}: {words}"
        rows.append(readiness.check(part["name"], location, "activeReceivers", status, told, FIX))
    rows += _kept(part, location, known)
    return succeeded(f"{len(rows)} checks", checks=rows)


def _sides(part: dict) -> list[dict]:
    """The component as both locations see it, this one first; once where they share a resource."""
    other = {**part, **part["other"]}
    return [part] if other["resource"].lower() == part["resource"].lower() else [part, other]


def _heard(part: dict) -> dict:
    """The settings of the active side's resource; refused where that side is silent."""
    try:
        return _settings(part, clients.HURRIED)
    except Surprise as silent:
        return refused(f"who receives cannot be seen: {brief(str(silent))}")


def _active(part: dict, seen: dict) -> tuple[str, str]:
    """Status and words of the active side."""
    if seen["status"] != "succeeded":
        return "warn", seen["because"]
    lacking = diagnostics.lacking(part, seen["settings"])
    return "warn" if lacking else "ok", _words(part, lacking)


def _kept(part: dict, location: str, settings: list[dict]) -> list[dict]:
    """One row for each storage account and event hubs namespace that receives."""
    accounts = diagnostics.destinations(settings, STORAGE)
    rules = diagnostics.destinations(settings, HUB)
    spaces = list(dict.fromkeys(diagnostics.namespace_of(rule) for rule in rules))
    found = [(id, "storage", _storage(id)) for id in accounts]
    found += [(id, "eventHub", _hub(id)) for id in spaces]
    fixes = {
        "storage": "bring it to geo-redundant storage (RA-GRS), or send to one that is",
        "eventHub": "pair its namespace (geo-disaster recovery), or send to one that is paired",
    }
    words = {
        True: "is kept in a second region",
        False: "is kept in one region only",
        None: "cannot be seen: nobody can tell whether it is kept in a second region",
    }
    return [
        readiness.check(
            part["name"],
            location,
            what,
            "ok" if held else "warn",
            f"{id.rsplit('/', 1)[-1]} {words[held]}",
            fixes[what] if held is False else "let the app's identity read it",
        )
        for id, what, held in found
    ]


def _storage(id: str) -> bool | None:
    found = _read(id)
    sku = (found or {}).get("sku") or {}
    return None if found is None else diagnostics.geo_redundant(str(sku.get("name", "")))


def _hub(id: str) -> bool | None:
    """Paired, or replicated to a second region by the service itself."""
    found = _read(f"{id}/disasterRecoveryConfigs")
    if found is None:
        return None
    if any(row.get("properties", {}).get("partnerNamespace") for row in found.get("value", [])):
        return True
    space = _read(id)
    if space is None:
        return None
    places = ((space.get("properties") or {}).get("geoDataReplication") or {}).get("locations")
    return len(places or []) > 1


def _read(id: str) -> dict | None:
    """A resource that lies anywhere; None where it is not shown to us."""
    try:
        reply = clients.ask("GET", id, bounds=clients.HURRIED)
    except Surprise:
        return None
    return reply.document if reply.ok else None


def _settings(part: dict, bounds: Bounds | None) -> dict:
    """The settings of the resource, as fact `settings`; at most five, so there is one page."""
    url = f"{part['resource']}/{PATH}"
    reply = clients.ask("GET", url, version=diagnostics.VERSION, bounds=bounds)
    no = denied(reply, f"resource {_name(part)}")
    return no or succeeded(settings=reply.document.get("value", []))


def _words(part: dict, lacking: list[str]) -> str:
    if not lacking:
        return "the workspaces of both locations receive"
    return f"the workspace of {' and of '.join(lacking)} does not receive"


def _name(part: dict) -> str:
    return str(part["resource"]).rsplit("/", 1)[-1]
