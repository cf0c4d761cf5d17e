"""Chores: what a caretaker looks after again and again, at pauses that grow.

    stop-there  exclusive workflows of the other side, until all were seen at a standstill twice
    serve       what a run was to start, until all was seen serving three times
    stop-here   this location's own exclusive workflows while it is not active, for good
    protect     what makes the other side a standby again, until readiness says that it is one

A chore is {"left": names that are not as they should be, "looks": how often all were well,
"tries": how often not, "due", "told"}, after a cancel with "until": when its doubts end. The second
look is for what lands late: a request that its caller gave up.

After a cancel two might run at once: what the undo could not stop at the target is not served here
until it was seen stopped there. A target that lives steps back when its lease is out, for nobody
vouches for it; so after a lease, counted from when the chores began, silence is proof enough.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.protect import able
from orchestrations.steps import attempt
from orchestrations.waves import act, blockers, order, untried, waiting
from shared import maintenance, missed, stale
from shared.kinds import KINDS, ONCE
from shared.plan import Plan

PAUSE_SECONDS = 15
FIRST_LOOK = timedelta(seconds=30)
EARLY = timedelta(seconds=5)  # A round that comes a moment too soon leaves nothing to the next one.
STAGES = ("promote", "activate", "redirect")  # Of what a run is to start; a hook is called once.
TITLE_MAX = 200


class Chore(NamedTuple):
    """`looks`: after so many good looks it is done (0: never). `tries`: then it is given up."""

    verb: str
    away: bool
    looks: int
    tries: int
    pause_seconds_max: float
    open: str  # The alert while it will not come right, once, after OPEN_TRIES.
    mended: str  # The alert when something had to be changed.


OPEN_TRIES = 4
CHORES: dict[str, Chore] = {
    "stop-there": Chore("demote", True, 2, 0, 300, "not fenced yet", "fenced afterwards"),
    "serve": Chore("promote", False, 3, 12, 600, "does not serve yet", "serves afterwards"),
    "stop-here": Chore("demote", False, 0, 0, 3600, "does not stand still", "stopped beside"),
    "protect": Chore("protect", True, 1, 0, 1800, "not protected yet", "protected afterwards"),
}


def begin(plan: Plan, record: dict, here: str, clock: datetime, now: datetime) -> dict:
    """The chores of this epoch in `here`; `clock` is ours, `now` the witness's."""
    if record["active"] != here:
        # The heartbeat has just stopped them: this is the second look.
        return {"stop-here": fresh(plan.exclusive(here), clock + FIRST_LOOK)}
    if record["epoch"] == 0:
        return {}  # Nobody was active before, and what runs is as people have left it.
    chores = {"stop-there": fresh(plan.exclusive(plan.other(here)), clock)}
    last = missed.end(record)
    if last is None or last["what"] == "finished":  # A run may have ended before it was protected.
        chores["protect"] = fresh([], clock)
    if settling(record, now):
        chores["serve"] = fresh(started_by_a_run(plan, here), clock)
    if missed.given_back(record, here):
        until = missed.doubted_until(plan, clock)
        chores = {name: {**chore, "until": until} for name, chore in chores.items()}
    return chores


def fresh(names: list[str], clock: datetime) -> dict:
    return {"left": names, "looks": 0, "tries": 0, "due": clock.isoformat(), "told": False}


def settling(record: dict, now: datetime) -> bool:
    """Did the run of this epoch end lately? Later what stands still may be as people want it."""
    run = record["run"]
    last = missed.end(record)
    return (last is not None and missed.young(last, now)) or bool(run and run["phase"] == "protect")


def started_by_a_run(plan: Plan, here: str) -> list[str]:
    waves = [wave for stage in STAGES for wave in plan.waves(stage, here)]
    return [name for wave in waves for name in wave if plan.part(name).kind not in ONCE]


def do_due(
    context: DurableOrchestrationContext, plan: Plan, here: str, memory: dict, record: dict
) -> Flow:
    """Do what is due, one chore after the other; gives the new memory."""
    for name, chore in memory["chores"].items():
        if datetime.fromisoformat(chore["due"]) > context.current_utc_datetime + EARLY:
            continue
        if name == "protect":
            if held(context, plan, record):
                continue
            done = yield from protect_again(context, plan, here, memory, chore)
        else:
            done = yield from do(context, plan, here, memory, name, chore)
        memory = {**memory, "chores": {**memory["chores"], name: done}, "turn": memory["turn"] + 1}
    return {**memory, "chores": {n: c for n, c in memory["chores"].items() if c["due"]}}


def do(
    context: DurableOrchestrationContext,
    plan: Plan,
    here: str,
    memory: dict,
    name: str,
    chore: dict,
) -> Flow:
    """One look after everything that is left, and what is to be told of it."""
    kind = CHORES[name]
    where = plan.other(here) if kind.away else here
    paper = paper_of(plan, here, name, memory, where)
    held = unseen(context, memory, chore) if name == "serve" else []
    if held and not chore.get("held"):
        because = (
            f"it may still run in {plan.other(here)}: it starts when it was seen stopped there, "
            f"by itself at {chore['until']} at the latest, or by hand"
        )
        yield from tell(context, plan, f"{where}: not started yet: {', '.join(held)}", because)
        chore = {**chore, "held": True}
    rows = yield from in_turn(context, plan, paper, kind, chore["left"], memory["turn"], held)
    changed = [row["component"] for row in rows if row["outcome"] == "succeeded"]
    refused = [row for row in rows if row["outcome"] == "refused"]
    if changed:
        why = f"looked after again at epoch {memory['epoch']}"
        yield from tell(context, plan, f"{where}: {kind.mended}: {', '.join(changed)}", why)
    if refused:
        return (yield from put_off(context, plan, where, kind, chore, refused))
    return well(context, plan, where, name, chore)


def held(context: DurableOrchestrationContext, plan: Plan, record: dict) -> bool:
    """Does a run pair anew itself, or do people work there?"""
    windows, now = plan.document["maintenance"], context.current_utc_datetime
    closed = maintenance.holds(plan.name, windows, record.get("liftedAt"), now)
    return bool(record["run"] or record["paused"] or closed)


def protect_again(
    context: DurableOrchestrationContext, plan: Plan, here: str, memory: dict, chore: dict
) -> Flow:
    """What a run does in `protect`, once more for what it could not: its region was away longer."""
    kind, away = CHORES["protect"], plan.other(here)
    told = {"plan": plan.document, "location": away}
    seen = yield from attempt(context, "assess_readiness", told, 1)
    if seen.get("ready"):
        return {**chore, "due": None}
    failing = [one for one in seen.get("checks", []) if one["status"] == "fail"]
    paper = paper_of(plan, here, "protect", memory, away)
    names, turn = able(plan, away, failing), memory["turn"]
    rows = yield from act(context, plan, paper, "protect", away, names, 1, turn=turn, futile=True)
    changed = [row["component"] for row in rows if row["outcome"] == "succeeded"]
    if changed:
        why = f"looked after again at epoch {memory['epoch']}"
        yield from tell(context, plan, f"{away}: {kind.mended}: {', '.join(changed)}", why)
    tries = chore["tries"] + 1
    return {**chore, "tries": tries, "due": later(context, tries, kind)}


def paper_of(plan: Plan, here: str, name: str, memory: dict, where: str) -> dict:
    """What the tasks of a chore have in common with a run's."""
    return {
        "plan": plan.name,
        "run": stale.keeper(plan.name, "caretaker", here),
        "stage": name,
        "epoch": memory["epoch"],
        "to": where,
    }


def unseen(context: DurableOrchestrationContext, memory: dict, chore: dict) -> list[str]:
    """What may still run at the other side, where a cancelled run may have started it."""
    there = memory["chores"].get("stop-there")
    if there is None or there["looks"] or not missed.doubted(chore, context.current_utc_datetime):
        return []
    return [name for name in chore["left"] if name in there["left"]]


def in_turn(
    context: DurableOrchestrationContext,
    plan: Plan,
    paper: dict,
    kind: Chore,
    names: list[str],
    turn: int,
    held: Sequence[str] = (),
) -> Flow:
    """Look after these; what waits for one that is refused is not started, as in a run.

    `held`: what must not be started yet.
    """
    rest = [name for name in names if name not in held]
    rows = [not_yet(context, plan, paper, name) for name in held]
    unmoved = yield from not_moved(context, plan, paper, kind, names, turn)
    while rest:
        ready = [n for n in rest if kind.verb != "promote" or not blockers(plan, n, rest)]
        broken = [*unmoved, *(row["component"] for row in rows if row["outcome"] == "refused")]
        held = [n for n in ready if blockers(plan, n, broken)]
        able = [n for n in ready if n not in held]
        rows += [waiting(context, plan, paper, n, blockers(plan, n, broken)) for n in held]
        rows += yield from act(
            context, plan, paper, kind.verb, paper["to"], able, 1, turn=turn, futile=kind.away
        )
        rest = [n for n in rest if n not in ready]
    return rows


def not_yet(context: DurableOrchestrationContext, plan: Plan, paper: dict, name: str) -> dict:
    task = order(plan, paper, "promote", paper["to"], name, 1)["task"]
    return untried(context, task, f"not tried: it may still run in {plan.other(paper['to'])}")


def not_moved(
    context: DurableOrchestrationContext,
    plan: Plan,
    paper: dict,
    kind: Chore,
    names: list[str],
    turn: int,
) -> Flow:
    """What a run does once, these wait for, and does not serve here: seen, not done again."""
    if kind.verb != "promote":
        return []
    waited = dict.fromkeys(other for name in names for other in plan.part(name).waits_for)
    # A hook's verify would call it again.
    once = [n for n in waited if plan.part(n).kind in ONCE and plan.part(n).kind != "http"]
    seen = [n for n in once if "verify" in KINDS[plan.part(n).kind]]
    rows = yield from act(context, plan, paper, "verify", paper["to"], seen, 1, turn=turn)
    return [row["component"] for row in rows if row["outcome"] == "refused"]


def put_off(
    context: DurableOrchestrationContext,
    plan: Plan,
    where: str,
    kind: Chore,
    chore: dict,
    refused: list[dict],
) -> Flow:
    """Try what is left again later; told once, and given up once."""
    left, tries = [row["component"] for row in refused], chore["tries"] + 1
    given_up = bool(kind.tries) and tries >= kind.tries
    if given_up or (tries >= OPEN_TRIES and not chore["told"]):
        end = "given up" if given_up else kind.open
        yield from tell(context, plan, f"{where}: {end}: {', '.join(left)}", refused[0]["because"])
        chore = {**chore, "told": True}
    soon = (
        context.current_utc_datetime.isoformat()
        if missed.doubted(chore, context.current_utc_datetime)
        else ""
    )
    due = None if given_up else soon or later(context, tries, kind)
    return {**chore, "left": left, "tries": tries, "due": due}


def well(
    context: DurableOrchestrationContext, plan: Plan, where: str, name: str, chore: dict
) -> dict:
    """All is as it should be: look again later, at everything, until that is proven."""
    kind, looks = CHORES[name], chore["looks"] + 1
    over = bool(kind.looks) and looks >= kind.looks
    all_of_it = started_by_a_run(plan, where) if name == "serve" else plan.exclusive(where)
    due = None if over else later(context, looks, kind)
    return {**chore, "left": all_of_it, "looks": looks, "tries": 0, "due": due}


def later(context: DurableOrchestrationContext, times: int, kind: Chore) -> str:
    seconds = min(PAUSE_SECONDS * 2**times, kind.pause_seconds_max)
    return (context.current_utc_datetime + timedelta(seconds=seconds)).isoformat()


def tell(context: DurableOrchestrationContext, plan: Plan, title: str, because: str) -> Flow:
    payload = {"plan": plan.name, "title": title[:TITLE_MAX], "because": because}
    yield from attempt(context, "alert", payload, 1)
