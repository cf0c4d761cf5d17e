"""Witness: read and change the one record that says who is active.

Every change is read, pure transition, write with If-Match; lost against another writer it looks
again, a bounded number of times. A write whose answer was lost is recognised at the repeat: the
transition then gives the record that is there already.
"""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from shared import clients, decisions, handover, resumption, runs, store, witness
from shared.blobs import NEW, Blob, Place, StorageRefused
from shared.outcome import refused, succeeded
from shared.record import fresh, parse
from shared.reply import Surprise, Unreachable

ROUNDS_MAX = 5
REQUESTS_PER_LEASE = 8  # A beat is a read and a write, and there are four beats in a lease.
SECONDS_MIN = 1.0
Change = Callable[[dict, datetime], dict]
LOG = logging.getLogger("understudy.witness")


def read_witness(payload: dict) -> dict:
    """The record of `plan` at `witness`: facts `record`, `etag`, `serverTime` (storage's Date).

    Safe to repeat. The first read of a plan's life writes its first record.
    """
    return _told_if_silent(payload, lambda record, now: record)


def reserve_run(payload: dict) -> dict:
    """Enter the run of `slip` as the one in progress. Safe to repeat: a run reserves once.

    Optional `approvalMinutes`: it waits so long for a person. `evidence`: what a person overrides.
    """
    paper, minutes = payload["slip"], payload.get("approvalMinutes")
    change = partial(
        witness.reserve, approval_minutes=minutes, evidence=payload.get("evidence", "")
    )
    return _changed(payload, paper["plan"], lambda r, now: change(r, paper, now))


def claim_epoch(payload: dict) -> dict:
    """Take the next epoch for `slip`'s target. Safe to repeat: a run claims once.

    `maintenance`: the plan's windows; in none of them a plan is moved.

    That a claim is tried is noted here first: from then on this location vouches for nobody,
    until the witness has refused it.
    """
    paper = payload["slip"]
    known = _changed(payload, paper["plan"], lambda r, now: r)
    if known["status"] != "succeeded":
        return known
    epoch = known["record"]["epoch"] + 1
    noted = {"epoch": epoch, "run": paper["run"]}
    store.write_claim(paper["plan"], {**noted, "mine": True})
    windows = payload.get("maintenance", [])
    outcome = _changed(payload, paper["plan"], lambda r, now: witness.claim(r, paper, now, windows))
    if outcome["status"] == "refused":
        store.write_claim(paper["plan"], {**noted, "mine": False})
    return outcome


def advance_run(payload: dict) -> dict:
    """Note that the run of `slip` is in `phase`, and prove that run and epoch are still its own.

    Safe to repeat: a phase that was noted stays noted.
    """
    paper, phase, quiet = payload["slip"], payload["phase"], payload.get("quietMinutes")
    change = partial(witness.advance, paper=paper, phase=phase, quiet_minutes=quiet)
    return _changed(payload, paper["plan"], lambda r, now: change(r, now=now))


def release_lease(payload: dict) -> dict:
    """Give the source's lease up to the run of `slip`; `proven`: all exclusive stands still there.

    Safe to repeat: it is given up once.
    """
    paper, proven = payload["slip"], payload["proven"]
    return _changed(payload, paper["plan"], lambda r, now: handover.release(r, paper, now, proven))


def finish_run(payload: dict) -> dict:
    """End the run of `slip` well, quiet for `quietMinutes`; `because` says what is left to do.

    Safe to repeat: it ends once.
    """
    paper, quiet = payload["slip"], payload["quietMinutes"]
    left = payload.get("because", "")
    return _changed(
        payload, paper["plan"], lambda r, now: witness.finish(r, paper, now, quiet, left)
    )


def halt_run(payload: dict) -> dict:
    """End the run of `slip` where it stands, `because`. Safe to repeat: it ends once.

    Optional `end`: "expired" for a run that nobody approved.
    """
    paper, because, end = payload["slip"], payload["because"], payload.get("end", "halted")
    return _changed(
        payload, paper["plan"], lambda r, now: witness.halt(r, paper, because, now, end)
    )


def give_back(payload: dict) -> dict:
    """End the cancelled run of `slip`, and its epoch with it, quiet for `quietMinutes`.

    Safe to repeat: it ends once.
    """
    paper, quiet = payload["slip"], payload["quietMinutes"]
    return _changed(payload, paper["plan"], lambda r, now: runs.give_back(r, paper, now, quiet))


def take_up_run(payload: dict) -> dict:
    """Enter the run of `slip` in the place of one that ended half way. Safe to repeat.

    Optional `because`: the person who asks for it, and why.
    """
    change = partial(resumption.take_up, paper=payload["slip"], because=payload.get("because", ""))
    return _changed(payload, payload["slip"]["plan"], lambda r, now: change(r, now=now))


def decide(payload: dict) -> dict:
    """Write down what a person decided of `plan`: `word`, `by`, `comment`. Safe to repeat.

    `maintenance`: the plan's windows, of which `resume` lifts the one that is open.
    """
    said = {key: payload[key] for key in ("word", "by", "comment")}
    more = {"windows": payload.get("maintenance", []), "component": payload.get("component")}
    change = partial(decisions.decide, **said, **more)
    return _changed(payload, payload["plan"], lambda r, now: change(r, now=now))


def note_order(payload: dict) -> dict:
    """Note at the witness that a person ordered `word`, by whom and why. Repeated: noted twice."""
    said = {key: payload[key] for key in ("word", "by", "comment")}
    change = partial(decisions.order, **said)
    return _changed(payload, payload["plan"], lambda r, now: change(r, now=now))


def hear(payload: dict) -> dict:
    """A person's `word` on `run`: see shared/runs.py. Safe to repeat: what was said holds."""
    fields = {key: payload[key] for key in ("run", "by", "comment", "point", "evidence")}
    said = partial(runs.Said, **fields, quiet_minutes=payload["quietMinutes"])
    word = payload["word"]
    return _changed(payload, payload["plan"], lambda r, now: runs.hear(r, word, said(now=now)))


def renew_lease(payload: dict) -> dict:
    """Say that `location` lives, for the witness's leaseSeconds. Refused where it is not active.

    A witness that hangs is given up soon, and not asked twice: who cannot renew has half a lease
    to find out, and the other half to stop what must not run in two places.
    Safe to repeat: the lease only grows. Its times are the storage service's, so that no two
    locations' clocks have to agree.
    """
    location, seconds = payload["location"], payload["witness"]["leaseSeconds"]
    bounded = {**payload, "seconds": max(SECONDS_MIN, seconds / REQUESTS_PER_LEASE)}
    return _told_if_silent(bounded, lambda r, now: witness.renew(r, location, now, seconds))


def _told_if_silent(payload: dict, change: Change) -> dict:
    """For those who ask again soon by themselves: a silent witness is an answer, no surprise."""
    try:
        return _changed(payload, payload["plan"], change)
    except Unreachable as error:
        return refused(f"witness: {error}")


def _changed(payload: dict, plan: str, change: Change) -> dict:
    """Read, change, write, until it holds; the outcome carries the record as it then is."""
    known = payload["witness"]
    seconds = payload.get("seconds", clients.READ_SECONDS)
    place = Place(known["blobServiceUri"].rstrip("/"), known["container"], seconds)
    try:
        for _ in range(ROUNDS_MAX):
            outcome = _round(place, plan, change)
            if outcome is not None:
                return outcome
    except StorageRefused as error:
        return refused(f"witness: {error}")
    raise Surprise(f"the witness record of {plan} changed {ROUNDS_MAX} times meanwhile")


def _round(place: Place, plan: str, change: Change) -> dict | None:
    """One try; None when somebody else wrote in between."""
    blob = place.get(f"{plan}.json")
    if blob is None:
        return _first(place, plan)
    record = parse(blob.data, plan)
    if witness.refusal(record):
        return record
    changed = change(record, blob.server_time)
    if witness.refusal(changed):
        return {**changed, "record": record, "serverTime": blob.server_time.isoformat()}
    if changed is record:
        return _told(record, blob.etag, blob)
    etag = place.put(f"{plan}.json", _bytes(changed), expect=blob.etag)
    if etag is None:
        return None
    _note(record, changed)
    return _told(changed, etag, blob)


def _note(before: dict, after: dict) -> None:
    """Log a JSON line per new transition: the workbook's timeline of runs is made of these."""
    known = {one["n"] for one in before["transitions"]}
    run = (after["run"] or before["run"] or {}).get("id", "")
    for one in after["transitions"]:
        if one["n"] not in known:
            line = {"plan": after["plan"], "run": run, "active": after["active"], **one}
            LOG.info("%s", json.dumps({"transition": line}))


def _told(record: dict, etag: str, blob: Blob) -> dict:
    return succeeded(record=record, etag=etag, serverTime=blob.server_time.isoformat())


def _first(place: Place, plan: str) -> dict | None:
    """Write the plan's first record; whoever comes second finds it. A refusal without a plan."""
    held = store.newest(plan)
    if held is None:
        return refused(f"no witness record and no plan {plan} here to make one of")
    now = datetime.now(UTC)
    place.put(f"{plan}.json", _bytes(fresh(held.plan.document, now)), expect=NEW)
    return None


def _bytes(record: dict) -> bytes:
    return json.dumps(record, indent=1).encode()
