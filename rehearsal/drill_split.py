"""What a split schedule saves: the longest gap between the runs of a job, as it was and as one
whole schedule would have had it.

The run history of both locations says when the halves ran. The whole schedule is imagined: it has
the job's period, and runs where and when home's half was at work, because that is an ordinary
exclusive workflow.
"""

import math
from datetime import datetime
from typing import TYPE_CHECKING

from rehearsal.drill_never import Stretch, doubles, stretches, switched
from rehearsal.drill_story import Scenario
from rehearsal.estate_seed import workflow_id
from rehearsal.workflows_due import read_triggers

if TYPE_CHECKING:
    from rehearsal.drill import Drill

LATE = 1.5  # Of a half's period: a tick may come late, but none may be missing.


def judge(drill: "Drill", scenario: Scenario) -> list[dict]:
    """Check that no half ran twice in a period, and that a job went on while the plan moved.

    One row for each split job: {"job", "halves", "runs", "periodSeconds", "gapSeconds",
    "wholeGapSeconds"}; the gaps are null until the job has run twice.
    """
    return [_judge(drill, scenario, job, parts) for job, parts in _jobs(drill).items()]


def _jobs(drill: "Drill") -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for part in drill.plan["components"]:
        if "half" in part:
            found.setdefault(part["half"]["job"], []).append(part)
    return found


def _judge(drill: "Drill", scenario: Scenario, job: str, parts: list[dict]) -> dict:
    names = [part["name"] for part in parts]
    twice, counted = doubles(drill, names)
    words = f"{job}: {counted} periods of its halves, each in one location"
    found = ", ".join(f"{name} {period} in both" for name, period in twice)
    drill.check("noHalfTwice", not twice, found or words)
    ran = sorted(at for name in names for at in _ran_at(drill, name))
    own = _period(drill, names[0])
    gap, whole = longest(ran), longest(_imagined(drill, parts, ran, own / 2))
    row = {
        "job": job,
        "halves": names,
        "runs": len(ran),
        "periodSeconds": own / 2,
        "gapSeconds": gap,
        "wholeGapSeconds": whole,
    }
    if scenario.moves and gap is not None:
        told = f"{job}: at most {gap:.1f} s between two runs, {LATE * own:g} s allowed"
        told += "" if whole is None else f"; as one whole schedule {whole:.1f} s"
        drill.check("otherHalfWentOn", gap <= LATE * own and saved(gap, whole, own), told)
    return row


def saved(gap: float, whole: float | None, period: float) -> bool:
    """Was the gap shorter than that of a whole schedule, where the move took longer than a half's
    `period`? In less the other half alone can save nothing."""
    return whole is None or whole <= period or gap < whole


def _ran_at(drill: "Drill", name: str) -> list[float]:
    """When this half was run, by the run histories of both locations."""
    world, found = drill.stage.world, []
    for place in drill.stage.estate.locations:
        row = world.resources.get(workflow_id(drill.stage.estate, place, name))
        for run in world.workflows.runs(row) if row else []:
            found.append(datetime.fromisoformat(run["properties"]["startTime"]).timestamp())
    return found


def _period(drill: "Drill", name: str) -> float:
    """How often a half runs, in seconds."""
    own = next(row for row in drill.stage.estate.workflows if row.name == name)
    return read_triggers(own.definition)[0].seconds


def _imagined(drill: "Drill", parts: list[dict], ran: list[float], period: float) -> list[float]:
    """When one whole schedule would have run, between the first and the last real run."""
    mover = next(part["name"] for part in parts if part["role"] == "activePassive")
    if not ran:
        return []
    places = stretches(drill, mover, drill.stage.world.now.timestamp(), switched(drill))
    return ticks([one for rows in places.values() for one in rows], ran[0], ran[-1], period)


def ticks(at_work: list[Stretch], first: float, last: float, period: float) -> list[float]:
    """The ticks `first`, `first` + period and so on until `last` that fall into a stretch."""
    count = math.floor((last - first) / period) + 1
    every = [first + number * period for number in range(count)]
    return [at for at in every if any(start <= at < to for start, to in at_work)]


def longest(times: list[float]) -> float | None:
    """The longest gap between neighbours, in seconds; None of less than two."""
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    return round(max(gaps), 3) if gaps else None
