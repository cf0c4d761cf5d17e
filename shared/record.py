"""Record: the shape of a plan's witness record, and what is true of every one.

Read as a whole or refused as a whole. A record that an older version wrote lacks the newer fields:
they get their defaults when it is read, so that two versions can live side by side in an upgrade.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared import faults
from shared.outcome import refused

BYTES_MAX = 128 * 1024
TRANSITIONS_MAX = 50
ACKNOWLEDGEMENTS_MAX = 10
WORDS_MAX = 500

Time = Annotated[AwareDatetime, Field(strict=False)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Approval(Part):
    """A person's word on a run that the plan lets nobody begin alone."""

    state: Literal["wanted", "given", "declined"]
    until: Time
    by: str = ""
    comment: str = ""


class Cancel(Part):
    by: str
    at: Time
    comment: str = ""


class Acknowledgement(Part):
    by: str
    at: Time
    comment: str = ""
    quiet_until: Time | None = None


class Run(Part):
    id: str
    phase: str
    mode: Literal["forced", "graceful"]
    source: Annotated[str, Field(alias="from")]
    to: str
    at: Time
    by: str
    reason: str
    because: str
    approval: Approval | None = None
    paused: bool = False
    cancel: Cancel | None = None
    # A graceful run's source has given its lease up: it renews no more, and nobody waits for it.
    released: bool = False
    resumed: Annotated[int, Field(ge=0)] = 0  # How often the run was taken up again.


class Transition(Part):
    n: Annotated[int, Field(ge=0)] = 0  # Grows by one for ever, however many are forgotten.
    epoch: int
    at: Time
    who: str
    what: str
    why: str


class Record(Part):
    version: Literal[1]
    plan: str
    epoch: Annotated[int, Field(ge=0)]
    active: str
    lease_until: Time | None
    holder: str | None
    run: Run | None
    quiet_until: Time | None
    paused: bool
    lifted_at: Time | None = None  # When a person last said `resume` in a maintenance window.
    acknowledgements: Annotated[list[Acknowledgement], Field(max_length=ACKNOWLEDGEMENTS_MAX)] = []
    # The run that claimed the epoch of now and ended half way, until another one has finished it.
    unfinished: Run | None = None
    transitions: Annotated[list[Transition], Field(max_length=TRANSITIONS_MAX)]


YOUNGER = {"liftedAt": None, "acknowledgements": [], "unfinished": None}
YOUNGER_OF_RUN = {
    "approval": None,
    "paused": False,
    "cancel": None,
    "released": False,
    "resumed": 0,
}


def fresh(plan: dict, now: datetime) -> dict:
    """The first record of a plan document: home is active, nobody holds a lease yet."""
    record = {
        "version": 1,
        "plan": plan["name"],
        "epoch": 0,
        "active": plan["home"],
        "leaseUntil": None,
        "holder": None,
        "run": None,
        "quietUntil": None,
        "paused": False,
        **YOUNGER,
        "transitions": [],
    }
    return noted(record, now, plan["home"], "created", "first record of the plan")


def parse(body: str | bytes, plan: str) -> dict:
    """The record in a witness blob, or a refusal that names what is wrong with the blob."""
    try:
        record = faults.read(body, Record, BYTES_MAX)
    except faults.Faulty as error:
        return refused(f"witness blob of {plan}: {error}")
    if record["plan"] != plan:
        return refused(f"witness blob of {plan} is about plan {record['plan']}")
    return completed(record)


def completed(record: dict) -> dict:
    """The record with the fields that an older version did not write."""
    run, whole = record["run"], {**YOUNGER, **record}
    return {**whole, "run": {**YOUNGER_OF_RUN, **run} if run else None}


def left_open(record: dict, now: datetime) -> dict:
    """The record that remembers its run, which ends here, as the one to be finished by another.

    Only what has claimed: the move is begun, and nobody else would end it. In `protect` it is done.
    """
    run = record["run"]
    if run["to"] != record["active"] or run["phase"] == "protect":
        return record
    return {**record, "unfinished": {**run, "at": stamp(now)}}


def noted(record: dict, now: datetime, who: str, what: str, why: str) -> dict:
    """The record with one more transition; the oldest beyond the bound are forgotten."""
    last = record["transitions"][-1] if record["transitions"] else {}
    line = {
        "n": last.get("n", 0) + 1,
        "epoch": record["epoch"],
        "at": stamp(now),
        "who": who,
        "what": what,
        "why": why[:WORDS_MAX],
    }
    return {**record, "transitions": [*record["transitions"], line][-TRANSITIONS_MAX:]}


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
