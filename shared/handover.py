"""Handover: a graceful run takes the lease from a location that lives, and gives it up itself.

A transition of the witness record like those of `shared.witness`, apart because only one stage
needs it: the new record, the very same one at a repeat, or a refusal.
"""

from datetime import datetime

from shared import witness
from shared.outcome import refused
from shared.record import noted, stamp


def release(record: dict, paper: dict, now: datetime, proven: bool) -> dict:
    """Give the source's lease up to the run of slip `paper`: from now on `renew` is refused.

    `proven`: everything exclusive was seen stopped at the source, so that nobody has to wait. Where
    it was not, the lease runs out by itself: its holder hears the refusal, or hears nothing and
    steps back before the lease ends, and only then may anybody claim.
    """
    because = witness.holds(record, paper) or witness.moved(record, paper)
    if because:
        return refused(because)
    run = record["run"]
    if run["cancel"]:
        return refused(f"run {run['id']} is cancelled by {run['cancel']['by']}")
    old = witness.too_old(run, now)
    if old:
        return refused(old)
    if run["phase"] not in witness.UNCLAIMED or run["released"] and not proven:
        return record
    until = None if proven else record["leaseUntil"]
    if run["released"] and record["leaseUntil"] == until:
        return record
    words = "drained" if proven else f"not seen stopped: the lease runs out at {until}"
    run = {**run, "released": True, "at": stamp(now)}
    given = {**record, "leaseUntil": until, "run": run}
    return noted(given, now, paper["run"], "released", f"by {record['active']}: {words}")
