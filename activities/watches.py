"""Watches: keep what was seen of the other location, where pages and the pipeline can read it."""

import json
import logging

from shared import store
from shared.outcome import refused, succeeded

LOG = logging.getLogger("understudy.readiness")


def write_watch(payload: dict) -> dict:
    """Keep `watch`, the state of a plan's watchdog. Safe to repeat: the same bytes again."""
    store.write_watch(payload["watch"])
    return succeeded()


def read_watch(payload: dict) -> dict:
    """The watch state of `plan`, as fact `watch`; refused when there is none yet."""
    state = store.read_watch(payload["plan"])
    if state is None:
        return refused(f"nobody here has watched {payload['plan']} yet")
    return succeeded(watch=state)


def write_readiness(payload: dict) -> dict:
    """Keep `readiness`, what was seen of the standby, and log what fails as one JSON line.

    An alert is told once; the line comes with every look, so that a rule sees how long it lasts.
    Safe to repeat: the same bytes again.
    """
    seen = payload["readiness"]
    store.write_readiness(seen)
    failing = [c for c in seen["checks"] if c["status"] == "fail"]
    shown = {key: seen[key] for key in ("plan", "location", "ready", "because")}
    shown["own"] = seen.get("own", False)
    names = sorted({one["name"] for one in failing})
    LOG.info("%s", json.dumps({"readiness": {**shown, "failing": names}}))
    return succeeded()


def read_readiness(payload: dict) -> dict:
    """What was last seen of the standby of `plan`, as fact `readiness`; refused before a look.

    `own`: of what this location, as the standby, saw of itself.
    """
    state = store.read_readiness(payload["plan"], payload.get("own", False))
    return refused("nobody here has looked yet") if state is None else succeeded(readiness=state)
