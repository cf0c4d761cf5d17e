"""Quiesce: leave a location that lives, so that nothing is cut off and nothing runs twice.

What is exclusive is stopped there, its runs in flight are waited for, its triggers' memory is
carried over, and only then is the lease given up. Until that moment nothing has moved: a person
may cancel, or tell the run to be forced, and is heard at every look.
"""

from datetime import datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.again import unfenced
from orchestrations.component import row
from orchestrations.people import Ear
from orchestrations.steps import ATTEMPTS_MAX, PATIENCE, Told, attempt
from orchestrations.waves import CHUNK, act, known_by, order
from shared import drained, pace, roles, witness
from shared.kinds import KINDS
from shared.outcome import refused, skipped, succeeded
from shared.plan import LogicWorkflow, Plan

LOOKS_MAX = 900  # Their pauses grow: more than two days.
PAUSE_LEAST_SECONDS = 2.0
PAUSE_SHARE = 0.05
PAUSE_MOST_SECONDS = 240.0  # Each look says that the run lives: see DRAIN_STALLED_MINUTES.
ONE_TRY = 1  # The next look is the retry.
# A location of which nothing answers, its app neither, is not waited for: it has died meanwhile.
GONE_LOOKS = 2
# Ids of components' steps are apart by turn: stopping takes those from 0 on.
TURN_TRANSFER, TURN_BACK, TURN_LATE = LOOKS_MAX + 1, LOOKS_MAX + 2, LOOKS_MAX + 3
LATE = timedelta(seconds=60)  # What its caller gave up does not land later.


def quiesce(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Stop, drain, carry state over, release. Gives Told: its facts name what is `abandoned`."""
    ended = yield from drain(context, plan, paper)
    rows, left = ended["rows"], ended["left"]
    if ended["word"]:
        return Told(rows, **ended["word"])
    if left and (yield from answers(context, plan, paper["from"])):
        because = f"{', '.join(left[:5])} would not stop in {paper['from']}, which lives"
        return (yield from give_up(context, plan, paper, rows, because))
    stopped = [name for name in plan.movers() if name not in left]
    rows += yield from carry_over(context, plan, paper, stopped)
    released = yield from release(context, plan, paper, proven=not left)
    # A person's cancel is for the next stage to see, which undoes what was done.
    if released["status"] != "succeeded" and not cancelled(released.get("record")):
        return (yield from give_up(context, plan, paper, rows, released["because"]))
    # No stage of a graceful run fences: what runs on there is stopped before its copy wakes.
    stops = [one for one in rows if one.get("verb") == "demote"]
    return Told(rows, {"abandoned": ended["abandoned"], **unfenced(stops)})


def drain(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """Stop what is exclusive and wait until nothing of it is in flight, up to `drainSeconds`.

    {"rows", "left": what would not stop, "abandoned", "word": why the run does not go on so}.
    """
    started, names = context.current_utc_datetime, plan.exclusive(paper["from"])
    until = started + timedelta(seconds=plan.drain_seconds)
    flying = {name: refused("not looked at yet") for name in drained.asked(plan, names)}
    left, word = names, {}
    rows: list[dict] = []
    gone = 0
    for turn in range(LOOKS_MAX):
        heard = yield from listen(context, plan, paper)
        word = heard["word"]
        if word:
            break
        tried = yield from act(
            context, plan, paper, "demote", paper["from"], left, ONE_TRY, turn=turn, futile=True
        )
        # What is found stopped by a repeat was stopped by the try before it.
        tried = [stopped_by_us(one) if turn else one for one in tried]
        left = [one["component"] for one in tried if one["outcome"] == "refused"]
        rows = [one for one in rows if one["outcome"] != "refused"] + tried
        flying = yield from in_flight(context, plan, paper, [n for n in names if n in flying])
        if not left and not flying:
            break
        silent = all(one.get("unseen") for one in flying.values())
        gone = gone + 1 if silent and not (yield from answers(context, plan, paper["from"])) else 0
        if gone == GONE_LOOKS:
            break
        waited = context.current_utc_datetime
        if waited >= until and not heard["paused"]:
            break
        context.set_custom_status({"stage": "quiesce", "drains": len(flying), "left": left[:5]})
        yield context.create_timer(next_look(started, waited, until))
    rows += told_of(context, plan, paper, flying, left, started)
    abandoned = drained.abandoned(plan, names, flying)
    return {"rows": rows, "left": left, "abandoned": abandoned, "word": word}


def stopped_by_us(one: dict) -> dict:
    return {**one, "outcome": "succeeded"} if one["outcome"] == "skipped" else one


def next_look(started: datetime, now: datetime, until: datetime) -> datetime:
    waited = (now - started).total_seconds()
    seconds = pace.pause_seconds(waited, PAUSE_LEAST_SECONDS, PAUSE_SHARE)
    due = now + timedelta(seconds=min(seconds, PAUSE_MOST_SECONDS))
    return min(due, until) if until > now else due


def listen(context: DurableOrchestrationContext, plan: Plan, paper: dict) -> Flow:
    """What the record says now of this run: {"word", "paused"}. Asking also notes that it lives.

    A silent witness has said nothing; who waits for it asks again.
    """
    payload = {"slip": paper, "witness": plan.document["witness"], "phase": paper["stage"]}
    known = yield from attempt(context, "advance_run", payload, ONE_TRY)
    run = (known.get("record") or {}).get("run")
    mine = run if run and run["id"] == paper["run"] else None
    if known["status"] == "refused" and not known.get("surprised") and mine is None:
        return {"word": {"halt": known["because"]}, "paused": False}
    if mine is None:
        return {"word": {}, "paused": False}
    if mine["cancel"]:
        return {"word": {"facts": {"cancelled": True}}, "paused": False}
    word = {"mode": mine["mode"]} if mine["mode"] != paper["mode"] else {}
    return {"word": word, "paused": mine["paused"]}


def cancelled(record: dict | None) -> bool:
    return bool(record and record["run"] and record["run"]["cancel"])


def in_flight(
    context: DurableOrchestrationContext, plan: Plan, paper: dict, names: list[str]
) -> Flow:
    """Name -> what `drain_workflow` says, of those in which something runs or cannot be seen.

    A location that answers for none of a chunk is not asked for the next ones in this look.
    """
    flying: dict[str, dict] = {}
    for first in range(0, len(names), CHUNK):
        chunk = names[first : first + CHUNK]
        asks = [
            context.call_activity(
                KINDS[plan.part(name).kind]["drain"].activity,
                order(plan, paper, "drain", paper["from"], name, ONE_TRY)["task"],
            )
            for name in chunk
        ]
        try:
            answers_of = yield context.task_all(asks)
        # Who cannot be asked has not been seen to be empty; the next look asks again.
        except Exception as surprise:
            answers_of = [refused(f"cannot be seen: {surprise}"[:300], unseen=True)] * len(chunk)
        pairs = list(zip(chunk, answers_of, strict=True))
        flying |= {name: one for name, one in pairs if one["status"] == "refused"}
        if all(one.get("unseen") for _, one in pairs):
            rest = names[first + CHUNK :]
            flying |= {name: refused("not looked at", unseen=True) for name in rest}
            break
    return flying


def told_of(
    context: DurableOrchestrationContext,
    plan: Plan,
    paper: dict,
    flying: dict[str, dict],
    left: list[str],
    started: datetime,
) -> list[dict]:
    """One row for each workflow whose runs are abandoned, and one of what else is known, or not."""
    now = context.current_utc_datetime
    seconds = (now - started).total_seconds()
    rows = []
    for name, seen in flying.items():
        task = order(plan, paper, "drain", paper["from"], name, ONE_TRY)["task"]
        words = f"after {seconds:.0f} s no longer waited for: {seen['because']}"
        rows.append(row(task, started, now, refused(words)))
    words = drained.words(plan, plan.exclusive(paper["from"]), flying, left)
    if words:
        task = {**paper, "verb": "drain", "location": paper["from"], "component": ALL}
        rows.append(row(task, started, now, skipped(words) if flying else succeeded(words)))
    return rows


ALL = {"name": "(all)"}


def answers(context: DurableOrchestrationContext, plan: Plan, location: str) -> Flow:
    """Is the app in `location` well? Then what would not stop there runs on."""
    payload = {
        "plan": plan.document,
        "location": location,
        "witness": plan.document["witness"],
        "timeoutSeconds": plan.watch.timeout_seconds,
    }
    seen = yield from attempt(context, "observe_health", payload, ONE_TRY)
    return seen.get("observation", {}).get("ok") is True


def carry_over(
    context: DurableOrchestrationContext, plan: Plan, paper: dict, names: list[str]
) -> Flow:
    """Give the copies at the target what the stopped triggers remember, where that is of use."""
    worth = [
        part.name
        for part in plan.components
        if part.name in names
        and isinstance(part, LogicWorkflow)
        and roles.state(part.trigger)["worth"]
    ]
    return (
        yield from act(
            context, plan, paper, "transfer", paper["to"], worth, ATTEMPTS_MAX, turn=TURN_TRANSFER
        )
    )


def release(context: DurableOrchestrationContext, plan: Plan, paper: dict, proven: bool) -> Flow:
    """Give the lease up; where it has to run out by itself, wait for that by storage's clock."""
    payload = {"slip": paper, "witness": plan.document["witness"], "proven": proven}
    given = yield from attempt(context, "release_lease", payload, PATIENCE)
    until = (given.get("record") or {}).get("leaseUntil")
    if given["status"] != "succeeded" or until is None:
        return given
    now = context.current_utc_datetime
    there = datetime.fromisoformat(given["serverTime"]) if given.get("serverTime") else now
    margin = timedelta(seconds=2 * witness.LEASE_MARGIN_SECONDS)
    yield context.create_timer(
        now + max(datetime.fromisoformat(until) - there, timedelta()) + margin
    )
    return given


def give_up(
    context: DurableOrchestrationContext, plan: Plan, paper: dict, rows: list[dict], because: str
) -> Flow:
    """Nothing has moved yet: start again what this run has stopped and works there, and say why.

    What would not stop may have: the answer can be lost, or the stop can land when we have started
    it again; so that is looked at once more. Only what stood still before is left alone. What
    people say meanwhile changes nothing of it: the run ends here.
    """
    away, deaf = paper["from"], Ear(context, known_by(plan), paper, deaf=True)
    stops = [one for one in rows if one["verb"] == "demote" and one["outcome"] != "skipped"]
    stops = [one for one in stops if plan.belongs(one["component"], away)]
    mine = [one["component"] for one in stops]
    back = yield from act(
        context, plan, paper, "promote", away, mine, ATTEMPTS_MAX, turn=TURN_BACK, ear=deaf
    )
    unheard = [one["component"] for one in stops if one["outcome"] == "refused"]
    if unheard:
        yield context.create_timer(context.current_utc_datetime + LATE)
        yield from act(
            context, plan, paper, "promote", away, unheard, ATTEMPTS_MAX, turn=TURN_LATE, ear=deaf
        )
    return Told([*rows, *back], halt=because)
