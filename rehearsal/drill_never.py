"""Never two, never none: where exclusive work was done, and when, judged from outside.

Two witnesses that know nothing of each other are asked. ARM's journal (of other kinds than
Consumption workflows: the world's changes, `drill_switches`), with the losses of locations, says
where something was switched on and able to work, and for how long. The workflows' own run history,
with what the runs did, says in which location each period was worked on. Job schedules, triggers
of factories and functions have no runs in the rehearsal: of them the time alone is judged.
"""

import math
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rehearsal.drill_story import STILL_SECONDS_MAX, Scenario
from rehearsal.drill_switches import JOURNALED, Switch
from rehearsal.estate_seed import workflow_id
from rehearsal.workflows_due import CLOCKS, Trigger, read_triggers

if TYPE_CHECKING:
    from rehearsal.drill import Drill

Stretch = tuple[float, float]
Places = dict[str, list[Stretch]]  # location -> when something was at work there
VERBS = {"enable": True, "disable": False}
SHOWN_MAX = 5
# Told over a data plane of their own, which is lost with the region and comes back with what they
# start: until somebody could tell them to stop they may work beside the other side, so long.
TOLD_BY_DATA = ("batch",)
BESIDE_SECONDS_MAX = 40.0


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
    end = drill.stage.world.now.timestamp()
    at_work = worked(drill, end)
    doubled, counted = doubles(drill, [*at_work])
    rows = [_row(drill, name, places, end) for name, places in at_work.items()]
    rows.sort(key=lambda row: (-row["bothSeconds"], -row["besideSeconds"], -row["nobodySeconds"]))
    _never_two(drill, rows, doubled, counted)
    longest = max((row["nobodySeconds"] for row in rows), default=0.0)
    most = scenario.nobody_seconds_max
    if most is None:
        most = drill.plan["objectives"]["rtoSeconds"] if scenario.moves else STILL_SECONDS_MAX
    told = f"at most {longest:.1f} s without one at work, bound {most:g} s"
    if most < math.inf:
        names = [row["component"] for row in rows if row["nobodySeconds"] > most]
        told += f": {', '.join(names[:SHOWN_MAX])}" if names else ""
        drill.check("neverNone", not names, told)
    halves = set(standing(drill))  # They do not tell where the plan works.
    return {
        "bothSeconds": max((row["bothSeconds"] for row in rows), default=0.0),
        "besideSeconds": max((row["besideSeconds"] for row in rows), default=0.0),
        "nobodySeconds": longest,
        "periods": counted,
        "locations": [drill.home, drill.standby],
        "components": rows,
        "atWork": {
            name: {place: [_shown(s) for s in stretches] for place, stretches in places.items()}
            for name, places in at_work.items()
            if name not in halves
        },
    }


def _never_two(drill: "Drill", rows: list[dict], doubled: list[tuple[str, str]], periods: int):
    found = [
        f"{row['component']} was at work in both for {row['bothSeconds']:.1f} s"
        for row in rows
        if row["bothSeconds"] > 0
    ]
    found += [f"{name} worked on {period} in both" for name, period in doubled]
    kinds = Counter(row["kind"] for row in rows)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    words = f"{told or 'nothing exclusive'}; {periods} periods, each in one location"
    words += "".join(
        f"; {row['component']} for {row['besideSeconds']:.1f} s until it could be told"
        for row in rows
        if row["besideSeconds"] > 0
    )
    drill.check("neverTwo", not found, "; ".join(found[:SHOWN_MAX]) if found else words)


def _row(drill: "Drill", name: str, places: Places, end: float) -> dict:
    """The report's row of a component: seconds at work in each location since the story began, in
    both, and in none at a stretch."""
    kind, told = drill.switches.kind(name), [(drill.switches.since, end)]
    both = common(*places.values())
    beside = [one for one in both if kind in TOLD_BY_DATA and _just_back(drill, one, end)]
    return {
        "component": name,
        "kind": kind,
        "seconds": {at: round(lasted(_both(rows, told)), 3) for at, rows in places.items()},
        "bothSeconds": round(lasted(both) - lasted(beside), 3),
        "besideSeconds": round(lasted(beside), 3),
        "nobodySeconds": round(gap(places.values(), end), 3),
    }


def _just_back(drill: "Drill", both: Stretch, end: float) -> bool:
    """Did this begin with the return of a location, and was it over in time?"""
    places = drill.stage.estate.locations
    back = {start for place in places for start, _ in _working(drill, place, end) if start > 0}
    return both[0] in back and both[1] - both[0] <= BESIDE_SECONDS_MAX


def worked(drill: "Drill", end: float) -> dict[str, Places]:
    """Exclusive component -> when it was at work in each location, of every kind.

    For a Consumption workflow "at work" is as ARM was told, for the rest as the world changed.
    """
    told = switched(drill)
    flows = [*exclusive(drill), *standing(drill)]
    up = {place: _working(drill, place, end) for place in drill.stage.estate.locations}
    rest = {
        name: {place: _both(_on(changes, end), up[place]) for place, changes in places.items()}
        for name, places in drill.switches.told.items()
    }
    return {name: stretches(drill, name, end, told) for name in flows} | rest


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


def stretches(drill: "Drill", name: str, end: float, told: dict[str, list[Switch]]) -> Places:
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


def common(*places: list[Stretch]) -> list[Stretch]:
    """When two locations were at work at once; what has its place in one alone never was."""
    return _both(*places) if len(places) > 1 else []


def lasted(rows: list[Stretch]) -> float:
    """How many seconds stretches make together."""
    return sum((to - start for start, to in rows), 0.0)


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
    known = {name: name for name in names if drill.switches.kind(name) == JOURNALED}
    known |= {flow: name for flow, name in drill.switches.flows().items() if name in names}
    for name in known.values():
        for place in drill.stage.estate.locations:
            for period in _periods(drill, place, name):
                seen[name, period].add(place)
    for row in drill.stage.world.effects:
        if row["workflow"] in known:
            seen[known[row["workflow"]], row["key"].partition(":")[2]].add(row["location"])
    return sorted(key for key, places in seen.items() if len(places) > 1), len(seen)


def _periods(drill: "Drill", location: str, name: str) -> list[str]:
    """The periods of a clock-driven workflow, by its run history as ARM would show it."""
    world = drill.stage.world
    own = workflow_id(drill.stage.estate, location, name)
    found = world.resources.get(drill.switches.flow(name, location) or own)
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
