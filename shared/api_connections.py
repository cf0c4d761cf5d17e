"""API connections: what one says of itself, and how one is made. Pure.

After Microsoft.Web 2016-06-01. The service shows a connection's parameters but for the secret ones;
with managed identity they are in `parameterValueSet`, which its contract does not publish.
"""

import re

VERSION = "2016-06-01"
CONNECTED = "Connected"
SAME = "shared"
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z]")
HOST_MAX = 253


def state_of(properties: dict) -> tuple[str, str]:
    """(Connected or what else, the code of the error). An error's message may quote a secret."""
    rows = [row for row in properties.get("statuses") or [] if isinstance(row, dict)]
    wrong = [row for row in rows if row.get("status") != CONNECTED]
    if rows and not wrong:
        return CONNECTED, ""
    if not wrong:
        return "Unknown", ""
    error = wrong[0].get("error") or {}
    told = error.get("properties") or error  # Published as a resource, seen as a plain error.
    return str(wrong[0].get("status", "Unknown")), str(told.get("code", ""))


def values_of(properties: dict) -> dict[str, str]:
    """The parameters that are shown: name -> value."""
    shown = {
        **(properties.get("parameterValues") or {}),
        **(properties.get("nonSecretParameterValues") or {}),
    }
    held = (properties.get("parameterValueSet") or {}).get("values") or {}
    shown |= {key: row.get("value") for key, row in held.items() if isinstance(row, dict)}
    return {str(key): value for key, value in shown.items() if isinstance(value, str)}


def points_at(properties: dict, host: str) -> str | None:
    """The parameter that names `host`, as a whole host name; None where none does."""
    wanted = host.lower()
    for name, value in sorted(values_of(properties).items()):
        if host_in(value) == wanted:
            return name
    return None


def host_in(value: str) -> str:
    """What stands where a value would name its host: of a URL, of tcp:host,port, of host:port."""
    bare = value.lower().partition("://")[2] or value.lower()
    return bare.removeprefix("tcp:").partition("/")[0].partition(":")[0].partition(",")[0]


def hosts_of(properties: dict) -> list[str]:
    """Every host that a parameter names, whatever its name; other values may be anything."""
    named = (host_in(value) for value in values_of(properties).values())
    return sorted({one for one in named if len(one) <= HOST_MAX and HOST.fullmatch(one)})


def api_of(properties: dict) -> tuple[str, str]:
    """(name, location) of the managed API behind a connection."""
    words = str((properties.get("api") or {}).get("id", "")).lower().split("/")
    at = words.index("locations") + 1 if "locations" in words[:-1] else len(words)
    where = words[at] if at < len(words) else ""
    return words[-1], where


def creation(part: dict, location: str) -> dict:
    """The body that makes the connection; `part` as seen from `location`."""
    subscription = str(part["resource"]).split("/")[2]
    api = f"/subscriptions/{subscription}/providers/Microsoft.Web/locations/{location}"
    return {
        "location": location,
        "properties": {
            "displayName": part["name"],
            "api": {"id": f"{api}/managedApis/{part['api']}"},
            "parameterValues": dict(part.get("values", {}).get(location, {})),
        },
    }


def call(part: dict, location: str) -> dict:
    """The request that makes it, as a dry run names it."""
    url = f"{part['resource']}?api-version={VERSION}"
    return {"method": "PUT", "url": url, "body": creation(part, location)}
