"""Stale: is a task still to be done, as the witness's record has it now?

A request may be sent long after it was decided: its host died and came back, its caller gave up
and was repeated. A run's work is over when the run no longer holds the record or the epoch moved;
a keeper's (heartbeat, caretaker, ledger, backup) when the record says the opposite of what it is
about to do.
"""

from datetime import datetime
from functools import lru_cache

from shared import witness

KEEPERS = ("heartbeat", "caretaker", "ledger", "backup")  # Who acts without a run.


def keeper(plan: str, who: str, here: str) -> str:
    """The `run` of a task that no run, but `who` of KEEPERS in `here`, has given."""
    return f"{plan}-{who}-{here}"


def kept(task: dict) -> bool:
    """Is this a keeper's task rather than a run's?"""
    return task["run"].startswith(_runs_of_keepers(task["plan"]))


@lru_cache(maxsize=64)
def _runs_of_keepers(plan: str) -> tuple[str, ...]:
    """How the `run` of a keeper's task begins: asked for at every request of a task."""
    return tuple(keeper(plan, who, "") for who in KEEPERS)


def stands_down(task: dict, own: str) -> bool:
    """Does a location stop what is its own, without knowing the epoch?

    That makes one less, never two: the only change for which nobody needs the witness.
    """
    alone = task["epoch"] is None and task["verb"] == "demote" and kept(task)
    return alone and task["location"] == own


def contradiction(record: dict, task: dict, now: datetime) -> str:
    """Why this task must not be done any more at `now`, the witness's time; empty: it may.

    What only a location itself may do without an epoch, `stands_down` tells.
    """
    if task["stage"] == "restore":
        return serving(record, task["location"], now)
    if not kept(task):
        return witness.holds(record, task) or witness.moved(record, task) or undone(record, task)
    if task["epoch"] is None:
        return "a task without an epoch may only stop what is in its own location"
    if record["epoch"] != task["epoch"]:
        return f"epoch moved: the task has {task['epoch']}, the witness {record['epoch']}"
    return DIRECTIONS[task["verb"]](record, task["location"], now)


def undone(record: dict, task: dict) -> str:
    """Why a task of a cancelled run must not take its work further: what lands late stays."""
    run = record["run"]
    onward = (task["verb"], task["location"]) in (("promote", run["to"]), ("demote", run["from"]))
    if not run["cancel"] or not onward or task["stage"] == "undo":
        return ""
    return f"run {run['id']} is cancelled by {run['cancel']['by']}"


def serving(record: dict, place: str, now: datetime) -> str:
    """Why the gateway in `place` is not to be restored over."""
    run = record["run"]
    if record["active"] == place:
        return f"{place} is the active location: its gateway serves"
    return f"run {run['id']} is under way" if witness.in_progress(run, now) else ""


def not_to_serve(record: dict, place: str, now: datetime) -> str:
    """A run that was only asked for has stopped nothing yet, and may wait for people for long.

    One that has claimed starts what is to start when it is its turn, or whoever goes on with it.
    """
    run, left = record["run"], record.get("unfinished")
    if record["active"] != place:
        return f"{record['active']} is active at epoch {record['epoch']}, not {place}"
    claimed = run and run["to"] == place and run["phase"] != "protect"
    if claimed or witness.in_progress(run, now) and run["phase"] != "requested":
        return f"run {run['id']} is under way"
    return f"run {left['id']} is to be finished first" if left else ""


def not_to_stop(record: dict, place: str, now: datetime) -> str:
    """A run that comes to `place` starts nothing there before its claim has made it the active one.

    Until then what runs there runs beside the active side, and a run may wait for hours.
    """
    return f"{place} is active at epoch {record['epoch']}" if record["active"] == place else ""


def no_matter(record: dict, place: str, now: datetime) -> str:
    return ""


def not_under_a_run(record: dict, place: str, now: datetime) -> str:
    """What is copied, emptied or paired in the standby must not land on what begins to serve."""
    if record["active"] == place:
        return f"{place} is active: what is there is the truth"
    run = record["run"]
    return f"run {run['id']} is under way" if witness.in_progress(run, now) else ""


def not_to_settle(record: dict, place: str, now: datetime) -> str:
    run = record["run"]
    return f"run {run['id']} is under way" if witness.in_progress(run, now) else ""


def not_to_back_up(record: dict, place: str, now: datetime) -> str:
    """A backup is of what serves, and keeps the gateway busy for minutes: a run may need it."""
    if record["active"] != place:
        return f"{record['active']} is active at epoch {record['epoch']}, not {place}"
    return not_to_settle(record, place, now)


DIRECTIONS = {
    "promote": not_to_serve,
    "demote": not_to_stop,
    "undo": not_to_stop,
    "protect": not_under_a_run,
    "verify": no_matter,
    "settle": not_to_settle,
    "mirror": not_under_a_run,
    "backup": not_to_back_up,
}
