"""Readiness: look at everything that a failover would need, side by side and within a bound.

Like the desk it asks its neighbours, because what it knows is what they know together; what that
means is `shared.readiness`'s to say.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial

from activities import observers, readiness_flows, readiness_world, traffic, witness
from activities.readiness_gateway import backends, backup, not_in_backup, overlay, standing
from shared import clients, halves, one_look, outbox, probe, readiness, store
from shared.kinds import KINDS
from shared.outcome import refused, succeeded
from shared.plan import LogicWorkflow, Plan
from shared.plan_kinds_web import LogicAppWorkflow
from shared.post import RELAY
from shared.reply import Surprise, Unreachable, brief
from shared.resource_ids import group_of
from shared.settings import settings

SECONDS_MAX = 12.0
ORDER_SECONDS = 10.0  # Somebody waits for the answer.
LOOK_SECONDS = 5.0
THREADS = 16
QUEUE = "slip-claim"
KEPT_SECONDS = 20.0
_KEPT: dict[tuple[str, str], tuple[float, dict]] = {}  # (plan, location) -> when, what
Look = Callable[[], list[dict]]
Assess = Callable[[dict, str], dict]  # As `assess`, of a plan and where it would go.
OF_GATEWAY = {
    "gateway": standing,
    "overlay": overlay,
    "backup": backup,
    "backends": backends,
    "notInBackup": not_in_backup,
    "restoreTime": readiness_world.restore_time,
}


def assess_readiness(payload: dict) -> dict:
    """Could `plan` (the document) fail over to `location` now? Facts `ready`, `checks`, `at`.

    Of the checks only those that are not ok, and not too many. `own`: only what nobody but this
    location's app can see. Safe to repeat: reads.
    """
    own = payload.get("own", False)
    found = readiness.brief(assess(payload["plan"], payload["location"], own=own))
    return succeeded(**found)


def recent(document: dict, to: str) -> dict:
    """What `assess` gives, at most KEPT_SECONDS old: pages that are looked at often cost one."""
    known = _KEPT.get((document["name"], to))
    if known and time.monotonic() - known[0] < KEPT_SECONDS:
        return known[1]
    found = assess(document, to)
    _KEPT[document["name"], to] = (time.monotonic(), found)
    return found


def remembered(document: dict, to: str) -> dict | None:
    """What was last seen, however long ago (`at`): for pages about many plans at once."""
    known = _KEPT.get((document["name"], to))
    if known:
        return known[1]
    kept = store.read_readiness(document["name"])
    if kept is None or kept["location"] != to:
        return None
    return {key: kept[key] for key in ("ready", "because", "checks", "at")}


def forget() -> None:
    """Look anew at the next call."""
    _KEPT.clear()


def hindrance(document: dict, to: str, look: Assess | None = None) -> dict | None:
    """Why a graceful run to `to` must not begin: {"because", "checks"}; None when it may.

    It asks the location that it leaves for its lease, so that one has to answer. `look`: instead
    of one that is made now, for who orders nothing yet.
    """
    source = Plan.model_validate(document).other(to)
    told = {"plan": document, "location": source, "timeoutSeconds": LOOK_SECONDS}
    with ThreadPoolExecutor(1, thread_name_prefix="readiness") as pool:
        asked = pool.submit(observers.observe_health, told)
        found = look(document, to) if look else assess(document, to, ORDER_SECONDS)
        seen = asked.result()["observation"]
    if seen["ok"] is not True:
        return {"because": f"{source} does not answer well ({seen['because']})", "checks": []}
    if found["ready"]:
        return None
    failing = [one for one in found["checks"] if one["status"] == "fail"]
    return {"because": f"{to} is not ready: {found['because']}", "checks": failing}


def warnings(document: dict, to: str) -> list[str]:
    """What a person who forces the plan to `to` should know, as far as it is known already.

    A forced run waits for nobody's look.
    """
    known = _KEPT.get((document["name"], to))
    if known is None:
        return []
    old = time.monotonic() - known[0]
    return [f"{words} (seen {old:.0f} s ago)" for words in readiness.failures(known[1]["checks"])]


def assess(document: dict, to: str, seconds: float = SECONDS_MAX, own: bool = False) -> dict:
    """{"ready", "because", "checks", "at"}, every check; answers within about `seconds`.

    What is not seen by then fails, or is a warning where only the active side was asked. `own`:
    no check but what only the app in `to` can see.
    """
    plan, started = Plan.model_validate(document), time.monotonic()
    safe = one_look.anew(_safe)
    askers = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="readiness")
    try:
        asked = [
            (name, component, askers.submit(safe, name, component, to, look))
            for name, component, look in (_own(plan, to) if own else _looks(plan, document, to))
        ]
        futures = [future for _, _, future in asked]
        wait(futures, timeout=max(0.1, seconds - (time.monotonic() - started)))
        rows = [
            row for name, part, future in asked for row in _said(name, part, to, future, seconds)
        ]
    finally:
        askers.shutdown(wait=False, cancel_futures=True)  # What hangs is left to its own bounds.
    shown = [row for row in rows if row["name"] in readiness.OWN] if own else rows
    return readiness.summed(shown, datetime.now(UTC))


def _own(plan: Plan, to: str) -> list[tuple[str, str, Look]]:
    """(name, component, look) of what finds what only the app in `to` can see."""
    looks: list[tuple[str, str, Look]] = [
        ("permissions", readiness.WHOLE, partial(readiness_world.permissions, plan, to))
    ]
    for part in plan.components:
        check = KINDS[part.kind].get("check")
        if check and check.own:
            looks.append(("check", part.name, partial(_checked, plan, part.name, to, [])))
    return looks


def _looks(plan: Plan, document: dict, to: str) -> list[tuple[str, str, Look]]:
    """(name, component, look) of everything to be seen."""
    whole = readiness.WHOLE
    looks: list[tuple[str, str, Look]] = [
        ("witness", whole, partial(_witness, document, to)),
        ("app", whole, partial(_app, document, to)),
        ("slips", whole, partial(_slips, to)),
        ("resourceGroup", whole, partial(_groups, plan, to)),
        ("permissions", whole, partial(readiness_world.permissions, plan, to)),
        ("clock", whole, partial(readiness_world.record, document, to)),
        ("slipsApart", whole, partial(readiness_world.namespaces, plan, to)),
        ("quota", whole, partial(readiness_world.quota, plan, to)),
    ]
    flows: dict[str, list[LogicWorkflow]] = {}
    groups = flow_groups(plan, to)
    for part in plan.components:
        seen = plan.component(part.name, to)
        if isinstance(part, LogicWorkflow):
            flows.setdefault(group_of(seen["resource"]), []).append(part)
        elif part.kind == "apiManagement":
            for what, look in OF_GATEWAY.items():
                looks.append((what, part.name, partial(look, plan, part.name, to)))
        elif part.kind == "trafficManager":
            looks.append(("endpoint", part.name, partial(_traffic, plan, part.name, to)))
            looks.append(("ttl", part.name, partial(readiness_world.profile, plan, part.name, to)))
        if "check" in KINDS[part.kind]:
            looks.append(("check", part.name, partial(_checked, plan, part.name, to, groups)))
    for job, names in halves.jobs(plan.components).items():
        looks.append(("schedule", job, partial(readiness_flows.schedule, plan, job, names, to)))
    for group, parts in flows.items():
        look = partial(readiness_flows.flows, plan, group, parts, to)
        looks.append(("state", parts[0].name, look))
    return looks


def _safe(name: str, component: str, to: str, look: Look) -> list[dict]:
    """One look; that nobody answers is a check that fails."""
    try:
        return look()
    except Surprise as silent:
        return [readiness.check(component, to, name, "fail", brief(str(silent)), "look again")]


def _said(name: str, component: str, to: str, future: Future, seconds: float) -> list[dict]:
    if not future.done():
        words = f"not seen within {seconds:g} s"
        return [readiness.check(component, to, name, "fail", words, "look again")]
    broke = future.exception()
    if broke is not None:
        words = brief(f"{type(broke).__name__}: {broke}")
        return [readiness.check(component, to, name, "fail", words, "see the app's log")]
    return future.result()


def _witness(document: dict, to: str) -> list[dict]:
    known = witness.read_witness({"plan": document["name"], "witness": document["witness"]})
    words = "can be read"
    if known["status"] == "succeeded":
        words = f"can be read: epoch {known['record']['epoch']}"
    outcome = {**known, "because": known["because"] or words}
    return [readiness.seen(readiness.WHOLE, to, "witness", outcome, "nobody moves without it")]


def _app(document: dict, to: str) -> list[dict]:
    """The standby's own health, and that it knows itself to be the standby."""
    url = f"{document['locations'][to]['app'].rstrip('/')}/api/health"
    try:
        reply = probe.call("GET", url, LOOK_SECONDS)
        words = f"health answered {reply.status}"
        outcome = succeeded(words) if reply.status == 200 else refused(words)
    except Unreachable as silent:
        return [readiness.seen(readiness.WHOLE, to, "app", refused(str(silent)), "start the app")]
    row = readiness.seen(readiness.WHOLE, to, "app", outcome, "see its /api/health")
    body = reply.body if isinstance(reply.body, dict) else {}
    vouched = document["name"] in (body.get("unclaimed") or [])
    words = "knows that another location is active"
    if not vouched:
        words = "does not say that it has given up what it claimed: its heartbeat is late"
    status = "ok" if vouched else "warn"
    fix = "see that its heartbeat runs"
    return [row, readiness.check(readiness.WHOLE, to, "vouches", status, words, fix)]


def _slips(to: str) -> list[dict]:
    # In another location's namespace this app may receive from the relay alone.
    queue = QUEUE if to == settings().location else f"slip-{RELAY}"
    outbox.peek(to, queue)
    return [readiness.check(readiness.WHOLE, to, "slips", "ok", f"{queue} answers")]


def _traffic(plan: Plan, name: str, to: str) -> list[dict]:
    active = plan.other(to)
    task = {"component": plan.component(name, active), "location": active}
    return [readiness.traffic(name, to, traffic.observe_traffic(task))]


def _checked(plan: Plan, name: str, to: str, groups: list[str]) -> list[dict]:
    """What the kind's own `check` finds: its `checks`, {"name", "status", "because", "fix"}.

    `groups`: as `flow_groups` gives them.
    """
    from activities import BY_NAME  # The table of all activities: this one is in it too.

    away = plan.other(to)
    part = {**plan.component(name, to), "other": plan.component(name, away)}
    activity = BY_NAME[KINDS[part["kind"]]["check"].activity]
    told = {"plan": plan.name, "location": to, "away": away, "component": part}
    if part["kind"] == "integrationAccount":
        told["sites"] = flow_sites(plan, to)
    outcome = activity({**told, "groups": groups})
    if outcome["status"] != "succeeded":
        return [readiness.seen(name, to, "check", outcome, outcome.get("fix", "look again"))]
    return [
        readiness.check(name, to, one["name"], one["status"], one["because"], one["fix"])
        for one in outcome["checks"]
    ]


def flow_groups(plan: Plan, to: str) -> list[str]:
    """The resource groups in which the plan has workflows in `to`, each once."""
    flows = [part.name for part in plan.components if isinstance(part, LogicWorkflow)]
    return list(dict.fromkeys(group_of(plan.component(name, to)["resource"]) for name in flows))


def flow_sites(plan: Plan, to: str) -> list[str]:
    """The Standard logic apps in which the plan has workflows in `to`, each once."""
    flows = [part.name for part in plan.components if isinstance(part, LogicAppWorkflow)]
    return list(dict.fromkeys(plan.component(name, to)["resource"] for name in flows))


def _groups(plan: Plan, to: str) -> list[dict]:
    """Where ARM sends what changes the resources of a failover to `to`."""
    groups: dict[str, str] = {}
    for part in plan.components:
        resource = plan.component(part.name, to).get("resource")
        if resource:
            groups.setdefault(group_of(resource), part.name)
    rows = []
    for group, component in groups.items():
        reply = clients.ask("GET", group)
        place = str(reply.document.get("location", "")) if reply.ok else None
        words = group.rsplit("/", 1)[-1]
        rows.append(readiness.group(component, to, words, place, plan.other(to)))
    return rows
