"""Ledger: remember what is in flight on the active side, and see afterwards what became of it.

One eternal orchestration per plan in every location. Where the plan is not active it looks at the
active side, a few workflows at a time, as long as nothing moves. Where an epoch has ended, the
last look of it is kept as evidence; once the region that it is about answers again, each run is
looked at once more, and what people ordered for it is carried out.
"""

from datetime import datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.steps import attempt, plan_of, told_to
from orchestrations.waves import order
from shared import flow_runs, stale, witness
from shared import ledger as book
from shared.kinds import BOTH_SIDES, KINDS
from shared.plan import Plan
from shared.plan_kinds import Component

PAUSE = timedelta(seconds=60)  # Where the plan cannot be read, which says how often.
ENDED_MAX = 3  # Older ledgers can be read, and nothing more happens to them.
CALLS_MAX = 20
COPIES_MAX = 5  # Calls of a mirror; what is left comes in the next round.
ONE_TRY = 1  # The next round is the repeat.


def ledger(context: DurableOrchestrationContext) -> Flow:
    """Look for ever. Input: {"plan", "location": mine, "cursor": where the next look begins}.

    One round is one generation: a plan of a thousand workflows is in each round's history.
    """
    told = told_to(context)
    cursor, pause = told.get("cursor", 0), PAUSE
    started = context.current_utc_datetime
    loaded = yield from attempt(context, "load_plan", {"plan": told["plan"]}, ONE_TRY)
    if loaded.get("missing"):
        return {"because": loaded["because"]}
    if loaded["status"] == "succeeded":
        plan = plan_of(loaded)
        pause = timedelta(seconds=plan.ledger.every_seconds)
        cursor = yield from go_round(context, plan, told["location"], cursor)
    due = started + pause
    if due > context.current_utc_datetime:
        yield context.create_timer(due)
    context.continue_as_new({**told, "cursor": cursor})
    return None


def go_round(context: DurableOrchestrationContext, plan: Plan, here: str, cursor: int) -> Flow:
    """One round; gives the cursor for the next. Without the witness nothing is seen or done."""
    part = plan.document["witness"]
    known = yield from attempt(
        context, "read_witness", {"plan": plan.name, "witness": part}, ONE_TRY
    )
    if known["status"] != "succeeded":
        return cursor
    record = known["record"]
    turned = {
        "plan": plan.name,
        "epoch": record["epoch"],
        "active": record["active"],
        "claims": book.claims(record),
    }
    kept = yield from attempt(context, "freeze_ledger", turned, ONE_TRY)
    if witness.in_progress(record["run"], context.current_utc_datetime):
        return cursor  # What was seen last is the evidence; who moves needs ARM for himself.
    if kept["status"] == "succeeded" and record["active"] != here:
        cursor = yield from look(context, plan, record, cursor)
    for epoch in kept.get("ended", [])[:ENDED_MAX]:
        yield from look_back(context, plan, here, record["epoch"], epoch)
    return cursor


def look(context: DurableOrchestrationContext, plan: Plan, record: dict, cursor: int) -> Flow:
    """Look at as many workflows as a round may, from the cursor on, and at the queues."""
    told = {"plan": plan.name, "epoch": record["epoch"], "location": record["active"]}
    count = sum(part.kind in flow_runs.KINDS for part in plan.components)
    left = book.looks(plan.ledger.every_seconds, count)
    for _ in range(CALLS_MAX):
        if left <= 0 or not count:
            break
        most = min(left, book.WORKFLOWS_PER_CALL)
        asked = {**told, "cursor": cursor, "most": most}
        seen = yield from attempt(context, "keep_ledger", asked, ONE_TRY)
        if seen["status"] != "succeeded":
            return cursor
        cursor, left = seen["cursor"], left - most
        if cursor == 0:
            break
    if plan.ledger.queues:
        yield from attempt(context, "count_queues", told, ONE_TRY)
    yield from mirror(context, plan, record)
    context.set_custom_status({"watches": record["active"], "epoch": record["epoch"]})
    return cursor


def mirror(context: DurableOrchestrationContext, plan: Plan, record: dict) -> Flow:
    """Bring what the kinds copy into the standby up to date, a bounded share of it a round."""
    here = plan.other(record["active"])
    for part in mirrored(plan, context.current_utc_datetime):
        verb = KINDS[part.kind]["mirror"]
        paper = {
            "plan": plan.name,
            "run": stale.keeper(plan.name, "ledger", here),
            "stage": "ledger",
            "epoch": record["epoch"],
        }
        task = order(plan, paper, "mirror", here, part.name, ONE_TRY)["task"]
        for _ in range(COPIES_MAX):
            seen = yield from attempt(context, verb.activity, task, ONE_TRY)
            if not seen.get("more"):
                break


def mirrored(plan: Plan, now: datetime) -> list[Component]:
    """What the round of `now` copies: of the kinds of BOTH_SIDES one component, in turns."""
    parts = [part for part in plan.components if "mirror" in KINDS[part.kind]]
    many = [part for part in parts if part.kind in BOTH_SIDES]
    turn = int(now.timestamp()) // plan.ledger.every_seconds
    chosen = many[turn % len(many)].name if many else ""
    return [part for part in parts if part.kind not in BOTH_SIDES or part.name == chosen]


def look_back(
    context: DurableOrchestrationContext, plan: Plan, here: str, epoch: int, ended: int
) -> Flow:
    """See what became of the runs of an ended epoch, then do what people ordered for them."""
    asked = {"plan": plan.name, "epoch": ended}
    calls = plan.ledger.every_seconds * book.LOOKS_PER_SECOND // book.REVIEWS_PER_CALL
    seen: dict = {}
    for _ in range(min(max(1, calls), CALLS_MAX)):
        seen = yield from attempt(context, "review_ledger", asked, ONE_TRY)
        if seen["status"] == "refused" or not seen.get("more"):
            break
    if not seen.get("orders"):
        return
    task = {
        "plan": plan.name,
        "run": stale.keeper(plan.name, "ledger", here),
        "stage": "ledger",
        "verb": "settle",
        "location": here,
        "epoch": epoch,
        "witness": plan.document["witness"],
        "of": ended,
    }
    for _ in range(CALLS_MAX):
        done = yield from attempt(context, "settle_orders", task, ONE_TRY)
        if not done.get("done"):
            break
