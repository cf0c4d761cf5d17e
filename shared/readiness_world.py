"""Readiness of what a plan stands on: profiles, permissions, clocks, and the time that things take.

Pure: what was seen comes in, checks as shared/readiness.py makes them come out.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from statistics import median

from shared import overlay, pace, witness
from shared.kinds import BOTH_SIDES, KINDS
from shared.permissions import BESIDE, FLOW, HOST, PERMISSIONS
from shared.plan import Plan
from shared.readiness import WHOLE, aged, check
from shared.resource_ids import group_of

SHOWN_MAX = 5
KEPT = 10  # Restores whose time is looked at.
SKEW_SECONDS_MAX = 5.0  # Leases are judged by the storage's clock; people compare logs by this one.
DRILLED_WITHIN = timedelta(days=90)
WORKFLOWS_MAX = 1000  # Per region and subscription (logic-apps-limits-and-config).
GATEWAY_STATUS = "/status-0123456789abcdef"  # What API Management answers for health probes.
MOVED = ("finished",)
LEFT_SHARE = 3 / 8  # Of a lease, when it was not renewed for half of it, and once more tried to.
PEER_SECONDS = 3.0  # A heartbeat that cannot renew waits so long for the other side's word.


def profile(
    name: str, location: str, seen: dict, ttl_seconds: int, paths: Iterable[str], rto_seconds: int
) -> list[dict]:
    """A Traffic Manager profile against the plan: `seen` are its ARM properties.

    `paths`: what a probe may ask of the plan's gateway; none where the plan has no gateway.
    """
    monitor, dns = seen.get("monitorConfig") or {}, seen.get("dnsConfig") or {}
    ttl, path = dns.get("ttl"), str(monitor.get("path") or "/")
    fix = f"set the profile's TTL to the plan's ttlSeconds, {ttl_seconds}"
    words = f"callers keep an answer for {ttl} s, the plan reckons with {ttl_seconds} s"
    rows = [check(name, location, "ttl", "ok" if ttl == ttl_seconds else "warn", words, fix)]
    good = sorted(set(paths))
    if good:
        fits = path in good
        words = f"probes {path}" + ("" if fits else f", which says nothing of {' or '.join(good)}")
        fix = f"let it probe {GATEWAY_STATUS}"
        rows.append(check(name, location, "probePath", "ok" if fits else "warn", words, fix))
    every, patience = monitor.get("intervalInSeconds", 30), monitor.get("timeoutInSeconds", 10)
    misses = monitor.get("toleratedNumberOfFailures", 3)
    # The first failure comes an interval after the loss at the latest, the verdict at one more
    # than tolerated, the callers' answer is as old as the TTL.
    seconds = every * (misses + 1) + patience + (ttl or 0)
    words = f"by itself it moves callers within {seconds} s ({misses} misses of {every} s, TTL)"
    status = "ok" if seconds <= rto_seconds else "warn"
    fix = f"probe every 10 s, tolerate fewer failures or lower the TTL: the RTO is {rto_seconds} s"
    return [*rows, check(name, location, "detection", status, words, fix)]


def permitted(
    location: str,
    group: str,
    wanted: Mapping[str, bool],
    held: list[dict] | None,
    because: str = "",
) -> dict:
    """May this app do there what a run calls? `held`: Microsoft.Authorization/permissions' rows.

    `wanted`: as `wanted` gives it. `because`: why they could not be read. Actions are compared as
    Azure does: `*` stands for anything, notActions take away.
    """
    where = group.rsplit("/", 1)[-1]
    fix = f"deploy infra/access.json into {where}"
    if held is None:
        return check(WHOLE, location, "permissions", "warn", f"{where}: {because}", fix)
    missing = [action for action in wanted if not any(allows(row, action) for row in held)]
    missing.sort(key=lambda action: (not wanted[action], action))
    if missing:
        more = f" and {len(missing) - SHOWN_MAX} more" if len(missing) > SHOWN_MAX else ""
        words = f"not allowed in {where}: {', '.join(missing[:SHOWN_MAX])}{more}"
        status = "fail" if wanted[missing[0]] else "warn"
        return check(WHOLE, location, "permissions", status, words, fix)
    words = f"all that a run calls in {where} is allowed"
    return check(WHOLE, location, "permissions", "ok", words)


def allows(row: dict, action: str) -> bool:
    """Does one row of permissions grant this action?"""
    told = action.lower()

    def any_of(key: str) -> bool:
        return any(fnmatchcase(told, str(one).lower()) for one in row.get(key) or [])

    return any_of("actions") and not any_of("notActions")


def clock(location: str, skews: dict[str, float]) -> dict:
    """Do the clocks agree? `skews`: whose clock -> seconds ahead of the witness storage's."""
    words = ", ".join(f"{who} {seconds:+.1f} s" for who, seconds in sorted(skews.items()))
    far = any(abs(seconds) > SKEW_SECONDS_MAX for seconds in skews.values())
    told = f"against the witness's clock: {words}"
    fix = "leases are safe, times in reports are not: see the host's time"
    return check(WHOLE, location, "clock", "warn" if far else "ok", told, fix)


def drilled(location: str, record: dict, now: datetime) -> dict:
    """When did a run last move the plan to its end?"""
    ends = [t["at"] for t in record["transitions"] if t["what"] in MOVED]
    fix = "move it gracefully there and back: docs/operate.md has a game day"
    if not ends:
        words = "no run has moved this plan yet, as far as its record goes back"
        return check(WHOLE, location, "drill", "warn", words, fix)
    age = now - datetime.fromisoformat(ends[-1])
    status = "ok" if age <= DRILLED_WITHIN else "warn"
    return check(WHOLE, location, "drill", status, f"last moved {aged(age)} ago", fix)


def slips_apart(location: str, slips: Iterable[str], moved: Iterable[str]) -> dict:
    """Is no slip namespace one that the plan itself fails over? Names, without their domain."""
    both = sorted({one.lower() for one in slips} & {one.lower() for one in moved})
    fix = "give the slips namespaces of their own: what moves cannot carry the orders to move it"
    if both:
        words = f"{', '.join(both)} carries the slips and is moved by the plan"
        return check(WHOLE, location, "slipsApart", "fail", words, fix)
    return check(WHOLE, location, "slipsApart", "ok", "the plan does not move its slip namespaces")


def restore_time(
    name: str, location: str, manifests: list[dict], between: timedelta
) -> dict | None:
    """Is a restore done well before the next backup comes? None before any was proven."""
    took = [
        datetime.fromisoformat(m["provenAt"]) - datetime.fromisoformat(m["completedAt"])
        for m in manifests
        if m["provenAt"] and m["completedAt"]
    ]
    if not took:
        return None
    usual = timedelta(seconds=median(one.total_seconds() for one in took[-KEPT:]))
    words = f"a backup is restored and proven within {aged(usual)}, the next is {aged(between)} on"
    status = "ok" if usual * 2 <= between else "warn" if usual < between else "fail"
    fix = "back up less often (BACKUP_SCHEDULE): what is always being restored is no standby"
    return check(name, location, "restoreTime", status, words, fix)


def wanted(plan: Plan, to: str) -> dict[str, dict[str, bool]]:
    """What a failover to `to` calls: resource group -> action -> whether the run itself calls it.

    What it does not is for looks and for people's orders. Its own group's and the other's.
    """
    found: dict[str, dict[str, bool]] = {}
    for kind, part, location in _touched(plan, to):
        needed = [(action, action not in BESIDE.get(kind, ())) for action in _actions(kind)]
        told = [(str(part["resource"]), action, need) for action, need in needed]
        if kind == "apiManagement":
            told += [_callback(link) for link in overlay.callbacks(part, location).values()]
        for resource, action, need in told:
            known = found.setdefault(group_of(resource), {})
            known[action] = need or known.get(action, False)
    return {group: dict(sorted(actions.items())) for group, actions in sorted(found.items())}


def readable(plan: Plan, to: str) -> dict[str, list[str]]:
    """Resource group -> some of the plan's own resources there that the app's roles let it read."""
    found: dict[str, list[str]] = {}
    for kind, part, _ in _touched(plan, to):
        resource = str(part["resource"])
        words = resource.rpartition("/providers/")[2].split("/")
        read = "/".join([words[0], *words[1::2], "read"]).lower()
        known = found.setdefault(group_of(resource), [])
        fits = read in {action.lower() for action in _actions(kind)}
        if fits and resource not in known and len(known) < SHOWN_MAX:
            known.append(resource)
    return found


def _touched(plan: Plan, to: str) -> Iterator[tuple[str, dict, str]]:
    """(kind, component, location) of all in a resource group that a failover to `to` changes."""
    for part in plan.components:
        there = "demote" in KINDS[part.kind] or part.kind in BOTH_SIDES
        for location in (to, plan.other(to)) if there else (to,):
            seen = plan.component(part.name, location)
            if group_of(str(seen.get("resource", ""))).count("/") == 4:
                yield part.kind, seen, location


def _actions(kind: str) -> tuple[str, ...]:
    return PERMISSIONS[kind]["read"] + PERMISSIONS[kind]["act"]


def _callback(link: dict) -> tuple[str, str, bool]:
    """A callback's URL is read where its workflow is."""
    resource = str(link["resource"])
    holder = FLOW if f"/providers/{FLOW}/".lower() in resource.lower() else HOST
    return resource, f"{holder}/triggers/listCallbackUrl/action", True


def quota(location: str, workflows: Iterable[str], writes: int, rto_seconds: int) -> list[dict]:
    """May so many workflows be there, and does ARM let them be started within the RTO?

    `workflows`: their ids there, of which each subscription has a limit of its own. Others in its
    region are not counted: a list of a subscription carries every definition, and the app's roles
    end at resource groups.
    """
    counts = Counter(resource.split("/")[2].lower() for resource in workflows)
    rows = []
    for subscription, count in sorted(counts.items()):
        words = f"{count} workflows of this plan, others not counted, of the {WORKFLOWS_MAX}"
        words = f"{words} that subscription {subscription} may have in {location}"
        status = "ok" if count <= WORKFLOWS_MAX else "fail"
        fix = "spread them over more subscriptions"
        rows.append(check(WHOLE, location, "quota", status, words, fix))
    # ARM has a bucket for each subscription too, but a run paces itself by one for all of them.
    seconds = pace.bound_seconds(writes)
    words = f"{writes} changes take {seconds:.0f} s at least by ARM's token bucket"
    status = "ok" if seconds <= rto_seconds else "fail"
    fix = f"the RTO is {rto_seconds} s: raise it, or let workflows that may overlap run in both"
    return [*rows, check(WHOLE, location, "writes", status, words, fix)]


def lease(location: str, count: int, lease_seconds: int) -> dict:
    """Can an isolated `location` stop its `count` exclusive components before others may claim?

    It steps back when half its lease has passed in silence, the renewal that ends it has waited for
    an eighth, and its peer was asked; each component is looked at and stopped.
    """
    peer = PEER_SECONDS - witness.LEASE_MARGIN_SECONDS
    seconds, left = pace.bound_seconds(count), lease_seconds * LEFT_SHARE - peer
    words = f"cut off, it has {left:.0f} s to stop {count} components that run in one place only"
    words = f"{words}, which take {seconds:.0f} s at least by ARM's token bucket"
    status = "ok" if seconds <= left else "warn"
    enough = math.ceil((seconds + peer) / LEFT_SHARE)
    fix = f"raise witness.leaseSeconds to {enough}, or let what may overlap run in both"
    return check(WHOLE, location, "lease", status, words, fix)
