"""Ledger store: this location's ledgers, changed by ETag compare-and-swap.

ledger/{plan}.json            what is in flight on the active side, as last seen
ledger/{plan}.{epoch}.json    the last look of an epoch that has ended
"""

import json
from collections.abc import Callable
from datetime import datetime

from shared import ledger, store
from shared.blobs import NEW
from shared.reply import Surprise

ROUNDS_MAX = 5
KEPT_MAX = 10  # Ledgers of ended epochs; Logic Apps forgets run history after 90 days anyway.
BYTES_MAX = 2 * 1024 * 1024
Change = Callable[[dict], dict | None]


class TooBig(Surprise):
    """A ledger beyond its bound; the bounds of its parts keep it far below."""


def read(plan: str, epoch: int | None = None) -> dict | None:
    """The current ledger, or that of an epoch that has ended; None where there is none."""
    blob = store.place().get(name(plan, epoch))
    return json.loads(blob.data) if blob else None


def change(plan: str, by: Change, epoch: int | None = None, new: dict | None = None) -> dict | None:
    """Read, change, write with If-Match until it holds; gives the ledger as it then is.

    `by` gives None, or the very same ledger, to leave it alone: the answer is then None, or it.
    Where no blob is yet `by` gets `new`, or nothing is changed. Raises Surprise when others
    write all the time.
    """
    for _ in range(ROUNDS_MAX):
        blob = store.place().get(name(plan, epoch))
        was = json.loads(blob.data) if blob else new
        changed = by(was) if was is not None else None
        if changed is None or (blob and changed is was):
            return changed
        if store.place().put(name(plan, epoch), packed(changed), expect=blob.etag if blob else NEW):
            return changed
    raise Surprise(f"the ledger of {plan} changed {ROUNDS_MAX} times meanwhile")


def freeze(plan: str, epoch: int, active: str, claims: list[dict], now: datetime) -> None:
    """Keep the ledger of an epoch that has ended under its number, and begin a new one.

    Safe to repeat at any point: what is kept is never written over.
    """

    def begin(was: dict) -> dict:
        if was["epoch"] >= epoch:
            return was
        if was["at"]:  # Where nothing was ever seen there is no evidence.
            kept = ledger.frozen(was, ledger.failover_after(claims, was["epoch"]), now)
            store.place().put(name(plan, was["epoch"]), packed(kept), expect=NEW)
        return ledger.fresh(plan, epoch, active)

    change(plan, begin)


def ended(plan: str) -> list[int]:
    """The ended epochs whose ledger is kept here, newest first; older ones are removed."""
    prefix = f"ledger/{plan}."
    tails = [one.removeprefix(prefix) for one in store.place().names(prefix)]
    found = [tail.removesuffix(".json") for tail in tails]
    epochs = sorted((int(n) for n in found if n.isdigit()), reverse=True)
    for old in epochs[KEPT_MAX:]:
        store.place().remove(name(plan, old))
    return epochs[:KEPT_MAX]


def name(plan: str, epoch: int | None) -> str:
    return f"ledger/{plan}.json" if epoch is None else f"ledger/{plan}.{epoch}.json"


def packed(found: dict) -> bytes:
    data = json.dumps(found).encode()
    if len(data) > BYTES_MAX:
        raise TooBig(f"the ledger of {found['plan']} is {len(data)} bytes, at most {BYTES_MAX}")
    return data
