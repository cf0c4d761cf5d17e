"""Slips: put a run's routing slip into the queue of its next stage, or into the poison queue."""

import json

from shared import outbox, post, slip
from shared.outcome import succeeded
from shared.settings import settings

POISON = "slip-poison"
BODY_MAX = 64 * 1024


def send_slip(payload: dict) -> dict:
    """Send `slip` to `queue` in the slip namespace of `location`, or leave it in the outbox.

    Safe to repeat: the message id is `{run}.{stage}`, so a second one is dropped by duplicate
    detection, and later by the instance id of what it would start.
    """
    paper = payload["slip"]
    how = post.send(payload["location"], payload["queue"], paper)
    return succeeded(messageId=slip.message_id(paper), how=how)


def poison_slip(payload: dict) -> dict:
    """Put a message that is no slip aside: `because`, `body`, `messageId`, `queue`, and
    optionally `location` (default: this one).

    Safe to repeat: the same message makes the same message id.
    """
    kept = {
        "because": payload["because"],
        "body": str(payload.get("body", ""))[:BODY_MAX],
        "messageId": payload.get("messageId"),
        "queue": payload.get("queue"),
    }
    outbox.send(
        payload.get("location") or settings().location,
        POISON,
        json.dumps(kept),
        f"{payload.get('queue')}.{payload.get('messageId')}.poison"[:128],
    )
    return succeeded(payload["because"])
