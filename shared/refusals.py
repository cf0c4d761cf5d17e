"""Refusals: what was said already is not said again, though its words change with the clock."""

import re

# Times, counts, epochs and ids have a digit in them; what is left of a sentence is its reason.
CHANGING = re.compile(r"\S*\d\S*")
REASON_MAX = 200
TOLD_MAX = 20


def key(source: str, because: str = "") -> str:
    """The reason in a refusal, the same in every round that refuses for it.

    `source`: who refuses, such as the name of a question; `because`: its sentence where one source
    has several reasons.
    """
    return f"{source}: {CHANGING.sub('#', because)}"[:REASON_MAX]


def told(known: list[str], reason: str) -> list[str]:
    """The reasons that people know, with this one; the very same list where they know it."""
    return known if reason in known else [*known, reason][-TOLD_MAX:]
