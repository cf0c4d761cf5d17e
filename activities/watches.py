"""Watches: keep what the watchdog saw, where pages and the APIM pipeline can read it."""

from shared import store
from shared.outcome import refused, succeeded


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
