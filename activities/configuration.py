"""The configuration of a gateway, item by item: to fingerprint one, to compare two.

After Microsoft.ApiManagement 2024-05-01. Reads pages side by side, a bounded number at a time;
ARM's read bucket (250, 25 a second) is heeded by the client's Retry-After. Values of secrets are
not read, so that they can neither leak nor be compared.
"""

from concurrent.futures import ThreadPoolExecutor

from shared import arm_calls, clients, fingerprint, overlay
from shared.outcome import refused, succeeded

READERS = 8
DIFFERENCES_MAX = 50
TOP = (
    "apis",
    "apiVersionSets",
    "backends",
    "certificates",
    "namedValues",
    "policies",
    "policyFragments",
    "products",
    "subscriptions",
)
UNDER = {
    "apis": ("operations", "policies"),
    "apis/operations": ("policies",),
    "products": ("apis", "policies"),
}


def fingerprint_gateway(payload: dict) -> dict:
    """The fingerprint of the component's configuration, and how many items it has.

    Safe to repeat: reads. Refused where there is no such gateway.
    """
    found = _configuration(payload["component"]["resource"])
    if isinstance(found, str):
        return refused(found)
    return succeeded(fingerprint=fingerprint.fingerprint(found), items=len(found))


def compare_gateways(payload: dict) -> dict:
    """Does this gateway hold what the `other` one holds, but for both locations' overlays?

    Safe to repeat: reads. Refused with fact `differences`, each a path and what is wrong with it.
    """
    mine = _configuration(payload["component"]["resource"])
    theirs = _configuration(payload["other"]["resource"])
    if isinstance(mine, str):
        return refused(mine)
    if isinstance(theirs, str):
        return refused(theirs)
    own = _overlaid(payload["component"], payload["other"])
    there = {fingerprint.key(row) for row in theirs}
    laid = fingerprint.owned(own)
    # What only this location's overlay brought is no difference.
    mine = [r for r in mine if fingerprint.key(r) in there or fingerprint.key(r) not in laid]
    differences = fingerprint.differences(mine, theirs, own)
    if differences:
        because = f"{len(differences)} items differ (left: this gateway): "
        return refused(because + "; ".join(differences[:3]), differences=differences)
    return succeeded(f"{len(mine)} items are equal but for the overlay", differences=[])


def _overlaid(*parts: dict) -> dict:
    """Every item that any location's overlay sets, in one overlay."""
    merged: dict[str, dict] = {"backends": {}, "namedValues": {}}
    for part in parts:
        for kind, named in overlay.owned(part).items():
            merged[kind] |= named
    return merged


def _configuration(resource: str) -> list[dict] | str:
    """id and properties of everything in a gateway; a sentence when there is no such gateway."""
    if clients.ask("GET", resource).status == 404:
        return f"no gateway at {resource}"
    found: list[dict] = []
    waiting = [(kind, f"{resource}/{kind}") for kind in TOP]
    with ThreadPoolExecutor(READERS) as readers:
        for _ in range(len(UNDER) + 1):
            pages = list(readers.map(_rows, [url for _, url in waiting]))
            known = [
                (kind, r) for (kind, _), rows in zip(waiting, pages, strict=True) for r in rows
            ]
            found += [{"id": r["id"], "properties": r.get("properties", {})} for _, r in known]
            waiting = [(f"{k}/{c}", f"{r['id']}/{c}") for k, r in known for c in UNDER.get(k, ())]
    return found


def _rows(url: str) -> list[dict]:
    """Every row of a list, page by page."""
    rows: list[dict] = []
    for reply in arm_calls.pages(url):
        if reply.status == 404:
            break  # What was listed a moment ago is gone.
        rows += reply.expect().document.get("value", [])
    return rows
