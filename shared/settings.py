"""Settings: what this app is told about itself, complete or refused.

The only place of the product that reads the environment. Every missing or bad key is reported
in one sentence, at import of function_app, not at three in the morning.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

ARM = "https://management.azure.com"
BLOBS = "AzureWebJobsStorage__blobServiceUri"
NAMESPACE = "__fullyQualifiedNamespace"
SCHEDULES = ("WATCHDOG_SCHEDULE", "HEARTBEAT_SCHEDULE", "BACKUP_SCHEDULE")
AUTHS = ("key", "entra")
# App Service sets it where its authentication is on; only then does it strip forged identities.
AUTHENTICATED = "WEBSITE_AUTH_ENABLED"
URL = re.compile(r"https?://[^\s/]+")
ELSEWHERE = re.compile(rf"SLIPS_([A-Z0-9]+)({NAMESPACE})?")


class MissingSettings(Exception):
    """Settings that are missing or bad; `problems` has all of them, each with its key."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """The app's settings. Connection strings and URLs with secrets stay out of its `repr`."""

    location: str
    arm_endpoint: str
    arm_audience: str
    client_id: str | None
    blob_service_uri: str
    slips: Mapping[str, str] = field(repr=False)  # location -> host name or connection string
    webhooks: Mapping[str, str] = field(repr=False)  # name of the setting -> URL
    api_auth: str
    backup_schedule: str  # NCRONTAB, six fields

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the environment (default: the process's); raises MissingSettings with every problem.

        `webhooks` has each setting whose name ends in WEBHOOK: plans name the setting, and so a
        plan can never make the app send any other setting's value anywhere.
        """
        known = os.environ if environ is None else environ
        problems = _problems(known)
        if problems:
            raise MissingSettings(problems)
        arm = known.get("ARM_ENDPOINT") or ARM
        location = known["LOCATION"].replace(" ", "").lower()
        return cls(
            location=location,
            arm_endpoint=arm.rstrip("/"),
            arm_audience=(known.get("ARM_AUDIENCE") or ARM).rstrip("/"),
            client_id=known.get("AZURE_CLIENT_ID") or None,
            blob_service_uri=known[BLOBS].rstrip("/"),
            slips={**_elsewhere(known), location: _own_slips(known)},
            webhooks={k: v for k, v in known.items() if k.upper().endswith("WEBHOOK") and v},
            api_auth=known.get("API_AUTH") or "key",
            backup_schedule=known["BACKUP_SCHEDULE"],
        )


def _own_slips(known: Mapping[str, str]) -> str:
    return known.get(f"SLIPS{NAMESPACE}") or known.get("SLIPS", "")


def _elsewhere(known: Mapping[str, str]) -> dict[str, str]:
    found = {key: ELSEWHERE.fullmatch(key) for key in known}
    return {match[1].lower(): known[key] for key, match in found.items() if match and known[key]}


def _problems(known: Mapping[str, str]) -> list[str]:
    """Every missing or bad key, in one list."""
    missing = [key for key in ("LOCATION", BLOBS, *SCHEDULES) if not known.get(key)]
    if not _own_slips(known):
        missing.append(f"SLIPS{NAMESPACE} (or SLIPS)")
    if not _elsewhere(known):
        missing.append(f"SLIPS_<LOCATION>{NAMESPACE} of the other location")
    bad = [
        f"{key} is not a URL"
        for key in ("ARM_ENDPOINT", "ARM_AUDIENCE", BLOBS)
        if known.get(key) and not URL.match(known[key])
    ]
    if known.get("API_AUTH", "key") not in AUTHS:
        bad.append(f"API_AUTH is one of {', '.join(AUTHS)}")
    if known.get("API_AUTH") == "entra" and known.get(AUTHENTICATED, "").lower() != "true":
        bad.append(
            f"API_AUTH is entra, but {AUTHENTICATED} is not: anybody could forge an identity"
        )
    return [f"{key} is missing" for key in missing] + bad


@cache
def settings() -> Settings:
    """The process's settings, read once."""
    return Settings.from_env()
