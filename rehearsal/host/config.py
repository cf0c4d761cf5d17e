"""host.json and the app settings, as the host reads them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SETTING = re.compile(r"%([^%]+)%")
DURATION = re.compile(r"^(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})$")
FUNCTION_TIMEOUT_SECONDS = 1800.0
# Azure allows one worker its CPU count + 4 threads; an estate sets this to what its plan gives.
THREADS = 32


class MissingSetting(Exception):
    """A binding names an app setting that is not there."""


@dataclass(frozen=True)
class Config:
    """What the host needs of host.json; durations in seconds."""

    route_prefix: str = "api"
    timeout_seconds: float = FUNCTION_TIMEOUT_SECONDS
    hub: str = "TestHubName"
    activities_max: int = 10 * (os.cpu_count() or 1)
    calls_max: int = 16
    prefetch: int = 0
    renew_seconds: float = 300.0
    settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, settings: Mapping[str, str]) -> Config:
        """The configuration of the app in `folder`; missing keys have the host's defaults."""
        path = folder / "host.json"
        document = json.loads(path.read_text()) if path.exists() else {}
        extensions = document.get("extensions", {})
        durable = extensions.get("durableTask", {})
        bus = extensions.get("serviceBus", {})
        limit = durable.get("maxConcurrentActivityFunctions", cls.activities_max)
        return cls(
            route_prefix=extensions.get("http", {}).get("routePrefix", cls.route_prefix).strip("/"),
            timeout_seconds=seconds(document.get("functionTimeout"), FUNCTION_TIMEOUT_SECONDS),
            hub=durable.get("hubName", cls.hub),
            activities_max=limit,
            calls_max=bus.get("maxConcurrentCalls", cls.calls_max),
            prefetch=bus.get("prefetchCount", cls.prefetch),
            renew_seconds=seconds(bus.get("maxAutoLockRenewalDuration"), cls.renew_seconds),
            settings=settings,
        )

    def resolve(self, text: str) -> str:
        """`text` with every %SETTING% replaced; MissingSetting."""

        def value(match: re.Match[str]) -> str:
            if match[1] not in self.settings:
                raise MissingSetting(f"app setting {match[1]} is missing")
            return self.settings[match[1]]

        return SETTING.sub(value, text)

    @property
    def threads(self) -> int:
        """Threads for synchronous functions."""
        return int(self.settings.get("PYTHON_THREADPOOL_THREAD_COUNT", THREADS))


def seconds(text: str | None, default: float) -> float:
    """A .NET time span `d.hh:mm:ss` in seconds; -1 means unlimited: a day stands for it."""
    if text is None:
        return default
    if text == "-1":
        return 86400.0
    found = DURATION.match(text)
    if not found:
        raise ValueError(f"not a time span: {text}")
    days, hours, minutes, rest = (int(each or 0) for each in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + rest)
