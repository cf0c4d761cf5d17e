"""Hook: one HTTP call to something of the customer's own, and the answer that the plan expects."""

from shared import probe
from shared.guard import guarded
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
    return _post(payload) if part.get("method", "GET") == "POST" else _call("GET", part, None)


@guarded
def _post(payload: dict) -> dict:
    """What may change something there is told who asks, and is not told by a run that is over."""
    told = {key: payload[key] for key in ("plan", "run", "stage", "epoch", "location")}
    part = payload["component"]
    return _call("POST", part, {**part.get("body", {}), "understudy": told})


def _call(method: str, part: dict, body: dict | None) -> dict:
    where = probe.shown(part["url"])
    try:
        reply = probe.call(method, part["url"], SECONDS_MAX, body=body)
    except Unreachable as error:
        return refused(f"{where}: {error}")
    if reply.status != part.get("expect", 200):
        return refused(f"{where} answered {reply.status}, not {part.get('expect', 200)}")
    return succeeded(f"{where} answered {reply.status}")
