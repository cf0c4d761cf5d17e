"""Witness: the transitions of a plan's record, as pure functions.

The record is the only register of who is active and of the run in progress. Each function takes a
record and gives the new one, the very same one where the change was made already (a repeat after a
lost answer), or a refusal: `refusal(answer)` tells. The caller writes with If-Match, so that of
two changes at once one must look again. A run that ended leaves `run` null and a transition.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared import maintenance
from shared.hold import approved, hindered, reached
from shared.outcome import refused
from shared.record import WORDS_MAX, YOUNGER_OF_RUN, left_open, noted, stamp
from shared.slip import ROUTES

REQUEST_MINUTES = 10  # A reservation whose first stage never came must not block a real failover.
STALLED_MINUTES = 60  # Nor may a run that died with the location that carried it.
# While a location is drained nothing exclusive runs anywhere: its carrier writes down that it
# lives, and where that stays away the location starts again what was stopped.
DRAIN_STALLED_MINUTES = 20
PAUSED_MINUTES = 24 * 60  # Nor one that was paused and forgotten.
WATCHDOG = "watchdog"  # How the `by` of a run begins that no person asked for.
# A lease is written and judged by one clock, the storage service's; the margin is for the active
# side, which steps back by its own.
LEASE_MARGIN_SECONDS = 2
ENDED = ("halted", "finished", "cancelled", "declined", "expired")
UNCLAIMED = ("requested", "quiesce")
# A run may stay in these for hours; that its carrier lives is written down now and then.
LONG = ("quiesce", "protect")
ALIVE_MINUTES = 5


def refusal(answer: dict) -> bool:
    """Is this answer of a transition a refusal rather than a record?"""
    return answer.get("status") == "refused"


def renew(record: dict, location: str, now: datetime, lease_seconds: float) -> dict:
    """The active location says that it lives, for `lease_seconds` from now."""
    if record["active"] != location:
        return refused(f"{record['active']} is active at epoch {record['epoch']}, not {location}")
    if handed_over(record, now):
        return refused(f"the lease is released to run {record['run']['id']}")
    until = now + timedelta(seconds=lease_seconds)
    return {**record, "holder": location, "leaseUntil": stamp(until)}


def reserve(
    record: dict,
    paper: dict,
    now: datetime,
    approval_minutes: float | None = None,
    evidence: str = "",
) -> dict:
    """Enter the run of slip `paper` as the one in progress. Refused while another one is.

    With `approval_minutes` it waits for a person, so long at most. `evidence`: what a person who
    asks for it overrides, in words.
    """
    run = record["run"]
    if run and run["id"] == paper["run"]:
        if (run["mode"], run["to"]) != (paper["mode"], paper["to"]):  # One key for two orders.
            return refused(f"run {run['id']} is a {run['mode']} one to {run['to']}")
        return record
    if ended(record, paper["run"]):
        return refused(f"run {paper['run']} has ended; start a new one")
    if record["paused"]:
        return refused(f"{record['plan']} is paused")
    if in_progress(run, now):
        return refused(f"run {run['id']} is in progress ({run['phase']} since {run['at']})")
    if record["active"] != paper["from"]:
        return refused(f"{record['active']} is active, not {paper['from']}")
    if automatic(paper) and (because := quiet(record, now)):
        return refused(because)
    if run:  # Overtaken is ended: its late slip, or its key sent once more, must not revive it.
        end = "finished" if run["phase"] == "protect" else "halted"
        record = noted(left_open(record, now), now, run["id"], end, f"overtaken by {paper['run']}")
    run = run_of(paper, "requested", now)
    why = f"{paper['by']}: {paper['reason']}"
    if approval_minutes is not None:
        until = stamp(now + timedelta(minutes=approval_minutes))
        run["approval"] = {"state": "wanted", "until": until, "by": "", "comment": ""}
        why = f"to be approved until {until}; {why}"
    if evidence:
        why = f"{evidence}; {why}"  # In front: what is too long loses its end.
    return noted({**record, "run": run}, now, paper["run"], "requested", why)


def claim(record: dict, paper: dict, now: datetime, windows: Sequence[dict] = ()) -> dict:
    """Take the next epoch for the slip's target. The same run claims once, however often asked.

    A reservation grows old: what was lost when it was made may be well again when a slip that lay
    in its queue for hours arrives. `windows`: the plan's; one may have opened since.
    """
    held = holds(record, paper)
    if held:
        return refused(held)
    if record["run"]["phase"] not in UNCLAIMED:
        return record
    old = too_old(record["run"], now)
    if old:
        return refused(old)
    if record["active"] != paper["from"]:
        return refused(f"{record['active']} is active, not {paper['from']}: the epoch moved")
    closed = maintenance.holds(record["plan"], [*windows], record.get("liftedAt"), now)
    if closed:
        return refused(closed)
    stop = hindered(record)
    if stop:
        return stop
    graceful = record["run"]["mode"] == "graceful"
    if graceful and not record["run"]["released"]:
        return refused(f"{record['active']} has not released its lease: quiesce comes first")
    live = lease_live(record, now - timedelta(seconds=LEASE_MARGIN_SECONDS))
    if live and (graceful or (automatic(paper) and not approved(record["run"]))):
        return refused(f"the lease of {record['holder']} lives until {record['leaseUntil']}")
    claimed = {
        **record,
        "epoch": record["epoch"] + 1,
        "active": paper["to"],
        "holder": paper["to"],
        # The old side's lease means nothing any more, and the new side has not renewed yet.
        "leaseUntil": None,
        "unfinished": None,
        "run": {**record["run"], "phase": "claim", "at": stamp(now)},
    }
    return noted(claimed, now, paper["run"], "claimed", f"{paper['from']} -> {paper['to']}")


def automatic(paper: dict) -> bool:
    """Did a watchdog ask for this run? A person may override a lease, a watchdog never."""
    return paper["by"].startswith(WATCHDOG)


def advance(
    record: dict, paper: dict, phase: str, now: datetime, quiet_minutes: float | None = None
) -> dict:
    """Note that the run entered `phase`; proves that epoch and run are still the slip's.

    With `protect` the move is complete, so that the plan is quiet for `quiet_minutes` from then.
    """
    held = holds(record, paper) or moved(record, paper) or too_old(record["run"], now)
    if held:
        return refused(held)
    if phase not in ROUTES[paper["mode"]]:
        return refused(f"{phase} is no stage of a {paper['mode']} run")
    run = {**record["run"], "phase": phase, "at": stamp(now)}
    if reached(record["run"], phase):
        return (
            {**record, "run": run} if phase in LONG and aged(record["run"], phase, now) else record
        )
    stop = hindered(record)
    if stop:
        return stop
    if phase == "protect" and quiet_minutes is not None:
        record = {**record, "quietUntil": stamp(now + timedelta(minutes=quiet_minutes))}
    return noted({**record, "run": run}, now, paper["run"], phase, "")


def aged(run: dict, phase: str, now: datetime) -> bool:
    """Is it a while since the run in this phase was last known to have a carrier?"""
    since = now - datetime.fromisoformat(run["at"])
    return run["phase"] == phase and since >= timedelta(minutes=ALIVE_MINUTES)


def finish(
    record: dict, paper: dict, now: datetime, quiet_minutes: float, because: str = ""
) -> dict:
    """End the run well; no watchdog moves the plan again for `quiet_minutes`.

    A run in `protect` began its quiet period there, and a person may have ended it since.
    `because`: what is left to do.
    """
    if ended(record, paper["run"]) == "finished":
        return record
    held = holds(record, paper) or moved(record, paper)
    if held:
        return refused(held)
    quiet = stamp(now + timedelta(minutes=quiet_minutes))
    until = record["quietUntil"] if record["run"]["phase"] == "protect" else quiet
    done = {**record, "run": None, "unfinished": None, "quietUntil": until}
    words = f"active in {paper['to']}" + (f"; {because}" if because else "")
    return noted(done, now, paper["run"], "finished", words)


def halt(record: dict, paper: dict, because: str, now: datetime, what: str = "halted") -> dict:
    """End the run where it stands and give its reservation back. `what`: which end of ENDED."""
    if ended(record, paper["run"]) == what:
        return record
    held = holds(record, paper)
    if held:
        return refused(held)
    return noted({**left_open(record, now), "run": None}, now, paper["run"], what, because)


def too_old(run: dict, now: datetime) -> str:
    """Why a run that has not claimed must not go on: what it found, or had stopped, may be as
    before by now, because nobody took it for alive."""
    if run["phase"] not in UNCLAIMED or in_progress(run, now):
        return ""
    return (
        f"run {run['id']} is in {run['phase']} since {run['at']}, for more than "
        f"{minutes_of(run):g} minutes: look again and start a new one"
    )


def in_progress(run: dict | None, now: datetime) -> bool:
    """Does this run stand in the way of another? Not for ever: the dead are overtaken.

    In `protect` the move is complete: whoever wants to move again does not wait for it.
    """
    if run is None or run["phase"] in (*ENDED, "protect"):
        return False
    return now - datetime.fromisoformat(run["at"]) < timedelta(minutes=minutes_of(run))


def minutes_of(run: dict) -> float:
    """How long a run may stand where it stands, from `at` on; its waits for people count."""
    if run["paused"]:
        return PAUSED_MINUTES
    if run["phase"] == "quiesce":
        return min(DRAIN_STALLED_MINUTES, STALLED_MINUTES)
    if run["phase"] != "requested":
        return STALLED_MINUTES
    if run["approval"] and run["approval"]["state"] == "wanted":
        until = datetime.fromisoformat(run["approval"]["until"])
        asked = until - datetime.fromisoformat(run["at"])
        return asked.total_seconds() / 60 + REQUEST_MINUTES
    return REQUEST_MINUTES


def handed_over(record: dict, now: datetime) -> bool:
    """Has the active location given its lease up to a run that still goes on?"""
    run = record["run"]
    return bool(
        run and run["released"] and run["phase"] in UNCLAIMED and not run["cancel"]
    ) and in_progress(run, now)


def lease_live(record: dict, now: datetime) -> bool:
    """Has the active location said that it lives, and has that not run out?"""
    until = record["leaseUntil"]
    return until is not None and datetime.fromisoformat(until) > now


def quiet(record: dict, now: datetime) -> str:
    """Why no watchdog may move the plan so soon after a run; empty when it may."""
    until = record["quietUntil"]
    if until is None or datetime.fromisoformat(until) <= now:
        return ""
    return f"quiet until {until} after the last run: a person may force it"


def ended(record: dict, run: str) -> str:
    """How the run ended according to the transitions: a word of ENDED, or empty."""
    lines = [t["what"] for t in record["transitions"] if t["who"] == run]
    return lines[-1] if lines and lines[-1] in ENDED else ""


def holds(record: dict, paper: dict) -> str:
    """Why the slip's run is not the one in progress; empty when it is."""
    run = record["run"]
    if run and run["id"] == paper["run"]:
        return ""
    end = ended(record, paper["run"])
    if end:
        return f"run {paper['run']} has ended: {end}"
    return f"run {run['id']} holds the record" if run else f"run {paper['run']} is not reserved"


def moved(record: dict, paper: dict) -> str:
    """Why the slip's epoch is not the record's; empty when it is. Before claim it has none."""
    if record["epoch"] == paper["epoch"]:
        return ""
    if paper["epoch"] is None and record["run"]["phase"] in (*UNCLAIMED, "claim"):
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
