"""Dry run: observe every component as a run would, and say what would be called."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from shared import dryrun, views
from shared.kinds import KINDS, Verb
from shared.plan import Plan
from shared.reply import Surprise, Unheard, Unreachable

THREADS = 16


def rehearse(document: dict, order: dict, allowed: dict, now: datetime) -> dict:
    """Observe every component as the run would, side by side, and say what would be called."""
    plan, silent = Plan.model_validate(document), set[str]()
    acts = dryrun.order(plan, order["to"], order["mode"])
    with ThreadPoolExecutor(THREADS) as pool:
        rows = list(pool.map(lambda act: compared(plan, order["mode"], act, silent), acts))
    return views.dry_run(document, allowed, rows, now)


def compared(plan: Plan, mode: str, act: dict, silent: set[str]) -> dict:
    """One act beside what is there. A location found `silent` is not asked a thousand times."""
    part = plan.component(act["component"], act["location"])
    kind = KINDS[part["kind"]]
    if kind[act["verb"]].both:
        part["other"] = plan.component(act["component"], plan.other(act["location"]))
    observe = observer(kind)
    task = {**act, "component": part, "plan": plan.name, "mode": mode, "dryRun": True}
    seen = {"status": "skipped", "because": "cannot be observed"}
    if act["location"] in silent:
        seen = {"status": "refused", "because": f"not asked: {act['location']} is silent"}
    elif observe:
        seen = looked(observe, task, silent)
    return dryrun.difference(act, part, seen)


def observer(kind: dict[str, Verb]) -> Callable[[dict], dict] | None:
    """The activity that looks at a component of this kind; a hook can only be called."""
    from activities import BY_NAME

    return BY_NAME[kind["observe"].activity] if "observe" in kind else None


def looked(observe: Callable[[dict], dict], task: dict, silent: set[str]) -> dict:
    try:
        return observe(task)
    except Unreachable as nobody:
        silent.add(task["location"])
        return {"status": "refused", "because": str(nobody)}
    except Unheard as nobody:  # ARM's front end may give up before we do.
        silent.add(task["location"])
        return {"status": "refused", "because": f"unreachable: {nobody}"}
    except Surprise as strange:
        return {"status": "refused", "because": str(strange)}
