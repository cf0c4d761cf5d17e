"""Never two, never none: where the exclusive workflows worked, and when, judged from outside.

Two witnesses that know nothing of each other are asked. ARM's journal, with the losses of
locations, says where a workflow was enabled and able to work, and for how long. The workflows'
own run history, with what the runs did, says in which location each period was worked on.
"""

import math
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rehearsal.drill_story import STILL_SECONDS_MAX, Scenario
from rehearsal.estate_seed import workflow_id
from rehearsal.workflows_due import CLOCKS, Trigger, read_triggers

if TYPE_CHECKING:
    from rehearsal.drill import Drill

Stretch = tuple[float, float]
Switch = tuple[float, bool]
VERBS = {"enable": True, "disable": False}
SHOWN_MAX = 5


def exclusive(drill: "Drill") -> list[str]:
    """The workflows of the plan that work where it is active, and nowhere else."""
    return [part["name"] for part in _flows(drill) if part["role"] == "activePassive"]


def standing(drill: "Drill") -> list[str]:
    """The halves of split jobs that work in one location, whoever is active."""
    return [part["name"] for part in _flows(drill) if part["role"] == "standing"]


def _flows(drill: "Drill") -> list[dict]:
    return [part for part in drill.plan["components"] if part["kind"] == "logicWorkflow"]


def enabled(drill: "Drill", location: str) -> list[str]:
    """The exclusive workflows that are enabled in a location now, by ARM."""
    table, estate = drill.stage.world.resources, drill.stage.estate
    rows = {name: table.get(workflow_id(estate, location, name)) for name in exclusive(drill)}
    return [n for n, row in rows.items() if row and row.properties.get("state") == "Enabled"]


def judge(drill: "Drill", scenario: Scenario) -> dict:
    """Check `neverTwo` and `neverNone`; gives the figures behind them for the report."""
    movers, end = exclusive(drill), drill.stage.world.now.timestamp()
    names = [*movers, *standing(drill)]
    told = switched(drill)
    at_work = {name: stretches(drill, name, end, told) for name in names}
    doubled, counted = doubles(drill, names)
    both = {n: seconds for n in names if (seconds := overlap(*at_work[n].values())) > 0}
    found = [f"{name} was at work in both for {s:.1f} s" for name, s in both.items()]
    found += [f"{name} worked on {period} in both" for name, period in doubled]
    words = (
        "; ".join(found[:SHOWN_MAX])
        if found
        else f"{len(names)} exclusive workflows, {counted} periods, each in one location"
    )
    drill.check("neverTwo", not found, words)
    longest = max((gap(at_work[n].values(), end) for n in names), default=0.0)
    most = scenario.nobody_seconds_max
    if most is None:
        most = drill.plan["objectives"]["rtoSeconds"] if scenario.moves else STILL_SECONDS_MAX
    told = f"at most {longest:.1f} s without one at work, bound {most:g} s"
    if most < math.inf:
        drill.check("neverNone", longest <= most, told)
    return {
        "bothSeconds": round(max(both.values(), default=0.0), 3),
        "nobodySeconds": round(longest, 3),
        "periods": counted,
        "atWork": {
            name: {place: [_shown(s) for s in rows] for place, rows in places.items()}
            for name, places in at_work.items()
            if name in movers  # Only they tell where the plan works.
        },
    }


def _shown(stretch: Stretch) -> list[str]:
    return [datetime.fromtimestamp(at, UTC).isoformat() for at in stretch]


def switched(drill: "Drill") -> dict[str, list[Switch]]:
    """Workflow's id -> when ARM was told to switch it, read once: a thousand ask for theirs."""
    found: dict[str, list[Switch]] = defaultdict(list)
    for row in drill.stage.world.journal.after(0):
        head, _, verb = urlsplit(row["url"]).path.lower().rpartition("/")
        if verb in VERBS and 200 <= row["status"] < 300:
            found[head].append((_time(row["at"]), VERBS[verb]))
    return found


def stretches(
    drill: "Drill", name: str, end: float, told: dict[str, list[Switch]]
) -> dict[str, list[Stretch]]:
    """location -> when the workflow was enabled there and its location worked.

    Enabled as the estate opened, then as ARM was `told`.
    """
    estate = drill.stage.estate
    own = next(row for row in estate.workflows if row.name == name)
    found = {}
    for place in estate.locations:
        first = (own.home if place == estate.home else own.standby) == "Enabled"
        changes = [(0.0, first), *told.get(workflow_id(estate, place, name).lower(), [])]
        found[place] = _both(_on(changes, end), _working(drill, place, end))
    return found


def _working(drill: "Drill", location: str, end: float) -> list[Stretch]:
    """When the location's workflows could work."""
    lost: set[str] = set()
    changes = [(0.0, True)]
    for row in drill.stage.losses:
        if row["location"] == location:
            lost = lost | set(row["scopes"]) if row["lost"] else lost - set(row["scopes"])
            changes.append((_time(row["at"]), not lost & {"data", "network"}))
    return _on(changes, end)


def _on(changes: list[Switch], end: float) -> list[Stretch]:
    """The stretches in which a switch was on, given (time, on) in order."""
    until = [*(at for at, _ in changes[1:]), end]
    rows = [(at, to) for (at, on), to in zip(changes, until, strict=True) if on and to > at]
    joined: list[Stretch] = []
    for start, to in rows:
        if joined and joined[-1][1] == start:
            start = joined.pop()[0]
        joined.append((start, to))
    return joined


def _both(ones: list[Stretch], others: list[Stretch]) -> list[Stretch]:
    """What two rows of stretches have in common."""
    pairs = [(max(a[0], b[0]), min(a[1], b[1])) for a in ones for b in others]
    return sorted(pair for pair in pairs if pair[0] < pair[1])


def overlap(*places: list[Stretch]) -> float:
    """For how many seconds two locations were at work at once."""
    ones, others = places
    return sum(to - start for start, to in _both(ones, others))


def gap(places, end: float) -> float:
    """The longest time, in seconds, in which nobody was at work."""
    rows = sorted(stretch for rows in places for stretch in rows)
    if not rows:
        return end
    longest, reached = 0.0, rows[0][1]
    for start, to in rows[1:]:
        longest, reached = max(longest, start - reached), max(reached, to)
    return max(longest, end - reached, 0.0)


def doubles(drill: "Drill", names: list[str]) -> tuple[list[tuple[str, str]], int]:
    """(workflow, period) that more than one location worked on, and how many periods there were."""
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    known = set(names)
    for name in names:
        for place in drill.stage.estate.locations:
            for period in _periods(drill, place, name):
                seen[name, period].add(place)
    for row in drill.stage.world.effects:
        if row["workflow"] in known:
            seen[row["workflow"], row["key"].partition(":")[2]].add(row["location"])
    return sorted(key for key, places in seen.items() if len(places) > 1), len(seen)


def _periods(drill: "Drill", location: str, name: str) -> list[str]:
    """The periods of a clock-driven workflow, by its run history as ARM would show it."""
    world = drill.stage.world
    found = world.resources.get(workflow_id(drill.stage.estate, location, name))
    if found is None:
        return []
    clocks = {
        trigger.name: trigger
        for trigger in read_triggers(found.properties.get("definition") or {})
        if trigger.kind in CLOCKS
    }
    causes = [run["properties"]["trigger"] for run in world.workflows.runs(found)]
    return [_slot(clocks[cause["name"]], cause) for cause in causes if cause["name"] in clocks]


def _slot(trigger: Trigger, cause: dict) -> str:
    return trigger.slot(datetime.fromisoformat(cause["scheduledTime"][:26] + "+00:00"))


def _time(at: object) -> float:
    return datetime.fromisoformat(str(at)).timestamp()
