"""Connections of a Standard logic app: are those that a workflow names its own location's? Pure.

A site keeps them in one file for all of its workflows, connections.json, where parts may be app
settings (logic-apps/parameterize-workflow-app). Of a setting that stands in an id the value is
compared and not told; of all others only the names are looked at, for their values are secrets.
"""

import json
import re
from collections.abc import Iterator

from shared.readiness import check
from shared.readiness_flows import API, CONNECTION, DEPTH_MAX, SHOWN_MAX
from shared.roles import mapping

FILE = "connections.json"
MANAGED, BUILT_IN = "managedApiConnections", "serviceProviderConnections"
SETTING = re.compile(r"@\{?\s*appsetting\(\s*'([^']+)'\s*\)\s*\}?", re.IGNORECASE)
ACCOUNT = "workflow_integration_account_callback_url"
REGION = re.compile(r"[^.]+\.([a-z0-9]+)\.logic\.azure\.(?:com|us|cn)")
FIX = "give each location connections of its own, and the site there their ids and settings"


def account_place(settings: dict[str, str]) -> str | None:
    """The location of the integration account that a site names; "" where it names none.

    None where it cannot be told. A site names its account by a signed URL in a setting
    (logic-apps/enterprise-integration/create-integration-account): the region in its host is all
    that leaves this place.
    """
    url = next((value for key, value in settings.items() if key.lower() == ACCOUNT), "")
    if not url:
        return ""
    host = re.match(r"https://([^/:?#@]+)(?::\d+)?/integrationAccounts/", url, re.IGNORECASE)
    found = REGION.fullmatch(host[1].lower()) if host else None
    return found[1] if found else None


def used(definition: dict) -> list[tuple[str, str]]:
    """(kind, name) of every connection that a definition names, sorted."""
    return sorted(set(_used(definition, 0)))


def _used(value: object, depth: int) -> Iterator[tuple[str, str]]:
    if depth > DEPTH_MAX:
        return
    if isinstance(value, dict):
        provider = mapping(value, "serviceProviderConfiguration").get("connectionName")
        told = {MANAGED: mapping(value, "connection").get("referenceName"), BUILT_IN: provider}
        yield from ((kind, name) for kind, name in told.items() if isinstance(name, str))
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from _used(one, depth + 1)


def settings_named(file: dict, names: list[tuple[str, str]]) -> set[str]:
    """The app settings that these connections name, in lower case: App Service ignores it."""
    entries = [mapping(mapping(file, kind), name) for kind, name in names]
    return {found.lower() for found in SETTING.findall(json.dumps(entries))}


def file_of(shown: object) -> dict | None:
    """The one file in what listWorkflowsConnections answered; None where it shows no such thing.

    As JSON or as text that is JSON; empty where the site has none.
    """
    told = mapping(shown, "properties") if isinstance(shown, dict) else {}
    files = _read(told.get("files"))
    return None if files is None else _read(files.get(FILE, {}))


def _read(told: object) -> dict | None:
    if isinstance(told, str):
        try:
            told = json.loads(told)
        except (ValueError, RecursionError):  # Its text may hold secrets: none is repeated.
            return None
    return told if isinstance(told, dict) else None


def connections(
    name: str,
    location: str,
    groups: tuple[str, str],
    file: dict,
    names: list[tuple[str, str]],
    settings: dict[str, str] | None,
) -> dict:
    """Are these connections of a site's file the location's own, and has the site what they name?

    `groups`: the site's own resource group, and that of the other location's site; `settings`:
    the site's, null where they are not shown to us.
    """
    known = {key.lower(): value for key, value in (settings or {}).items()}
    seen = []
    for kind, key in names:
        named = settings_named(file, [(kind, key)])
        lacking = sorted(named - set(known))
        entry = mapping(mapping(file, kind), key)
        if not entry:
            seen.append(("fail", f"{key} is not among the site's"))
        elif named and settings is None:
            seen.append(("warn", f"{key} names app settings, which are not shown to us"))
        elif lacking:
            seen.append(("fail", f"{key}: the site has no app setting {', '.join(lacking)}"))
        elif kind == MANAGED:
            status, words = _placed(entry, location, groups, known)
            seen.append((status, f"{key} {words}"))
    for worst, fix in (("fail", FIX), ("warn", "look at them in the site")):
        found = [words for status, words in seen if status == worst]
        if found:
            words = "; ".join(found[:SHOWN_MAX])
            return check(name, location, "connections", worst, words, fix)
    words = f"its {len(names)} connections are its own location's"
    return check(name, location, "connections", "ok", words)


def _placed(
    entry: dict, location: str, groups: tuple[str, str], settings: dict[str, str]
) -> tuple[str, str]:
    """(status, words): where a managed connection is. Nothing of its settings is in the words."""
    told = (mapping(entry, "connection").get("id", ""), mapping(entry, "api").get("id", ""))
    id, api = (SETTING.sub(lambda at: settings[at[1].lower()], str(one)) for one in told)
    if "@" in id + api:
        return "warn", "is given by a parameter or a vault, which nobody looks into"
    held, of = CONNECTION.fullmatch(id), API.fullmatch(api)
    own, other = (group.lower() for group in groups)
    if of and of["location"].replace(" ", "").lower() != location:
        return "fail", "is of the connector in another location"
    group = held["group"].lower() if held else ""
    foreign = group == other and other != own  # Two sites may share a group.
    # A group of its own for connections is well, when the connector says where they are.
    if held and not foreign and (of or group == own):
        return "ok", "is the location's own"
    return "fail", f"is not in {groups[0].rsplit('/', 1)[-1]}"
