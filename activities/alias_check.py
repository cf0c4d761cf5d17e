"""Geo-DR aliases and replicated namespaces: would a failover work, and what would it leave behind?

After Microsoft.ServiceBus and Microsoft.EventHub 2026-01-01.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait

from shared import alias, alias_checks, alias_uncarried, alias_wire, arm_calls
from shared.denials import refusal
from shared.outcome import succeeded
from shared.reply import Surprise, brief

TOPICS_MAX = 100  # Whose subscriptions are looked into.
THREADS = 8
LOOKS_MAX = 5  # One thread each, for two of them wait for a third.
# Both from the comparison's begin. Who orders a graceful run waits 10 s for everything
# (`readiness.ORDER_SECONDS`); what is not in by then fails, the pairing too.
ENTITIES_SECONDS_MAX = 6.0
ADVICE_SECONDS_MAX = 4.0  # Of what a failover works without: access, networks, messages.
LATE = "not seen in time"
Shown = list[tuple[str, dict]]  # As `alias_wire.shown` gives it.


def check_alias(payload: dict) -> dict:
    """Would a failover to `location` work? Fact `checks`. Safe to repeat: reads."""
    part = payload["component"]
    mine = arm_calls.read(part["resource"], alias.VERSION)
    if not mine.ok:
        return refusal(mine, f"namespace {alias.name_of(part['resource'])}")
    if part["mode"] == "replication":
        seen = alias.replica_of(mine.properties)
        rows = alias_checks.replication(part, seen, payload["location"], payload["away"])
        return succeeded(checks=[alias_checks.tier(part, [mine.document]), *rows])
    return succeeded(checks=_paired_checks(part, mine.document))


def _paired_checks(part: dict, mine: dict) -> list[dict]:
    reply = arm_calls.read(alias.path(part), alias.VERSION)
    if not reply.ok and reply.status != 404:
        reply.expect()
    seen = alias.alias_of(reply.properties) if reply.ok else None
    rows = alias_checks.pairing(part, seen)
    rows += [alias_checks.subscriptions(part), alias_uncarried.not_replicated(part)]
    try:
        theirs = arm_calls.read(part["other"]["resource"], alias.VERSION).expect().document
        rows.append(alias_checks.apart(mine, theirs))
        rows += _compared(part, mine, theirs, seen is not None)
    except Surprise as silent:  # The secondary can be failed over to all the same.
        theirs, words = None, f"the other namespace cannot be seen: {silent}"
        rows.append(alias_checks.row("regions", "warn", words, "look again when it answers"))
    return [*rows, alias_checks.tier(part, [mine, theirs])]


def _compared(part: dict, mine: dict, theirs: dict, paired: bool) -> list[dict]:
    """What differs between the namespaces, and what lies in the one; asked side by side.

    What is late is a warning: it must not take with it what is known already.
    """
    started = time.monotonic()
    pool = ThreadPoolExecutor(LOOKS_MAX, thread_name_prefix="alias")
    try:
        there = pool.submit(alias_wire.shown, {**part, **part["other"]})
        entities = {"entities": pool.submit(_entities, part, there)} if paired else {}
        advice = {
            "access": pool.submit(_access, part),
            "networks": pool.submit(_networks, part, mine, theirs),
        }
        if alias.SORTS[part["kind"]].counts:  # Of the others `notReplicated` says so.
            advice["messages"] = pool.submit(_messages, part, there)
        wait(advice.values(), timeout=ADVICE_SECONDS_MAX)
        rest = ENTITIES_SECONDS_MAX - (time.monotonic() - started)
        wait(entities.values(), timeout=max(0.0, rest))
        looks = {**entities, **advice}
        told = alias_uncarried.settings(part, mine, theirs)
        return [told, *(_in_time(name, look) for name, look in looks.items())]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # What hangs is left to its own timeouts.


def _in_time(name: str, look: Future[dict]) -> dict:
    """What a look found; a warning where it is late, or could not read something."""
    try:
        return look.result(timeout=0)
    except TimeoutError:
        return alias_uncarried.unseen(name, LATE)
    except Surprise as silent:
        return alias_uncarried.unseen(name, brief(str(silent)))


def _access(part: dict) -> dict:
    mine = alias_wire.grants(part["resource"])
    return alias_uncarried.access(part, mine, alias_wire.grants(part["other"]["resource"]))


def _networks(part: dict, mine: dict, theirs: dict) -> dict:
    rules = alias_wire.rules(part["resource"]), alias_wire.rules(part["other"]["resource"])
    return alias_uncarried.networks(part, mine, theirs, rules)


def _entities(part: dict, there: Future[Shown]) -> dict:
    """Are the entities on both sides? `there`: the primary's."""
    mine = alias_wire.entities(part)
    return alias_checks.drift(mine, [alias.entity(kind, one) for kind, one in there.result()])


def _messages(part: dict, there: Future[Shown]) -> dict:
    """What lies in the primary's entities? Subscriptions that nobody waits for are not asked."""
    known = there.result(timeout=ADVICE_SECONDS_MAX)
    return alias_uncarried.messages(part, *_counts(part["other"]["resource"], known))


def _counts(namespace: str, there: Shown) -> tuple[dict[str, int], int]:
    """(queue or topic/subscription -> messages, topics that were not looked into).

    A topic's own count is of what is scheduled there; what was delivered lies in its subscriptions.
    """
    rows = [(kind, str(one["name"]), one.get("properties") or {}) for kind, one in there]
    counts = {name: alias_uncarried.held(properties) for _, name, properties in rows}
    read = [name for kind, name, told in rows if kind == "topics" and told.get("subscriptionCount")]

    def subscriptions(topic: str) -> list[dict]:
        return alias_wire.every(f"{namespace}/topics/{topic}/subscriptions")

    with ThreadPoolExecutor(THREADS, thread_name_prefix="topics") as pool:
        for topic, found in zip(read, pool.map(subscriptions, read[:TOPICS_MAX]), strict=False):
            for one in found:
                known = one.get("properties") or {}
                counts[f"{topic}/{one['name']}"] = alias_uncarried.held(known)
    return counts, len(read[TOPICS_MAX:])
