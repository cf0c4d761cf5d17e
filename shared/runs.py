"""Runs: what people say to a run, as pure transitions of its plan's witness record.

Like every transition: the new record, the very same one where it was so already, or a refusal.
What is said is said at the witness; the run hears of it where it waits, or at its next stage.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from shared import witness
from shared.outcome import refused
from shared.record import noted, stamp

WORDS = ("approve", "decline", "pause", "resume", "cancel")
# A word that comes once more after it has ended the run changes nothing.
ENDS = {"decline": "declined", "cancel": "cancelled"}


class Said(NamedTuple):
    """A person's word on a run. `evidence`: what he was shown; `point`, `quiet_minutes`: the
    plan's pointOfNoReturn and quietMinutes."""

    run: str
    by: str
    comment: str
    now: datetime
    point: str
    quiet_minutes: float
    evidence: str = ""

    @property
    def why(self) -> str:
        told = f"{self.by}: {self.comment}" if self.comment else self.by
        return f"{told}; {self.evidence}" if self.evidence else told


def hear(record: dict, word: str, said: Said) -> dict:
    """Apply `word`, one of WORDS or "switch", to the run in progress."""
    if word not in TRANSITIONS:
        return refused(f"{word} is no word on a run: {', '.join(WORDS)}")
    end = witness.ended(record, said.run)
    if end and end == ENDS.get(word):
        return record
    held = witness.holds(record, {"run": said.run})
    return refused(held) if held else TRANSITIONS[word](record, said)


def approve(record: dict, said: Said) -> dict:
    """A person takes the decision over; its age counts from now."""
    approval = record["run"]["approval"]
    if approval is None:
        return refused(f"run {said.run} needs no approval")
    if approval["state"] == "given":
        return record
    if datetime.fromisoformat(approval["until"]) <= said.now:
        return refused(f"run {said.run} was to be approved until {approval['until']}: too late")
    given = {**approval, "state": "given", "by": said.by, "comment": said.comment}
    return changed(record, said, "approved", approval=given)


def decline(record: dict, said: Said) -> dict:
    """Nothing is moved, and the reservation is free again."""
    approval = record["run"]["approval"]
    if approval is None or approval["state"] == "given":
        return refused(f"run {said.run} waits for no approval: cancel it instead")
    return noted({**record, "run": None}, said.now, said.run, "declined", said.why)


def pause(record: dict, said: Said) -> dict:
    """The run stops where it next can. Nobody overtakes it for a day."""
    return record if record["run"]["paused"] else kept(record, said, "paused", paused=True)


def resume(record: dict, said: Said) -> dict:
    """The run goes on; what it was asked for is as young as this word."""
    return kept(record, said, "resumed", paused=False) if record["run"]["paused"] else record


def kept(record: dict, said: Said, what: str, paused: bool) -> dict:
    """The word makes the run as young as itself, but none alive that was taken for dead.

    What such a one had stopped, or was given, its source has taken back by now.
    """
    old = witness.too_old(record["run"], said.now)
    return refused(old) if old else changed(record, said, what, paused=paused)


def cancel(record: dict, said: Said) -> dict:
    """End a run that has changed nothing; one that has is told to undo it.

    Refused from the moment that the point of no return is entered. A watchdog that was told no
    keeps quiet as after a run, or it would ask for the same again at once.
    """
    run = record["run"]
    if run["cancel"]:
        return record
    if witness.reached(run, said.point):
        return refused(
            f"run {said.run} entered {run['phase']} at {run['at']}: from {said.point} on it can "
            "only be finished, and then failed back"
        )
    if run["phase"] == "requested":
        until = keeps_quiet(record, said.now, said.quiet_minutes)
        freed = {**record, "run": None, "quietUntil": until}
        return noted(freed, said.now, said.run, "cancelled", said.why)
    told = {"by": said.by, "at": stamp(said.now), "comment": said.comment}
    return changed(record, said, "told to cancel", cancel=told, paused=False)


def keeps_quiet(record: dict, now: datetime, minutes: float) -> str | None:
    """Until when no watchdog asks again, once the run in progress is cancelled."""
    quiet = stamp(now + timedelta(minutes=minutes))
    return quiet if witness.automatic(record["run"]) else record["quietUntil"]


def switch(record: dict, said: Said) -> dict:
    """Make the graceful run in progress a forced one; it goes on from the stage it is in.

    Said by ordering a forced failover to where the run goes, so no word of a route.
    """
    run = record["run"]
    if run["mode"] == "forced":
        return record
    return changed(record, said, SWITCHED, mode="forced")


SWITCHED = "forced"


def was_switched(record: dict, run: str) -> bool:
    """Has a person made this graceful run a forced one?"""
    return any(t["who"] == run and t["what"] == SWITCHED for t in record["transitions"])


def state(record: dict, run: str) -> dict:
    """What holds for a run now: {"state", "phase"}, in the words of an answer."""
    known = record["run"] if record["run"] and record["run"]["id"] == run else None
    if known is None:
        end = witness.ended(record, run)
        return {"state": end, "phase": end}
    held = witness.hindered(record)
    word = "cancelling" if known["cancel"] else held["waits"] if held else "running"
    return {"state": "waits for approval" if word == "approval" else word, "phase": known["phase"]}


def changed(record: dict, said: Said, what: str, **fields: object) -> dict:
    """The record with these fields of its run changed, which starts its age anew."""
    run = {**record["run"], **fields, "at": stamp(said.now)}
    return noted({**record, "run": run}, said.now, said.run, what, said.why)


def give_back(record: dict, paper: dict, now: datetime, quiet_minutes: float) -> dict:
    """End a cancelled run: where it had claimed, the old side is active again, in a new epoch.

    Quiet is left behind only by a watchdog's, or it would ask for the same again at once.
    """
    if witness.ended(record, paper["run"]) == "cancelled":
        return record
    held = witness.holds(record, paper) or witness.moved(record, paper)
    if held:
        return refused(held)
    run = record["run"]
    if not run["cancel"]:
        return refused(f"nobody has cancelled run {run['id']}")
    until = keeps_quiet(record, now, quiet_minutes)
    back = {**record, "run": None, "quietUntil": until}
    if witness.reached(run, "claim"):
        home = {"active": run["from"], "holder": run["from"], "leaseUntil": None}
        back = {**back, "epoch": record["epoch"] + 1, "unfinished": None, **home}
    why = f"{run['cancel']['by']}: {run['cancel']['comment']}"
    return noted(back, now, paper["run"], "cancelled", why)


Transition = Callable[[dict, Said], dict]
TRANSITIONS: dict[str, Transition] = {
    "approve": approve,
    "decline": decline,
    "pause": pause,
    "resume": resume,
    "cancel": cancel,
    "switch": switch,
}
