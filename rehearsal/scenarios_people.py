"""The stories in which people decide."""

import asyncio

from rehearsal.drill import Drill
from rehearsal.scenarios_gateway import prove_standby
from rehearsal.scenarios_waits import await_takeover, await_watch


async def double_operator(drill: Drill) -> None:
    """Both locations are told to fail over at the same moment: there is one run."""
    await prove_standby(drill)
    await await_watch(drill)
    drill.timeline.chapter("Tell both locations at once")
    drill.outage("two people order the same failover, each in one location")
    body = {"mode": "forced", "to": drill.standby, "reason": "two people at once"}
    path = f"plans/{drill.name}/failover"
    answers = await asyncio.gather(
        *(drill.api(place, "POST", path, body) for place in drill.stage.estate.locations)
    )
    statuses = sorted(status for status, _ in answers)
    drill.check("oneOrderTaken", statuses == [202, 409], f"answers {statuses}")
    await await_takeover(drill)
    runs = {row["record"]["run"]["id"] for row in drill.watcher.records if row["record"]["run"]}
    drill.check("oneRun", len(runs) == 1, f"runs {', '.join(sorted(runs))}")
