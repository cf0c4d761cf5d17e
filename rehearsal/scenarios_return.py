"""The stories of a region that comes back."""

from rehearsal.drill import Drill
from rehearsal.drill_never import enabled
from rehearsal.scenarios_gateway import prove_standby
from rehearsal.scenarios_ledger import begin_work, remembered, run_again
from rehearsal.scenarios_waits import await_takeover, await_watch, hold, lose_home
from rehearsal.world import ALL

STOOD_DOWN_SECONDS_MAX = 40.0
WATCHED_SECONDS = 12.0
DATA = frozenset({"data"})


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


async def come_back(drill: Drill) -> None:
    """The old region is given back: first its management, app and network, then its workflows.

    Its workflows come back enabled. Were they back before the resource manager and the app, they
    would work until somebody can be asked to stop them: no product could prevent that.
    """
    drill.timeline.chapter(f"{drill.home} comes back")
    await drill.stage.recover(drill.home, ALL - DATA)
    drill.say(f"{drill.home} is back, its workflows not yet")

    def down() -> bool:
        return not enabled(drill, drill.home)

    await drill.so(f"{drill.home} standing down", down, STOOD_DOWN_SECONDS_MAX)
    await drill.stage.recover(drill.home)
    drill.say(f"{drill.home}'s workflows are back")
