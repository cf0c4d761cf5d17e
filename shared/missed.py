"""Missed: what a location learns from the record of the time in which it could not read it.

A run may have drained it, or may have gone and come back, while the witness was away. Pure.
"""

from datetime import datetime, timedelta

from shared import witness
from shared.plan import Plan

ENDS = ("finished", "cancelled")
LATELY = timedelta(minutes=30)  # Later what stands still may be as people want it.
SKEW = timedelta(minutes=1)  # Of an app's clock and storage's.


def end(record: dict) -> dict | None:
    """The transition with which a run of this epoch ended last."""
    ends = [t for t in of_now(record) if t["what"] in ENDS]
    return ends[-1] if ends else None


def given_back(record: dict, here: str) -> bool:
    """Has a cancel left the plan active here, in an epoch that nobody claimed?"""
    last = end(record)
    cancelled = last is not None and last["what"] == "cancelled"
    return cancelled and record["active"] == here and record["epoch"] > 0


def drained(record: dict, now: datetime, since: datetime) -> int:
    """The number of the last transition with which a run has begun to drain the active side.

    0: none lately, nor since the record was read last, in this epoch. `now`: the witness's time.
    `since`: when it was read last, by the reader's clock.
    """
    unread = since - SKEW
    drains = [t for t in of_now(record) if t["what"] == "quiesce"]
    lately = [t for t in drains if young(t, now) or datetime.fromisoformat(t["at"]) > unread]
    return lately[-1]["n"] if lately else 0


def young(transition: dict, now: datetime) -> bool:
    return now - datetime.fromisoformat(transition["at"]) < LATELY


def of_now(record: dict) -> list[dict]:
    return [t for t in record["transitions"] if t["epoch"] == record["epoch"]]


def doubted_until(plan: Plan, clock: datetime) -> str:
    """Until when the other side may work by a lease that was ended, if nobody vouches for it."""
    lease = plan.witness.lease_seconds + witness.LEASE_MARGIN_SECONDS
    return (clock + timedelta(seconds=lease)).isoformat()


def doubted(held: dict, now: datetime) -> bool:
    """May the other side still work by that lease? `held`: what waits, with `until` if it does."""
    until = held.get("until")
    return bool(until) and now < datetime.fromisoformat(until)
