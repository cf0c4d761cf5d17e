"""API: what callers of the HTTP API send, checked as a whole before anything is done."""

import hashlib
import re
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared import faults, witness

BYTES_MAX = 16 * 1024
LEDGER_BYTES_MAX = 64 * 1024  # Five hundred names of runs.
KEY = re.compile(r"[\x21-\x7e]{1,200}")


class BadRequest(Exception):
    """A request that is refused; `errors` holds every one, each with its path."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


class Failover(BaseModel):
    """The body of POST /api/plans/{plan}/failover."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)

    mode: Literal["graceful", "forced"]
    to: Annotated[str, Field(max_length=40)] | None = None
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
    dry_run: bool = False


class Decision(BaseModel):
    """The body of POST /api/plans/{plan}/pause, resume and acknowledge.

    In entra mode `by` is the identity's own: it may be left out, and nobody else may be named.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    by: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
    comment: Annotated[str, Field(max_length=1000)] = ""


class Acknowledgement(Decision):
    """The body of POST /api/plans/{plan}/acknowledge; `component`: what a person has done."""

    component: Annotated[str, Field(max_length=40)] | None = None


class LedgerOrder(Decision):
    """The body of POST /api/plans/{plan}/ledger/resubmit and drain."""

    # By default all of the newest ended epoch that the word is for.
    runs: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=500)] | None = (
        None
    )
    epoch: Annotated[int, Field(ge=0)] | None = None


Said = TypeVar("Said", bound=Decision)


def ledger_order(body: bytes, who: str = "") -> LedgerOrder:
    """Who orders what for which runs; raises BadRequest. `who`: as for `decision`."""
    return signed(body, LedgerOrder, LEDGER_BYTES_MAX, who)


def decision(body: bytes, word: str = "", who: str = "") -> Decision:
    """Who decides and why, in the body that `word` takes; raises BadRequest.

    `who`: the caller's identity where it is known; then it decides, whatever the body says.
    """
    return signed(body, Acknowledgement if word == "acknowledge" else Decision, BYTES_MAX, who)


def signed(body: bytes, shape: type[Said], bytes_max: int, who: str) -> Said:
    """What a body of this shape says, by `who` where that is known."""
    try:
        told = faults.read(body, shape, bytes_max, {"by": who} if who else None)
    except faults.Faulty as error:
        raise BadRequest(error.faults) from error
    if not who:
        return shape.model_validate(told)
    if told["by"].casefold() not in (who.casefold(), who.partition(" ")[2].casefold()):
        raise BadRequest([f"by: {who} is signed in, and nobody else: leave it out"])
    return shape.model_validate({**told, "by": who})


def failover_order(document: dict, body: bytes, key: str | None, now: datetime) -> dict:
    """The order in a request: {"run", "mode", "to", "reason", "dryRun"}; raises BadRequest.

    `key` is the Idempotency-Key: the same key for the same plan is the same run. `to` is null
    where the caller leaves it to the witness's record: see `standby`.
    """
    order = read(body)
    errors = []
    if order.to is not None and order.to not in document["locations"]:
        places = ", ".join(document["locations"])
        errors.append(f"to: {order.to} is none of the plan's locations {places}")
    if key is not None and not KEY.fullmatch(key):
        errors.append("Idempotency-Key: 1 to 200 visible ASCII characters")
    if errors:
        raise BadRequest(errors)
    return {
        "run": run_id(document["name"], key, now),
        "mode": order.mode,
        "to": order.to,
        "reason": order.reason,
        "dryRun": order.dry_run,
    }


def begun(record: dict, order: dict) -> dict | None:
    """The run that this order began when it came before, as the witness's record has it.

    {"id", "phase", "mode", "from", "to", ...}; of a run that has ended only `id`, `phase`, `mode`
    and what was asked for as `to` are known. None for a new order. Raises BadRequest when the same
    Idempotency-Key began another one: its direction must not be turned round by a repeat.
    """
    run = record["run"]
    if run and run["id"] == order["run"]:
        asked, known = (order["mode"], order["to"] or run["to"]), (run["mode"], run["to"])
        if asked != known:
            told = f"began a {run['mode']} run to {run['to']}: take a new one for another order"
            raise BadRequest([f"Idempotency-Key: {told}"])
        return run
    end = witness.ended(record, order["run"])
    return (
        {"id": order["run"], "phase": end, "mode": order["mode"], "to": order["to"]}
        if end
        else None
    )


def read(body: bytes) -> Failover:
    try:
        return Failover.model_validate(faults.read(body, Failover, BYTES_MAX))
    except faults.Faulty as error:
        raise BadRequest(error.faults) from error


def standby(document: dict, active: str) -> str:
    """Where a failover goes that names no location: to the one that is not active."""
    return next(name for name in document["locations"] if name != active)


def run_id(plan: str, key: str | None, now: datetime) -> str:
    """The run's id: of the caller's key, or of the moment when there is none."""
    if key is None:
        return f"{plan}-{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}"
    return f"{plan}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
