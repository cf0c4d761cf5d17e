"""Peer: what the app of the other location says of itself, when the witness is silent."""

from datetime import datetime

from shared import probe, store, witness
from shared.outcome import refused, skipped, succeeded
from shared.reply import Unreachable

SECONDS_MAX = 3.0


def ask_peer(payload: dict) -> dict:
    """Does the app in `location` vouch that it has not claimed `plan` (the plan's document)?

    Safe to repeat: one GET of its health, sick or well. Silence vouches for nothing.
    """
    document, there = payload["plan"], payload["location"]
    url = f"{document['locations'][there]['app'].rstrip('/')}/api/health"
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
    held = store.read_claim(payload["plan"])
    if held and held["epoch"] > payload["epoch"]:
        return refused(f"a claim of epoch {held['epoch']} has begun here")
    store.write_claim(payload["plan"], {"epoch": payload["epoch"], "mine": False})
    return succeeded()


def settle_claim(payload: dict) -> dict:
    """Vouch again where the claim noted here has come to nothing, as `record` shows at `now`.

    A witness that was silent throughout leaves the note behind, for it never said no. Only what
    the record proves: that the run has ended, that its reservation is too old to claim with, or
    that a later epoch is another's. Safe to repeat: a note that is settled stays so.
    """
    record, held = payload["record"], store.read_claim(payload["plan"])
    if held is None or not held["mine"]:
        return skipped("no claim is noted here")
    if record["active"] == payload["location"]:
        return skipped("the claim noted here is the active one")
    run, known = record["run"], held.get("run", "")
    own = run is not None and run["id"] == known
    old = own and not witness.in_progress(run, datetime.fromisoformat(payload["now"]))
    if not (record["epoch"] >= held["epoch"] or witness.ended(record, known) or old):
        return refused(f"the claim of {known or 'an older version'} may still be under way")
    store.write_claim(payload["plan"], {**held, "mine": False})
    return succeeded(f"the claim of epoch {held['epoch']} came to nothing")
