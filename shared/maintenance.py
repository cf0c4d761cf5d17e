"""Maintenance: when nobody moves a plan because people work on it.

A window opens when its cron fires, in its own timezone, and lasts its minutes; it is computed from
`now` and the plan alone. A person lifts the one that is open; the next one opens as ever.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.record import stamp

# The five fields of cron and nothing that croniter adds: `R` would be another time in each look.
MONTHS, DAYS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC", "SUN|MON|TUE|WED|THU|FRI|SAT"
FIELD = re.compile(rf"(?:[0-9*,/#L-]|{MONTHS}|{DAYS})+", re.IGNORECASE)
FIELDS = 5
TRIED_AT = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def in_force(windows: list[dict], lifted_at: str | None, now: datetime) -> dict | None:
    """The window that holds the plan now, {"from", "until", "because"}, the longest of several.

    `windows`: the plan's; `lifted_at`: when a person last lifted one. That ends every window that
    was open then, and none that opens later.
    """
    lifted = datetime.fromisoformat(lifted_at) if lifted_at else None
    found = [opened(window, now) for window in windows]
    held = [one for one in found if one and (lifted is None or lifted < parsed(one["from"]))]
    return max(held, key=lambda one: parsed(one["until"]), default=None)


def holds(plan: str, windows: list[dict], lifted_at: str | None, now: datetime) -> str:
    """Why nobody moves `plan` now, and what lifts it; empty when no window is open."""
    held = in_force(windows, lifted_at, now)
    if held is None:
        return ""
    lift = f"POST /api/plans/{plan}/resume lifts it"
    return f"maintenance until {held['until']} ({held['because']}): {lift}"


def opened(window: dict, now: datetime) -> dict | None:
    """The window as it is open now, or None. Its latest opening is the one that ends last."""
    start = fired(window, now, later=False)
    end = start + timedelta(minutes=window["minutes"])
    return shown(window, start, end) if now < end else None


def coming(windows: list[dict], now: datetime) -> dict | None:
    """The window that opens next, {"from", "until", "because"}; None where there is none."""
    starts = [(fired(window, now, later=True), window) for window in windows]
    if not starts:
        return None
    start, window = min(starts, key=lambda one: one[0])
    return shown(window, start, start + timedelta(minutes=window["minutes"]))


def shown(window: dict, start: datetime, end: datetime) -> dict:
    return {"from": stamp(start), "until": stamp(end), "because": window["because"]}


def fired(window: dict, now: datetime, later: bool) -> datetime:
    """When the window's cron fires next, or when it last did (this very moment is a last time)."""
    # Imported here: it takes longer to import than everything else on the way to a failover.
    from croniter import croniter

    zone = ZoneInfo(window.get("timezone", "UTC"))
    local = now.astimezone(zone).replace(microsecond=0)
    if later:
        return croniter(window["cron"], local).get_next(datetime).astimezone(UTC)
    return croniter(window["cron"], local + SECOND).get_prev(datetime).astimezone(UTC)


def problems(window: dict) -> Iterator[tuple[str, str]]:
    """What is wrong with a window as it stands in a plan: (key, words). Forgives wrong shapes."""
    zone, cron = window.get("timezone", "UTC"), window.get("cron")
    if isinstance(zone, str):
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError.
            yield "timezone", f"{zone} is no IANA time zone"
    if not isinstance(cron, str):
        return
    fields = cron.split()
    if len(fields) != FIELDS or not all(FIELD.fullmatch(field) for field in fields):
        yield "cron", f"{cron} is no cron expression of minute, hour, day, month and weekday"
        return
    try:
        for later in (False, True):
            fired({"cron": cron}, TRIED_AT, later)
    except (ValueError, KeyError) as error:
        yield "cron", f"{cron} never fires: {error}"


def parsed(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
