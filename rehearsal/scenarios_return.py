"""The stories of a region that comes back."""

from rehearsal.drill import Drill
from rehearsal.drill_never import TOLD_BY_DATA, enabled
from rehearsal.drill_still import at_work
from rehearsal.drill_story import Missed
from rehearsal.scenarios_gateway import prove_standby
from rehearsal.scenarios_ledger import begin_work, remembered, run_again
from rehearsal.scenarios_people import PROTECTED_SECONDS_MAX, order
from rehearsal.scenarios_waits import (
    MOVED,
    await_takeover,
    await_watch,
    hold,
    lose_home,
    served_by,
)
from rehearsal.world import ALL
from shared import plan as plans

STOOD_DOWN_SECONDS_MAX = 40.0
WATCHED_SECONDS = 12.0
HOME_SECONDS_MAX = 120.0
DATA = frozenset({"data"})
HOME = {"mode": "graceful", "reason": "the drill: before home is ready"}
WORDS_MAX = 200


async def old_active_returns(drill: Drill) -> None:
    """A lost region comes back after the standby took over: it stands down and stays standby.

    What its loss cut off is run again when somebody asks for it, once.
    """
    run = begin_work(drill)
    await prove_standby(drill)
    await await_watch(drill)
    await remembered(drill, run)
    await lose_home(drill, ALL)
    await await_takeover(drill)
    await come_back(drill)
    await run_again(drill, run)
    await hold(drill, WATCHED_SECONDS)
    record = drill.watcher.record or {}
    words = f"{record.get('active')} is active, epoch {record.get('epoch')}"
    drill.check("staysStandby", record.get("active") == drill.standby, words)
    on = enabled(drill, drill.home)
    drill.check("stoodDown", not on, f"{len(on)} exclusive workflows enabled in {drill.home}")


async def failback(drill: Drill) -> None:
    """A lost region comes back, is made ready again, and then the plan goes home without loss."""
    await prove_standby(drill)
    await await_watch(drill)
    await lose_home(drill, ALL)
    await await_takeover(drill)
    await come_back(drill)
    status, told = await drill.api(drill.standby, "POST", f"plans/{drill.name}/failover", HOME)
    words = f"{status}: {told.get('detail', '')}"[:WORDS_MAX]
    drill.check("refusedUntilReady", status == 409, words)
    await go_home(drill)


async def go_home(drill: Drill) -> None:
    """Wait until home is a standby that is ready, and move the plan back there gracefully."""
    drill.timeline.chapter("Wait until the next disaster is survivable")
    await drill.so("the end of the run", lambda: not drill.phase(), PROTECTED_SECONDS_MAX)
    lost = drill.stage.clients()["failures"]
    ordered = drill.stage.world.now
    await order(drill, drill.standby, drill.home, "graceful")
    await _await_home(drill)
    seconds = (drill.stage.world.now - ordered).total_seconds()
    most = drill.plan["objectives"]["rtoSeconds"]
    words = f"home serves {seconds:.1f} s after the order, objective {most} s"
    drill.check("wayHomeMet", seconds <= most, words)
    failed = drill.stage.clients()["failures"] - lost
    drill.check("noCallLostOnTheWayHome", failed == 0, f"{failed} calls lost")
    world, plan = drill.stage.world, plans.Plan.model_validate(drill.plan)
    off = sorted(set(plan.movers()) - set(at_work(world, plan, drill.home)))
    drill.check("homeWorks", not off, f"not at work: {', '.join(off) or 'none'}")
    on = at_work(world, plan, drill.standby)
    drill.check("standbyStands", not on, f"still at work: {', '.join(on) or 'none'}")


async def _await_home(drill: Drill) -> None:
    """Until home is active, all has moved, and home answers the customer."""

    def active() -> bool:
        return (drill.watcher.record or {}).get("active") == drill.home

    await drill.so(f"{drill.home} active at the witness", active, HOME_SECONDS_MAX)
    await drill.so("the last stage", lambda: drill.phase() in MOVED, HOME_SECONDS_MAX)
    await served_by(drill, drill.home)


async def come_back(drill: Drill) -> None:
    """The old region is given back: first its management, app and network, then its workflows.

    What it did comes back switched on. Were it back before the resource manager and the app, it
    would work until somebody can be asked to stop it: no product could prevent that, as none can
    of what is told over the data plane alone (`TOLD_BY_DATA`).
    """
    drill.timeline.chapter(f"{drill.home} comes back")
    await drill.stage.recover(drill.home, ALL - DATA)
    drill.say(f"{drill.home} is back, its workflows not yet")
    plan = plans.Plan.model_validate(drill.plan)

    def on() -> list[str]:
        working = at_work(drill.stage.world, plan, drill.home)
        return [name for name in working if plan.part(name).kind not in TOLD_BY_DATA]

    try:
        await drill.so(f"{drill.home} standing down", lambda: not on(), STOOD_DOWN_SECONDS_MAX)
    except Missed as late:
        raise Missed(f"{late}: {', '.join(on())}") from late
    await drill.stage.recover(drill.home)
    drill.say(f"{drill.home}'s workflows are back")
