"""Readiness of what a plan stands on: profiles, permissions, clocks, namespaces, the last drill."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from activities import apim_backups, witness
from shared import clients, probe, readiness, readiness_world
from shared.plan import LogicWorkflow, Plan
from shared.plan_parts import ApiManagement
from shared.reply import Surprise, Unreachable, brief
from shared.resource_ids import parts
from shared.settings import settings

LOOK_SECONDS = 5.0
NAMESPACES = ("microsoft.servicebus/namespaces", "microsoft.eventhub/namespaces")


def profile(plan: Plan, name: str, to: str) -> list[dict]:
    """Do the profile's TTL, probe and arithmetic fit the plan?"""
    part = plan.component(name, to)
    id = parts(part["resource"])
    reply = clients.answer(clients.traffic(id.subscription).profiles.get, id.group, id.name)
    if not reply.ok:
        return []  # The check `endpoint` says so.
    gateways = [one.probe for one in plan.components if isinstance(one, ApiManagement)]
    paths = [readiness_world.GATEWAY_STATUS, *gateways] if gateways else []
    rto = plan.objectives.rto_seconds
    return readiness_world.profile(name, to, reply.properties, part["ttlSeconds"], paths, rto)


def permissions(plan: Plan, to: str) -> list[dict]:
    """May the app in `to`, which would carry the run, do what it calls? Only it can ask."""
    if settings().location != to:
        row = readiness.unseen("permissions", to)
        return [{"component": readiness.WHOLE, "location": to, **row}]
    rows, own = [], readiness_world.readable(plan, to)
    for group, actions in readiness_world.wanted(plan, to).items():
        held, because = None, ""
        try:
            held, because = _held(group, own.get(group, []))
        except Surprise as silent:
            because = brief(str(silent))
        rows.append(readiness_world.permitted(to, group, actions, held, because))
    return rows


def _held(group: str, own: list[str]) -> tuple[list[dict] | None, str]:
    """This app's permissions in a resource group, or None and why they cannot be read.

    `own`: resources of the plan there.
    """
    url = f"{group}/providers/Microsoft.Authorization/permissions"
    reply = clients.ask("GET", url, bounds=clients.HURRIED)
    if reply.ok:
        return reply.document.get("value", []), ""
    # To read them is itself a permission. Who has roles at single resources cannot see the group
    # either; who may not even see those has none there.
    if reply.status == 403 and _barred(group) and any(map(_barred, own)):
        return [], ""
    return None, brief(reply.words)


def _barred(id: str) -> bool:
    return clients.ask("GET", id, bounds=clients.HURRIED).status == 403


def record(document: dict, to: str) -> list[dict]:
    """The clocks against the witness's, and when the plan was last moved."""
    known = witness.read_witness({"plan": document["name"], "witness": document["witness"]})
    if known["status"] != "succeeded":
        return []  # The check `witness` says so.
    now = datetime.now(UTC)
    there = datetime.fromisoformat(known["serverTime"])
    skews = {settings().location: (now - there).total_seconds()}
    if to != settings().location:
        skews |= _other_clock(document, to, now - there)
    rows = [readiness_world.clock(to, skews)]
    return [*rows, readiness_world.drilled(to, known["record"], now)]


def _other_clock(document: dict, to: str, skew: timedelta) -> dict[str, float]:
    """How far the standby's app is ahead, by the Date of its answer; nothing when it is silent."""
    url = f"{document['locations'][to]['app'].rstrip('/')}/api/health"
    try:
        told = probe.call("GET", url, LOOK_SECONDS).headers.get("date", "")
        there = parsedate_to_datetime(told)
    except (Unreachable, ValueError):
        return {}  # The check `app` says that it is silent; without a Date there is nothing to say.
    return {to: (there - datetime.now(UTC) + skew).total_seconds()}


def namespaces(plan: Plan, to: str) -> list[dict]:
    """Are the slip namespaces none that the plan moves?"""
    moved = [
        resource.rsplit("/", 1)[-1]
        for part in plan.components
        for location in plan.locations
        if (resource := str(plan.component(part.name, location).get("resource", "")))
        and any(f"/providers/{kind}/" in resource.lower() for kind in NAMESPACES)
    ]
    known = settings().slips.values()
    names = [_host(one).partition(".")[0] for one in known]
    return [readiness_world.slips_apart(to, names, moved)]


def _host(slips: str) -> str:
    """The host name in a namespace's setting; of a connection string nothing else is looked at."""
    return slips.partition("://")[2].partition("/")[0] if "Endpoint=" in slips else slips


def restore_time(plan: Plan, name: str, to: str) -> list[dict]:
    """How long do restores take, beside how often backups are made?"""
    from croniter import croniter

    active = plan.component(name, plan.other(to))
    told = {"plan": plan.name, "component": active, "target": active["backups"][to]}
    listed = apim_backups.list_manifests(told)
    if listed["status"] != "succeeded":
        return []  # The check `backup` says so.
    cron = settings().backup_schedule
    times = croniter(cron, datetime.now(UTC), second_at_beginning=len(cron.split()) == 6)
    first, second = times.get_next(datetime), times.get_next(datetime)
    row = readiness_world.restore_time(name, to, listed["manifests"], second - first)
    return [row] if row else []


def quota(plan: Plan, to: str) -> list[dict]:
    """Do the workflows fit into the standby's region, their activation into the RTO, and their stop
    on the active side into its lease?"""
    names = [part.name for part in plan.components if isinstance(part, LogicWorkflow)]
    flows = {str(plan.component(name, to)["resource"]) for name in names}
    writes = len(plan.movers())
    rows = readiness_world.quota(to, flows, writes, plan.objectives.rto_seconds)
    away, lease = plan.other(to), plan.witness.lease_seconds
    return [*rows, readiness_world.lease(away, len(plan.exclusive(away)), lease)]
