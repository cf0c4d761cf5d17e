"""Dry run: observe every component as a run would, and say what would be called."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from activities import desk, readiness
from shared import child, dryrun, forecast_steps, permit, views, witness
from shared.backups import latest_proven
from shared.kinds import KINDS, Verb
from shared.plan import Plan
from shared.problem import Problem
from shared.reply import Surprise, Unheard, Unreachable

THREADS = 16
TRIES = 2  # One answer that is lost does not silence a location.
RUNS_MAX = 3  # Timelines that are looked for; an older run says little of today's plan.
Told = Callable[[str], dict[str, dict]]


def rehearse(
    document: dict,
    order: dict,
    allowed: dict,
    now: datetime,
    steps: forecast_steps.Steps,
    told: Told | None = None,
) -> dict:
    """Observe every component as the run would, side by side, and say what would be called.

    And how long that would take by `steps`, and what state would be lost. A child plan is
    rehearsed too; `told` says how long its own runs took.
    """
    plan, to, mode = Plan.model_validate(document), order["to"], order["mode"]
    rows = [
        {**row, **of_child(plan, row, mode, now, told)} if row["kind"] == child.KIND else row
        for row in observed(plan, to, mode)
    ]
    expected = forecast_steps.forecast(plan, mode, rows, steps)
    lost = forecast_steps.losing(plan, backups(document, to, now), rows)
    shown = views.dry_run(document, {**order, **allowed}, rows, now)
    return {**shown, "forecast": {**expected, **lost}}


def observed(plan: Plan, to: str, mode: str) -> list[dict]:
    """The acts of a run, in its order, each beside what is there now.

    What would be demoted is looked at first: those looks give up on a silent location soon, and
    others need not find out with all their patience.
    """
    silent, acts = set[str](), dryrun.order(plan, to, mode)
    rows: dict[int, dict] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        for hurried in (True, False):
            these = {at: act for at, act in enumerate(acts) if (act["verb"] == "demote") == hurried}
            found = pool.map(lambda act: compared(plan, mode, act, silent), these.values())
            rows |= dict(zip(these, found, strict=True))
    return [{**rows[at], "silent": rows[at]["location"] in silent} for at in range(len(acts))]


def of_child(parent: Plan, row: dict, mode: str, now: datetime, told: Told | None) -> dict:
    """What an act that moves a child plan takes and loses, by a dry run of the child's own.

    Nothing of one that serves there already; unknown of one that would not move, or is not seen.
    """
    name, to = getattr(parent.part(row["component"]), "plan", ""), row["location"]
    if row["would"] == dryrun.SAME:
        return {}
    if not row["calls"]:
        return forecast_steps.unknown_child(name, row["seen"])
    try:
        document = desk.known_plan(name)["plan"]
        record, there = desk.witnessed(document)
        verdict = desk.judged(document, record["active"])
    except (Surprise, Problem) as no:
        return forecast_steps.unknown_child(name, f"{name} cannot be looked at: {no}")
    moving = child.standing(record, to, "", there)
    if moving["state"] == "under way":
        return forecast_steps.unknown_child(name, moving["because"])
    allowed = permit.allow(verdict, record, document, to, there, "person", mode)
    if not allowed["allowed"]:
        return forecast_steps.unknown_child(name, f"{name} would not move: {allowed['because']}")
    # What the order itself asks, of a look that may be some seconds old.
    no = readiness.hindrance(document, to, readiness.recent) if mode == "graceful" else None
    if no:
        return forecast_steps.unknown_child(name, f"{name} would not move: {no['because']}")
    plan, steps = Plan.model_validate(document), past_steps(document, record, told)
    acts = observed(plan, to, mode)
    lost = forecast_steps.losing(plan, backups(document, to, now), acts)
    return forecast_steps.of_child(plan, mode, acts, steps, lost)


def backups(document: dict, to: str, now: datetime) -> dict[str, float | None]:
    """Gateway -> age in seconds of what `to` would go on with; None where nothing is proven."""
    plan = Plan.model_validate(document)
    name = plan.gateway()
    if name is None:
        return {}
    try:
        proven = latest_proven(desk.backups_of(document, plan.other(to)))
    except Surprise:  # Nobody says what lies there: nothing is known to be proven.
        proven = None
    if proven is None:
        return {name: None}
    return {name: (now - datetime.fromisoformat(proven["completedAt"])).total_seconds()}


def past_steps(document: dict, record: dict, told: Told | None) -> forecast_steps.Steps:
    """How long the steps of the plan's latest run took whose timeline lies here, if there is one.

    `told`: run -> stage -> what is known of its instance, as the app's host keeps it.
    """
    if told is None:
        return forecast_steps.Steps()
    plan = Plan.model_validate(document)
    runs = [one["who"] for one in reversed(record["transitions"])]
    ended = [run for run in dict.fromkeys(runs) if witness.ended(record, run)]
    for run in ended[:RUNS_MAX]:
        outputs = {stage: one["output"] for stage, one in told(run).items()}
        known = {stage: one for stage, one in outputs.items() if isinstance(one, dict)}
        steps = forecast_steps.measured(run, known, plan)
        if steps.run:
            return steps
    return forecast_steps.Steps()


def compared(plan: Plan, mode: str, act: dict, silent: set[str]) -> dict:
    """One act beside what is there. A location found `silent` is not asked a thousand times."""
    part, away = plan.component(act["component"], act["location"]), plan.other(act["location"])
    kind, both = KINDS[part["kind"]], {}
    if act["verb"] in dryrun.OWN_WORDS or kind[act["verb"]].both:
        both = {"away": away}
        part["other"] = plan.component(act["component"], away)
    if act["verb"] == "transfer":
        part["source"] = part["other"]["resource"]
    observe, quiet = observer(kind), unheard(act, part, away, silent)
    task = {**act, **both, "component": part, "plan": plan.name, "mode": mode, "dryRun": True}
    task["witness"] = plan.document["witness"]
    seen = {"status": "skipped", "because": "cannot be observed"}
    if quiet:
        seen = {"status": "refused", "because": f"not asked: {quiet} is silent"}
    elif observe:
        seen = looked(observe, task, silent)
    # What a run would lose is what it goes on with, not what it does to the side that it left.
    behind = forecast_steps.behind(part["kind"], seen) if act["verb"] == "promote" else {}
    return {**dryrun.difference(act, part, seen), **behind}


def unheard(act: dict, part: dict, away: str, silent: set[str]) -> str:
    """The silent location without which an act cannot be looked at; empty where there is none.

    What both locations share is asked for all the same: ARM may reach it from elsewhere.
    """
    if part.get("resource") and part.get("resource") == part.get("other", {}).get("resource"):
        return ""
    needed = [act["location"], *([away] if act["verb"] == "transfer" else [])]
    return next((one for one in needed if one in silent), "")


def observer(kind: dict[str, Verb]) -> Callable[[dict], dict] | None:
    """The activity that looks at a component of this kind; a hook can only be called."""
    from activities import BY_NAME

    return BY_NAME[kind["observe"].activity] if "observe" in kind else None


def looked(observe: Callable[[dict], dict], task: dict, silent: set[str]) -> dict:
    """What an observer sees; who does not answer it TRIES times is silent."""
    because = ""
    for _ in range(TRIES):
        try:
            return observe(task)
        except Unreachable as nobody:
            because = str(nobody)
        except Unheard as nobody:  # ARM's front end may give up before we do.
            because = f"unreachable: {nobody}"
        except Surprise as strange:
            return {"status": "refused", "because": str(strange)}
        if task["location"] in silent:
            break
    silent.add(task["location"])
    return {"status": "refused", "because": because}
