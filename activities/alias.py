"""Geo-DR aliases and replicated namespaces of Service Bus and Event Hubs: point them at a location.

After Microsoft.ServiceBus and Microsoft.EventHub 2026-01-01. A pairing's failover is asked of the
secondary, needs no primary, and goes one way: who was left is emptied and paired anew.
"""

from shared import alias, alias_wire, arm_calls, dryrun
from shared.denials import refusal
from shared.guard import guarded
from shared.outcome import refused, running, skipped, succeeded
from shared.reply import Reply

ASK_SECONDS = 2.0  # Azure calls a failover near-instant; the pairing settles within seconds.
DELETES_MAX = 25  # In one call; the next one goes on.


def observe_alias(payload: dict) -> dict:
    """Who is primary: facts `serving` for `location`, `pending` or `primary`.

    Asked with `dryRun`: `calls`, and what would be lost (`rpoSeconds`). With verb `verify` a
    location that does not serve is refused. Safe to repeat: reads.
    """
    if payload.get("dryRun") and payload.get("verb") == "protect":
        return _foretold(payload)
    seen = _seen(payload)
    if payload.get("dryRun"):
        sent = alias.promotion(payload["component"], payload["location"], _graceful(payload))
        seen["calls"] = {"promote": [sent]}
        seen["would"] = "have its primary in this location"
        if seen["status"] == "succeeded":
            seen |= alias.losing(payload["component"], seen, _graceful(payload))
    if payload.get("verb") == "verify" and seen["status"] == "succeeded" and not seen["serving"]:
        return refused(f"{payload['component']['name']} {seen['because']}", serving=False)
    return seen


@guarded
def promote_alias(payload: dict) -> dict:
    """Make `location` the primary, unless it is. A graceful run waits for what is pending.

    Safe to repeat: a failover in progress is busy, one that is done is skipped.
    """
    part, seen = payload["component"], _seen(payload)
    if seen["status"] != "succeeded":
        return seen
    if seen["serving"]:
        return skipped(f"{seen['because']} already", serving=True)
    no = _hindrance(payload, seen)
    if no:
        return no
    asked = alias.promotion(part, payload["location"], _graceful(payload))
    reply, words = arm_calls.send(payload, asked), f"{seen['because']}, before the failover"
    if part["mode"] == "replication" or not reply.ok:
        return arm_calls.begun(reply, _thing(part), words)
    settled = arm_calls.call("GET", alias.path(part), alias.VERSION)
    return running(arm_calls.whole(settled), ASK_SECONDS, because=words)


@guarded
def protect_alias(payload: dict) -> dict:
    """Make the namespace that was left the secondary: empty it of leftovers, then pair it anew.

    Refused while anything lies in what would be deleted, unless the plan says `leftovers: delete`.
    Safe to repeat: only what is still there is deleted, and a pairing is made once.
    """
    part = payload["component"]
    if part["mode"] == "replication":
        return skipped("the location that was left is the secondary by itself")
    reply = arm_calls.read(alias.path({**part, **part["other"]}), alias.VERSION)
    if not reply.ok:
        return refusal(reply, f"alias {part['alias']} in the namespace that serves")
    seen = alias.alias_of(reply.properties)
    if seen["role"] not in alias.PRIMARY:
        return refused(f"{alias.name_of(part['other']['resource'])} {alias.words_of(seen)}")
    if seen["partner"].lower() == part["resource"].lower() and seen["state"] != "Failed":
        return _settling(part) if seen["state"] == "Accepted" else skipped("is paired already")
    if seen["partner"]:
        return _broken(payload, seen)
    return _cleaned(payload) or _paired(payload)


def _graceful(payload: dict) -> bool:
    return payload.get("mode") == "graceful"


def _thing(part: dict) -> str:
    named = f"alias {part['alias']} at " if part["mode"] == "pairing" else ""
    return f"{named}namespace {alias.name_of(part['resource'])}"


def _seen(payload: dict) -> dict:
    """The outcome of a look at this location's side."""
    part = payload["component"]
    replicated = part["mode"] == "replication"
    reply = arm_calls.read(part["resource"] if replicated else alias.path(part), alias.VERSION)
    if not reply.ok:
        return refusal(reply, _thing(part))
    return _replica(payload, reply) if replicated else _alias(reply)


def _alias(reply: Reply) -> dict:
    seen = alias.alias_of(reply.properties)
    serving = seen["role"] in alias.PRIMARY and seen["state"] == "Succeeded"
    return succeeded(alias.words_of(seen), serving=serving, pending=seen["pending"], alias=seen)


def _replica(payload: dict, reply: Reply) -> dict:
    seen = alias.replica_of(reply.properties)
    if payload["location"] not in seen["places"]:
        there = ", ".join(seen["places"]) or "nowhere else"
        return refused(f"is replicated to {there}: enable geo-replication in {payload['location']}")
    settled = seen["state"] in ("Succeeded", "Active", "")
    serving = seen["primary"] == payload["location"] and settled
    words = f"is primary in {seen['primary']}, {seen['state']}"
    known = {"primary": seen["primary"], "settled": settled, "lagSeconds": seen["lagSeconds"]}
    return succeeded(words, serving=serving, **known)


def _hindrance(payload: dict, seen: dict) -> dict | None:
    if payload["component"]["mode"] == "pairing":
        return alias.not_yet(seen["alias"], _graceful(payload))
    # A forced promotion may overtake a planned one that waits for a dead primary.
    if not seen["settled"] and (_graceful(payload) or seen["primary"] == payload["location"]):
        return refused(f"{seen['because']}: it is being changed", busy=True)
    return None


def _settling(part: dict) -> dict:
    theirs = alias.path({**part, **part["other"]})
    return running(arm_calls.whole(arm_calls.call("GET", theirs, alias.VERSION)), ASK_SECONDS)


def _broken(payload: dict, seen: dict) -> dict:
    """A pairing that has failed is broken, so that the next look can pair anew."""
    part = payload["component"]
    if seen["partner"].lower() != part["resource"].lower():
        return refused(f"{part['alias']} {alias.words_of(seen)}: break that pairing first")
    reply = arm_calls.send(payload, alias.breaking(part))
    if not reply.ok:
        return refusal(reply, _thing(part))
    return refused("the pairing had failed and is broken now; it is paired anew", busy=True)


def _cleaned(payload: dict) -> dict | None:
    """Delete what was left in the old namespace; None when nothing is left."""
    part, left = payload["component"], alias_wire.entities(payload["component"])
    no = _kept(part, left, "")
    if no:
        return refused(no)
    for one in left[:DELETES_MAX]:
        reply = arm_calls.send(payload, alias.removal(part, one))
        if not reply.ok and reply.status != 404:
            return refusal(reply, f"{one['kind']}/{one['name']}")
    more = len(left) - DELETES_MAX
    return refused(f"{more} leftovers are still to be deleted", busy=True) if more > 0 else None


def _kept(part: dict, left: list[dict], own: str) -> str:
    """Why what is left in a namespace is not deleted; empty when it may be, or nothing is left.

    `own`: the alias in it that a failover takes away.
    """
    if not left:
        return ""
    names = alias.shown([one["name"] for one in left])
    if part["leftovers"] == "keep":
        return f"{names} are left in {alias.name_of(part['resource'])}: delete them"
    full = alias.held(left, alias.SORTS[part["kind"]])
    if full and part["leftovers"] != "delete":
        return f"{full}: move them over or say leftovers: delete; left are {names}"
    rows = alias_wire.every(f"{part['resource']}/disasterRecoveryConfigs")
    others = [row for row in rows if str(row.get("name", "")).lower() != own.lower()]
    if any(row.get("properties", {}).get("role") in alias.PRIMARY for row in others):
        return f"{alias.name_of(part['resource'])} is primary of an alias: nothing deleted"
    return ""


def _foretold(payload: dict) -> dict:
    """What `protect` would send for the namespace that is left, as the run will have made it.

    A failover takes the alias away from it and leaves its entities there.
    """
    part = payload["component"]
    if part["mode"] == "replication":
        return succeeded("is replicated by Azure", calls={}, would=dryrun.SAME)
    there = {**part, **part["other"]}
    reply = arm_calls.read(alias.path(there), alias.VERSION)
    if not reply.ok:
        return refusal(reply, _thing(there))
    seen = alias.alias_of(reply.properties)
    words = f"{alias.name_of(there['resource'])} {alias.words_of(seen)}"
    if seen["role"] in alias.PRIMARY and seen["partner"]:
        return succeeded(words, **_kept_pairing(part, seen))
    no = None if seen["role"] in alias.PRIMARY else alias.not_yet(seen, False)
    left = alias_wire.entities(part)
    because = no["because"] if no else _kept(part, left, part["alias"])
    if because:
        return succeeded(words, calls={}, would=f"be refused: {because}")
    calls = [*(alias.removal(part, one) for one in left), alias.pairing(part)]
    would = f"be paired anew{alias.condition(part, left)}"
    return succeeded(words, calls={"protect": calls}, would=would)


def _kept_pairing(part: dict, seen: dict) -> dict:
    """What `protect` would do to a pairing that is there: one that has failed is made anew."""
    if seen["state"] != "Failed":
        return {"calls": {}, "would": dryrun.SAME}
    if seen["partner"].lower() != part["resource"].lower():
        return {"calls": {}, "would": f"be refused: {alias.words_of(seen)}"}
    calls = [alias.breaking(part), alias.pairing(part)]
    return {"calls": {"protect": calls}, "would": "be paired anew: its pairing has failed"}


def _paired(payload: dict) -> dict:
    reply = arm_calls.send(payload, alias.pairing(payload["component"]))
    if not reply.ok:
        return refusal(reply, _thing(payload["component"]))
    return _settling(payload["component"])
