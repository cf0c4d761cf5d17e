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

from shared.history import NEWEST, OLDEST, TOP_DEFAULT, TOP_MAX, Order, age, order, some

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


@dataclass(frozen=True)
class Question:
    """Which rows: `since` <= at < `until`, of one component or all, of one status or any."""

    top: int = TOP_DEFAULT
    component: str | None = None
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

    `given`: top, component, status, from, to, after, format, and Accept, the header.
    """
    errors: list[str] = []
    since = time_of(given, "from", OLDEST, errors)
    until = time_of(given, "to", NEWEST, errors)
    if not errors and since >= until:
        errors.append("from: must be before to")
    component, status = given.get("component"), given.get("status")
    if component is not None and component not in workflows:
        errors.append(f"component: one of the plan's workflows: {some(workflows)}")
    known = next((one for one in STATUSES if status and one.lower() == status.lower()), None)
    if status is not None and known is None:
        errors.append(f"status: one of {', '.join(STATUSES)}")
    made = Question(
        top=number_of(given.get("top"), errors),
        component=component,
        status=known,
        since=since,
        until=until,
        csv=is_csv(given, errors),
    )
    place, wrong = place_of(given.get("after"), mark(plan, made))
    errors += [wrong] if wrong else []
    return Question(**{**vars(made), "after": place}), errors


def number_of(text: str | None, errors: list[str]) -> int:
    number = text if text is not None else str(TOP_DEFAULT)
    # A number of more digits than the bound has is none that is worth reading.
    fits = number.isascii() and number.isdecimal() and len(number) <= len(str(TOP_MAX))
    if fits and 1 <= int(number) <= TOP_MAX:
        return int(number)
    errors.append(f"top: a whole number from 1 to {TOP_MAX}")
    return TOP_DEFAULT


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
    said = [plan, asked.component, asked.status, asked.since.isoformat(), asked.until.isoformat()]
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
