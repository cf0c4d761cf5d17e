"""Guard: nothing is changed for an epoch, or by a run, that is over.

    @guarded                         the task is weighed before the activity begins, and
    clients.ask(..., before=still(task))    again in front of every request that changes something,
                                     the repeats of the SDK included.

The witness is read at most every AGE_SECONDS_MAX per plan and process, by one reader at a time:
a thousand workflows side by side cost a handful of reads. What is left is the flight of a request
that was sent in time: nobody can call that one back, and the caretaker mends what it does.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial, wraps

from shared import stale, witness
from shared.blobs import Place
from shared.outcome import refused
from shared.record import parse
from shared.reply import Surprise
from shared.settings import settings

AGE_SECONDS_MAX = 2.0
SILENCE_SECONDS = 1.0  # Who waited behind a reader that heard nothing does not ask once more.
READ_SECONDS = 3.0

Activity = Callable[[dict], dict]
_OPENING = threading.Lock()


class Stale(Exception):
    """The record contradicts the task; `because` says how."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


@dataclass
class Seen:
    """What the witness last said of a plan, when it was asked, and what kept it silent."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    asked_at: float = float("-inf")
    record: dict | None = None
    server_time: datetime | None = None
    silence: str = ""


_SEEN: dict[tuple[str, ...], Seen] = {}


def guarded(activity: Activity) -> Activity:
    """Refuse a stale task as a value: {"status": "refused", "stale": true, "because"}.

    A silent witness raises Surprise, so that the orchestrator asks again: to start without knowing
    makes two, to stop without knowing makes none. Only a location's own step back needs no word.
    """

    @wraps(activity)
    def weighed(payload: dict) -> dict:
        try:
            weigh(payload)
            return activity(payload)
        except Stale as old:
            return refused(f"stale, nothing was sent: {old.because}", stale=True)

    return weighed


def still(task: dict) -> Callable[[], None]:
    """What to call right before a request of `task` that changes something."""
    return partial(weigh, task)


def weigh(task: dict) -> None:
    """Raise Stale when the record contradicts the task, Surprise when nobody can tell.

    A record that was read before the run claimed contradicts it too: so a no is asked again.
    """
    if stale.stands_down(task, settings().location):
        return
    begun, because = time.monotonic(), ""
    for youngest in (begun - AGE_SECONDS_MAX, begun):
        record, now = _record(task, youngest)
        because = stale.contradiction(record, task, now)
        if not because:
            return
    raise Stale(because)


def _record(task: dict, youngest: float) -> tuple[dict, datetime]:
    """The record and the witness's time, asked for at `youngest` (monotonic) or later."""
    account, container = task["witness"]["blobServiceUri"].rstrip("/"), task["witness"]["container"]
    seen = _seen(account, container, task["plan"])
    with seen.lock:
        heard_nothing = seen.silence and time.monotonic() - seen.asked_at < SILENCE_SECONDS
        if seen.asked_at < youngest and not heard_nothing:
            _ask(seen, Place(account, container, READ_SECONDS), task["plan"])
        if seen.record is None or seen.server_time is None:
            raise Surprise(f"the epoch cannot be read: {seen.silence}")
        return seen.record, seen.server_time


def _ask(seen: Seen, place: Place, plan: str) -> None:
    """Read the record anew. Its age counts from before the question."""
    seen.asked_at, seen.record, seen.silence = time.monotonic(), None, ""
    try:
        blob = place.get(f"{plan}.json")
    except Surprise as error:
        seen.silence, seen.asked_at = str(error), time.monotonic()
        return
    found = parse(blob.data, plan) if blob else refused(f"no witness record of {plan}")
    if blob is None or witness.refusal(found):
        seen.silence = found["because"]
        return
    seen.record, seen.server_time = found, blob.server_time


def _seen(*plan: str) -> Seen:
    """The process's one memory of a plan's record, by account, container and name."""
    with _OPENING:
        return _SEEN.setdefault(plan, Seen())


def forget() -> None:
    """Ask anew at the next change."""
    with _OPENING:
        _SEEN.clear()
