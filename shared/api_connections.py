"""API connections: what one says of itself, and how one is made. Pure.

After Microsoft.Web 2016-06-01. The service shows a connection's parameters but for the secret ones;
with managed identity they are in `parameterValueSet`, which its contract does not publish. What a
connector's author did not mark as secret may be anything; so a value is shown only as the host of a
parameter whose name says that it is one.
"""

import re

from shared import own_hosts

VERSION = "2016-06-01"
CONNECTED = "Connected"
SAME = "shared"
HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z]"
# A host, tcp:host,port, host:port or a URL, and what follows. An @ elsewhere than behind a URL's
# user is one of a password that was not encoded: then nobody knows where the host begins.
NAMED = re.compile(
    rf"(?:tcp:|[a-z][a-z0-9+.-]*://(?:[^/?#@\\\s]*@)?)?({HOST})(?:[:,][0-9]{{1,5}})?(?:[/?#\\][^@]*)?"
)
HOST_MAX = 253
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# A parameter's name ends in one of these, or in one and "name", where its value is a host or a URL.
HOST_WORDS = ("host", "hostname", "server", "servername", "url", "siteurl", "uri", "endpoint")
HOST_WORDS += ("address", "namespace", "site", "fqdn")
PEOPLE = ("user", "username", "mail", "email", "tenant")  # Whose address it is, if it is one.


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
    if "://" in value:
        return own_hosts.host(value).partition(",")[0]
    bare = value.lower().removeprefix("tcp:")
    return bare.partition("/")[0].partition(":")[0].partition(",")[0]


def hosts_of(properties: dict) -> list[str]:
    """The hosts alone, of the parameters whose name says that they have one."""
    named = (
        NAMED.fullmatch(value.lower())
        for name, value in values_of(properties).items()
        if says_host(name)
    )
    return sorted({one[1] for one in named if one and len(one[1]) <= HOST_MAX})


def says_host(name: str) -> bool:
    """Does a parameter of this name, `sshHostAddress` or `server_name`, hold a host?"""
    words = [word.lower() for word in WORD.findall(name)]
    if words[-1:] == ["name"]:
        words.pop()
    return bool(words) and words[-1] in HOST_WORDS and not set(words) & set(PEOPLE)


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
