"""Backups at rest: the blob, the manifest beside it, and which of them may go."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from shared import backups, blobs
from shared.outcome import refused, skipped, succeeded
from shared.reply import Surprise

MANIFESTS_MAX = 500


def verify_backup_blob(payload: dict) -> dict:
    """Is the blob of `backup` in `target`, and not empty? Fact `bytes`. Safe to repeat: reads."""
    try:
        size = _place(payload).size(payload["backup"])
    except blobs.StorageRefused as error:
        return refused(f"the backup cannot be seen: {error}")
    if not size:
        return refused(f"{payload['backup']} is {'missing' if size is None else 'empty'}")
    return succeeded(f"{size} bytes", bytes=size)


def write_manifest(payload: dict) -> dict:
    """Write `manifest` beside its backup. Safe to repeat: one that is proven stays as it is."""
    manifest = payload["manifest"]
    place, name = _place(payload), f"{manifest['name']}.json"
    if place.put(name, _bytes(manifest), expect=blobs.NEW) is None:
        return skipped(f"{name} is there already")
    return succeeded(name)


def list_manifests(payload: dict) -> dict:
    """The manifests in `target` of `plan`, oldest first; `unreadable` names the bad ones.

    Safe to repeat: reads.
    """
    try:
        found, bad = _manifests(payload)
    except blobs.StorageRefused as error:
        return refused(f"the backups cannot be listed: {error}")
    return succeeded(manifests=found, unreadable=bad)


def prune_backups(payload: dict) -> dict:
    """Delete what is older than `keepDays` or beyond `keepCount`, never the last proven one.

    Safe to repeat: the manifest goes last, so what was half deleted is found again.
    """
    found, _ = _manifests(payload)
    place = _place(payload)
    gone = backups.prune(found, datetime.now(UTC), payload["keepDays"], payload["keepCount"])
    for name in gone:
        place.remove(name)
        place.remove(f"{name}.json")
    return succeeded(f"{len(gone)} backups deleted", deleted=gone)


def mark_proven(payload: dict) -> dict:
    """Note in the manifest that its backup was restored and compared. Safe to repeat."""
    return _marked(payload, lambda m: backups.proven(m, payload["because"], datetime.now(UTC)))


def mark_unproven(payload: dict) -> dict:
    """Note in the manifest `because` of what its backup, once restored, was found to differ.

    Safe to repeat; a proof that is there stands.
    """
    return _marked(payload, lambda m: backups.unproven(m, payload["because"]))


def _marked(payload: dict, mark: Callable[[dict], dict]) -> dict:
    place, name = _place(payload), f"{payload['manifest']['name']}.json"
    blob = place.get(name)
    if blob is None:
        return refused(f"{name} is gone: the backup was pruned meanwhile")
    manifest = backups.parse(blob.data)
    if manifest.get("status") == "refused":
        return manifest
    marked = mark(manifest)
    if marked == manifest:
        return skipped(f"{name} says so already", manifest=manifest)
    if place.put(name, _bytes(marked), expect=blob.etag) is None:
        raise Surprise(f"{name} changed meanwhile")
    return succeeded(f"{name} is marked", manifest=marked)


def _manifests(payload: dict) -> tuple[list[dict], list[str]]:
    place, found, bad = _place(payload), [], []
    names = [n for n in place.names(f"{payload['plan']}-") if n.endswith(".json")]
    for name in sorted(names)[-MANIFESTS_MAX:]:
        blob = place.get(name)
        manifest = backups.parse(blob.data) if blob else None
        if manifest is None:
            continue  # Pruned since it was listed.
        if manifest.get("status") == "refused":
            bad.append(f"{name}: {manifest['because']}")
        elif manifest["plan"] == payload["plan"]:
            found.append(manifest)
    return found, bad


def _place(payload: dict) -> blobs.Place:
    return blobs.of_account(payload["target"]["account"], payload["target"]["container"])


def _bytes(manifest: dict) -> bytes:
    return json.dumps(manifest, indent=1).encode()
