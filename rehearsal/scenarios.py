"""The scenarios: small stories over a stage, each with what must hold at its end.

A story waits for what must happen, breaks something, and waits again; `drill_findings` judges
from outside. Those in which the region is lost begin with a standby whose gateway is proven.
"""

import math

from rehearsal.drill import Drill
from rehearsal.drill_counts import slip_taken
from rehearsal.drill_story import Scenario, Story
from rehearsal.scenarios_apart import (
    active_isolated,
    partition,
    witness_down,
    witness_down_then_outage,
)
from rehearsal.scenarios_bus import servicebus_down
from rehearsal.scenarios_clock import clock_skew
from rehearsal.scenarios_everything import everything
from rehearsal.scenarios_gateway import prove_standby, round_trip
from rehearsal.scenarios_ledger import begin_work, remembered
from rehearsal.scenarios_people import approval, cancelled_midway, double_operator, graceful
from rehearsal.scenarios_return import failback, old_active_returns
from rehearsal.scenarios_waits import (
    await_takeover,
    await_watch,
    calm,
    hold,
    lose_home,
    nothing_moved,
)
from rehearsal.world import ALL
from shared.slip import ROUTES

FLAPS, FLAP_SECONDS, REST_SECONDS = 3, 8.0, 16.0
THROTTLED_CALLS = 12
BROWN_SECONDS = 75.0
ISOLATED_SECONDS = 60.0
STAGES = tuple(ROUTES["forced"])


async def region_outage(drill: Drill) -> None:
    """A region is lost and the standby takes over."""
    run = begin_work(drill)
    await prove_standby(drill)
    await await_watch(drill)
    await remembered(drill, run)
    await lose_home(drill, ALL)
    await await_takeover(drill)


async def throttled(drill: Drill) -> None:
    """The region is lost while ARM answers 429 to what the standby asks."""
    await prove_standby(drill)
    await await_watch(drill)
    match = {"path": "/(enable|externalEndpoints|namedValues)", "from": drill.standby}
    effect = {"status": 429, "headers": {"Retry-After": "1"}}
    drill.stage.world.faults.add({"match": match, "effect": effect, "times": THROTTLED_CALLS})
    drill.say(f"ARM will answer 429 to {THROTTLED_CALLS} of the standby's calls")
    await lose_home(drill, ALL)
    await await_takeover(drill)
    left = sum(row.get("times", 0) for row in drill.stage.world.faults.rows)
    drill.check("throttlingMet", left < THROTTLED_CALLS, f"{THROTTLED_CALLS - left} calls met 429")


async def host_killed_midway(drill: Drill) -> None:
    """The standby's host is killed in each stage of the run, and started again."""
    await prove_standby(drill)
    await await_watch(drill)
    await lose_home(drill, ALL)
    drill.timeline.chapter("Kill the host in every stage")
    killed: list[str] = []
    drill.quicken()
    for stage in STAGES:
        if await _kill_in(drill, stage, 150 if stage == STAGES[0] else 90):
            killed.append(stage)
    drill.check("killedInEveryStage", killed == list(STAGES), f"killed in {', '.join(killed)}")
    await await_takeover(drill)


async def _kill_in(drill: Drill, stage: str, seconds: float) -> bool:
    """Kill and restart the host once the run is in a stage; False when the stage was missed.

    In a stage: by the witness, or, for a stage too short to be seen there, by its slip.
    """
    order = ("requested", *STAGES)

    def reached() -> bool:
        phase = drill.phase()
        past = phase is None or (phase in order and order.index(phase) >= order.index(stage))
        return past or (stage == STAGES[-1] and slip_taken(drill, stage))

    await drill.so(f"stage {stage}", lambda: drill.ran() and reached(), seconds)
    if drill.phase() != stage and not (stage == STAGES[-1] and drill.phase()):
        return False
    await drill.stage.kill_host(drill.standby)
    drill.say(f"{drill.standby}'s host killed in {stage}")
    await drill.stage.start_host(drill.standby)
    return True


async def brownout(drill: Drill) -> None:
    """The active side answers, but late or with errors: alarm, and no failover by itself.

    Its app still renews the lease at the witness, so the region is not lost; moving is for a
    person to decide.
    """
    await await_watch(drill)
    drill.timeline.chapter("Brown out the active side")
    faults = drill.stage.world.faults
    slow = {"match": {"path": r"azure-api\.net", "location": drill.home}}
    faults.add({**slow, "effect": {"delaySeconds": 20}})
    bad = {"match": {"path": r"logic\.azure\.com", "location": drill.home}}
    faults.add({**bad, "effect": {"status": 503}})
    drill.outage(f"{drill.home} answers 503, or after 20 s")
    await hold(drill, BROWN_SECONDS)
    said = {row["state"] for row in drill.watcher.verdicts if row["location"] == drill.standby}
    alarmed = said & {"degraded", "suspect"}
    drill.check("brownoutNoticed", bool(alarmed), f"verdicts were {', '.join(sorted(said))}")
    drill.check("neverLost", "lost" not in said, f"verdicts were {', '.join(sorted(said))}")
    told = [a for a in drill.stage.alerts if drill.home in str(a.get("title", ""))]
    drill.check("alertSent", bool(told), f"{len(told)} alerts about {drill.home}")
    faults.clear()
    drill.say(f"{drill.home} is well again")
    await calm(drill)
    nothing_moved(drill)


async def probe_flap(drill: Drill) -> None:
    """The way between the locations flaps, shorter than the rounds that it takes to conclude."""
    await await_watch(drill)
    drill.timeline.chapter("Flap")
    for number in range(1, FLAPS + 1):
        drill.stage.world.cut(drill.home, drill.standby)
        if number == 1:
            drill.outage("the locations do not see each other")
        await hold(drill, FLAP_SECONDS)
        drill.stage.world.heal()
        drill.say(f"healed, flap {number} of {FLAPS}")
        await hold(drill, REST_SECONDS)
    said = {row["state"] for row in drill.watcher.verdicts if row["location"] == drill.standby}
    drill.check("neverLost", "lost" not in said, f"verdicts were {', '.join(sorted(said))}")
    await calm(drill)
    nothing_moved(drill)


async def standby_isolated(drill: Drill) -> None:
    """The standby is cut off from everything: it must conclude that it is the one."""
    await await_watch(drill)
    drill.timeline.chapter("Isolate the standby")
    for place in (drill.home, "witness", "internet"):
        drill.stage.world.cut(drill.standby, place)
    drill.outage(f"{drill.standby} reaches nothing and nobody")
    await hold(drill, ISOLATED_SECONDS)
    drill.stage.world.heal()
    drill.say("healed")
    said = {row["state"] for row in drill.watcher.verdicts if row["location"] == drill.standby}
    words = f"verdicts were {', '.join(sorted(said))}"
    drill.check("isolationRecognised", bool(said & {"isolated", "inconclusive"}), words)
    drill.check("neverLost", "lost" not in said, words)
    await calm(drill)
    nothing_moved(drill)


async def apim_roundtrip(drill: Drill) -> None:
    """Fill a gateway, back it up, wipe the standby's, restore, and compare item by item."""
    await round_trip(drill)
    nothing_moved(drill)


def _scenario(
    name: str,
    story: Story,
    chapters: int,
    moves: bool,
    changes: dict | None = None,
    planned: bool = False,
    claims: int | None = None,
    nobody_seconds_max: float | None = None,
    estate: str = "contoso.yaml",
) -> Scenario:
    """A scenario whose promise is the first paragraph of its story's docstring."""
    promise = " ".join((story.__doc__ or "").split("\n\n")[0].split())
    return Scenario(
        name,
        promise,
        story,
        chapters,
        moves,
        changes=changes or {},
        timings=HURRIED if changes else {},
        planned=planned,
        claims=claims,
        nobody_seconds_max=nobody_seconds_max,
        estate=estate,
    )


# Quicker rounds and gateways, where their length is not what the story is about.
QUICK = {"watch": {"everySeconds": 5, "rounds": 2}}
HURRIED = {"apim_backup_seconds": 1.0, "apim_restore_seconds": 2.0}


SCENARIOS: dict[str, Scenario] = {
    row.name: row
    for row in (
        _scenario("region-outage", region_outage, 6, True),
        _scenario("brownout", brownout, 5, False),
        _scenario("probe-flap", probe_flap, 5, False),
        _scenario("standby-isolated", standby_isolated, 5, False),
        _scenario("host-killed-midway", host_killed_midway, 7, True),
        _scenario("throttled", throttled, 6, True),
        _scenario("apim-roundtrip", apim_roundtrip, 7, False),
        _scenario("partition", partition, 5, False, QUICK),
        _scenario("active-isolated", active_isolated, 6, True, QUICK),
        _scenario("witness-down", witness_down, 5, False, QUICK),
        _scenario(
            "witness-down-then-outage",
            witness_down_then_outage,
            5,
            False,
            QUICK,
            nobody_seconds_max=math.inf,
        ),
        _scenario("old-active-returns", old_active_returns, 8, True, QUICK),
        _scenario("failback", failback, 10, False, QUICK, claims=2, nobody_seconds_max=120.0),
        _scenario("double-operator", double_operator, 6, True, QUICK, planned=True),
        _scenario("graceful", graceful, 6, True, QUICK, planned=True, nobody_seconds_max=20.0),
        _scenario("approval", approval, 7, True, {**QUICK, "automation": "approval"}),
        _scenario(
            "cancelled-midway",
            cancelled_midway,
            6,
            False,
            QUICK,
            planned=True,
            claims=2,
            nobody_seconds_max=30.0,
        ),
        _scenario("clock-skew", clock_skew, 9, True, QUICK),
        _scenario("servicebus-down", servicebus_down, 8, True, QUICK),
        _scenario(
            "everything",
            everything,
            9,
            False,
            QUICK,
            claims=2,
            nobody_seconds_max=120.0,
            estate="everything.yaml",
        ),
    )
}
