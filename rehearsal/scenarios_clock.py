"""The story of clocks that are wrong: leases are judged by the witness's time alone."""

from rehearsal.drill import Drill
from rehearsal.scenarios_gateway import prove_standby
from rehearsal.scenarios_waits import (
    await_takeover,
    await_watch,
    hold,
    lose_home,
    said,
)
from rehearsal.world import ALL
from shared.witness import LEASE_MARGIN_SECONDS

FAR_SECONDS = 60.0  # Beyond the margin, and longer than the lease.
PARTED_SECONDS = 16.0


async def clock_skew(drill: Drill) -> None:
    """A host's clock is off, first by the margin, then by far more than the lease: no matter.

    The standby's clock is ahead, so that by its own time every lease has run out. While the
    locations do not see each other only the lease says that home lives.
    """
    await prove_standby(drill)
    await _set_clock(drill, LEASE_MARGIN_SECONDS)
    await await_watch(drill)
    await _part(drill, LEASE_MARGIN_SECONDS)
    await _set_clock(drill, FAR_SECONDS)
    await await_watch(drill)
    await _part(drill, FAR_SECONDS)
    await lose_home(drill, ALL)
    await await_takeover(drill)


async def _set_clock(drill: Drill, seconds: float) -> None:
    """Start the standby's host anew on a clock that is ahead."""
    drill.timeline.chapter(f"Put {drill.standby}'s clock {seconds:.0f} s ahead")
    drill.stage.hosts[drill.standby].clock_seconds = seconds
    await drill.stage.kill_host(drill.standby)
    await drill.stage.start_host(drill.standby)
    before = len(drill.watcher.rounds)
    await drill.so("a round on the wrong clock", lambda: len(drill.watcher.rounds) > before, 60.0)


async def _part(drill: Drill, seconds: float) -> None:
    """For a while the standby sees nothing of home but its lease."""
    since = len(drill.watcher.verdicts)
    drill.stage.world.cut(drill.home, drill.standby)
    drill.say("the locations do not see each other")
    await hold(drill, PARTED_SECONDS)
    now = said(drill, since)
    words = f"verdicts were {', '.join(sorted(now))}"
    drill.check("clockOffNoticed", "suspect" in now, words)
    drill.check("neverLostWhileLeased", "lost" not in now and not drill.ran(), words)
    off = drill.watcher.offset_seconds(drill.standby)
    right = off is not None and abs(off - seconds) < 10
    drill.check("clockWasOff", right, f"the app's time was {off} s ahead, meant {seconds:.0f} s")
    drill.stage.world.heal()
    drill.say("healed")
