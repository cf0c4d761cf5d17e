"""Hunt: play seeds with a bug planted until a property notices."""

from typing import NamedTuple

from rehearsal.simulation.mutants import MUTANTS
from rehearsal.simulation.patches import planted
from rehearsal.simulation.story import tell
from shared.plan import Plan

SEEDS_MAX = 3000


class Found(NamedTuple):
    """The first seed that noticed a mutant, and by which property; seed None: nobody did."""

    mutant: str
    seed: int | None
    property: str
    text: str


def hunt(name: str, plan: Plan, start: int = 1, seeds: int = SEEDS_MAX) -> Found:
    """Play seeds from `start` with this mutant planted until one of them finds it."""
    for seed in range(start, start + seeds):
        with planted(MUTANTS[name]()):
            told = tell(seed, plan, telling=False)
        # What breaks without the mutant too is no merit of the property's.
        if told.violations and not tell(seed, plan, telling=False).violations:
            return Found(name, seed, *told.violations[0])
    return Found(name, None, "", f"not found in {seeds} seeds")
