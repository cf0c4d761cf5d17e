"""Readiness of workflows: one list of each location's resource group tells of all of them."""

from functools import partial

from shared import arm_calls, clients, probe, readiness, readiness_flows
from shared.plan import LogicWorkflow, Plan
from shared.reply import Surprise
from shared.resource_ids import group_of

LOOK_SECONDS = 5.0


def flows(plan: Plan, group: str, parts: list[LogicWorkflow], to: str) -> list[dict]:
    """All workflows of one resource group: a thousand cost a few requests.

    Whether they wait as they should, are those of the active location, and may play their roles.
    """
    here, away = listed(group), plan.other(to)
    theirs = _theirs(plan, parts, away)
    alone = set(plan.exclusive(to))
    rows: list[dict] = []
    for part in parts:
        seen = here.get(plan.component(part.name, to)["resource"].lower())
        role = "activePassive" if part.name in alone else part.role
        state = None if seen is None else str(seen.get("state", ""))
        rows.append(readiness.workflow(part.name, role, part.trigger, to, state))
        if seen is not None:
            rows += _inside(plan, part, to, seen, theirs)
    halves = [p for p in plan.components if isinstance(p, LogicWorkflow) and p.half]
    own = {plan.component(p.name, to)["resource"].rsplit("/", 1)[-1].lower() for p in halves}
    mine = readiness_flows.named(here, readiness_flows.words_of(plan, to), own)
    other = readiness_flows.named(theirs or {}, readiness_flows.words_of(plan, away), own)
    return [*rows, readiness_flows.same_set(to, mine, None if theirs is None else other)]


def schedule(plan: Plan, job: str, names: list[str], to: str) -> list[dict]:
    """Do the halves of a split job take turns?"""
    found: dict[str, dict] = {}
    for name in names:
        reply = clients.ask("GET", plan.component(name, to)["resource"])
        known = reply.document.get("properties", {}) if reply.ok else {}
        found[name] = known.get("definition") or {}
    return [readiness.schedule(job, to, found)]


def listed(group: str) -> dict[str, dict]:
    """Every workflow of a resource group: id in lower case -> its properties."""
    rows = arm_calls.rows(f"{group}/providers/Microsoft.Logic/workflows")
    return {str(row["id"]).lower(): row.get("properties") or {} for row in rows}


def _theirs(plan: Plan, parts: list[LogicWorkflow], away: str) -> dict[str, dict] | None:
    """The active location's, or nothing where it does not answer in time."""
    groups = {group_of(plan.component(part.name, away)["resource"]) for part in parts}
    found: dict[str, dict] = {}
    try:
        for group in sorted(groups):
            found |= probe.within(LOOK_SECONDS, partial(listed, group))
    except Surprise:
        return None
    return found


def _inside(
    plan: Plan, part: LogicWorkflow, to: str, seen: dict, theirs: dict[str, dict] | None
) -> list[dict]:
    """What its definition and its connections say; a silent side is said once, in `set`."""
    definition = seen.get("definition") or {}
    rows = [readiness_flows.role(part.name, to, part.trigger, part.role, definition)]
    rows += readiness_flows.environment(part.name, to, seen)
    if theirs is not None:
        away = plan.other(to)
        known = theirs.get(plan.component(part.name, away)["resource"].lower())
        mine = readiness_flows.neutral(definition, readiness_flows.words_of(plan, to))
        other = known and readiness_flows.neutral(
            known.get("definition") or {}, readiness_flows.words_of(plan, away)
        )
        rows.append(readiness_flows.definition(part.name, to, mine, other, list(part.differs)))
    group = group_of(plan.component(part.name, to)["resource"])
    used = readiness_flows.connections(part.name, to, group, seen)
    return [*rows, used] if used else rows
