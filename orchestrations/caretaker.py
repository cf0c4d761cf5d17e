"""Caretaker: finish what runs leave open, and see that nobody works beside the active side.

One eternal orchestration per plan in every location, beside the heartbeat, whose beats must not
wait for a thousand workflows. It stands aside while a run is under way; one that people hold before
it begins has changed nothing. Where the plan is active it takes up a run that ended half way; then
it looks again, at growing pauses, whether the exclusive workflows of the other side stand still,
and whether all that the run was to start does serve. Where the plan is not active it looks the same
way after its own exclusive workflows, and does so while a run that has left this side goes on, or
one that is to come here has not claimed: a request that was sent in time may land when its epoch is
over.
"""

from datetime import datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.chores import begin, do_due
from orchestrations.steps import PATIENCE, attempt, newest, plan_of, told_to
from shared import missed, resumption, slip, witness
from shared.hold import hindered, reached
from shared.plan import Plan

ROUNDS_PER_GENERATION = 6
PAUSE = timedelta(seconds=10)  # Without a plan nobody says how long a lease is.
ONE_TRY = 1  # The next round is the retry.


def caretaker(context: DurableOrchestrationContext) -> Flow:
    """Look after a plan for ever. Input: {"plan", "location": mine, "memory": of before}.

    Memory: `epoch` that the chores are of (null: none yet), `chores` (name -> as chores.py has
    them), `turn` (keeps ids apart), `told` (the run whose end without a successor was paged).
    """
    told = told_to(context)
    memory = told.get("memory") or {"epoch": None, "chores": {}, "turn": 0, "told": ""}
    known: dict | None = None
    for _ in range(ROUNDS_PER_GENERATION):
        started, pause = context.current_utc_datetime, PAUSE
        loaded = yield from newest(context, told["plan"], known)
        if loaded["status"] == "succeeded":
            known, plan = loaded, plan_of(loaded)
            memory = yield from go_round(context, plan, loaded["digest"], told["location"], memory)
            pause = timedelta(seconds=plan.witness.lease_seconds)
        due = started + pause
        if due > context.current_utc_datetime:
            yield context.create_timer(due)
    context.continue_as_new({**told, "memory": memory})
    return None


def go_round(
    context: DurableOrchestrationContext, plan: Plan, digest: str, here: str, memory: dict
) -> Flow:
    """One look at the record, and what follows from it. Without the witness nothing is done."""
    asked = {"plan": plan.name, "witness": plan.document["witness"]}
    known = yield from attempt(context, "read_witness", asked, ONE_TRY)
    if known["status"] != "succeeded":
        return memory
    record = known["record"]
    now = datetime.fromisoformat(known.get("serverTime", context.current_utc_datetime.isoformat()))
    if record["active"] != here:
        settled = {"plan": plan.name, "location": here, "record": record, "now": now.isoformat()}
        yield from attempt(context, "settle_claim", settled, ONE_TRY)
    left = resumption.abandoned(record, now)
    if left and record["active"] == here:
        return (yield from take_up(context, plan, digest, record, left, memory, now))
    run = record["run"] if witness.in_progress(record["run"], now) else left
    busy = run is not None and stands_aside(record, run, here)
    if busy and record["active"] == here:
        return memory
    if memory["epoch"] != record["epoch"]:  # Elsewhere they are due from the claim on.
        if missed.given_back(record, here):
            back = {"plan": plan.name, "epoch": record["epoch"]}
            noted = yield from attempt(context, "note_claim", back, ONE_TRY)
            if noted["status"] == "refused":  # While it is vouched for, the other side goes on.
                return memory
        chores = begin(plan, record, here, context.current_utc_datetime, now)
        memory = {**memory, "epoch": record["epoch"], "chores": chores}
    if busy:
        return memory
    return (yield from do_due(context, plan, here, memory, record))


def stands_aside(record: dict, run: dict, here: str) -> bool:
    """Would a caretaker disturb this run's work?

    Not while it was only asked for and people hold it; nor where it is to come and has not claimed;
    nor where it has left once it is past the fence, unless a cancel makes it start here again what
    it had stopped.
    """
    if record["active"] == here:
        return run["phase"] != "requested" or not (hindered(record) or {}).get("waits")
    return run["from"] == here and (not reached(run, "activate") or bool(run["cancel"]))


def take_up(
    context: DurableOrchestrationContext,
    plan: Plan,
    digest: str,
    record: dict,
    left: dict,
    memory: dict,
    now: datetime,
) -> Flow:
    """Go on with a run that ended half way, after a pause that grows, and not for ever."""
    if left["resumed"] >= resumption.RESUMES_MAX:
        if memory["told"] != left["id"]:
            because = f"it ended in {left['phase']} and was taken up {left['resumed']} times"
            yield from tell(context, plan.name, f"nobody goes on with {left['id']}", because)
        return {**memory, "told": left["id"]}
    if record["paused"] or not resumption.due(left, now):
        return memory
    paper = resumption.slip_of(left, plan.name, digest, record["epoch"])
    payload = {"slip": paper, "witness": plan.document["witness"]}
    taken = yield from attempt(context, "take_up_run", payload)
    if taken["status"] != "succeeded":
        return memory
    told = {"slip": paper, "queue": slip.queue(paper), "location": paper["to"]}
    sent = yield from attempt(context, "send_slip", told, PATIENCE)
    if sent["status"] != "succeeded":
        yield from attempt(context, "halt_run", {**payload, "because": sent["because"]})
        return memory
    because = f"{left['id']} ended in {left['phase']}: {paper['run']} goes on from there"
    yield from tell(context, plan.name, "run taken up", because)
    return {**memory, "epoch": None, "chores": {}}


def tell(context: DurableOrchestrationContext, plan: str, title: str, because: str) -> Flow:
    payload = {"plan": plan, "title": title, "because": because}
    yield from attempt(context, "alert", payload, ONE_TRY)
