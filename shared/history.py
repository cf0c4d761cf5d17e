"""History: what the workflows of both locations did, as one list, newest first.

After Microsoft.Logic 2019-05-01 (WorkflowRun, WorkflowTriggerHistory). Of what ARM answers only
what is named here goes on: the links to inputs and outputs are signed, and so are no reader's.
"""

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

TOP_DEFAULT = 50
TOP_MAX = 200
PAGE_MAX = 100  # Of one list: what a single answer holds.
WORKFLOWS_MAX = 25  # Of one set of a plan's workflows: as many as READS_MAX pays for.
REQUESTS_EACH = 6  # Of one workflow: in both locations its runs, its triggers, what one did.
# ARM's bucket holds 250 reads and gets 25 a second back, and the app moves plans out of the same
# one: a page that is asked for again and again must leave a failover its share.
READS_MAX = 150
READS_PER_SECOND = 10
DEBT_MAX = 50  # Reads that nobody could know of beforehand: the next page waits for them.
NAMES_SHOWN_MAX = 5
WORDS_MAX = 300
Order = tuple[datetime, str, str, int, str]
OLDEST = datetime.min.replace(tzinfo=UTC)
NEWEST = datetime.max.replace(tzinfo=UTC)
# Failures quote the URLs, the headers and the connection strings that they failed with.
SECRETS = (
    (re.compile(r"(://[^\s\"'<>?]*)\?[^\s\"'<>]*"), r"\1?..."),
    (re.compile(r"://[^\s/@\"'<>]+@"), "://...@"),
    (re.compile(r"(?i)\b(bearer|basic|sharedaccesssignature)\s+[^\s\"',;]+"), r"\1 ..."),
    (re.compile(r"\beyJ[\w-]+(?:\.[\w-]+)*"), "..."),
    (
        re.compile(
            r"(?i)([\w-]*(?:sig|key|secret|token|password|pwd)\b[\"']?\s*[=:]\s*)"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s\"',;&]+)"
        ),
        r"\1...",
    ),
)


@dataclass
class Listed:
    """One list of one workflow: the rows that were asked for, and does ARM have older ones?

    `floor`: the order of the oldest row that ARM gave, asked for or not; down to there it is whole.
    `crowded`: so many rows began in the same second that ARM was not asked for all of them.
    """

    location: str
    component: str
    rows: list[dict] = field(default_factory=list)
    more: bool = False
    floor: Order | None = None
    crowded: bool = False


@dataclass
class Purse:
    """The reads that history may still make, as of `at` in seconds of any steady clock."""

    left: float = READS_MAX
    at: float = 0.0

    def pay(self, reads: int, now: float) -> float:
        """Take so many; else take none, and say how many seconds it is until there are enough."""
        self._refill(now)
        if reads > self.left:
            return (reads - self.left) / READS_PER_SECOND
        self.left -= reads
        return 0.0

    def owe(self, now: float) -> bool:
        """Take one read more than there is, if need be; False where too much is owed already."""
        self._refill(now)
        if self.left <= -DEBT_MAX:
            return False
        self.left -= 1
        return True

    def _refill(self, now: float) -> None:
        refilled = self.left + max(0.0, now - self.at) * READS_PER_SECOND
        self.left, self.at = min(READS_MAX, refilled), now


def row(kind: str, location: str, component: str, item: dict) -> dict:
    """{"at", "location", "component", "kind", "status", "name"} of a run or trigger history of ARM.

    And `correlation` (the client's tracking id) and `because` (of what failed), where there is
    any. `at` is null where ARM gives no time that can be read.
    """
    own = item.get("properties") or {}
    at = moment(own.get("startTime"))
    shown: dict = {
        "at": at.isoformat() if at else None,
        "location": location,
        "component": component,
        "kind": kind,
        "status": str(own.get("status", "")),
        "name": str(item.get("name", "")),
    }
    tracking = (own.get("correlation") or {}).get("clientTrackingId")
    why = reason(own)
    return {
        **shown,
        **({"correlation": plain(str(tracking))} if tracking else {}),
        **({"because": why} if why else {}),
    }


def moment(time: object) -> datetime | None:
    """A time as ARM writes it, with up to seven digits of a second; None where it is none."""
    try:
        read = datetime.fromisoformat(str(time))
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def reason(own: dict) -> str:
    """Why it failed, in the service's words without what is secret; empty where it did not."""
    error = own.get("error")
    error = error if isinstance(error, dict) else {}
    said = f"{error.get('code') or own.get('code') or ''}: {error.get('message') or ''}"
    said = said.strip(": ")
    return "" if said in ("", "OK", "NotSpecified") else plain(said)


def plain(words: str) -> str:
    """One line, bounded, without queries of URLs, tokens, keys and passwords."""
    for secret, shown in SECRETS:
        words = secret.sub(shown, words)
    return " ".join(words.split())[:WORDS_MAX]


def merged(
    lists: list[Listed], top: int, after: Order | None = None
) -> tuple[list[dict], Order | None, list[str]]:
    """The `top` newest rows older than `after`, newest first; where to go on; what is missing.

    A page ends where a list that ARM cut short ends: what it kept back comes with the next page, in
    its place. So a page may have fewer rows than `top`, or none, and another page after it.
    """
    cut = [one.floor for one in lists if one.more and one.floor and not one.crowded]
    crowded = [one for one in lists if one.crowded]
    horizon = max(cut, default=None)
    held = {order(row): row for one in lists for row in one.rows}
    keys = sorted((key for key in held if after is None or key < after), reverse=True)
    page = [key for key in keys if horizon is None or key >= horizon][:top]
    onward = None
    if len(page) < len(keys) or horizon or crowded:
        onward = page[-1] if len(page) == top else horizon or below(after)
    names = some(list(dict.fromkeys(f"{one.component} in {one.location}" for one in crowded)))
    says = f"not all rows are shown of {names}: more than can be read began in the same second"
    return [held[key] for key in page], onward, [says] if crowded else []


def below(after: Order | None) -> Order | None:
    """The start of the second that `after` is in: what is older than all of its rows."""
    return (after[0].replace(microsecond=0), "", "", -1, "") if after else None


def age(shown: dict) -> datetime:
    """When it was, for comparing; what has no time is older than everything."""
    return datetime.fromisoformat(shown["at"]) if shown["at"] else OLDEST


def order(shown: dict) -> Order:
    """What sorts rows, with the same answer whoever answered first."""
    # A run is newer than the trigger that began it, also where both have the same time.
    kinds = ("trigger", "run")
    return (
        age(shown),
        shown["location"],
        shown["component"],
        kinds.index(shown["kind"]),
        shown["name"],
    )


class Chosen(NamedTuple):
    """One set of workflows. `left`: those behind it, then those before; `next`: the set to see."""

    names: list[str]
    left: list[str]
    next: int


def sets(names: list[str]) -> int:
    """Into how many sets these workflows are parted; the last one may be smaller."""
    return max(1, math.ceil(len(names) / WORKFLOWS_MAX))


def chosen(names: list[str], number: int = 1) -> Chosen:
    """The workflows that one answer looks at, the set of this `number`, and what it leaves out."""
    start = (number - 1) * WORKFLOWS_MAX
    end = start + WORKFLOWS_MAX
    return Chosen(names[start:end], names[end:] + names[:start], number % sets(names) + 1)


def some(names: list[str]) -> str:
    """The first few names, and how many more."""
    more = len(names) - NAMES_SHOWN_MAX
    return ", ".join(names[:NAMES_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
