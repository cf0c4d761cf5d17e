"""Halves: a clock-driven job as two schedules, interleaved over both locations.

`role: split` names one workflow for each location's half; both are deployed in both locations. A
plan that was read has two ordinary components in the place of such a job:

    the half of the plan's home        activePassive: it runs where the plan is active
    the half of the other location     standing: it runs there, whoever is active

So no half ever needs a decision of its own. In steady state each location runs one; after a
failover the standby runs both; the failback takes home's half away from it again, and the other
one was never touched. The standing half needs no lease, because nobody starts it elsewhere: when
its location is lost its runs are missing until that is back, and the other half goes on.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from shared.plan_kinds import Component
from shared.plan_parts import Half, Location, LogicWorkflow

NAME_MAX = 40
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 7 * 86_400}


def expanded(
    components: Sequence[Component], home: str, locations: Mapping[str, Location]
) -> list[Component]:
    """The components with two halves in the place of each split job; what waits for a job waits
    for both. What is expanded already stays as it is."""
    halves = {
        part.name: [half_of(part, at, home, locations[at].short) for at in part.halves or {}]
        for part in components
        if isinstance(part, LogicWorkflow) and part.role == "split"
    }
    names = {job: [half.name for half in pair] for job, pair in halves.items()}
    found: list[Component] = []
    for part in components:
        for one in halves.get(part.name, [part]):
            waits = [name for job in one.waits_for for name in names.get(job, [job])]
            found.append(one.model_copy(update={"waits_for": waits}) if names else one)
    return found


def half_of(job: LogicWorkflow, at: str, home: str, short: str) -> LogicWorkflow:
    """The half of `job` that is at home in location `at`."""
    news = {
        "name": half_name(job.name, short),
        "role": "activePassive" if at == home else "standing",
        "resource": (job.halves or {})[at],
        "halves": None,
        "half": Half(job=job.name, at=at),
    }
    return job.model_copy(update=news)


def half_name(job: str, short: str) -> str:
    return f"{job}-{short}"


def stands_in(part: Component) -> str | None:
    """The one location in which a standing half runs; None for every other component."""
    if not isinstance(part, LogicWorkflow) or part.role != "standing" or part.half is None:
        return None
    return part.half.at


def jobs(components: Sequence[Component]) -> dict[str, list[str]]:
    """The split jobs of an expanded plan: job -> the names of its halves."""
    found: dict[str, list[str]] = {}
    for part in components:
        if isinstance(part, LogicWorkflow) and part.half:
            found.setdefault(part.half.job, []).append(part.name)
    return found


def problems(parts: list[tuple[str, dict]], shorts: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the split jobs of a raw document; `parts` with their paths, `shorts` by
    location."""
    taken = {part.get("name") for _, part in parts}
    for path, part in parts:
        if part.get("role") == "standing" and not isinstance(part.get("half"), dict):
            yield f"{path}.role: a plan says split; standing is what one of its halves becomes"
        if part.get("role") != "split":
            if "halves" in part:
                yield f"{path}.halves: only with role: split"
            continue
        if part.get("kind") != "logicWorkflow" or part.get("trigger") != "recurrence":
            yield f"{path}.role: only a recurrence can be split, it alone has a clock to interleave"
        if not isinstance(part.get("halves"), dict):
            yield f"{path}.halves: name the workflow of each location's half"
        if {"resource", "resources"} & set(part):
            yield f"{path}: a split job gives halves, no resource"
        for short in shorts.values():
            name = half_name(str(part.get("name")), short)
            if name in taken:
                yield f"{path}.name: its half would be {name}, another component's name"
            if len(name) > NAME_MAX:
                yield f"{path}.name: its half would be {name}, over {NAME_MAX} characters"


def interleaving(definitions: Mapping[str, dict]) -> tuple[bool, str]:
    """Do two schedules of one length take turns, half a period apart? With why.

    `definitions`: half -> workflow definition. Without a start time a recurrence fires when it is
    enabled, so nobody could say when (logic-apps, connectors-native-recurrence).
    """
    seen = {name: schedule(definition) for name, definition in definitions.items()}
    for name, (period, start) in seen.items():
        if period is None:
            return False, f"{name} has no recurrence with an interval that can be compared"
        if start is None:
            return False, f"{name} has no startTime: it would fire when it is enabled"
    (one, (period, start)), (other, (its_period, its_start)) = seen.items()
    if period is None or start is None or its_period is None or its_start is None:
        return False, "their schedules cannot be compared"
    if period != its_period:
        return False, f"{one} runs every {period}, {other} every {its_period}"
    apart = (its_start - start) % period
    if apart != period / 2:
        return False, f"they run every {period}, {min(apart, period - apart)} apart, not half of it"
    return True, f"each runs every {period}, together every {apart}"


def schedule(definition: dict) -> tuple[timedelta | None, datetime | None]:
    """(period, start) of a definition's one recurrence; what is not there, or a month, is None."""
    triggers = definition.get("triggers")
    found = [own.get("recurrence") for own in (triggers or {}).values() if isinstance(own, dict)]
    rule = found[0] if len(found) == 1 and isinstance(found[0], dict) else {}
    unit = UNITS.get(str(rule.get("frequency")).lower())
    interval, start = rule.get("interval", 1), rule.get("startTime")
    if unit is None or not isinstance(interval, int) or interval < 1:
        return None, None
    return timedelta(seconds=unit * interval), begun(start)


def begun(text: object) -> datetime | None:
    try:
        start = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return start if start.tzinfo else start.replace(tzinfo=UTC)
