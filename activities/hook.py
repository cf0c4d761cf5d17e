"""Hook: one HTTP call to something of the customer's own, and the answer that the plan expects."""

from shared import probe
from shared.outcome import refused, succeeded
from shared.reply import Unreachable

SECONDS_MAX = 10.0


def call_hook(payload: dict) -> dict:
    """Call the component's `url` and compare the status with `expect`.

    Safe to repeat as far as the other side is: a POST carries the run and the stage, so that it
    can tell a second call from a second event. No redirect is followed. Of the URL only what is no
    secret is told.
    """
    part = payload["component"]
    method, body = part.get("method", "GET"), None
    if method == "POST":
        told = {key: payload[key] for key in ("plan", "run", "stage", "epoch", "location")}
        body = {**part.get("body", {}), "understudy": told}
    where = probe.shown(part["url"])
    try:
        reply = probe.call(method, part["url"], SECONDS_MAX, body=body)
    except Unreachable as error:
        return refused(f"{where}: {error}")
    if reply.status != part.get("expect", 200):
        return refused(f"{where} answered {reply.status}, not {part.get('expect', 200)}")
    return succeeded(f"{where} answered {reply.status}")
