"""Stopping: what a stop comes to where there is nothing to stop, or nobody answers."""

from collections.abc import Callable

from shared.outcome import refused, skipped
from shared.reply import Unreachable

BECAUSE_MAX = 300


def stopped(payload: dict, work: Callable[[], dict], risk: str = "it may still run") -> dict:
    """The outcome of `work`, which stops the task's component.

    Skipped where there is none (`missing`); refused where its region is silent, naming the `risk`.
    """
    try:
        outcome = work()
    except Unreachable as error:
        where = f"{payload['component']['name']} in {payload['location']}"
        return refused(f"{where} is unreachable, {risk}: {error}"[:BECAUSE_MAX])
    return skipped("there is none that could run") if outcome.get("missing") else outcome
