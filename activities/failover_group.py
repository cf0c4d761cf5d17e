"""Failover groups of SQL servers: make this location's server the primary.

After Microsoft.Sql 2025-01-01. The group's listener follows; when a lost server comes back Azure
makes it the secondary by itself.
"""

from shared import arm_calls, failover_group
from shared.alias import PRIMARY, name_of
from shared.denials import refusal
from shared.guard import guarded
from shared.outcome import refused, skipped, succeeded


def observe_failover_group(payload: dict) -> dict:
    """Is `location`'s server the primary? Facts `serving`, `group`.

    Asked with `dryRun`: `calls`, and what would be lost (`rpoSeconds`). With verb `verify` a
    secondary is refused. Safe to repeat: reads.
    """
    outcome = _seen(payload["component"])
    if payload.get("dryRun"):
        sent = failover_group.failover(payload["component"], _graceful(payload))
        outcome |= {"calls": {"promote": [sent]}, "would": "have its primary in this location"}
        if outcome["status"] == "succeeded":
            outcome |= failover_group.losing(outcome["group"], _graceful(payload))
    if payload.get("verb") == "verify" and outcome.get("serving") is False:
        return refused(f"{payload['component']['name']} {outcome['because']}", serving=False)
    return outcome


@guarded
def promote_failover_group(payload: dict) -> dict:
    """Fail the group over to `location`'s server; a forced run does not wait for replication.

    Safe to repeat: a failover in progress is busy, one that is done is skipped.
    """
    part, outcome = payload["component"], _seen(payload["component"])
    if outcome["status"] != "succeeded":
        return outcome
    if outcome["serving"]:
        return skipped(f"{outcome['because']} already", serving=True)
    no = failover_group.hindrance(outcome["group"], _graceful(payload))
    if no:
        return no
    asked = failover_group.failover(part, _graceful(payload))
    words = f"{outcome['because']}, before the failover"
    return arm_calls.begun(arm_calls.send(payload, asked), _thing(part), words)


def check_failover_group(payload: dict) -> dict:
    """Would a failover to `location` work? Fact `checks`. Safe to repeat: reads."""
    part, outcome = payload["component"], _seen(payload["component"])
    if outcome["status"] != "succeeded":
        return outcome
    found = outcome["group"]
    return succeeded(
        checks=failover_group.checks(part, found, payload["location"], payload["away"])
    )


def _graceful(payload: dict) -> bool:
    # What is undone goes back without losing anything, or not at all.
    return payload.get("mode") == "graceful" or payload.get("verb") == "undo"


def _thing(part: dict) -> str:
    return f"failover group {part['group']} at server {name_of(part['resource'])}"


def _seen(part: dict) -> dict:
    reply = arm_calls.read(failover_group.path(part), failover_group.VERSION)
    if not reply.ok:
        return refusal(reply, _thing(part))
    seen = failover_group.seen_of(reply.document)
    words = failover_group.words_of(seen)
    return succeeded(words, serving=seen["role"] in PRIMARY, group=seen)
