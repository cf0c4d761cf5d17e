"""The stories in which places cannot see each other, or one cannot see the witness.

Nobody is lost in most of them: whoever concluded otherwise would make two of one.
"""

from rehearsal.drill import Drill
from rehearsal.drill_counts import writes
from rehearsal.drill_never import exclusive
from rehearsal.estate_seed import workflow_id
from rehearsal.scenarios_gateway import prove_standby
from rehearsal.scenarios_waits import (
    await_takeover,
    await_watch,
    calm,
    hold,
    lose_home,
    nothing_moved,
    said,
)
from rehearsal.world import ALL

PARTED_SECONDS = 32.0
WITNESS_AWAY_SECONDS = 34.0  # Longer than a lease and its margin.
BEFORE_OUTAGE_SECONDS = 12.0
AFTER_OUTAGE_SECONDS = 32.0
HEALED_SECONDS = 10.0
STORAGE = frozenset({"storage"})


async def partition(drill: Drill) -> None:
    """The locations cannot see each other, and both see the witness: nothing moves."""
    await await_watch(drill)
    drill.timeline.chapter("Part the locations")
    drill.stage.world.cut(drill.home, drill.standby)
    drill.outage("the locations do not see each other; both see the witness")
    await hold(drill, PARTED_SECONDS)
    words = f"verdicts were {', '.join(sorted(said(drill)))}"
    drill.check("partitionNoticed", "suspect" in said(drill), words)
    drill.check("neverLost", "lost" not in said(drill), words)
    drill.stage.world.heal()
    drill.say("healed")
    await calm(drill)
    nothing_moved(drill)


async def active_isolated(drill: Drill) -> None:
    """The active region is cut off: it stops its exclusive work before the standby takes over.

    Neither the standby, the witness nor any caller reaches it. Inside it works on, its own
    resource manager too: what could not reach that could stop nothing.
    """
    await prove_standby(drill)
    await await_watch(drill)
    drill.timeline.chapter(f"Isolate {drill.home}")
    world = drill.stage.world
    for place in (drill.standby, "witness", "callers"):
        world.cut(drill.home, place)
    for here, there in ((drill.home, drill.standby), (drill.standby, drill.home)):
        unseen = {"match": {"location": there, "from": here}, "effect": {"drop": True}}
        world.faults.add(unseen)
    drill.outage(f"{drill.home} is cut off from everyone, and works on")
    await await_takeover(drill)
    _stood_down_before_the_claim(drill)
    world.heal()
    world.faults.clear()
    drill.say("healed")
    await hold(drill, HEALED_SECONDS)
    record = drill.watcher.record or {}
    words = f"{record.get('active')} is active, epoch {record.get('epoch')}"
    drill.check("staysStandby", record.get("active") == drill.standby, words)


def _stood_down_before_the_claim(drill: Drill) -> None:
    """By ARM's journal: home's own app stopped every exclusive workflow, and then was the claim."""
    rows = [row for row in drill.watcher.records if row["record"]["active"] == drill.standby]
    claimed, app = rows[0]["at"], drill.stage.estate.locations[drill.home].app
    late = []
    for name in exclusive(drill):
        path = f"{workflow_id(drill.stage.estate, drill.home, name)}/disable".lower()
        stops = [str(w["at"]) for w in writes(drill) if path in w["url"].lower()]
        mine = [w for w in writes(drill) if path in w["url"].lower() and w["principal"] == app]
        if not mine or stops[0] >= claimed:
            late.append(name)
    words = f"not stopped before {claimed}: {', '.join(late)}" if late else "all of them, by itself"
    drill.check("stoodDownBeforeTheClaim", not late, words)


async def witness_down(drill: Drill) -> None:
    """The witness is away, and nothing changes: each side vouches for the other."""
    await await_watch(drill)
    drill.timeline.chapter("Lose the witness")
    place = drill.stage.world.witness_location
    drill.outage("the witness is away")
    await drill.stage.lose(place, STORAGE)
    before = drill.watcher.record or {}
    await hold(drill, WITNESS_AWAY_SECONDS)
    drill.check("neverLost", "lost" not in said(drill), f"verdicts were {sorted(said(drill))}")
    mine = exclusive(drill)
    stops = [w for w in writes(drill) if w["url"].lower().split("?")[0].endswith("/disable")]
    told = f"{len(stops)} workflows stopped of {len(mine)}"
    drill.check("activeGoesOn", not stops, told)
    await drill.stage.recover(place, STORAGE)
    drill.say("the witness is back")
    await drill.so(
        "the lease renewed",
        lambda: (drill.watcher.record or {}).get("leaseUntil") != before.get("leaseUntil"),
        30.0,
    )
    await calm(drill)
    nothing_moved(drill)


async def witness_down_then_outage(drill: Drill) -> None:
    """The witness is away when the active region is lost: the standby holds, and asks a person."""
    await await_watch(drill)
    drill.timeline.chapter("Lose the witness")
    await drill.stage.lose(drill.stage.world.witness_location, STORAGE)
    drill.say("the witness is away")
    await hold(drill, BEFORE_OUTAGE_SECONDS)
    await lose_home(drill, ALL)
    await hold(drill, AFTER_OUTAGE_SECONDS)
    drill.check("lossSeen", "lost" in said(drill), f"verdicts were {sorted(said(drill))}")
    told = [
        alert
        for alert in drill.stage.alerts
        if "refused" in str(alert.get("title")) and "witness" in str(alert.get("because"))
    ]
    drill.check("personAsked", bool(told), f"{len(told)} alerts say why nothing moves")
    app = drill.stage.estate.locations[drill.standby].app
    acted = [row for row in writes(drill) if row["principal"] == app]
    drill.check("standbyHeld", not acted, f"{len(acted)} changes by {drill.standby}'s app")
    nothing_moved(drill)
