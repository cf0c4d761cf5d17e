"""Step back: a location stops what runs in one place only, before others may take it over.

What its heartbeat does when it can neither renew nor hear that nobody has claimed, or finds another
location active. It asks nobody in between: the witness may be the one that is silent.
"""

from datetime import UTC, datetime, timedelta

from azure.durable_functions import DurableOrchestrationContext

from orchestrations import Flow
from orchestrations.waves import CHUNK, SIZES, act, sort_of
from shared import pace
from shared.plan import Plan

ONE_TRY = 1  # The next beat is the retry.
STOPS_MAX = 4  # Tries of one beat at what would not stop.
LOOK_SHARE = 0.8  # Of the lease, since it was renewed: later a stop is not kept waiting for a look.
LONG_AGO = datetime.min.replace(tzinfo=UTC)


def stop(
    context: DurableOrchestrationContext,
    plan: Plan,
    here: str,
    turn: int,
    epoch: int | None,
    names: list[str],
    noted: list[str],
    since: datetime | None,
) -> Flow:
    """Demote these, and at once again where no answer came: before the next beat others may claim.

    Twice; more often where few are left, for which an unsteady ARM is no reason to run on. Gives
    the rows, and what of `noted` ran. `since`: when the lease was renewed last; None, where another
    location is active already.
    """
    rows, on = yield from sweep(context, plan, here, turn, epoch, names, noted, since)
    for number in range(1, STOPS_MAX):
        unheard = [row for row in rows if row["outcome"] == "refused" and not row.get("stale")]
        if not unheard or (number > 1 and len(unheard) > CHUNK):
            break
        missed = [row["component"] for row in unheard]
        again = yield from move(context, plan, here, "demote", turn + number, epoch, missed)
        # What the repeat finds stopped was stopped by the try before it.
        mine = [
            {**one, "outcome": "succeeded"} if one["outcome"] == "skipped" else one for one in again
        ]
        rows = [one for one in rows if one["component"] not in missed] + mine
    return rows, on


def sweep(
    context: DurableOrchestrationContext,
    plan: Plan,
    here: str,
    turn: int,
    epoch: int | None,
    names: list[str],
    noted: list[str],
    since: datetime | None,
) -> Flow:
    """Demote these once, some at a time; gives the rows, and what of `noted` ran.

    What runs is noted before it is stopped: when the answer to a stop is lost, the repeat finds it
    stopped already and could not tell it from what people have disabled. To look at all before the
    first is stopped would take, in a large plan, what is left of the lease; and behind the first
    ones nothing is looked at when little is left. What is not seen counts as running: better
    started again than forgotten.
    """
    buckets, size = pace.Buckets(), SIZES["chunk" if sort_of(plan, names) == "chunk" else "block"]
    late = (since or LONG_AGO) + timedelta(seconds=plan.witness.lease_seconds * LOOK_SHARE)
    rows, on = [], []
    for first in range(0, len(names), size):
        some = names[first : first + size]
        told = [name for name in noted if name in some]
        if first and context.current_utc_datetime > late:
            on += told
        else:
            seen = yield from move(context, plan, here, "verify", turn, epoch, told, buckets)
            on += [row["component"] for row in seen if row.get("serving") is not False]
        rows += yield from move(context, plan, here, "demote", turn, epoch, some, buckets)
    return rows, on


def move(
    context: DurableOrchestrationContext,
    plan: Plan,
    here: str,
    verb: str,
    turn: int,
    epoch: int | None,
    names: list[str],
    buckets: pace.Buckets | None = None,
) -> Flow:
    """Promote or demote these components of this location."""
    paper = {
        "plan": plan.name,
        "run": f"{plan.name}-heartbeat-{here}",
        "stage": verb,
        "epoch": epoch,
        "to": here,
    }
    return (yield from act(context, plan, paper, verb, here, names, ONE_TRY, buckets, turn))
