"""Witness: the transitions of a plan's record, as pure functions.

The record is the only register of who is active and of the run in progress. Each function takes a
record and gives the new one, the very same one where the change was made already (a repeat after a
lost answer), or a refusal: `refusal(answer)` tells. The caller writes with If-Match, so that of
two changes at once one must look again. A run that ended leaves `run` null and a transition.
"""

from datetime import datetime, timedelta

from shared.outcome import refused
from shared.record import WORDS_MAX, YOUNGER_OF_RUN, noted, stamp
from shared.slip import ROUTES

REQUEST_MINUTES = 10  # A reservation whose first stage never came must not block a real failover.
STALLED_MINUTES = 60  # Nor may a run that died with the location that carried it.
WATCHDOG = "watchdog"  # How the `by` of a run begins that no person asked for.
# A lease is written and judged by one clock, the storage service's; the margin is for the active
# side, which steps back by its own.
LEASE_MARGIN_SECONDS = 2
ENDED = ("halted", "finished")


def refusal(answer: dict) -> bool:
    """Is this answer of a transition a refusal rather than a record?"""
    return answer.get("status") == "refused"


def renew(record: dict, location: str, now: datetime, lease_seconds: float) -> dict:
    """The active location says that it lives, for `lease_seconds` from now."""
    if record["active"] != location:
        return refused(f"{record['active']} is active at epoch {record['epoch']}, not {location}")
    until = now + timedelta(seconds=lease_seconds)
    return {**record, "holder": location, "leaseUntil": stamp(until)}


def reserve(record: dict, paper: dict, now: datetime) -> dict:
    """Enter the run of slip `paper` as the one in progress. Refused while another one is."""
    run = record["run"]
    if run and run["id"] == paper["run"]:
        return record
    if ended(record, paper["run"]):
        return refused(f"run {paper['run']} has ended; start a new one")
    if record["paused"]:
        return refused(f"{record['plan']} is paused")
    if in_progress(run, now):
        return refused(f"run {run['id']} is in progress ({run['phase']} since {run['at']})")
    if record["active"] != paper["from"]:
        return refused(f"{record['active']} is active, not {paper['from']}")
    if run:  # Overtaken is ended: its late slip, or its key sent once more, must not revive it.
        record = noted(record, now, run["id"], "halted", f"overtaken by {paper['run']}")
    return noted(
        {**record, "run": run_of(paper, "requested", now)},
        now,
        paper["run"],
        "requested",
        f"{paper['by']}: {paper['reason']}",
    )


def claim(record: dict, paper: dict, now: datetime) -> dict:
    """Take the next epoch for the slip's target. The same run claims once, however often asked.

    A reservation grows old: what was lost when it was made may be well again when a slip that lay
    in its queue for hours arrives.
    """
    held = holds(record, paper)
    if held:
        return refused(held)
    if record["run"]["phase"] != "requested":
        return record
    if not in_progress(record["run"], now):
        return refused(
            f"run {paper['run']} was asked for at {record['run']['at']} and its slip comes more "
            f"than {REQUEST_MINUTES} minutes later: look again and start a new one"
        )
    if record["active"] != paper["from"]:
        return refused(f"{record['active']} is active, not {paper['from']}: the epoch moved")
    if automatic(paper) and lease_live(record, now - timedelta(seconds=LEASE_MARGIN_SECONDS)):
        return refused(f"the lease of {record['holder']} lives until {record['leaseUntil']}")
    claimed = {
        **record,
        "epoch": record["epoch"] + 1,
        "active": paper["to"],
        "holder": paper["to"],
        # The old side's lease means nothing any more, and the new side has not renewed yet.
        "leaseUntil": None,
        "run": run_of(paper, "claim", now),
    }
    return noted(claimed, now, paper["run"], "claimed", f"{paper['from']} -> {paper['to']}")


def automatic(paper: dict) -> bool:
    """Did a watchdog ask for this run? A person may override a lease, a watchdog never."""
    return paper["by"].startswith(WATCHDOG)


def advance(record: dict, paper: dict, phase: str, now: datetime) -> dict:
    """Note that the run entered `phase`; proves that epoch and run are still the slip's."""
    held = holds(record, paper) or moved(record, paper)
    if held:
        return refused(held)
    order = ["requested", *ROUTES[paper["mode"]]]
    if phase not in order:
        return refused(f"{phase} is no stage of a {paper['mode']} run")
    if order.index(phase) <= order.index(record["run"]["phase"]):
        return record
    run = {**record["run"], "phase": phase, "at": stamp(now)}
    return noted({**record, "run": run}, now, paper["run"], phase, "")


def finish(record: dict, paper: dict, now: datetime, quiet_minutes: float) -> dict:
    """End the run well; no watchdog moves the plan again for `quiet_minutes`."""
    if ended(record, paper["run"]) == "finished":
        return record
    held = holds(record, paper) or moved(record, paper)
    if held:
        return refused(held)
    quiet = stamp(now + timedelta(minutes=quiet_minutes))
    done = {**record, "run": None, "quietUntil": quiet}
    return noted(done, now, paper["run"], "finished", f"active in {paper['to']}")


def halt(record: dict, paper: dict, because: str, now: datetime) -> dict:
    """End the run where it stands and give its reservation back."""
    if ended(record, paper["run"]) == "halted":
        return record
    held = holds(record, paper)
    if held:
        return refused(held)
    return noted({**record, "run": None}, now, paper["run"], "halted", because)


def in_progress(run: dict | None, now: datetime) -> bool:
    """Does this run stand in the way of another? Not for ever: the dead are overtaken."""
    if run is None or run["phase"] in ENDED:
        return False
    minutes = REQUEST_MINUTES if run["phase"] == "requested" else STALLED_MINUTES
    return now - datetime.fromisoformat(run["at"]) < timedelta(minutes=minutes)


def lease_live(record: dict, now: datetime) -> bool:
    """Has the active location said that it lives, and has that not run out?"""
    until = record["leaseUntil"]
    return until is not None and datetime.fromisoformat(until) > now


def ended(record: dict, run: str) -> str:
    """How the run ended according to the transitions: "halted", "finished", or empty."""
    lines = [t["what"] for t in record["transitions"] if t["who"] == run]
    return lines[-1] if lines and lines[-1] in ENDED else ""


def holds(record: dict, paper: dict) -> str:
    """Why the slip's run is not the one in progress; empty when it is."""
    run = record["run"]
    if run and run["id"] == paper["run"]:
        return ""
    end = ended(record, paper["run"])
    if end:
        return f"run {paper['run']} has {end} already"
    return f"run {run['id']} holds the record" if run else f"run {paper['run']} is not reserved"


def moved(record: dict, paper: dict) -> str:
    """Why the slip's epoch is not the record's; empty when it is. Before claim it has none."""
    if record["epoch"] == paper["epoch"]:
        return ""
    if paper["epoch"] is None and record["run"]["phase"] in ("requested", "quiesce", "claim"):
        return ""
    return f"epoch moved: the slip has {paper['epoch']}, the witness {record['epoch']}"


def run_of(paper: dict, phase: str, now: datetime) -> dict:
    return {
        "id": paper["run"],
        "phase": phase,
        "mode": paper["mode"],
        "from": paper["from"],
        "to": paper["to"],
        "at": stamp(now),
        "by": paper["by"],
        "reason": paper["reason"][:WORDS_MAX],
        "because": "",
        **YOUNGER_OF_RUN,
    }
