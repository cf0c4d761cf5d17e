"""Undelivered: the slips for one location that no namespace took, in the order they were to go.

    {"version": 1, "slips": [{"id", "queue", "slip", "at"}],
     "gone": [the last of {"id", "at", "how": "started" | "sent" | "relayed" | "over", "because"}]}

Pure: each function takes such a book and gives the new one, or the very same one where nothing is
to be changed. That a slip is in it twice, or leaves it twice, is what a repeat looks like.
"""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shared import faults, slip, witness

EMPTY: dict = {"version": 1, "slips": [], "gone": []}
SLIPS_MAX = 50  # Of 64 KB at most each, so that a book is always read whole.
GONE_MAX = 20
BYTES_MAX = 4 * 1024 * 1024
LIVELY_SECONDS = 30  # A stage that was started here is about to send the next slip.
RESTORE_MINUTES = 24 * 60  # As long as a message lives in its queue.


class Entry(BaseModel):
    """A slip that waits; what is in it is judged where it is taken."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    queue: str
    slip: dict[str, JsonValue]
    at: str


class Gone(BaseModel):
    """A slip that has left, and how."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    at: str
    how: str
    because: str


class Book(BaseModel):
    """What a blob of the outbox is."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    slips: list[Entry] = Field(max_length=SLIPS_MAX)
    gone: list[Gone] = Field(max_length=GONE_MAX)


def read(data: bytes) -> dict:
    """The book in a blob; raises faults.Faulty, with every fault, where it is none."""
    return faults.read(data, Book, BYTES_MAX)


def add(book: dict, queue: str, paper: dict, now: datetime) -> dict | None:
    """The book with this slip at its end; None where it is full.

    A slip that is in it keeps its place. Of a plan's restores only the newest waits: each carries
    the whole gateway.
    """
    mine = slip.message_id(paper)
    if any(one["id"] == mine for one in book["slips"]):
        return book
    waiting = [one for one in book["slips"] if not _replaced(one["slip"], paper)]
    if len(waiting) >= SLIPS_MAX:
        return None
    entry = {"id": mine, "queue": queue, "slip": paper, "at": now.isoformat()}
    return {**book, "slips": [*waiting, entry]}


def _replaced(older: dict, paper: dict) -> bool:
    return is_restore(older) and is_restore(paper) and older.get("plan") == paper["plan"]


def is_restore(paper: dict) -> bool:
    """Its sort: a restore and a run's slips do not wait for each other."""
    return paper.get("kind") == "restore"


def strike(book: dict, mine: str, how: str, because: str, now: datetime) -> dict:
    """The book without this slip, which has gone `how`."""
    left = [one for one in book["slips"] if one["id"] != mine]
    if len(left) == len(book["slips"]):
        return book
    line = {"id": mine, "at": now.isoformat(), "how": how, "because": because}
    return {**book, "slips": left, "gone": [*book["gone"], line][-GONE_MAX:]}


def over(entry: dict, now: datetime) -> str:
    """Why this slip is not sent any more; empty when it is.

    By then the reservation that it belongs to has run out: nobody takes its run for alive.
    """
    minutes = minutes_of(entry["slip"])
    if now - datetime.fromisoformat(entry["at"]) < timedelta(minutes=minutes):
        return ""
    return f"{entry['id']} waits since {entry['at']}, for more than {minutes:g} minutes"


def minutes_of(paper: dict) -> float:
    """How long a slip may wait: as long as its run may stand in the stage before."""
    if is_restore(paper):
        return RESTORE_MINUTES
    if paper.get("epoch") is not None:
        return witness.STALLED_MINUTES
    # A graceful run that a person has made a forced one has a drain behind it all the same.
    drained = slip.done_at("quiesce") in paper.get("facts", {})
    first = paper.get("stage") == slip.ROUTES.get(str(paper.get("mode")), [""])[0]
    return witness.REQUEST_MINUTES if first and not drained else witness.DRAIN_STALLED_MINUTES


def lively(book: dict, now: datetime) -> bool:
    """Is another slip to be expected soon?"""
    if book["slips"]:
        return True
    last = book["gone"][-1] if book["gone"] else None
    if last is None or last["how"] != "started":
        return False
    return now - datetime.fromisoformat(last["at"]) < timedelta(seconds=LIVELY_SECONDS)
