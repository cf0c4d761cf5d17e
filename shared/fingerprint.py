"""Fingerprint: do two gateways, or one gateway at two times, have the same configuration?

What Azure stamps on a resource (times, etags, states) and where the gateway lives are left out;
everything else counts. Order counts only inside a resource.
"""

import hashlib
import json
import re

VOLATILE = frozenset(
    {
        "etag",
        "systemData",
        "provisioningState",
        "createdDate",
        "createdDateTime",
        "createdAtUtc",
        "lastModifiedDate",
        "updatedDateTime",
        "registrationDate",
        "stateComment",
        "lastStatus",  # When a gateway last fetched a secret from its vault, and how that went.
    }
)
SERVICE = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ApiManagement/service/[^/]+",
    re.IGNORECASE,
)
DIFFERENCES_MAX = 100


def fingerprint(resources: list[dict]) -> str:
    """SHA-256 in hex over a gateway's ARM resources, whatever the order of the list."""
    lines = sorted(
        json.dumps([key(resource), canonical(resource)], sort_keys=True) for resource in resources
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def key(resource: dict) -> str:
    """The resource's id inside its gateway: apis/orders/operations/place."""
    return SERVICE.sub("", str(resource.get("id", ""))).strip("/").lower()


def canonical(value: object) -> object:
    """`value` without what changes by itself and without the name of its gateway."""
    if isinstance(value, dict):
        return {k: canonical(v) for k, v in value.items() if k not in VOLATILE and v is not None}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    return SERVICE.sub("", value) if isinstance(value, str) else value


def differences(left: list[dict], right: list[dict], overlay: dict | None = None) -> list[str]:
    """What differs between two gateways, one sentence each; [] when they are the same.

    `overlay`: {"backends": {id: ...}, "namedValues": {id: ...}}, what each location has of its
    own: there the values may differ, but both sides must have the item.
    """
    own = owned(overlay or {})
    here, there = ({key(r): r for r in side} for side in (left, right))
    told = [f"{name} is missing on the right" for name in sorted(here.keys() - there.keys())]
    told += [f"{name} is missing on the left" for name in sorted(there.keys() - here.keys())]
    for name in sorted((here.keys() & there.keys()) - own):
        fields = changed(canonical(here[name]), canonical(there[name]))
        if fields:
            told.append(f"{name} differs in {', '.join(fields)}")
    return told[:DIFFERENCES_MAX]


def owned(overlay: dict) -> set[str]:
    """The keys of the items that an overlay lays."""
    backends = {f"backends/{name}".lower() for name in overlay.get("backends", {})}
    return backends | {f"namedvalues/{name}".lower() for name in overlay.get("namedValues", {})}


def changed(left: object, right: object, path: str = "") -> list[str]:
    """The paths at which two canonical values differ; names only, for values may be secret."""
    if isinstance(left, dict) and isinstance(right, dict):
        keys = sorted(left.keys() | right.keys())
        return [
            found
            for k in keys
            if path or k != "id"  # The own id was compared already, whatever its case.
            for found in changed(left.get(k), right.get(k), f"{path}.{k}" if path else k)
        ]
    return [] if left == right else [path]
