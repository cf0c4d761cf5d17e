"""Seeds of trouble leave each half of a split job in one place, and planted bugs are seen."""

from collections.abc import Callable

import pytest

from rehearsal.simulation import story
from rehearsal.simulation.command import PLAN
from rehearsal.simulation.patches import planted
from shared import halves, plan
from shared.plan import Plan
from tests.test_halves import JOB

WHOLE = plan.load(PLAN.read_text(encoding="utf-8"))
SPLIT = plan.checked({**WHOLE.document, "components": [*WHOLE.document["components"], JOB]})
SEEDS_MAX = 150
_exclusive, _belongs = Plan.exclusive, Plan.belongs


def stop_it_everywhere(of: Plan, location: str | None = None) -> list[str]:
    """Whoever steps back stops the half that stands there too."""
    return _exclusive(of)


def leave_the_copy(of: Plan, location: str | None = None) -> list[str]:
    """Nobody stops home's half when home steps back."""
    moving = [part.name for part in of.components if halves.stands_in(part) is None]
    return [name for name in _exclusive(of, location) if name in moving and name != "ticker-we"]


def start_it_everywhere(of: Plan, name: str, location: str) -> bool:
    """The way home starts the half that stands elsewhere."""
    return True


PLANTED: dict[str, tuple[str, Callable]] = {
    "stop-the-standing-half": ("exclusive", stop_it_everywhere),
    "leave-homes-half-on": ("exclusive", leave_the_copy),
    "start-the-standing-half-at-home": ("belongs", start_it_everywhere),
}


def broken(seeds: range) -> list[tuple[str, str]]:
    """The first violations that a seed of these has."""
    for seed in seeds:
        told = story.tell(seed, SPLIT, telling=False)
        if told.violations:
            return [(f"seed {seed}: {name}", what) for name, what in told.violations]
    return []


def test_no_seed_of_a_few_runs_a_half_in_two_places_or_in_none():
    assert broken(range(40)) == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_of_halves_is_found(name: str):
    attribute, bug = PLANTED[name]
    with planted([(Plan, attribute, bug)]):
        found = broken(range(SEEDS_MAX))
    assert "ticker" in str(found)
