"""Drained: what can be said of the work in flight where a plan was stopped, and no more.

Only some kinds can be asked for it (`drain` of `shared/kinds.py`). Of the others nobody looks: a
function app's work is cut off by its stop, while a factory's pipelines and a pool's jobs run on.
"""

from shared.kinds import KINDS
from shared.plan import Plan

ABANDONED_MAX = 20  # Of either sort.
RUNS_MAX = 5
NAMED_MAX = 10


def asked(plan: Plan, names: list[str]) -> list[str]:
    """Those whose kind can be asked what is in flight."""
    return [name for name in names if "drain" in KINDS[plan.part(name).kind]]


def unasked(plan: Plan, names: list[str]) -> list[str]:
    return [name for name in names if "drain" not in KINDS[plan.part(name).kind]]


def abandoned(plan: Plan, names: list[str], flying: dict[str, dict]) -> list[dict]:
    """What may be abandoned: the runs that were seen, then what cannot be looked into.

    `names`: what is exclusive; `flying`: by name, what its last look said of what is in flight.
    """
    seen = [(name, flying[name]) for name in names if name in flying]
    unknown = {"count": None, "runs": [], "because": "not looked into"}
    return [
        {"component": name, "count": one.get("count"), "runs": one.get("runs", [])[:RUNS_MAX]}
        for name, one in seen[:ABANDONED_MAX]
    ] + [{"component": name, **unknown} for name in unasked(plan, names)[:ABANDONED_MAX]]


def words(plan: Plan, names: list[str], flying: dict[str, dict], left: list[str]) -> str:
    """What is to be said beside the rows of what is in flight; empty: nothing.

    `left`: what would not stop.
    """
    looked, blind = asked(plan, names), unasked(plan, names)
    awake = [name for name in left if name in looked]
    told = []
    if awake and not flying:
        told = [f"nothing was in flight at the last look, but {listed(awake)} would not stop"]
    elif not flying and not blind:
        told = ["nothing exclusive is in flight there"]
    elif not flying and looked:
        told = ["nothing is in flight in what was looked into"]
    if blind:
        unknown = f"whether anything is in flight in {listed(blind)} is not looked into"
        told.append(f"{unknown}: it may be cut off, or run on")
    return "; ".join(told)


def listed(names: list[str]) -> str:
    """The first of these names, and how many more there are."""
    more = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
