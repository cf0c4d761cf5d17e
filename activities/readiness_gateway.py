"""Readiness of a gateway: what is seen of the standby's, the active one's and their backups."""

from datetime import UTC, datetime
from functools import partial

from activities import apim_backups, configuration, gateway, pipeline
from shared import clients, named_values, probe, readiness
from shared import not_in_backup as carried
from shared import overlay as overlays
from shared.outcome import refused
from shared.plan import Plan
from shared.reply import Surprise, brief

LOOK_SECONDS = 5.0
NOT_IN_BACKUP = "notInBackup"
MARK_SECONDS = 5.0  # The configuration of a gateway is many reads; without it age must do.


def standing(plan: Plan, name: str, to: str) -> list[dict]:
    """Is the standby's gateway there, and of the active one's tier?"""
    mine = pipeline.check_gateway({"component": plan.component(name, to)})
    active = {"component": plan.component(name, plan.other(to))}
    try:
        theirs = probe.within(LOOK_SECONDS, partial(pipeline.check_gateway, active))
    except Surprise as silent:
        theirs = refused(brief(str(silent)))
    return readiness.gateway(name, to, mine, theirs)


def overlay(plan: Plan, name: str, to: str) -> list[dict]:
    """Does it have its own backends and named values, and can secrets of vaults be read there?"""
    part = plan.component(name, to)
    rows = [
        readiness.overlay(name, to, gateway.observe_gateway({"component": part, "location": to}))
    ]
    found = gateway.listed(part, "namedValues")
    if isinstance(found, str):
        return rows  # The look before says so.
    told = [
        readiness.check(name, to, "overlay", status, f"named value {words}", fix)
        for status, words, fix in named_values.amiss(part, to, found)
    ]
    return [*(row for row in rows if row["status"] != "ok" or not told), *told]


def backends(plan: Plan, name: str, to: str) -> list[dict]:
    """Would a backend of it, beside those that its overlay sets, lead into the other location?"""
    part = plan.component(name, to)
    rows = gateway.listed(part, "backends")
    if isinstance(rows, str):
        return [readiness.check(name, to, "backends", "fail", rows, "deploy it")]
    laid = overlays.owned(part)["backends"]
    foreign = overlays.foreign(part, to, rows, but=set(laid))
    words = "; ".join(foreign[:5]) or f"none of {len(rows)} leads into the other location"
    fix = "give it a value of this location's own in the overlay, or a place in a pool's reserve"
    return [readiness.check(name, to, "backends", "fail" if foreign else "ok", words, fix)]


def not_in_backup(plan: Plan, name: str, to: str) -> list[dict]:
    """Has it what no backup brings? By name what it lacks, and what the plan says nothing of."""
    part = plan.component(name, to)
    declared = part.get("notInBackup", [])
    reply = clients.ask("GET", part["resource"])
    if not reply.ok:
        return []  # The check `gateway` says so.
    rows = [
        readiness.check(name, to, NOT_IN_BACKUP, "fail", words, "bring it there")
        for words in carried.unmet(declared, to, reply.document)
    ]
    silent = ", ".join(carried.undeclared(declared))
    if silent:
        words = f"no backup carries {silent}, and the plan does not say how they come there"
        fix = "declare each in notInBackup of the gateway, and how it is provided"
        rows.append(readiness.check(name, to, NOT_IN_BACKUP, "warn", words, fix))
    words = "what no backup carries is declared, and there where it can be seen"
    return rows or [readiness.check(name, to, NOT_IN_BACKUP, "ok", words)]


def backup(plan: Plan, name: str, to: str) -> list[dict]:
    """Is there a proven backup for it, and of what age?"""
    active = plan.component(name, plan.other(to))
    told = {"plan": plan.name, "component": active, "target": active["backups"][to]}
    listed = apim_backups.list_manifests(told)
    mark = None
    try:
        taken = probe.within(MARK_SECONDS, partial(configuration.fingerprint_gateway, told))
        mark = taken.get("fingerprint")
    except Surprise:
        mark = None  # Its age alone must do; the check says so.
    now, rpo = datetime.now(UTC), plan.objectives.rpo_seconds
    return [readiness.backup(name, to, listed, active["resource"], mark, rpo, now)]
