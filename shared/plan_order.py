"""Plan order: what waits for what, and that no wait lasts for ever."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from shared.kinds import KINDS
from shared.plan_raw import by_name, components, waits_of

STAGES = ("promote", "activate", "redirect", "verify")


def waits(data: dict) -> Iterator[str]:
    known = by_name(data)
    for path, part in components(data):
        for name in waits_of(part):
            if name not in known:
                yield f"{path}.waitsFor: there is no component {name}"


def stage_of(part: dict) -> int | None:
    """The place of the stage in which the part is promoted; None when it is not known."""
    verb = KINDS.get(str(part.get("kind")), {}).get("promote")
    stage = (verb.stage or part.get("stage")) if verb else None
    return STAGES.index(stage) if stage in STAGES else None


def later(data: dict) -> Iterator[str]:
    """A wait for something that only a later stage promotes would never end."""
    known = by_name(data)
    for path, part in components(data):
        mine = stage_of(part)
        for name in waits_of(part):
            theirs = stage_of(known.get(name, {}))
            if mine is not None and theirs is not None and theirs > mine:
                yield f"{path}.waitsFor: {name} is promoted later, in stage {STAGES[theirs]}"


def cycles(data: dict) -> Iterator[str]:
    known = by_name(data)
    waits = {name: [w for w in waits_of(part) if w in known] for name, part in known.items()}
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        yield f"components: a cycle of waitsFor: {' waits for '.join(reversed(error.args[1]))}"
