"""Decisions: what people say to a plan, as pure transitions of its witness record.

Like every transition: the new record, the very same one where it was so already, or a refusal.
"""

from collections.abc import Sequence
from datetime import datetime

from shared import manual
from shared.maintenance import in_force
from shared.outcome import refused
from shared.record import ACKNOWLEDGEMENTS_MAX, WORDS_MAX, noted, stamp

WORDS = ("pause", "resume", "acknowledge")


def decide(
    record: dict,
    word: str,
    by: str,
    comment: str,
    now: datetime,
    windows: Sequence[dict] = (),
    component: str | None = None,
) -> dict:
    """Apply `word` of WORDS, said by `by` with a `comment`, to the record.

    `windows`: the plan's maintenance windows; `resume` lifts the one that is open. `component`: a
    manual step that is done; then nothing else is acknowledged.
    """
    if component:
        return manual.say(record, component, by, comment, now)
    if word not in WORDS:
        return refused(f"{word} is no decision: {', '.join(WORDS)}")
    if word == "resume" and in_force(list(windows), record["liftedAt"], now):
        return lift(record, by, comment, now)
    return TRANSITIONS[word](record, by, comment, now)


def order(record: dict, word: str, by: str, comment: str, now: datetime) -> dict:
    """Note that somebody ordered `word` (see shared/ledger_orders.py): a decision like the others.

    The order itself lies in the ledger; here it gets into the audit.
    """
    return noted(record, now, by, word, comment)


def lift(record: dict, by: str, comment: str, now: datetime) -> dict:
    """The plan may move again, though a maintenance window is open; the next one holds again."""
    lifted = {**record, "paused": False, "liftedAt": stamp(now)}
    return noted(lifted, now, by, "lifted", comment)


def pause(record: dict, by: str, comment: str, now: datetime) -> dict:
    """Nobody moves the plan until somebody resumes it. A run under way goes on to its end."""
    if record["paused"]:
        return record
    return noted({**record, "paused": True}, now, by, "paused", comment)


def resume(record: dict, by: str, comment: str, now: datetime) -> dict:
    """The plan may move again."""
    if not record["paused"]:
        return record
    return noted({**record, "paused": False}, now, by, "resumed", comment)


def acknowledge(record: dict, by: str, comment: str, now: datetime) -> dict:
    """End the quiet period after a run: the watchdog may act again at once.

    Who ended which one, and what they said, is kept beside the transitions.
    """
    until = record["quietUntil"]
    if until is None:
        return record
    said = {"by": by, "at": stamp(now), "comment": comment[:WORDS_MAX], "quietUntil": until}
    kept = [*record["acknowledgements"], said][-ACKNOWLEDGEMENTS_MAX:]
    return noted(
        {**record, "quietUntil": None, "acknowledgements": kept}, now, by, "acknowledged", comment
    )


TRANSITIONS = {"pause": pause, "resume": resume, "acknowledge": acknowledge}
