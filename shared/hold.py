"""Hold: how far a run is, and whether people let it go on."""

from shared.outcome import refused
from shared.slip import STAGES

PHASES = ("requested", *STAGES)


def hindered(record: dict) -> dict | None:
    """What people have said that keeps the run in progress from its next stage, as a refusal.

    With fact `waits` it may yet go on. A pause of the plan holds only what has not claimed: to
    leave a plan between two locations helps nobody.
    """
    run = record["run"]
    if run["cancel"]:
        return refused(f"cancelled by {run['cancel']['by']}: {run['cancel']['comment']}")
    if run["paused"]:
        return refused(f"run {run['id']} is paused since {run['at']}", waits="paused")
    if record["paused"] and not reached(run, "claim"):
        return refused(f"{record['plan']} is paused: resume it first", waits="paused")
    if run["approval"] and run["approval"]["state"] == "wanted":
        return refused(f"waits for approval until {run['approval']['until']}", waits="approval")
    return None


def approved(run: dict) -> bool:
    """Has a person taken the decision over from the watchdog, whatever the lease says?"""
    return run["approval"] is not None and run["approval"]["state"] == "given"


def reached(run: dict, phase: str) -> bool:
    """Has the run entered `phase`, or one behind it?"""
    return PHASES.index(run["phase"]) >= PHASES.index(phase)
