"""What the stories do with work in flight: begin some that the loss cuts off, and run it again."""

from rehearsal.drill import Drill
from rehearsal.drill_counts import writes
from rehearsal.drill_ledger import at_home

LONG = "nightly-invoices"  # Its runs take minutes.
SEEN_SECONDS_MAX = 60.0
FOUND_SECONDS_MAX = 90.0
SENT_SECONDS_MAX = 60.0
WHO = {"by": "the drill", "comment": "its region is back"}


def begin_work(drill: Drill) -> str | None:
    """Somebody starts the invoices by hand; None where the estate has none."""
    flow = at_home(drill, LONG)
    run = drill.stage.world.workflows.fire(flow.workflow, flow.triggers[0].name) if flow else None
    if run:
        drill.say(f"{LONG} begins by hand in {drill.home}: run {run}")
    return run


async def remembered(drill: Drill, run: str | None) -> None:
    """Until the standby's ledger has the run."""

    async def seen() -> bool:
        _, body = await drill.api(drill.standby, "GET", f"plans/{drill.name}/ledger")
        rows = (body.get("watching") or {}).get("runs", [])
        return any(row["run"] == run for row in rows)

    if run:
        await drill.until("the standby's look at work in flight", seen, SEEN_SECONDS_MAX)


async def run_again(drill: Drill, run: str | None) -> None:
    """The region is back: order what was cut off to run again, twice, and see one request."""
    if run is None:
        return
    drill.timeline.chapter("Run again what was cut off")
    path = f"plans/{drill.name}/ledger"

    async def row() -> dict:
        _, body = await drill.api(drill.standby, "GET", path)
        rows = [row for held in body.get("ended", []) for row in held["abandoned"]]
        return next((row for row in rows if row["run"] == run), {})

    async def failed() -> bool:
        return (await row()).get("now") == "Failed"

    async def sent() -> bool:
        return any(one["state"] == "sent" for one in (await row()).get("orders", []))

    await drill.until(f"{LONG}'s failure seen", failed, FOUND_SECONDS_MAX)
    answers = [await drill.api(drill.standby, "POST", f"{path}/resubmit", {**WHO, "runs": [run]})]
    answers.append(
        await drill.api(drill.standby, "POST", f"{path}/resubmit", {**WHO, "runs": [run]})
    )
    await drill.until(f"{LONG} resubmitted", sent, SENT_SECONDS_MAX)
    statuses = [status for status, _ in answers]
    requests = [one for one in writes(drill) if f"{run}/resubmit" in one["url"]]
    words = f"asked twice ({statuses}), {len(requests)} requests to the resource manager"
    drill.check("resubmittedOnce", len(requests) == 1 and statuses == [202, 202], words)
