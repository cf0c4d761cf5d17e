"""Cosmos DB accounts: write in this location, and take a region that was lost back.

After Microsoft.DocumentDB 2026-03-15. A graceful run changes priorities, which loses nothing; a
forced one takes the write region offline, because a change of priorities needs it alive.
"""

from shared import arm_calls, cosmos, dryrun
from shared.alias import name_of
from shared.denials import refusal
from shared.guard import guarded
from shared.outcome import refused, skipped, succeeded


def observe_cosmos(payload: dict) -> dict:
    """Does the account write in `location`? Facts `serving`, `account`.

    Asked with `dryRun`: `calls`, and what would be lost (`rpoSeconds`). With verb `verify` a
    region that does not write is refused. Safe to repeat: reads.
    """
    outcome = _seen(payload)
    if payload.get("dryRun") and outcome["status"] == "succeeded":
        if payload.get("verb") == "protect":
            return outcome | _return(payload, outcome["account"])
        no = _hindrance(payload, outcome["account"])
        calls = [] if no else [_promotion(payload, outcome["account"])]
        would = f"be refused: {no['because']}" if no else "write in this location"
        outcome |= {"calls": {"promote": calls}, "would": would}
        outcome |= cosmos.losing(outcome["account"], payload["location"], _graceful(payload))
    if payload.get("verb") == "verify" and outcome.get("serving") is False:
        return refused(f"{payload['component']['name']} {outcome['because']}", serving=False)
    return outcome


@guarded
def promote_cosmos(payload: dict) -> dict:
    """Let the account write in `location`, unless it does.

    Safe to repeat: a change in progress is busy, one that is done is skipped.
    """
    outcome = _seen(payload)
    if outcome["status"] != "succeeded":
        return outcome
    if outcome["serving"]:
        return skipped(f"{outcome['because']} already", serving=True)
    seen = outcome["account"]
    no = _hindrance(payload, seen)
    if no:
        return no
    reply = arm_calls.send(payload, _promotion(payload, seen))
    words = f"{outcome['because']}, before the change"
    return arm_calls.begun(reply, _thing(payload["component"]), words)


@guarded
def protect_cosmos(payload: dict) -> dict:
    """Take the region that was left online again, where a forced run took it offline.

    Safe to repeat: a region that is online is left alone.
    """
    outcome = _seen(payload)
    if outcome["status"] != "succeeded":
        return outcome
    seen, part = outcome["account"], payload["component"]
    region = cosmos.own_name(seen, payload["location"])
    if region not in seen["offline"]:
        return skipped(f"{region or payload['location']} is not offline")
    if seen["state"] not in cosmos.SETTLED:
        return refused(f"{outcome['because']}: it is being changed", busy=True)
    reply = arm_calls.send(payload, cosmos.return_of(part["resource"], region))
    return arm_calls.begun(reply, _thing(part), f"{region} was offline")


def check_cosmos(payload: dict) -> dict:
    """Could the account write in `location`? Fact `checks`. Safe to repeat: reads."""
    outcome = _seen(payload)
    if outcome["status"] != "succeeded":
        return outcome
    seen = outcome["account"]
    return succeeded(checks=cosmos.checks(payload["component"], seen, payload["location"]))


def _return(payload: dict, seen: dict) -> dict:
    """What `protect` would send for the region that is left, when the run has moved the writing."""
    left, to = payload["location"], payload["away"]
    region = cosmos.own_name(seen, left)
    forced = not _graceful(payload) and not cosmos.serving(seen, to)
    taken = forced and not cosmos.hindrance(seen, to, left, graceful=False)
    if region not in seen["offline"] and not taken:
        return {"calls": {"protect": []}, "would": dryrun.SAME}
    calls = [cosmos.return_of(payload["component"]["resource"], region)]
    would = "be online again" + (", once the run has taken it offline" if taken else "")
    return {"calls": {"protect": calls}, "would": would}


def _promotion(payload: dict, seen: dict) -> dict:
    resource = payload["component"]["resource"]
    return cosmos.promotion(resource, seen, payload["location"], _graceful(payload))


def _hindrance(payload: dict, seen: dict) -> dict | None:
    away = payload.get("away", "")  # A task of an undo has none: it takes nothing offline.
    return cosmos.hindrance(seen, payload["location"], away, _graceful(payload))


def _graceful(payload: dict) -> bool:
    # What is undone goes back without losing anything, or not at all.
    return payload.get("mode") == "graceful" or payload.get("verb") == "undo"


def _thing(part: dict) -> str:
    return f"Cosmos DB account {name_of(part['resource'])}"


def _seen(payload: dict) -> dict:
    part = payload["component"]
    reply = arm_calls.read(part["resource"], cosmos.VERSION)
    if not reply.ok:
        return refusal(reply, _thing(part))
    seen = cosmos.seen_of(reply.document)
    there = cosmos.serving(seen, payload["location"])
    return succeeded(cosmos.words_of(seen), serving=there, account=seen)
