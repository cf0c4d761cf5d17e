"""Watchdog: look at the active location from outside, conclude, and act only when permitted.

One eternal orchestration per plan and standby location. It never acts on one observer's word,
never while it may itself be the one that is cut off, and says so whenever it refuses.
"""

from datetime import datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.audit import write_behind
from orchestrations.steps import attempt, brief, newest, plan_of, told_to
from orchestrations.telling import NEW as OWING
from orchestrations.telling import RUN, VERDICT, catch_up, over, reworded, tell
from shared import permit, refusals, slip, verdict, witness
from shared.plan import Plan
from shared.watch import seen_from_outside

ROUNDS_PER_GENERATION = 6  # Every turn replays the whole generation: short ones cost nothing.
ROUND = timedelta(seconds=1.5)  # So long lasts one for each second of a probe's timeout.
LOAD_PAUSE = timedelta(seconds=10)  # Without a plan nobody says how long a round is.
NEW = {"verdict": None, "record": None, "refusal": "", "told": [], "asked": None, "audited": 0}
NEW |= OWING


def watchdog(context: DurableOrchestrationContext) -> Flow:
    """Watch until this location is the active one.

    Input: {"plan", "location": mine, "memory": what the last generation knew, or null}. It ends
    when the plan is gone or active here; while the plan cannot be read it waits and asks again.
    """
    told = told_to(context)
    memory = {**NEW, **(told.get("memory") or {})}  # An older version's memory has fewer keys.
    known: dict | None = None
    for _ in range(ROUNDS_PER_GENERATION):
        started = context.current_utc_datetime
        loaded = yield from newest(context, told["plan"], known)
        if loaded.get("missing"):
            return {"because": loaded["because"]}
        if loaded["status"] != "succeeded":
            memory = yield from hold(context, told["plan"], loaded["because"], memory)
            continue
        known, plan = loaded, plan_of(loaded)
        if memory["record"] is None:
            memory = yield from recall(context, loaded["plan"], memory)
        if active_in(plan, memory) != told["location"]:
            memory = yield from watch_once(context, plan, loaded, told["location"], memory)
        if active_in(plan, memory) == told["location"]:
            yield from catch_up(context, told["plan"], memory, over(memory), last=True)
            return {"because": f"{told['plan']} is active here: nothing to watch"}
        due = started + timedelta(seconds=plan.watch.every_seconds)
        if due > context.current_utc_datetime:
            yield context.create_timer(due)
    context.continue_as_new({**told, "memory": memory})
    return None


def hold(context: DurableOrchestrationContext, plan: str, because: str, memory: dict) -> Flow:
    """A round without a plan: what is known is kept, so that a hiccup of storage costs a round."""
    reason = refusals.key("load_plan", because)
    memory = yield from refuse(context, plan, "plan cannot be loaded", because, reason, memory)
    memory = yield from catch_up(context, plan, memory)
    yield context.create_timer(context.current_utc_datetime + LOAD_PAUSE)
    return memory


def recall(context: DurableOrchestrationContext, document: dict, memory: dict) -> Flow:
    """Ask the witness who is active: home may be the standby by now."""
    asked = {"plan": document["name"], "witness": document["witness"]}
    known = yield from attempt(context, "read_witness", asked, attempts_max=1)
    return {**memory, "record": known.get("record")}


def watch_once(
    context: DurableOrchestrationContext, plan: Plan, loaded: dict, here: str, memory: dict
) -> Flow:
    """One round: look, judge, act if allowed, tell, write down. Gives the new memory."""
    active, began = active_in(plan, memory), context.current_utc_datetime
    seen = yield from look(context, plan, loaded["plan"], active)
    record = seen["record"] or memory["record"]
    if record and record["active"] == here:
        return {**memory, "record": record}
    now = context.current_utc_datetime
    was = memory["verdict"]
    judged = verdict.judge(
        seen["observations"], seen["controls"], was, loaded["plan"]["watch"], now
    )
    memory = {**memory, "verdict": judged, "record": record}
    if judged["state"] == "healthy":  # What is refused from now on is another story.
        memory = {**memory, "refusal": "", "told": []}
    if judged["state"] == "lost":
        # A probe that was lost must not cost a whole round now. Where a process has died in the
        # round, and another one went on, what was read is of before.
        if seen["record"] is None or now - began > ROUND * plan.watch.timeout_seconds:
            seen = {**seen, **(yield from read_again(context, loaded["plan"]))}
        memory = yield from take_over(context, loaded, here, active, memory, seen)
    if was is None or was["state"] != judged["state"]:
        title = f"{active} is {judged['state']}"
        memory = yield from tell(context, plan.name, VERDICT, title, judged["because"], memory)
    memory = yield from catch_up(context, plan.name, memory, over(memory))
    yield from write_down(context, plan.name, here, active, memory, seen)
    known = memory["audited"]
    known = yield from write_behind(context, loaded["plan"], seen["record"], known)
    return {**memory, "audited": known}


def read_again(context: DurableOrchestrationContext, document: dict) -> Flow:
    """{"record", "serverTime"} of the witness, of now; both None while it is silent."""
    asked = {"plan": document["name"], "witness": document["witness"]}
    known = yield from attempt(context, "read_witness", asked, attempts_max=1)
    good = known if known["status"] == "succeeded" else {}
    return {key: good.get(key) for key in ("record", "serverTime")}


def active_in(plan: Plan, memory: dict) -> str:
    """Who is active, as far as this watchdog knows: home, as long as nobody has claimed."""
    return memory["record"]["active"] if memory["record"] else plan.home


def look(context: DurableOrchestrationContext, plan: Plan, document: dict, active: str) -> Flow:
    """Ask every observer and every control at once; they never raise and are bounded in time."""
    common = {
        "plan": seen_from_outside(document),
        "location": active,
        "witness": document["witness"],
        "timeoutSeconds": plan.watch.timeout_seconds,
    }
    asks = [context.call_activity(OBSERVERS[kind], common) for kind in plan.watch.observers]
    asks.append(context.call_activity("control_arm", common))
    asks += [
        context.call_activity("control_http", {**common, "url": url}) for url in plan.watch.controls
    ]
    try:
        answers = yield context.task_all(asks)
    # Observers answer whatever happens to them; what arrives here is the host's own trouble, and
    # a watchdog that died of it would forget what it had counted.
    except Exception as surprise:
        answers = [{"observation": {"kind": "host", "ok": None, "because": brief(surprise)}}]
    known = next((a for a in answers if a.get("record")), {})
    return {
        "observations": [a["observation"] for a in answers if "observation" in a],
        "controls": [a["control"] for a in answers if "control" in a],
        "record": known.get("record"),
        "serverTime": known.get("serverTime"),
    }


OBSERVERS = {
    "health": "observe_health",
    "gateway": "observe_gateway_status",
    "trafficManager": "observe_traffic_manager",
    "lease": "observe_lease",
    "controlPlane": "observe_control_plane",
}


def take_over(
    context: DurableOrchestrationContext,
    loaded: dict,
    here: str,
    active: str,
    memory: dict,
    seen: dict,
) -> Flow:
    """Ask for permission; when it is given, reserve the run at the witness and send its slip.

    `seen`: with the `record` of this very round, or None: an older one says nothing of the lease.
    That is judged by `serverTime`, storage's own: a clock that is slow here would wait too long.
    """
    document, judged, record = loaded["plan"], memory["verdict"], seen["record"]
    now, about = context.current_utc_datetime, (loaded["plan"]["name"], "failover refused")
    there = datetime.fromisoformat(seen["serverTime"]) if seen.get("serverTime") else now
    if waiting(memory, here, there):
        paper = promised(loaded, memory)
        if asleep(memory, paper):
            return memory
        return (yield from send(context, document["name"], here, paper, memory))
    answer = permit.allow(judged, record, document, here, there, "watchdog", "forced")
    asks = answer["needs"] == "approval"  # Nothing else stands in the way: a person decides.
    if not answer["allowed"] and not asks:
        reason = refusals.key(answer["reason"])
        return (yield from refuse(context, *about, answer["because"], reason, memory))
    epoch = record["epoch"] if record else 0
    paper = slip.first(
        run=f"{document['name']}-{epoch + 1}-{now:%Y%m%dT%H%M%SZ}",
        plan=document["name"],
        digest=loaded["digest"],
        mode="forced",
        source=active,
        target=here,
        reason=judged["because"],
        by=f"{witness.WATCHDOG} in {here}",
        now=now,
        facts={"detectedAt": now.isoformat(), "suspectedSince": judged["since"]},
    )
    payload = {"slip": paper, "witness": document["witness"]}
    if asks:
        payload["approvalMinutes"] = document["approvalMinutes"]
    reserved = yield from attempt(context, "reserve_run", payload)
    if reserved["status"] != "succeeded":
        reason = refusals.key("reserve_run", reserved["because"])
        return (yield from refuse(context, *about, reserved["because"], reason, memory))
    title = "failover asks for approval" if asks else "failover started"
    return (yield from send(context, document["name"], here, paper, memory, title))


def waiting(memory: dict, here: str, now: datetime) -> bool:
    """Is a run to this location, reserved by whomever, still waiting for its first stage?

    Then its slip is sent again: had the first been lost, nobody else would ever send it, and had
    it not, duplicate detection and the instance id make the second one harmless.
    """
    run = memory["record"]["run"] if memory["record"] else None
    return bool(
        run and run["to"] == here and run["phase"] == "requested" and witness.in_progress(run, now)
    )


def asleep(memory: dict, paper: dict) -> bool:
    """Was this slip sent well, and does its run wait for a person? Once is enough then."""
    approval = memory["record"]["run"]["approval"]
    wanted = bool(approval) and approval["state"] == "wanted"
    return wanted and memory["asked"] == paper and not memory["refusal"]


def promised(loaded: dict, memory: dict) -> dict:
    """The slip of the run that waits: the one that was sent, or another like it.

    Whoever reserved it may have died before sending, or may be an earlier life of this watchdog.
    """
    run, asked = memory["record"]["run"], memory["asked"]
    if asked and asked["run"] == run["id"]:
        return asked
    facts = {"suspectedSince": memory["verdict"]["since"]}
    return slip.of_run(run, plan=loaded["plan"]["name"], digest=loaded["digest"], facts=facts)


def send(
    context: DurableOrchestrationContext,
    plan: str,
    here: str,
    paper: dict,
    memory: dict,
    title: str = "failover started",
) -> Flow:
    payload = {"slip": paper, "queue": slip.queue(paper), "location": here}
    sent = yield from attempt(context, "send_slip", payload)
    if sent["status"] != "succeeded":
        reason = refusals.key("send_slip", sent["because"])
        memory = {**memory, "asked": paper}
        return (yield from refuse(context, plan, "slip not sent", sent["because"], reason, memory))
    if memory["asked"] != paper:
        memory = yield from tell(context, plan, RUN, title, paper["reason"], memory)
    return {**memory, "asked": paper, "refusal": ""}


def refuse(
    context: DurableOrchestrationContext,
    plan: str,
    title: str,
    because: str,
    reason: str,
    memory: dict,
) -> Flow:
    """Note why nothing was done, and say it once per reason: the words change in every round.

    A reason that the webhook did not take is owed: `catch_up` tells it in a later round.
    """
    known = refusals.told(memory["told"], reason)
    if known is not memory["told"]:
        memory = yield from tell(context, plan, reason, title, because, memory)
    memory = reworded(memory, reason, title, because)
    return {**memory, "refusal": because, "told": known}


def write_down(
    context: DurableOrchestrationContext,
    plan: str,
    here: str,
    active: str,
    memory: dict,
    seen: dict,
) -> Flow:
    """Keep the watch state where the HTTP API and the APIM pipeline can read it."""
    state = {
        "plan": plan,
        "location": here,
        "watches": active,
        "verdict": memory["verdict"],
        "at": context.current_utc_datetime.isoformat(),
        "observations": seen["observations"],
        "controls": seen["controls"],
        "refusal": memory["refusal"],
        "asked": memory["asked"]["run"] if memory["asked"] else None,
    }
    context.set_custom_status({"verdict": memory["verdict"]["state"], "watches": active})
    yield from attempt(context, "write_watch", {"watch": state}, attempts_max=1)
