"""Resumption: go on with a run that ended half way, after it had claimed.

Its location is the active one, has perhaps not been activated, and is watched by no one. The
active side's caretaker takes it up again under a new id, because ids and messages of the old one
are spent: same epoch, from the stage in which it stood.
"""

import re
from datetime import datetime, timedelta

from shared import slip, witness
from shared.outcome import refused
from shared.record import noted, stamp

RESUMES_MAX = 12
PAUSE_SECONDS = 30  # Before the first time; it doubles with each.
PAUSE_SECONDS_MAX = 3600
NUMBER = re.compile(r"-r\d+$")


def abandoned(record: dict, now: datetime) -> dict | None:
    """The run that has claimed the epoch of now and that nobody carries any more, if there is one.

    `now`: the witness's time. A run that stands still for long is one, though nobody halted it.
    """
    run = record["run"]
    if run and now - datetime.fromisoformat(run["at"]) < timedelta(minutes=witness.minutes_of(run)):
        return None
    left = run if run and witness.reached(run, "claim") else record.get("unfinished")
    return left if left and left["to"] == record["active"] else None


def successor(left: dict) -> str:
    """The id under which an abandoned run goes on."""
    return f"{NUMBER.sub('', left['id'])}-r{left['resumed'] + 1}"


def lineage(run: str) -> list[str]:
    """The ids under which this run has gone on so far, the first one first."""
    first = NUMBER.sub("", run)
    count = int(run.removeprefix(first).removeprefix("-r") or 0)
    return [first, *(f"{first}-r{number}" for number in range(1, count + 1))]


def due(left: dict, now: datetime) -> bool:
    """Is it time to take the run up? What made it halt may take a while to pass."""
    pause = min(PAUSE_SECONDS * 2 ** left["resumed"], PAUSE_SECONDS_MAX)
    return now - datetime.fromisoformat(left["at"]) >= timedelta(seconds=pause)


def slip_of(left: dict, plan: str, digest: str, epoch: int) -> dict:
    """The slip with which an abandoned run goes on, from the stage in which it stood.

    With the plan as it is now: a version that nobody has here may be why it halted.
    """
    # What its fence has missed went with its slip, and it is a while since.
    facts = {"resumes": left["id"], "unfenced": [slip.ALL]}
    run = {**left, "id": successor(left)}
    paper = slip.of_run(run, plan=plan, digest=digest, facts=facts)
    stages = slip.ROUTES[left["mode"]]
    stage = stages[stages.index("claim") + 1] if left["phase"] == "claim" else left["phase"]
    ahead = stages[stages.index(stage) :]
    return {**paper, "epoch": epoch, "stage": stage, "route": ahead[1:]}


def take_up(record: dict, paper: dict, now: datetime, because: str = "") -> dict:
    """Enter the run of `paper` in the place of the abandoned one: the new record or a refusal.

    `because`: the person who asks for it, and why; empty where nobody had to.
    """
    run = record["run"]
    if run and run["id"] == paper["run"]:
        return record
    if witness.ended(record, paper["run"]):
        return refused(f"run {paper['run']} has ended; look again")
    if record["paused"]:
        return refused(f"{record['plan']} is paused: resume it first")
    left = abandoned(record, now)
    if left is None or paper["run"] != successor(left) or paper["epoch"] != record["epoch"]:
        return refused(f"there is nothing that {paper['run']} could go on with")
    if run:
        record = noted(record, now, run["id"], "halted", f"overtaken by {paper['run']}")
    goes_on = {**left, "id": paper["run"], "at": stamp(now), "resumed": left["resumed"] + 1}
    taken = {**record, "run": goes_on, "unfinished": None}
    words = f"goes on with {left['id']}" + (f"; {because}" if because else "")
    return noted(taken, now, paper["run"], "taken up", words)
