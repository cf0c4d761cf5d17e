"""Decisions: what people say to a plan, as pure transitions of its witness record.

Like every transition: the new record, the very same one where it was so already, or a refusal.
"""

from datetime import datetime

from shared.outcome import refused
from shared.record import noted

WORDS = ("pause", "resume", "acknowledge")


def decide(record: dict, word: str, by: str, comment: str, now: datetime) -> dict:
    """Apply `word` of WORDS, said by `by` with a `comment`, to the record."""
    if word not in WORDS:
        return refused(f"{word} is no decision: {', '.join(WORDS)}")
    return TRANSITIONS[word](record, by, comment, now)


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
    """End the quiet period after a run: the watchdog may act again at once."""
    if record["quietUntil"] is None:
        return record
    return noted({**record, "quietUntil": None}, now, by, "acknowledged", comment)


TRANSITIONS = {"pause": pause, "resume": resume, "acknowledge": acknowledge}
