"""The story of a lost Service Bus: the slips find another way, each to one start."""

import asyncio
import json
from collections import Counter

from azure.servicebus import ServiceBusClient, ServiceBusMessage

from rehearsal.drill import Drill
from rehearsal.drill_counts import outbox, slip_taken, slips_waiting
from rehearsal.drill_story import Missed
from rehearsal.scenarios_gateway import prove_standby
from rehearsal.scenarios_waits import SLIPS_SECONDS_MAX, await_takeover, await_watch, lose_home
from rehearsal.world import ALL
from shared import plan as plans
from shared import slip

BUS = frozenset({"servicebus"})
STAGE_SECONDS_MAX = 150.0
BACK_IN, AGAIN_IN = "claim", "verify"


async def servicebus_down(drill: Drill) -> None:
    """The standby's slip namespace is lost before a failover and again in it; nothing is lost.

    Home is lost as well, and so is its namespace: there is no bus at all. In between the bus is
    back for some stages. At the end every slip that was carried without it arrives by it, too.
    """
    await prove_standby(drill)
    await await_watch(drill)
    drill.timeline.chapter("Lose the standby's slip namespace")
    await drill.stage.lose(drill.standby, BUS)
    drill.say(f"{drill.standby} has no Service Bus")
    await lose_home(drill, ALL)
    drill.quicken()
    await _reached(drill, BACK_IN)
    await drill.stage.recover(drill.standby, BUS)
    drill.say(f"{drill.standby}'s Service Bus is back, in {drill.phase()}")
    await _reached(drill, AGAIN_IN)
    await drill.stage.lose(drill.standby, BUS)
    drill.say(f"{drill.standby} has no Service Bus again, in {drill.phase()}")
    await _reached(drill, "protect")
    await drill.stage.recover(drill.standby, BUS)
    by_bus = [stage for stage in slip.ROUTES["forced"] if slip_taken(drill, stage)]
    drill.say(f"by the bus so far: {', '.join(by_bus) or 'none'}")
    await await_takeover(drill)
    await _judge(drill)


async def _reached(drill: Drill, stage: str) -> None:
    """Until the run is in a stage, or past it."""
    order = ("requested", *slip.ROUTES["forced"])

    def there() -> bool:
        phase = drill.phase()
        return phase in order and order.index(phase) >= order.index(stage)

    await drill.so(f"stage {stage}", there, STAGE_SECONDS_MAX)


async def _judge(drill: Drill) -> None:
    """The outbox carried stages, holds nothing any more, and what comes twice starts nothing."""
    book = await asyncio.to_thread(outbox, drill, drill.standby)
    started = [one["id"].partition(".")[2] for one in book["gone"] if one["how"] == "started"]
    words = f"without the bus: {', '.join(started) or 'none'}"
    carried = {"claim", "protect"} <= set(started)
    drill.check("carriedWithoutTheBus", carried, words)
    over = [one["because"] for one in book["gone"] if one["how"] == "over"]
    waits = [one["id"] for one in book["slips"]]
    left = f"{len(waits)} wait, {len(over)} were taken out: {', '.join([*waits, *over]) or 'none'}"
    drill.check("outboxEmpty", not waits and not over, left)
    await _send_again(drill, started)


async def _send_again(drill: Drill, stages: list[str]) -> None:
    """What was started out of the outbox comes by the bus as well: nothing is started by it."""
    epochs, before = list(drill.watcher.epochs), await _stages(drill)
    papers = [_paper(drill, stage) for stage in stages]
    await asyncio.to_thread(_send, drill, papers)
    drill.say(f"{len(papers)} slips come once more, by the bus")
    await drill.so("every slip taken", lambda: not slips_waiting(drill), SLIPS_SECONDS_MAX)
    after = await _stages(drill)
    again = sorted(stage for stage in after if after[stage] != before.get(stage))
    words = f"{len(papers)} doubled, started again: {', '.join(again) or 'none'}"
    drill.check("startedOnce", bool(papers) and not again, words)
    same = drill.watcher.epochs == epochs
    drill.check("epochOnce", same, f"epochs {', '.join(map(str, drill.watcher.epochs))}")
    seen = Counter(line["what"] for line in (drill.watcher.record or {})["transitions"])
    drill.check("claimedOnce", seen["claimed"] == 1, f"claimed {seen['claimed']} times")


async def _stages(drill: Drill) -> dict[str, str]:
    """stage -> when it was started, as the standby's app tells of the run."""
    run = ((drill.watcher.record or {}).get("run") or {}).get("id")
    status, body = await drill.api(drill.standby, "GET", f"runs/{run}")
    if status != 200:
        raise Missed(f"the run's timeline could not be read: {status} {body}")
    return {one["stage"]: one["startedAt"] for one in body["stages"]}


def _paper(drill: Drill, stage: str) -> dict:
    """The slip for a stage of the run."""
    record, known = drill.watcher.record or {}, plans.load(drill.stage.scene.plan_text)
    first = slip.of_run(record["run"], plan=known.name, digest=known.digest, facts={})
    ahead = slip.ROUTES["forced"][slip.ROUTES["forced"].index(stage) :]
    epoch = None if stage == "claim" else record["epoch"]
    return {**first, "stage": stage, "route": ahead[1:], "epoch": epoch}


def _send(drill: Drill, papers: list[dict]) -> None:
    """Put slips into the standby's queues, as the app would have; in a thread."""
    player = drill.stage.buses.players[drill.stage.estate.locations[drill.standby].slips]
    with ServiceBusClient.from_connection_string(player.connection_string()) as client:
        for paper in papers:
            with client.get_queue_sender(slip.queue(paper)) as sender:
                mine = slip.message_id(paper)
                sender.send_messages(ServiceBusMessage(json.dumps(paper), message_id=mine))
