"""Own hosts: the names under which what a plan moves answers in one of its locations.

Pure. A site answers as {name}.azurewebsites.net (Microsoft.Web's default domain; newer sites have
one that names their region), a gateway and a hook at their URLs, what a connection leads to at its
declared host, a vault as {name}.vault.azure.net.
"""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

SITES = ("functionApp", "logicAppWorkflow")
KINDS = (*SITES, "apiManagement", "apiConnection", "http", "integrationAccount")
DOMAIN, VAULTS = "azurewebsites.net", "vault.azure.net"


def of(location: str, urls: list[str], parts: Iterable[dict]) -> list[str]:
    """The hosts of the location's own `urls` and of `parts`, which are components seen from it."""
    found = {host(url) for url in urls}
    for part in parts:
        found.update(_hosts(part, location))
    return sorted(found - {""})


def host(url: object) -> str:
    """The host of a URL, or of a host that stands alone, in lower case; empty where it has none."""
    text = str(url or "")
    try:
        return urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:  # Half an IPv6 address.
        return ""


def _hosts(part: dict, location: str) -> Iterator[str]:
    if part["kind"] in SITES:
        site = str(part["resource"]).lower().partition("/sites/")[2].partition("/")[0]
        yield f"{site}.{DOMAIN}" if site else ""
    elif part["kind"] == "apiConnection":
        yield host((part.get("hosts") or {}).get(location))
    elif part["kind"] == "integrationAccount":
        vault = str((part.get("vaults") or {}).get(location, "")).lower().rpartition("/")[2]
        yield f"{vault}.{VAULTS}" if vault else ""
    else:
        yield host(part.get("gatewayUrl") or part.get("url"))
