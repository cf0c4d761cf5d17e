"""History's question: what a caller wants to see of it, each error of it by name, and what ARM is
asked for so.

A page goes on where the last one ended (`after`), by the last row's own place in the order and not
by a number of rows: what has begun meanwhile is newer, and moves nothing.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.history import (
    NEWEST,
    OLDEST,
    TOP_DEFAULT,
    TOP_MAX,
    Order,
    age,
    order,
    plain,
    sets,
    some,
)

# WorkflowStatus of Microsoft.Logic 2019-05-01.
STATUSES = (
    "Aborted",
    "Cancelled",
    "Failed",
    "Faulted",
    "Ignored",
    "NotSpecified",
    "Paused",
    "Running",
    "Skipped",
    "Succeeded",
    "Suspended",
    "TimedOut",
    "Waiting",
)
FORMATS = ("json", "csv")
CSV = "text/csv"
AFTER_LENGTH_MAX = 600
COMPONENTS_MAX = 100
NAME_SHOWN = 40  # Letters of a name that is none.


@dataclass(frozen=True)
class Question:
    """Which rows: `since` <= at < `until`, of some components or all, of one status or any.

    `components` are in the plan's order, and empty for all; of those the `set` of this number.
    """

    top: int = TOP_DEFAULT
    components: tuple[str, ...] = ()
    set: int = 1
    status: str | None = None
    since: datetime = OLDEST
    until: datetime = NEWEST
    after: Order | None = None
    csv: bool = False

    def fits(self, row: dict) -> bool:
        """Is this row asked for, but for its place?"""
        mine = self.status is None or row["status"].lower() == self.status.lower()
        return mine and self.since <= age(row) < self.until

    def passed(self, row: dict) -> bool:
        """Is it on an earlier page?"""
        return self.after is not None and order(row) >= self.after

    @property
    def filter(self) -> str:
        """ARM's $filter: whole seconds, so a little more than is asked for; empty for all."""
        until = min(self.until, self.after[0]) if self.after else self.until
        words = [f"status eq '{self.status}'"] if self.status else []
        words += [f"startTime ge {seconds(self.since)}"] if self.since > OLDEST else []
        words += [f"startTime lt {seconds(later(until))}"] if until < NEWEST else []
        return " and ".join(words)


def seconds(at: datetime) -> str:
    """As Logic Apps takes a time in a filter."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def later(at: datetime) -> datetime:
    """The first whole second after `at`."""
    return min(at, NEWEST - timedelta(seconds=2)).replace(microsecond=0) + timedelta(seconds=1)


def question(
    plan: str, workflows: list[str], given: Mapping[str, str]
) -> tuple[Question, list[str]]:
    """What the query `given` asks of a plan's history, and every error in it, each by name.

    `given`: top, component, set, status, from, to, after, format, and Accept, the header.
    """
    errors: list[str] = []
    since = time_of(given, "from", OLDEST, errors)
    until = time_of(given, "to", NEWEST, errors)
    if not errors and since >= until:
        errors.append("from: must be before to")
    components = components_of(given.get("component"), workflows, errors)
    status = given.get("status")
    known = next((one for one in STATUSES if status and one.lower() == status.lower()), None)
    if status is not None and known is None:
        errors.append(f"status: one of {', '.join(STATUSES)}")
    made = Question(
        top=number_of(given, "top", TOP_DEFAULT, TOP_MAX, errors),
        components=tuple(components),
        set=number_of(given, "set", 1, sets(components or workflows), errors),
        status=known,
        since=since,
        until=until,
        csv=is_csv(given, errors),
    )
    place, wrong = place_of(given.get("after"), mark(plan, made))
    errors += [wrong] if wrong else []
    return Question(**{**vars(made), "after": place}), errors


def components_of(text: str | None, workflows: list[str], errors: list[str]) -> list[str]:
    """The named ones in the plan's order, each once; an error for each that is none of them.

    They are parted by commas: what a query names twice, the Functions host hands over so too
    (azure-functions-host, ToRpcHttp: `pair.Value.ToString()` of StringValues).
    """
    named = list(dict.fromkeys(text.split(","))) if text is not None else []
    if len(named) > COMPONENTS_MAX:
        errors.append(f"component: at most {COMPONENTS_MAX} workflows")
        return []
    errors += [
        f"component: {plain(one)[:NAME_SHOWN]!r} is none of the plan's workflows: {some(workflows)}"
        for one in named
        if one not in workflows
    ]
    return [one for one in workflows if one in named]


def number_of(
    given: Mapping[str, str], key: str, default: int, most: int, errors: list[str]
) -> int:
    number = given.get(key, str(default))
    # A number of more digits than the bound has is none that is worth reading.
    fits = number.isascii() and number.isdecimal() and len(number) <= len(str(most))
    if fits and 1 <= int(number) <= most:
        return int(number)
    errors.append(f"{key}: a whole number from 1 to {most}")
    return default


def time_of(given: Mapping[str, str], key: str, default: datetime, errors: list[str]) -> datetime:
    text = given.get(key)
    if text is None:
        return default
    try:
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        errors.append(f"{key}: a time as 2026-01-31T08:00:00Z or a day as 2026-01-31")
        return default


def is_csv(given: Mapping[str, str], errors: list[str]) -> bool:
    """`format` decides; without one who accepts CSV and does not name JSON gets CSV."""
    word, accepts = given.get("format"), (given.get("Accept") or "").lower()
    if word is not None and word not in FORMATS:
        errors.append(f"format: one of {', '.join(FORMATS)}")
    return word == "csv" if word else CSV in accepts and "application/json" not in accepts


def mark(plan: str, asked: Question) -> str:
    """What tells the pages of one question from those of another."""
    whose = [plan, asked.components, asked.set]
    said = [*whose, asked.status, asked.since.isoformat(), asked.until.isoformat()]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:12]


def onward(plan: str, asked: Question, place: Order) -> str:
    """The `after` that asks for the next page."""
    said = json.dumps([mark(plan, asked), place[0].isoformat(), *place[1:]])
    return urlsafe_b64encode(said.encode()).decode().rstrip("=")


def place_of(text: str | None, wanted: str) -> tuple[Order | None, str]:
    """The place in an `after`, and what is wrong with it."""
    if text is None:
        return None, ""
    wrong = "after: what `next` of an earlier page said, unchanged"
    if len(text) > AFTER_LENGTH_MAX:
        return None, wrong
    try:
        said = json.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
        whose, at, location, component, kind, name = said
        place = (datetime.fromisoformat(at), location, component, kind, name)
        fits = place[0].tzinfo is not None and type(kind) is int
        fits = fits and all(isinstance(one, str) for one in (location, component, name))
    except (ValueError, TypeError):  # Of base64, of JSON, of a time and of taking apart.
        return None, wrong
    if not fits:
        return None, wrong
    return (place, "") if whose == wanted else (None, f"{wrong}; this one is of another question")
