"""What the stories have in common: waiting for the watchdog, losing a region, holding still."""

import asyncio

from rehearsal.drill import Drill
from rehearsal.drill_counts import slips_waiting
from shared.pace import bound_seconds

MOVED = (None, "protect")
WATCH_SECONDS_MAX = 60.0
RUN_SECONDS_MAX = 180.0
SERVED_SECONDS_MAX = 60.0
SLIPS_SECONDS_MAX = 60.0


async def await_watch(drill: Drill) -> None:
    """Until the standby's watchdog says healthy and the customer is served by home."""
    drill.timeline.chapter("Wait until all is well")
    await drill.so("a healthy verdict", lambda: verdict(drill) == "healthy", WATCH_SECONDS_MAX)
    await served_by(drill, drill.home)


async def calm(drill: Drill) -> None:
    """Until the verdict is healthy again and home serves."""
    drill.timeline.chapter("Wait for calm")
    await drill.so("a healthy verdict", lambda: verdict(drill) == "healthy", WATCH_SECONDS_MAX)
    await served_by(drill, drill.home)


def verdict(drill: Drill) -> str | None:
    """What the standby's watchdog says."""
    return drill.watcher.verdict(drill.standby)


def said(drill: Drill, since: int = 0) -> set[str]:
    """Every state that the standby's watchdog has named, from its `since`-th change on.

    The state in force at that change counts too: what was said before may still be meant.
    """
    rows = drill.watcher.verdicts[max(0, since - 1) :]
    return {row["state"] for row in rows if row["location"] == drill.standby}


async def served_by(drill: Drill, location: str) -> None:
    """Until the customer is answered from a location."""

    def served() -> bool:
        return drill.stage.clients()["answering"] == location

    await drill.so(f"the customer served by {location}", served, SERVED_SECONDS_MAX)


async def lose_home(drill: Drill, scopes: frozenset[str]) -> None:
    """The region that is active is gone."""
    drill.timeline.chapter(f"Lose {drill.home}")
    drill.outage(f"{drill.home} is lost")
    await drill.stage.lose(drill.home, scopes)


async def await_takeover(drill: Drill) -> None:
    """Until the run has verified that the standby serves, and the customer is answered by it.

    It may protect for an hour after that: a lost region is no standby before it is back.
    """
    drill.timeline.chapter("Wait for the standby to take over")

    def active() -> bool:
        record = drill.watcher.record
        return record is not None and record["active"] == drill.standby

    await drill.so(f"{drill.standby} active at the witness", active, RUN_SECONDS_MAX)
    # Many workflows are woken, and then looked at, at the pace of ARM's token buckets.
    paced = 2 * bound_seconds(len(drill.plan["components"]))
    await drill.so("the end of the move", lambda: drill.phase() in MOVED, RUN_SECONDS_MAX + paced)
    await served_by(drill, drill.standby)
    # A host that was killed holds its message for the lock's length; only then is a slip lost.
    await drill.so("every slip taken", lambda: not slips_waiting(drill), SLIPS_SECONDS_MAX)


async def hold(drill: Drill, seconds: float) -> None:
    """Let time pass."""
    await asyncio.sleep(seconds)


def nothing_moved(drill: Drill) -> None:
    """The epoch, the active location and the runs are what they were."""
    record = drill.watcher.record
    still = record is not None and record["active"] == drill.home and record["run"] is None
    words = f"{record['active']} is active, epoch {record['epoch']}" if record else "no record"
    drill.check("noFailover", still and not drill.ran(), words)
