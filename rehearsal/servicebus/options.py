"""What a queue was told to be: ARM's SBQueueProperties as plain numbers."""

import re
from dataclasses import dataclass

DURATION = re.compile(
    r"^P(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?$"
)
UNIT_SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
FOREVER_SECONDS = 10 * 365 * 86_400  # Azure's default is TimeSpan.MaxValue; beyond this, no expiry.

# ARM's names, and the defaults of Azure for a Standard namespace.
DEFAULTS: dict[str, object] = {
    "lockDuration": "PT1M",
    "maxDeliveryCount": 10,
    "requiresSession": False,
    "requiresDuplicateDetection": False,
    "duplicateDetectionHistoryTimeWindow": "PT10M",
    "defaultMessageTimeToLive": "P10675199DT2H48M5.4775807S",
    "deadLetteringOnMessageExpiration": False,
    "maxSizeInMegabytes": 1024,
    "maxMessageSizeInKilobytes": 256,
    "enableBatchedOperations": True,
    "enablePartitioning": False,
    "enableExpress": False,
    "autoDeleteOnIdle": "P10675199DT2H48M5.4775807S",
    "status": "Active",
}
LOCK_SECONDS_MAX = 300


class BadOptions(Exception):
    """Properties that Azure refuses, with the reason in words."""


@dataclass(frozen=True)
class Options:
    """A queue's rules, in seconds and counts."""

    lock_seconds: float = 60
    deliveries_max: int = 10
    sessions: bool = False
    duplicate_detection: bool = False
    history_seconds: float = 600
    ttl_seconds: float | None = None
    dead_letter_expired: bool = False


def seconds(duration: str) -> float:
    """ISO-8601 duration of days, hours, minutes and seconds, in seconds."""
    found = DURATION.match(duration)
    if not found or duration in ("P", "PT"):
        raise BadOptions(f"{duration!r} is not an ISO-8601 duration")
    parts = {unit: float(text) for unit, text in found.groupdict().items() if text}
    return sum(number * UNIT_SECONDS[unit] for unit, number in parts.items())


def options_of(properties: dict) -> Options:
    """The rules in ARM's properties, missing ones as Azure's defaults; raises `BadOptions`."""
    given = {**DEFAULTS, **{key: value for key, value in properties.items() if value is not None}}
    lock_seconds = seconds(str(given["lockDuration"]))
    if not 0 < lock_seconds <= LOCK_SECONDS_MAX:
        raise BadOptions("lockDuration must be more than 0 and at most 5 minutes")
    deliveries_max = given["maxDeliveryCount"]
    if not isinstance(deliveries_max, int) or deliveries_max < 1:
        raise BadOptions("maxDeliveryCount must be at least 1")
    ttl_seconds = seconds(str(given["defaultMessageTimeToLive"]))
    return Options(
        lock_seconds=lock_seconds,
        deliveries_max=deliveries_max,
        sessions=bool(given["requiresSession"]),
        duplicate_detection=bool(given["requiresDuplicateDetection"]),
        history_seconds=seconds(str(given["duplicateDetectionHistoryTimeWindow"])),
        ttl_seconds=None if ttl_seconds >= FOREVER_SECONDS else ttl_seconds,
        dead_letter_expired=bool(given["deadLetteringOnMessageExpiration"]),
    )
