"""Manual steps: ask a person, and look whether he has said that it is done.

Nothing is held for him but what waits for the component: a step without a word is refused with
what is to be done, which the stage's alert tells, and the caretaker looks for the word again.
"""

from datetime import datetime

from shared import clients, manual
from shared.blobs import Place
from shared.outcome import refused, skipped, succeeded
from shared.record import parse
from shared.reply import Surprise


def ask_person(payload: dict) -> dict:
    """Skipped once a person has done it in this epoch; refused with what he is asked till then.

    Safe to repeat: reads the witness.
    """
    part, epoch = payload["component"], payload["epoch"]
    record, now = _record(payload)
    said = manual.word(record, part["name"], epoch)
    if said:
        return skipped(f"done, says {said['who']}: {said['why'] or 'no comment'}"[:300])
    end = manual.until(record, epoch, part["minutes"])
    if end and now >= end:
        return refused(f"nobody said within {part['minutes']} min that it is done: {part['ask']}")
    return refused(manual.asked(payload["plan"], part, end), asks=True)


def observe_person(payload: dict) -> dict:
    """Was the person's word given for the epoch that is active in `location`? Fact `serving`.

    Safe to repeat: reads the witness.
    """
    part = payload["component"]
    record, _ = _record(payload)
    here = record["active"] == payload["location"]
    said = manual.word(record, part["name"], record["epoch"]) if here else None
    words = f"done, says {said['who']}" if said else "a person has to do it"
    would = f"be asked of a person: {part['ask']}"
    return succeeded(words, serving=said is not None, calls={"promote": []}, would=would)


def _record(payload: dict) -> tuple[dict, datetime]:
    """The record and the witness's time."""
    known = payload["witness"]
    place = Place(known["blobServiceUri"].rstrip("/"), known["container"], clients.READ_SECONDS)
    blob = place.get(f"{payload['plan']}.json")
    if blob is None:
        raise Surprise(f"no witness record of {payload['plan']}")
    record = parse(blob.data, payload["plan"])
    if record.get("status") == "refused":
        raise Surprise(record["because"])
    return record, blob.server_time
