"""Peer: what the app of the other location says of itself, when the witness is silent."""

from datetime import datetime

from shared import claims, probe, store
from shared.outcome import refused, succeeded
from shared.reply import Unreachable

SECONDS_MAX = 3.0


def ask_peer(payload: dict) -> dict:
    """Does the app in `location` vouch that it has not claimed `plan` (the plan's document)?

    Safe to repeat: one GET of that part of its health, sick or well. Silence vouches for nothing.
    """
    document, there = payload["plan"], payload["location"]
    url = f"{document['locations'][there]['app'].rstrip('/')}/api/health?only=unclaimed"
    try:
        reply = probe.call("GET", url, SECONDS_MAX)
    except Unreachable as error:
        return refused(f"{there} does not answer either: {error}")
    unclaimed = reply.body.get("unclaimed") if isinstance(reply.body, dict) else None
    if isinstance(unclaimed, list) and document["name"] in unclaimed:
        return succeeded(f"{there} vouches that it has not claimed {document['name']}")
    return refused(f"{there} does not vouch: it may have claimed {document['name']}")


def yield_claim(payload: dict) -> dict:
    """Note that `plan` is active elsewhere, at `epoch`: from now on this location may vouch again.

    Safe to repeat: the same bytes. A claim that began since, of a later epoch, stays noted.
    """
    plan, epoch = payload["plan"], payload["epoch"]
    note = {"epoch": epoch, "mine": False}
    return store.change_claim(plan, lambda held: claims.yielded(held, epoch), lambda held: note)


def note_claim(payload: dict) -> dict:
    """Note that `plan` was given back to this location at `epoch`: it vouches for nobody now.

    Safe to repeat: noted once. A claim that is noted already stays.
    """
    note = {"epoch": payload["epoch"], "mine": True}
    return store.change_claim(payload["plan"], claims.taken, lambda held: note)


def settle_claim(payload: dict) -> dict:
    """Vouch again where the claim noted here has come to nothing, as `record` shows at `now`.

    A witness that was silent throughout leaves the note behind, for it never said no. Safe to
    repeat: a note that is settled stays so.
    """
    record, here = payload["record"], payload["location"]
    now = datetime.fromisoformat(payload["now"])
    return store.change_claim(
        payload["plan"],
        lambda held: claims.settled(held, record, here, now),
        lambda held: {**(held or {}), "mine": False},
    )
