"""Mutants of permission: a question that is not asked, a margin that is not kept."""

from collections.abc import Callable

from rehearsal.simulation.patches import Patch
from shared import permit, witness


def without(question: str, *origins: str) -> list[Patch]:
    """The permit's questions without one of them."""
    asked = permit.QUESTIONS
    return [
        (asked, origin, tuple(q for q in asked[origin] if q.__name__ != question))
        for origin in origins
    ]


def skip_the_margin() -> list[Patch]:
    return [(witness, "LEASE_MARGIN_SECONDS", 0)]


def forget_the_windows() -> list[Patch]:
    """A claim asks once more, but by then the run is reserved."""
    return without("maintenance", "watchdog")


PERMIT: tuple[Callable[[], list[Patch]], ...] = (skip_the_margin, forget_the_windows)
