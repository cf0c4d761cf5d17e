"""Post: a slip's way to a location, also while a namespace is away.

    1. the namespace of the location that it goes to
    2. for another location: queue `slip-relay` of this location's own, where that one listens too
    3. `outbox/{location}.json` in this location's own storage, until one of them takes it

What waits is not overtaken by its own sort: a run's slip goes behind those of runs, a restore
behind restores. A restore has time and no relay; no run waits for it. A slip may so arrive twice;
the instance that it starts has its id, and is started once.
"""

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from shared import faults, outbox, slip, store, undelivered
from shared.blobs import NEW
from shared.clients import once
from shared.reply import Surprise
from shared.settings import settings

RELAY = "relay"
ROUNDS_MAX = 10  # Of compare-and-swap; two flushers and a stage are all who ever write at once.
OWN_SECONDS = (
    6.0  # Of our own namespace; beyond that the outbox is quicker, and a late one no harm.
)
SILENT_SECONDS = 15.0  # A namespace that hangs costs seconds at every try, and a run has many.
LOG = logging.getLogger("understudy.post")


def send(location: str, queue: str, paper: dict) -> str:
    """Send a slip by the first way that takes it, and say which: sent, relayed or kept.

    Safe to repeat. Raises Surprise when nothing takes it, not even the outbox.
    """
    because = "behind those that wait"
    if not _waits(location, paper):
        try:
            return deliver(location, queue, paper)
        except Surprise as silent:
            because = str(silent)
    keep(location, queue, paper)
    LOG.warning("%s waits in the outbox for %s: %s", slip.message_id(paper), location, because)
    return "kept"


def _waits(location: str, paper: dict) -> bool:
    sort = undelivered.is_restore(paper)
    try:
        waiting = read(location)["slips"]
        return any(undelivered.is_restore(one["slip"]) == sort for one in waiting)
    except Surprise as silent:  # The namespaces may take it all the same.
        LOG.warning("the outbox for %s cannot be read: %s", location, silent)
        return False


def deliver(location: str, queue: str, paper: dict) -> str:
    """Hand a slip to a namespace: `sent` to the location's own, or `relayed` by ours.

    A restore is not relayed: it has time, and in a queue the next one cannot take its place.
    Raises Surprise when none takes it.
    """
    body, mine, here = json.dumps(paper), slip.message_id(paper), settings().location
    try:
        _hand(location, queue, body, mine)
        return "sent"
    except Surprise as silent:
        if location != other() or undelivered.is_restore(paper):
            raise
        LOG.warning("%s goes by the relay of %s: %s", mine, here, silent)
    _hand(here, f"slip-{RELAY}", body, mine)
    return "relayed"


def _hand(location: str, queue: str, body: str, mine: str) -> None:
    known = silences()
    left = known.get(location, 0.0) - time.monotonic()
    if left > 0:
        raise Surprise(f"{location}: its namespace was silent, asked again in {left:.0f} s")
    try:
        own = location == settings().location
        outbox.send(location, queue, body, mine, OWN_SECONDS if own else None)
    except Surprise:
        known[location] = time.monotonic() + SILENT_SECONDS
        raise


@once
def silences() -> dict[str, float]:
    """location -> until when its namespace is not asked; of this process alone."""
    return {}


def other() -> str | None:
    """The location with which this one relays slips: the only other one, where there is one."""
    known = [name for name in settings().slips if name != settings().location]
    return known[0] if len(known) == 1 else None


def read(location: str) -> dict:
    """The outbox for a location. Raises Surprise, also where the blob is none."""
    blob = store.place().get(_name(location))
    return _book(location, blob.data) if blob else undelivered.EMPTY


def keep(location: str, queue: str, paper: dict) -> None:
    """Write a slip down. Safe to repeat; raises Surprise, also when the outbox is full."""
    now = datetime.now(UTC)
    if _change(location, lambda was: undelivered.add(was, queue, paper, now)) is None:
        raise Surprise(f"the outbox for {location} is full: {undelivered.SLIPS_MAX} slips wait")


def strike(location: str, mine: str, how: str, because: str = "") -> None:
    """A slip has left the outbox. Safe to repeat, by whomever."""
    now = datetime.now(UTC)
    _change(location, lambda was: undelivered.strike(was, mine, how, because, now))


def _change(location: str, by: Callable[[dict], dict | None]) -> dict | None:
    """Read, change, write with If-Match until it holds; None where `by` says so."""
    for _ in range(ROUNDS_MAX):
        blob = store.place().get(_name(location))
        was = _book(location, blob.data) if blob else undelivered.EMPTY
        changed = by(was)
        if changed is None or changed is was:
            return changed
        expect = blob.etag if blob else NEW
        if store.place().put(_name(location), json.dumps(changed).encode(), expect=expect):
            return changed
    raise Surprise(f"{_name(location)} changed {ROUNDS_MAX} times meanwhile")


def _book(location: str, data: bytes) -> dict:
    try:
        return undelivered.read(data)
    except faults.Faulty as bad:
        raise Surprise(f"{_name(location)} is no outbox, take it away: {bad}") from bad


def _name(location: str) -> str:
    return f"outbox/{location}.json"
