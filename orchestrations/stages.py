"""Stages: what each stop of the routing slip does.

    claim -> fence -> promote -> activate -> redirect -> verify -> protect
    quiesce -> claim -> promote -> ...                                 (graceful)

The slip arrives, its stage is done, the slip is sent on: the last act, so that a crash anywhere
before it repeats the stage, whose steps may all be repeated. Only two things end a run early: a
claim that is refused, and an epoch that somebody else has taken since. A component that will not
move is written down and alerted, and the rest goes on: half a service beats none.
"""

from datetime import datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.again import promote_twice, unfenced, wake
from orchestrations.component import row
from orchestrations.ends import halt, output, outwait, reasons, stop, troubles
from orchestrations.people import page, wait
from orchestrations.protect import protect
from orchestrations.quiesce import quiesce
from orchestrations.steps import PATIENCE, Told, attempt, brief, plan_of, told_to
from orchestrations.waves import act
from shared import slip
from shared.kinds import KINDS
from shared.outcome import refused
from shared.plan import Plan

HELD_MAX = 50  # Pauses that a stage sits through before it begins.
FENCE_ATTEMPTS = 1  # A dead region does not answer better the second time; minutes count.
VERIFY_ROUNDS_MAX = 10
VERIFY_PAUSE = timedelta(seconds=2)
VERIFY_MEND = 1  # The round after which what does not serve is promoted once more.


def stage(context: DurableOrchestrationContext) -> Flow:
    """Do the stage that the slip names; output {"stage", "outcome", "because", "rows", "slip"}."""
    paper = told_to(context)
    started = context.current_utc_datetime
    loaded = yield from attempt(
        context, "load_plan", {"plan": paper["plan"], "digest": paper["digest"]}, PATIENCE
    )
    if loaded["status"] != "succeeded":
        witness = yield from witness_of(context, paper)
        return (yield from halt(context, paper, witness, loaded["because"]))
    plan = plan_of(loaded)
    witness = loaded["plan"]["witness"]
    entered = yield from enter(context, plan, paper, witness)
    if entered["status"] != "succeeded":
        return (yield from stop(context, plan, paper, entered))
    paper = {**paper, "epoch": entered["record"]["epoch"]}
    run = entered["record"]["run"]
    if run and paper["stage"] != "quiesce":  # That one looks for itself, before it stops anything.
        paper = slip.switched(paper, run["mode"])
    told = yield from tell_story(context, plan, paper)
    if told.over:
        return output(context, paper, "succeeded", told.over, told.rows, started)
    if told.halt:
        return (yield from halt(context, paper, witness, told.halt, told.rows))
    paper = slip.switched(paper, told.mode or paper["mode"])
    facts = {slip.done_at(paper["stage"]): context.current_utc_datetime.isoformat(), **told.facts}
    return (yield from leave(context, plan, paper, witness, told.rows, facts, started))


def tell_story(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """The stage's own work, as Told; what breaks it is a refused row, for those behind it help.

    A stage that ended Failed would leave its run reserved, with nobody to go on and nobody told.
    """
    started = context.current_utc_datetime
    try:
        told = yield from STORIES[paper["stage"]](context, plan, paper)
        return told if isinstance(told, Told) else Told(told)
    # A component's own trouble is a row already; this is the host's, of whatever type.
    except Exception as surprise:
        task = {**paper, "verb": "stage", "location": paper["to"], "component": {"name": "(all)"}}
        broke = refused(f"the stage broke off: {brief(surprise)}")
        return Told([row(task, started, context.current_utc_datetime, broke)])


def witness_of(context: DurableOrchestrationContext, paper: dict) -> Flow:
    """The witness by whatever version of the plan is here: a reservation must be given back."""
    newest = yield from attempt(context, "load_plan", {"plan": paper["plan"]})
    return newest["plan"]["witness"] if newest["status"] == "succeeded" else {}


def enter(context: DurableOrchestrationContext, plan: Plan, paper: dict, witness: dict) -> Flow:
    """Take the epoch (claim) or prove that it is still this run's (every later stage).

    Where people hold the run it waits for them first, as often as they do.
    """
    payload = {"slip": paper, "witness": witness, "phase": paper["stage"]}
    if paper["stage"] == "protect":
        payload["quietMinutes"] = plan.quiet_minutes
    if paper["stage"] == "claim":
        payload["maintenance"] = plan.document["maintenance"]
    entered = refused("")
    for _ in range(HELD_MAX):
        if paper["stage"] == "claim":
            entered = yield from attempt(context, "claim_epoch", payload, PATIENCE)
        else:
            entered = yield from outwait(context, paper, "advance_run", payload)
        if not entered.get("waits"):
            return entered
        known = {"plan": plan.name, "witness": witness}
        lapsed = yield from wait(context, known, paper, entered)
        if lapsed:
            return lapsed
    return refused(f"held {HELD_MAX} times", record=entered["record"])


def leave(
    context: DurableOrchestrationContext,
    plan: Plan,
    paper: dict,
    witness: dict,
    rows: list[dict],
    facts: dict,
    started: datetime,
) -> Flow:
    """Send the slip on, or finish the run where the route ends."""
    failed = troubles(rows)
    because = reasons(failed)
    kept = yield from note(context, plan, paper, rows)
    onward = slip.onward(paper, {**facts, **kept, **left_behind(paper, failed)})
    if onward is not None:
        payload = {"slip": onward, "queue": slip.queue(onward), "location": paper["to"]}
        sent = yield from attempt(context, "send_slip", payload, PATIENCE)
    else:
        payload = {"slip": paper, "witness": witness, "quietMinutes": plan.quiet_minutes}
        payload["because"] = facts.get("unprotected", "")
        sent = yield from attempt(context, "finish_run", payload, PATIENCE)
    if sent["status"] != "succeeded":
        return (yield from halt(context, paper, witness, sent["because"], rows))
    paged = [] if paper["stage"] == "fence" else moved(failed)
    if paged:
        yield from page(context, paper, f"{paper['stage']}: {len(paged)} refused", because)
    if onward is None:
        words = [verdict_of(paper), facts.get("unprotected", "")]
        yield from page(context, paper, "run finished", "; ".join(filter(None, words)))
    return output(context, paper, "partial" if failed else "succeeded", because, rows, started)


def done_again(one: dict) -> dict:
    """The row, as done where a repeat found it so: the try before it had no answer."""
    repeat = one["outcome"] == "skipped" and one.get("attempts", 1) > 1
    return {**one, "outcome": "succeeded"} if repeat else one


def may_be_done(one: dict) -> bool:
    """Can this row be this run's work? A host that dies repeats what it did and finds it done."""
    if one["outcome"] == "skipped":
        return one.get("verb") == "promote"
    return one["outcome"] == "succeeded" or bool(one.get("attempts"))


def note(context: DurableOrchestrationContext, plan: Plan, paper: dict, rows: list[dict]) -> Flow:
    """Keep what this stage did where an undo finds it; the fact that names what could not be."""
    if slip.STAGES.index(paper["stage"]) >= slip.STAGES.index(plan.no_return):
        return {}
    keys = ("component", "verb", "location", "outcome")
    kept = [done_again(one) for one in rows]
    done = [{key: one.get(key) for key in keys} for one in kept if may_be_done(one)]
    if not done:
        return {}
    payload = {"run": paper["run"], "stage": paper["stage"], "rows": done}
    noted = yield from attempt(context, "note_rows", payload)
    unnoted = paper["facts"].get("unnoted", [])
    return {} if noted["status"] == "succeeded" else {"unnoted": [*unnoted, paper["stage"]]}


def left_behind(paper: dict, failed: list[dict]) -> dict:
    """How many components each stage had to leave behind: small, and enough for the last page."""
    known = paper["facts"].get("troubles", 0)
    return {"troubles": known + (len(moved(failed)) if paper["stage"] != "fence" else 0)}


def moved(failed: list[dict]) -> list[dict]:
    """Without the old side's trouble: what could not be fenced is looked after later, and what it
    lacks to be a standby is the last page's to say."""
    return [one for one in failed if one.get("verb") not in ("demote", "protect")]


def verdict_of(paper: dict) -> str:
    left = paper["facts"].get("troubles", 0)
    return f"{paper['plan']} is active in {paper['to']}, epoch {paper['epoch']}" + (
        f"; {left} steps were refused, see the run" if left else ""
    )


def claim(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Nothing more than the epoch, which `enter` took: from here on this location is active."""
    yield from ()
    return []


def fence(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Stop what must not run twice on the old side, as far as it can be reached.

    Overlap-safe workflows there go on: competing consumers and request triggers do no harm.
    """
    away = paper["from"]
    names = plan.exclusive(away)
    rows = yield from act(context, plan, paper, "demote", away, names, FENCE_ATTEMPTS, futile=True)
    return Told(rows, unfenced(rows))


def promote(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Data, aliases and the gateway's overlay: what the workflows need before they wake."""
    return (yield from promote_twice(context, plan, paper))


def activate(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Wake the workflows: consumers before producers, webhooks later, recurrences last."""
    return (yield from wake(context, plan, paper))


def redirect(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Point the callers here, and hold them so that they are not sent back by themselves."""
    return (yield from promote_twice(context, plan, paper))


def mend(context: DurableOrchestrationContext, plan: Plan, paper: dict, left: list[str]) -> Flow:
    """Promote once more what does not serve: left behind, or undone by what landed late."""
    to, names = paper["to"], [name for name in left if plan.promoted_in(name) != "verify"]
    rows = yield from act(
        context, plan, paper, "promote", to, names, FENCE_ATTEMPTS, turn=VERIFY_ROUNDS_MAX
    )
    return [one for one in rows if one["outcome"] == "succeeded"]


def verify(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Wait for the callers' DNS to turn, then try everything as a caller would."""
    turned = timedelta(seconds=plan.ttl_seconds())
    yield context.create_timer(context.current_utc_datetime + turned)
    left = [
        part.name
        for part in plan.components
        if "verify" in KINDS[part.kind]
        and getattr(part, "stage", "verify") == "verify"
        and plan.belongs(part.name, paper["to"])
    ]
    done: list[dict] = []
    for turn in range(VERIFY_ROUNDS_MAX):
        rows = yield from act(context, plan, paper, "verify", paper["to"], left, turn=turn)
        left = [one["component"] for one in rows if one["outcome"] == "refused"]
        done = [one for one in done if one["outcome"] != "refused"] + rows
        if not left:
            break
        if turn == VERIFY_MEND:
            done += yield from mend(context, plan, paper, left)
        yield context.create_timer(context.current_utc_datetime + VERIFY_PAUSE)
    return done


STORIES = {
    "quiesce": quiesce,
    "claim": claim,
    "fence": fence,
    "promote": promote,
    "activate": activate,
    "redirect": redirect,
    "verify": verify,
    "protect": protect,
}
