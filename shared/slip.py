"""Slip: the routing slip, the message that carries a run from stage to stage.

A slip is trusted only after `parse`: what is malformed, foreign, or in the wrong queue is named
and goes to the poison queue, never around in circles.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared import faults

VERSION = 1
BYTES_MAX = 64 * 1024  # A Service Bus message of the standard tier is at most 256 KB.
FACTS_MAX = 40
REASON_MAX = 1000
ALL = "*"  # In a fact that names components: all that it could name.

STAGES = (
    "quiesce",
    "claim",
    "fence",
    "promote",
    "activate",
    "redirect",
    "verify",
    "protect",
    "restore",
)
ROUTES: dict[str, list[str]] = {
    "forced": ["claim", "fence", "promote", "activate", "redirect", "verify", "protect"],
    "graceful": ["quiesce", "claim", "promote", "activate", "redirect", "verify", "protect"],
    "restore": ["restore"],
}

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,79}$")]
RunId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,99}$")]


class BadSlip(Exception):
    """A message that is not a slip for this queue; `because` says what is wrong with it."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


class Paper(BaseModel):
    """The fields of a slip, as ARCHITECTURE.md names them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    kind: Literal["failover", "restore"]
    run: RunId
    plan: Name
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    mode: Literal["forced", "graceful"]
    source: Annotated[Name, Field(alias="from")]
    to: Name
    epoch: Annotated[int, Field(ge=1)] | None
    stage: str
    route: Annotated[list[str], Field(max_length=len(STAGES))]
    reason: Annotated[str, Field(max_length=REASON_MAX)]
    by: Annotated[str, Field(min_length=1, max_length=200)]
    # A slip is JSON, so its time is text; strict mode would want a datetime.
    requested_at: Annotated[AwareDatetime, Field(alias="requestedAt", strict=False)]
    facts: Annotated[dict[str, object], Field(max_length=FACTS_MAX)]  # It is read from JSON.


def first(
    *,
    run: str,
    plan: str,
    digest: str,
    mode: str,
    source: str,
    target: str,
    reason: str,
    by: str,
    now: datetime,
    facts: dict,
) -> dict:
    """The slip that starts a failover from `source` to `target`; its epoch is still unclaimed."""
    stage, *route = ROUTES[mode]
    return {
        "version": VERSION,
        "kind": "failover",
        "run": run,
        "plan": plan,
        "digest": digest,
        "mode": mode,
        "from": source,
        "to": target,
        "epoch": None,
        "stage": stage,
        "route": route,
        "reason": reason[:REASON_MAX],
        "by": by,
        "requestedAt": now.astimezone(UTC).isoformat(),
        "facts": facts,
    }


def of_run(run: dict, *, plan: str, digest: str, facts: dict) -> dict:
    """The first slip of a run, put together again from what the witness's record has of it."""
    return first(
        run=run["id"],
        plan=plan,
        digest=digest,
        mode=run["mode"],
        source=run["from"],
        target=run["to"],
        reason=run["reason"],
        by=run["by"],
        now=datetime.fromisoformat(run["at"]),
        facts=facts,
    )


def restore(
    *,
    run: str,
    plan: str,
    digest: str,
    source: str,
    target: str,
    by: str,
    now: datetime,
    facts: dict,
) -> dict:
    """The slip that asks the standby `target` to restore the backup named in `facts`."""
    paper = first(
        run=run,
        plan=plan,
        digest=digest,
        mode="forced",
        source=source,
        target=target,
        reason="the active gateway's configuration changed",
        by=by,
        now=now,
        facts=facts,
    )
    return {**paper, "kind": "restore", "stage": "restore", "route": []}


def onward(paper: dict, facts: dict) -> dict | None:
    """The slip for the next stage, `facts` laid over those it carries; None at the route's end."""
    if not paper["route"]:
        return None
    stage, *route = paper["route"]
    epoch = None if stage == "claim" else paper["epoch"]  # What ruled before is none of its own.
    facts = {**paper["facts"], **facts}
    return {**paper, "stage": stage, "route": route, "epoch": epoch, "facts": facts}


def switched(paper: dict, mode: str) -> dict:
    """The slip on the way of another mode: a graceful run that a person tells to be forced."""
    if paper["mode"] == mode:
        return paper
    way = ["quiesce", *ROUTES[mode]] if paper["stage"] == "quiesce" else ROUTES[mode]
    return {**paper, "mode": mode, "route": way[way.index(paper["stage"]) + 1 :]}


def queue(paper: dict) -> str:
    return f"slip-{paper['stage']}"


def instance_id(paper: dict) -> str:
    """One id for the message and its orchestration: a doubled message changes nothing."""
    return f"{paper['run']}.{paper['stage']}"


message_id = instance_id


def done_at(stage: str) -> str:
    """The name of the fact that says when this stage was done."""
    return f"{stage}At"


def parse(body: str | bytes, stage: str | None, here: str | None = None) -> dict:
    """The slip in a message that arrived in the queue of `stage`; raises BadSlip, with why.

    `stage` None: the queue is every stage's. `here`: the location whose queue that is. A run is
    carried by the location it goes to.
    """
    try:
        paper = faults.read(body, Paper, BYTES_MAX)
    except faults.Faulty as error:
        raise BadSlip(str(error)) from error
    because = wrong_way(paper, stage or paper["stage"])
    if here is not None and paper["to"] != here:
        because = f"a slip to {paper['to']} in a queue of {here}"
    if because:
        raise BadSlip(because)
    return paper


def wrong_way(paper: dict, stage: str) -> str:
    """Why this slip does not belong in the queue of `stage`; empty when it does."""
    if paper["stage"] != stage:
        return f"a slip for stage {paper['stage']} in the queue of {stage}"
    whole = ROUTES["restore" if paper["kind"] == "restore" else paper["mode"]]
    ahead = [paper["stage"], *paper["route"]]
    if ahead != whole[len(whole) - len(ahead) :]:
        return f"route {' -> '.join(ahead)} is no way of a {paper['mode']} {paper['kind']}"
    if paper["from"] == paper["to"]:
        return f"from and to are both {paper['to']}"
    if paper["kind"] == "restore" and not isinstance(paper["facts"].get("backup"), str):
        return "a restore that names no backup in its facts"
    claimed = "claim" not in ahead and paper["kind"] == "failover"
    if claimed and paper["epoch"] is None:
        return f"stage {stage} comes after claim, but the slip carries no epoch"
    return ""
