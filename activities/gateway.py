"""API Management as a component: the location's overlay, and a call through the gateway.

A restore makes a gateway exactly like the one it came from, so its backends and named values
point at the lost region until the overlay is laid. After Microsoft.ApiManagement 2024-05-01.
"""

from shared import clients, probe
from shared.guard import guarded, still
from shared.outcome import refused, running, skipped, succeeded
from shared.reply import Reply, Surprise, Unreachable

PROBE_SECONDS = 10.0
PAGES_MAX = 50


def observe_gateway(payload: dict) -> dict:
    """Does the gateway have its overlay? Facts `serving`, `differences`. Safe to repeat: reads."""
    found = _differences(payload)
    if isinstance(found, str):
        return refused(found)
    names = sorted(path for path, _ in found)
    because = f"differs from its overlay in {', '.join(names)}" if names else "has its overlay"
    return succeeded(because, serving=not names, differences=names)


@guarded
def promote_gateway(payload: dict) -> dict:
    """Lay the overlay of `location`: read each item, write only what differs.

    Safe to repeat. Running while the last named value settles; `observe_gateway` tells the rest.
    Refused with fact `busy` while somebody else changes the gateway: ask again.
    """
    found = _differences(payload)
    if isinstance(found, str):
        return refused(found)
    if not found:
        return skipped("has its overlay already")
    replies = []
    for path, body in found:
        where = f"{payload['component']['resource']}/{path}"
        reply = clients.ask("PUT", where, body, before=still(payload))
        if reply.status == 409:
            because = f"{path}: {reply.words}: the gateway is being changed, perhaps restored"
            return refused(f"{because}; ask again when that has ended", busy=True)
        if reply.status in (400, 403):
            return refused(f"{path}: {reply.words}")
        replies.append(reply.expect())
    done = ", ".join(path for path, _ in found)
    pending = [url for url in map(_operation, replies) if url]
    if pending:
        return running(pending[-1], _retry_after(replies[-1]), changed=done)
    return succeeded(f"laid {done}")


def verify_gateway(payload: dict) -> dict:
    """Does the gateway answer its probe with 200, with no backend of the other location's?

    Safe to repeat: reads, and one GET through the gateway.
    """
    part = payload["component"]
    foreign = _foreign(part, payload["location"])
    if isinstance(foreign, str):
        return refused(foreign)
    url = f"{part['gatewayUrl'].rstrip('/')}{part['probe']}"
    where = probe.shown(url)
    try:
        reply = probe.call("GET", url, PROBE_SECONDS)
    except Unreachable as error:
        return refused(f"{where}: {error}")
    if reply.status != 200:
        return refused(f"{where} answered {reply.status}, not 200")
    return succeeded(f"{where} answered 200")


def _differences(payload: dict) -> list[tuple[str, dict]] | str:
    """(path, body to put) of every overlay item that is not as it should be; or why not known."""
    part = payload["component"]
    overlay = part.get("overlay", {}).get(payload["location"], {})
    wanted = [(f"backends/{n}", dict(b)) for n, b in overlay.get("backends", {}).items()]
    wanted += [
        (f"namedValues/{n}", {"value": v}) for n, v in overlay.get("namedValues", {}).items()
    ]
    found = []
    for path, values in wanted:
        reply = clients.ask("GET", f"{part['resource']}/{path}")
        if reply.status == 403:
            return f"{reply.words}: give the app's identity API Management Service Contributor"
        if reply.status == 404 and reply.code == "ResourceNotFound" and _absent(part["resource"]):
            return f"no gateway at {part['resource']}"
        known = {} if reply.status == 404 else reply.expect().properties
        if path.startswith("namedValues/") and known.get("secret"):
            known = {**known, "value": _secret(part["resource"], path)}
        if any(known.get(key) != value for key, value in values.items()):
            found.append((path, {"properties": {**_base(path), **known, **values}}))
    return found


def _absent(resource: str) -> bool:
    return clients.ask("GET", resource).status == 404


def _base(path: str) -> dict:
    """What an item needs that the restore did not bring."""
    kind, _, name = path.partition("/")
    return {"protocol": "http"} if kind == "backends" else {"displayName": name, "secret": False}


def _secret(resource: str, path: str) -> str | None:
    return clients.ask("POST", f"{resource}/{path}/listValue").expect().document.get("value")


def _operation(reply: Reply) -> str:
    """Where to ask about a change that was only accepted; empty when it is done.

    Location rather than Azure-AsyncOperation: the contract names it as the final state.
    """
    return reply.headers.get("location") or reply.headers.get("azure-asyncoperation", "")


def _retry_after(reply: Reply) -> float:
    said = reply.headers.get("retry-after", "")
    return float(said) if said.isdigit() else 1.0


def _foreign(part: dict, location: str) -> str | list[str]:
    """A sentence when a backend is the other location's; else the list of backends seen."""
    overlays = part.get("overlay", {})
    mine = _urls(overlays.get(location, {}))
    theirs = {url for place, laid in overlays.items() if place != location for url in _urls(laid)}
    theirs -= mine
    seen: list[str] = []
    url: str | None = f"{part['resource']}/backends"
    for _ in range(PAGES_MAX):
        if url is None:
            break
        reply = clients.ask("GET", url)
        if reply.status == 404:
            return f"no gateway at {part['resource']}"
        page = reply.expect().document
        seen += [row["name"] for row in page.get("value", [])]
        for row in page.get("value", []):
            if str(row.get("properties", {}).get("url", "")).rstrip("/").lower() in theirs:
                return f"backend {row['name']} still points at the other location: lay the overlay"
        url = page.get("nextLink") or None
    else:
        raise Surprise(f"more than {PAGES_MAX} pages of backends")
    return seen


def _urls(overlay: dict) -> set[str]:
    return {row["url"].rstrip("/").lower() for row in overlay.get("backends", {}).values()}
