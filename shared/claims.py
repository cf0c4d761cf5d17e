"""Claims: what a location has noted of its own claim, and when it may vouch again. Pure.

A note is {"epoch", "mine", "run"?}; while it is `mine` the location vouches for nobody.
"""

from datetime import datetime

from shared import witness
from shared.outcome import refused, skipped, succeeded


def yielded(held: dict | None, epoch: int) -> dict:
    """The plan is active elsewhere at `epoch`: may the note say so?

    A claim that began since, of a later epoch, stays noted.
    """
    if held and held["epoch"] > epoch:
        return refused(f"a claim of epoch {held['epoch']} has begun here")
    return succeeded()


def taken(held: dict | None) -> dict:
    """The plan came back here without a claim, as a cancel gives it: may the note say so?

    Skipped where it does already.
    """
    return skipped("it vouches for nobody as it is") if held and held["mine"] else succeeded()


def settled(held: dict | None, record: dict, here: str, now: datetime) -> dict:
    """Has the noted claim come to nothing, as `record` shows at `now`?

    Only what the record proves: that the run has ended, that its reservation is too old to claim
    with, or that a later epoch is another's.
    """
    if held is None or not held["mine"]:
        return skipped("no claim is noted here")
    if record["active"] == here:
        return skipped("the claim noted here is the active one")
    run, known = record["run"], held.get("run", "")
    own = run is not None and run["id"] == known
    old = own and not witness.in_progress(run, now)
    if not (record["epoch"] >= held["epoch"] or witness.ended(record, known) or old):
        return refused(f"the claim of {known or 'an older version'} may still be under way")
    return succeeded(f"the claim of epoch {held['epoch']} came to nothing")
