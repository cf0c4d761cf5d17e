"""Papers: the first slip of a run, of which a test says only what matters to it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared import slip

if TYPE_CHECKING:
    from tests.doors import Doors

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
HERE, THERE = "northeurope", "westeurope"


def paper(
    run: str = "r1",
    mode: str = "forced",
    by: str = "watchdog in ne",
    *,
    plan: str = "contoso",
    digest: str = "0" * 64,
    source: str = "we",
    target: str = "ne",
    now: datetime = NOW,
    epoch: int | None = None,
) -> dict:
    """The slip of a run from `source` to `target`."""
    route = {"source": source, "target": target, "reason": "lost"}
    first = slip.first(
        run=run, plan=plan, digest=digest, mode=mode, by=by, now=now, facts={}, **route
    )
    return {**first, "epoch": epoch}


def paper_of(
    doors: "Doors",
    run: str,
    mode: str = "forced",
    by: str = "test",
    epoch: int | None = None,
    target: str = HERE,
) -> dict:
    """The same of the plan behind the doors, of this moment."""
    source = THERE if target == HERE else HERE
    now, digest = datetime.now(UTC), doors.plan.digest
    return paper(run, mode, by, digest=digest, source=source, target=target, now=now, epoch=epoch)


def reserved(doors: "Doors") -> dict:
    """The slip of a watchdog's run that will wait for a person at its claim."""
    doors.drop("stcontosowitness", "understudy", "contoso.json")
    made = paper_of(doors, f"contoso-{datetime.now(UTC):%H%M%S%f}", by=f"watchdog in {HERE}")
    doors.call("load_plan", {"plan": "contoso"})  # Keeps the version to which the slip is pinned.
    asked = {"slip": made, "witness": doors.plan.document["witness"], "approvalMinutes": 60}
    assert doors.call("reserve_run", asked)["status"] == "succeeded"
    return made
