"""Backups: names, manifests, and which of them may go.

A backup's name says when and of what it was made and is never used twice. One counts as good
only once a standby restored it and was compared with it: then it is *proven*.
"""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared import faults
from shared.outcome import refused

BYTES_MAX = 64 * 1024
# API Management answers "Cannot restore: backup expired" from this age on.
EXPIRES_AFTER = timedelta(days=30)
# What the backup was made with; azure-mgmt-apimanagement 5.0.0 speaks the same.
API_VERSION = "2024-05-01"

Time = Annotated[AwareDatetime, Field(strict=False)]


class Manifest(BaseModel):
    """The blob `{backup}.json` beside a backup."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)

    name: str
    plan: str
    service: str
    sku: str
    fingerprint: str
    api_version: str
    started_at: Time
    completed_at: Time | None
    bytes: Annotated[int, Field(ge=0)] | None
    proven_at: Time | None
    proven_because: str


def manifest(*, plan: str, service: str, sku: str, fingerprint: str, now: datetime) -> dict:
    """The manifest of a backup that begins now; completedAt, bytes and provenAt follow."""
    return {
        "name": name(plan, fingerprint, now),
        "plan": plan,
        "service": service,
        "sku": sku,
        "fingerprint": fingerprint,
        "apiVersion": API_VERSION,
        "startedAt": now.isoformat(),
        "completedAt": None,
        "bytes": None,
        "provenAt": None,
        "provenBecause": "",
    }


def name(plan: str, fingerprint: str, now: datetime) -> str:
    """The immutable name: it sorts by time, and the same moment and content give the same one."""
    return f"{plan}-{now:%Y%m%dT%H%M%SZ}-{fingerprint[:8]}"


def parse(body: str | bytes) -> dict:
    """The manifest in a blob, or a refusal that says what is wrong with it."""
    try:
        return faults.read(body, Manifest, BYTES_MAX)
    except faults.Faulty as error:
        return refused(f"manifest: {error}")


def proven(manifest: dict, because: str, now: datetime) -> dict:
    """The manifest once a restored standby was compared; the first proof stands."""
    if manifest["provenAt"]:
        return manifest
    return {**manifest, "provenAt": now.isoformat(), "provenBecause": because}


def unproven(manifest: dict, because: str) -> dict:
    """The manifest once a restored standby was found to differ; a proof that is there stands."""
    return manifest if manifest["provenAt"] else {**manifest, "provenBecause": because}


def made_at(manifest: dict) -> datetime:
    """When the backup was begun: what it holds is no younger."""
    return datetime.fromisoformat(manifest["startedAt"])


def expired(manifest: dict, now: datetime) -> bool:
    """Is it too old for Azure to restore?"""
    return now - made_at(manifest) >= EXPIRES_AFTER


def latest(manifests: list[dict]) -> dict | None:
    return max(manifests, key=made_at, default=None)


def latest_proven(manifests: list[dict]) -> dict | None:
    """The youngest backup that a standby was restored from and compared with."""
    return latest([m for m in manifests if m["provenAt"]])


def prune(manifests: list[dict], now: datetime, keep_days: float, keep_count: int) -> list[str]:
    """The names to delete: older than `keep_days`, or beyond the youngest `keep_count`.

    Never the last proven one, however old: an operator can still read what it says.
    """
    kept = latest_proven(manifests)
    young = sorted(manifests, key=made_at, reverse=True)
    gone = {
        m["name"]
        for place, m in enumerate(young)
        if place >= keep_count or now - made_at(m) >= timedelta(days=keep_days)
    }
    return sorted(gone - ({kept["name"]} if kept else set()))
