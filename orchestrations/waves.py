"""Waves: many components at once, in the order that is safe and at the pace that ARM allows."""

from collections.abc import Container, Sequence
from datetime import timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.component import row
from orchestrations.people import Ear
from orchestrations.steps import ATTEMPTS_MAX, brief, told_to
from shared import pace
from shared.kinds import KINDS
from shared.outcome import refused, skipped
from shared.plan import Plan

CHUNK = 25  # Side by side: enough to use ARM's rate, few enough for one host's threads.
# Every answer replays all that an instance has asked for, the plan's text included. In a plan of
# more components than this some chunks at a time are an instance of their own, each chunk of them
# is one again, and so is a group of such blocks: else five thousand answers would replay five
# thousand questions. People are heard between two blocks: they take ten seconds at ARM's rate.
ALONE_MAX = 50
SIZES = {"chunk": CHUNK, "block": 4 * CHUNK, "group": 20 * CHUNK}
INNER = {"group": "block", "block": "chunk"}

COSTS = {"promote": pace.PROMOTION, "verify": pace.LOOK}
FUTILE = "not tried: all the others before it were refused, it may still run"


def promote_wave_by_wave(
    context: DurableOrchestrationContext,
    plan: Plan,
    paper: dict,
    waves: list[list[str]] | None = None,
    turn: int = 0,
    before: Sequence[dict] = (),
    buckets: pace.Buckets | None = None,
    beside: Sequence[dict] = (),
) -> Flow:
    """Promote every component whose kind is promoted in this stage; give the rows.

    What waits for a component that was refused is not tried: its row says for whom it waited.
    `waves`: only these. `before`: the rows of the waves before them. `buckets`, `beside`: as `act`
    has them, `beside` for the first of them.
    """
    ear = Ear(context, known_by(plan), paper)
    rows, buckets = [*before], buckets or pace.Buckets()
    for wave in plan.waves(paper["stage"], paper["to"]) if waves is None else waves:
        broken = set(refusals(rows))
        ready = [name for name in wave if not blockers(plan, name, broken)]
        held = [name for name in wave if blockers(plan, name, broken)]
        rows += yield from act(
            context,
            plan,
            paper,
            "promote",
            paper["to"],
            ready,
            buckets=buckets,
            turn=turn,
            ear=ear,
            beside=beside,
        )
        rows += [waiting(context, plan, paper, name, blockers(plan, name, broken)) for name in held]
        beside = ()
    return rows


def refusals(rows: list[dict]) -> list[str]:
    """What would not start."""
    gone = [row for row in rows if row["outcome"] == "refused" and row.get("verb") != "demote"]
    return [row["component"] for row in gone]


def act(
    context: DurableOrchestrationContext,
    plan: Plan,
    paper: dict,
    verb: str,
    location: str,
    names: list[str],
    attempts: int = ATTEMPTS_MAX,
    buckets: pace.Buckets | None = None,
    turn: int = 0,
    futile: bool = False,
    ear: Ear | None = None,
    beside: Sequence[dict] = (),
) -> Flow:
    """Do `verb` on `names` in `location`, in chunks held back to ARM's token buckets.

    `buckets`: what is left in them; without any they are full. `turn` keeps the ids of a second
    try apart from the first. `futile`: once everything in a chunk was refused the
    rest is not tried, because a dead region takes its seconds for each of a thousand workflows.
    `ear`: hears people between two chunks, since the beginning of the stage. `beside`: orders of
    another sort that go along with the first chunk, or alone where there is none.
    """
    buckets = buckets or pace.Buckets()
    ear = ear or Ear(context, known_by(plan), paper)
    sort = sort_of(plan, names)
    rows: list[dict] = [] if names else (yield from side_by_side(context, paper, beside, turn))
    same, left = errand(plan, paper, verb, location), names
    while left:
        some = left[: SIZES[sort]]
        if futile and hopeless(rows):
            return rows + [untried(context, named(same, name), FUTILE) for name in left]
        told = yield from ear.heed()
        if told:
            return rows + [unwanted(context, named(same, name), told) for name in left]
        parts = [part_for(plan, verb, location, name) for name in some]
        work = {"errand": same, "parts": parts, "attempts": attempts, "turn": turn}
        work |= {"sort": sort, "futile": futile, "beside": [*beside], "deaf": ear.deaf}
        go = in_turn if sort == "chunk" else apart
        done = yield from go(context, paper, work, buckets)
        if done["left"]:  # People hold the run: they are heard here, where they look for it.
            ear.listen()
        rows, beside = rows + done["rows"], ()
        left = left[len(some) - done["left"] :]
        context.set_custom_status({"stage": paper["stage"], "done": len(rows), "of": len(names)})
    return rows


def known_by(plan: Plan) -> dict:
    """What `read_witness` is asked about a plan."""
    return {"plan": plan.name, "witness": plan.document["witness"]}


def sort_of(plan: Plan, names: list[str]) -> str:
    """In instances of which sort, of SIZES, so many components are done."""
    large = "group" if len(names) > SIZES["group"] else "block"
    return large if len(plan.components) > ALONE_MAX else "chunk"


def hopeless(rows: list[dict]) -> bool:
    return bool(rows) and all(one["outcome"] == "refused" for one in rows)


def in_turn(
    context: DurableOrchestrationContext, paper: dict, told: dict, buckets: pace.Buckets
) -> Flow:
    """Do the errand on each of `parts`, chunk after chunk, when ARM's buckets have paid for it.

    {"rows", "left": how many of the last ones were not begun, because people hold the run}.
    """
    rows: list[dict] = []
    parts, beside, inner = told["parts"], told["beside"], INNER.get(told["sort"])
    cost, size = cost_of(told["errand"]), SIZES[inner or "chunk"]
    ear = Ear(context, told["errand"], paper, told.get("deaf", False))
    for first in range(0, len(parts), size):
        some = parts[first : first + size]
        if told["futile"] and hopeless(rows):
            rows += [untried(context, named(told["errand"], part["name"]), FUTILE) for part in some]
            continue
        if told["sort"] == "group" and (yield from ear.held()):
            return {"rows": rows, "left": len(parts) - first}
        if inner:
            work = {**told, "parts": some, "beside": beside, "sort": inner}
            rows += (yield from apart(context, paper, work, buckets))["rows"]
        else:
            seconds = buckets.wait_seconds(cost, len(some), context.current_utc_datetime)
            if seconds:
                due = context.current_utc_datetime + timedelta(seconds=seconds)
                yield context.create_timer(due)
            orders = [order_for(told["errand"], part, told["attempts"]) for part in some]
            rows += yield from side_by_side(context, paper, [*orders, *beside], told["turn"])
            buckets.spend(cost, len(some), context.current_utc_datetime)
        beside = []
    return {"rows": rows, "left": 0}


def apart(
    context: DurableOrchestrationContext, paper: dict, told: dict, buckets: pace.Buckets
) -> Flow:
    """The same as `in_turn` in an instance of its own: here it is one question and one answer.

    What it is made of (INNER) are such instances again.
    """
    known = {"run": paper["run"], "stage": paper["stage"]}
    name, sort = told["parts"][0]["name"], told["sort"]
    instance = f"{instance_of(paper, name, told['turn'])}.{sort}"
    order = {**told, "paper": known, "buckets": buckets.told()}
    try:
        found = yield context.call_sub_orchestrator("block", order, instance)
        buckets.become(found["buckets"])
        return found
    except Exception as surprise:  # As in `side_by_side`: the host's own trouble.
        buckets.spend(cost_of(told["errand"]), len(told["parts"]), context.current_utc_datetime)
        because = f"the {sort} that it was in broke off: {brief(surprise)}"
        tasks = [named(told["errand"], part["name"]) for part in told["parts"]]
        tasks += [order["task"] for order in told["beside"]]
        return {"rows": [untried(context, task, because) for task in tasks], "left": 0}


def block(context: DurableOrchestrationContext) -> Flow:
    """A part of a large plan, of whatever sort. Input: as `apart` has it.

    Output: {"rows", "left": as `in_turn` has them, "buckets": what is left in them}.
    """
    told = told_to(context)
    buckets = pace.Buckets().become(told["buckets"])
    done = yield from in_turn(context, told["paper"], told, buckets)
    return {**done, "buckets": buckets.told()}


def side_by_side(
    context: DurableOrchestrationContext, paper: dict, orders: Sequence[dict], turn: int
) -> Flow:
    if not orders:
        return []
    ids = [instance_of(paper, o["task"]["component"]["name"], o.get("turn", turn)) for o in orders]
    steps = [
        context.call_sub_orchestrator("component", o, id) for o, id in zip(orders, ids, strict=True)
    ]
    try:
        return (yield context.task_all(steps))
    # A component answers whatever its activities do; what arrives here is the host's own trouble.
    # It must not take the chunks behind it along.
    except Exception as surprise:
        because = f"it or one beside it broke off: {brief(surprise)}"
        return [untried(context, o["task"], because) for o in orders]


def order(plan: Plan, paper: dict, verb: str, location: str, name: str, attempts: int) -> dict:
    """What the sub-orchestration `component` is told: a Task, and who does and who proves it."""
    part = part_for(plan, verb, location, name)
    return order_for(errand(plan, paper, verb, location), part, attempts)


def errand(plan: Plan, paper: dict, verb: str, location: str) -> dict:
    """What the Tasks of one verb in one location have in common."""
    return {
        "plan": paper["plan"],
        "run": paper["run"],
        "stage": paper["stage"],
        "mode": paper.get("mode", "graceful"),  # A keeper has none, and must lose nothing.
        "epoch": paper["epoch"],
        "verb": verb,
        "location": location,
        "away": plan.other(location),
        "witness": plan.document["witness"],
    }


def cost_of(errand: dict) -> pace.Cost:
    """What one step of an errand asks of ARM."""
    return COSTS.get(errand["verb"], pace.CHANGE)


def named(errand: dict, name: str) -> dict:
    """The Task of an errand, as far as a row of it tells."""
    return {**errand, "component": {"name": name}}


def part_for(plan: Plan, verb: str, location: str, name: str) -> dict:
    """The component as this verb wants to see it from `location`."""
    part = plan.component(name, location)
    if verb == "transfer":
        part["source"] = plan.component(name, plan.other(location))["resource"]
    if KINDS[part["kind"]][verb].both:
        part["other"] = plan.component(name, plan.other(location))
    return part


def order_for(errand: dict, part: dict, attempts: int) -> dict:
    """The order of one errand on one part; who knows one side only is not told of the other."""
    kind, verb = KINDS[part["kind"]], errand["verb"]
    task = {**errand, "component": part}
    if not kind[verb].both:
        del task["away"]
    observe = kind["observe"].activity if verb == "promote" and "observe" in kind else None
    act = kind[verb].activity
    return {"task": task, "activity": act, "observe": observe, "attempts": attempts}


def instance_of(paper: dict, name: str, turn: int) -> str:
    return f"{paper['run']}.{paper['stage']}.{name}.{turn}"


def blockers(plan: Plan, name: str, broken: Container[str]) -> list[str]:
    """Which of the refused components `name` waits for."""
    return [other for other in plan.part(name).waits_for if other in broken]


def waiting(
    context: DurableOrchestrationContext, plan: Plan, paper: dict, name: str, waited: list[str]
) -> dict:
    task = order(plan, paper, "promote", paper["to"], name, ATTEMPTS_MAX)["task"]
    because = f"not tried: it waits for {', '.join(waited)}, which was refused"
    return untried(context, task, because)


def unwanted(context: DurableOrchestrationContext, task: dict, because: str) -> dict:
    now = context.current_utc_datetime
    return row(task, now, now, skipped(f"not tried: {because}", attempts=0))


def untried(context: DurableOrchestrationContext, task: dict, because: str) -> dict:
    now = context.current_utc_datetime
    return row(task, now, now, refused(because, attempts=0))
