"""Journal: what a run's stages really did, kept where the run can undo it."""

from shared import store
from shared.outcome import succeeded


def note_rows(payload: dict) -> dict:
    """Keep the `rows` of `stage` of `run` in this location's own storage.

    Safe to repeat: the same rows again.
    """
    store.write_rows(payload["run"], payload["stage"], payload["rows"])
    return succeeded()


def read_rows(payload: dict) -> dict:
    """The rows of `run` as fact `stages`, stage -> rows. Safe to repeat: reads."""
    return succeeded(stages=store.read_rows(payload["run"]))
