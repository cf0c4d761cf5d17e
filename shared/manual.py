"""Manual: what a person has to do in a run, and his word that it is done.

The word is a transition of the witness's record, of the epoch for which it was asked: who comes
back to another epoch is asked anew.
"""

from datetime import datetime, timedelta

from shared.outcome import refused
from shared.record import noted

DONE = "done"


def what(component: str) -> str:
    """How the word on a component stands in the record."""
    return f"{DONE} {component}"


def word(record: dict, component: str, epoch: int) -> dict | None:
    """The transition with which a person said of this epoch that it is done."""
    said = [
        t for t in record["transitions"] if t["what"] == what(component) and t["epoch"] == epoch
    ]
    return said[-1] if said else None


def say(record: dict, component: str, by: str, comment: str, now: datetime) -> dict:
    """Write the word down; said twice, it stands once. Refused where nobody moved the plan yet."""
    if record["epoch"] == 0:
        return refused("nothing was asked yet: the plan has never moved")
    if word(record, component, record["epoch"]):
        return record
    return noted(record, now, by, what(component), comment)


def until(record: dict, epoch: int, minutes: float) -> datetime | None:
    """Until when a word is waited for: so long after the claim. None where that is forgotten."""
    claims = [
        t["at"] for t in record["transitions"] if t["what"] == "claimed" and t["epoch"] == epoch
    ]
    return datetime.fromisoformat(claims[-1]) + timedelta(minutes=minutes) if claims else None


def asked(plan: str, part: dict, end: datetime | None) -> str:
    """What is asked of whom, in one sentence."""
    body = f'{{"component": "{part["name"]}", "by": ...}}'
    bound = f" until {end.isoformat(timespec='seconds')}" if end else ""
    return (
        f"a person is to do this{bound}: {part['ask']}; then POST plans/{plan}/acknowledge {body}"
    )
