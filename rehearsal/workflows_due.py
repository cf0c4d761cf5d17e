"""When a trigger fires: pure rules over a trigger's definition, what it remembers, and now.

After learn.microsoft.com, concepts-schedule-automated-recurring-tasks-workflows: a recurrence
without a start time fires at once when it is enabled; what it missed is not made up; a sliding
window makes up every window that it missed. A trigger that was given another one's state goes on
where that one stopped: a recurrence keeps its grid and does not fire at once.
Not emulated: `schedule` (hours, minutes, weekdays), time zones other than UTC, trigger conditions.
"""

import calendar
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

SECONDS = {"Second": 1, "Minute": 60, "Hour": 3_600, "Day": 86_400, "Week": 604_800}
WINDOWS_AT_ONCE_MAX = 100
CLOCKS = ("recurrence", "slidingWindow")
POLLS = ("mailbox", "httpPolling")
QUEUE_PATH = re.compile(
    r"encodeURIComponent\('([^']+)'\).*\)\}/messages/(?:head|batch)/peek", re.IGNORECASE
)
TYPES = {
    "recurrence": "recurrence",
    "slidingwindow": "slidingWindow",
    "request": "request",
    "http": "httpPolling",
    "httpwebhook": "webhook",
    "apiconnectionwebhook": "webhook",
}


@dataclass(frozen=True)
class Trigger:
    """One trigger of a definition."""

    name: str
    kind: str  # recurrence slidingWindow request httpPolling webhook queue orderedQueue mailbox
    frequency: str = "Minute"
    interval: int = 1
    start: datetime | None = None
    queue: str = ""
    definition: dict = field(default_factory=dict, compare=False, hash=False)

    @property
    def seconds(self) -> float:
        """Its period; a month counts as 30 days here."""
        return SECONDS.get(self.frequency, 30 * SECONDS["Day"]) * self.interval

    def after(self, time: datetime) -> datetime:
        """The occurrence that follows an occurrence."""
        if self.frequency != "Month":
            return time + timedelta(seconds=self.seconds)
        months = time.month - 1 + self.interval
        year, month = time.year + months // 12, months % 12 + 1
        day = min(time.day, calendar.monthrange(year, month)[1])
        return time.replace(year=year, month=month, day=day)

    def slot(self, time: datetime) -> str:
        """The period that a time is in, counted from the epoch: the same in every location."""
        step = max(self.seconds, 1)
        whole = int(time.timestamp() // step * step)
        return datetime.fromtimestamp(whole, UTC).isoformat()


@dataclass
class Memory:
    """What a trigger remembers. `next`: None means at once; `seen`: the last item of a poll;
    `carried`: it is another trigger's, and not yet begun with."""

    next: datetime | None = None
    last: datetime | None = None
    seen: int | None = None
    carried: bool = False


def read_triggers(definition: dict) -> list[Trigger]:
    """The triggers of a workflow definition; an unknown connector has the kind `unknown`."""
    named = definition.get("triggers") or {}
    return [_read(name, own) for name, own in named.items() if isinstance(own, dict)]


def _read(name: str, own: dict) -> Trigger:
    kind, queue = _kind(own)
    recurrence = own.get("recurrence") or {}
    return Trigger(
        name,
        kind,
        str(recurrence.get("frequency", "Minute")).capitalize(),
        max(1, int(recurrence.get("interval", 1))),
        _time(recurrence.get("startTime")),
        queue,
        own,
    )


def _kind(own: dict) -> tuple[str, str]:
    type, inputs = str(own.get("type", "")).lower(), own.get("inputs") or {}
    if type != "apiconnection":
        return TYPES.get(type, "unknown"), ""
    path = str(inputs.get("path", ""))
    peek = QUEUE_PATH.search(path)
    if peek:
        session = str((inputs.get("queries") or {}).get("sessionId", "None"))
        return "queue" if session in ("None", "") else "orderedQueue", peek[1]
    return ("mailbox", "") if "mail" in path.lower() else ("unknown", "")


def _time(text: object) -> datetime | None:
    if not isinstance(text, str) or not text:
        return None
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def enable(trigger: Trigger, memory: Memory, now: datetime) -> None:
    """The workflow is switched on: set when the trigger is next due."""
    if trigger.kind == "slidingWindow" and memory.next is not None:
        return  # It goes on where it stopped, and so makes up what it missed.
    carried, memory.carried = memory.carried, False
    if carried and trigger.kind == "recurrence" and memory.next is not None:
        memory.next = max(memory.next, _first_after(trigger, memory.next, now))
        return
    if trigger.start is None:
        memory.next = now
    elif trigger.start > now or trigger.kind == "slidingWindow":
        memory.next = trigger.start
    else:
        memory.next = _first_after(trigger, trigger.start, now)


def _first_after(trigger: Trigger, time: datetime, now: datetime) -> datetime:
    """The first occurrence later than now, on the grid that `time` is on."""
    if trigger.frequency != "Month":
        step = trigger.seconds
        return time + timedelta(seconds=(int((now - time).total_seconds() // step) + 1) * step)
    for _ in range(12_000):  # A thousand years of months.
        if time > now:
            break
        time = trigger.after(time)
    return time


def due(trigger: Trigger, memory: Memory, now: datetime, working: bool) -> list[datetime]:
    """The occurrences to fire now, oldest first; `memory` moves on.

    While the location does not work nothing fires: a recurrence loses what falls into that time,
    a sliding window keeps it.
    """
    if memory.next is None:
        memory.next = now
    if memory.next > now:
        return []
    if trigger.kind != "slidingWindow":
        latest, memory.next = memory.next, _first_after(trigger, memory.next, now)
        memory.last = latest if working else memory.last
        return [latest] if working else []
    fired: list[datetime] = []
    while working and memory.next <= now and len(fired) < WINDOWS_AT_ONCE_MAX:
        fired.append(memory.next)
        memory.last, memory.next = memory.next, trigger.after(memory.next)
    return fired
