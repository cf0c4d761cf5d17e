"""The story of an estate in which every kind of component moves, and moves back."""

from rehearsal.drill import Drill
from rehearsal.drill_story import Missed
from rehearsal.report import figure, seconds_between
from rehearsal.scenarios_gateway import prove_standby
from rehearsal.scenarios_return import come_back, go_home
from rehearsal.scenarios_waits import await_takeover, await_watch, lose_home
from rehearsal.world import ALL
from shared.dryrun import SAME
from shared.kinds import KINDS

SHOWN_MAX = 5
# What each run does anew, so that a dry run cannot tell it from what is still to be done: raise the
# partners' numbers, ask a person, call a hook, redeploy.
ANEW = ("integrationAccount", "manual", "http", "deployment")
LOOK_SECONDS_MAX = 60.0  # It looks at everything, in both locations.


async def everything(drill: Drill) -> None:
    """An estate of every kind loses its region, moves, and goes home when the region is back."""
    await prove_standby(drill)
    await await_watch(drill)
    await lose_home(drill, ALL)
    await await_takeover(drill)
    measure(drill)
    await come_back(drill)
    await all_serve(drill, drill.standby, "standbyServesEveryKind")
    await go_home(drill)
    await all_serve(drill, drill.home, "homeServesEveryKind")
    kinds = {part["kind"] for part in drill.plan["components"]}
    missing = sorted(set(KINDS) - kinds)
    words = f"{len(kinds)} kinds, without {', '.join(missing) or 'none'}"
    drill.check("everyKind", not missing, words)


def measure(drill: Drill) -> None:
    """From the loss until the customer was answered again, against the plan's objective."""
    served = drill.stage.clients()["lastSwitchAt"]
    seconds = seconds_between(drill.facts["outageAt"], served)
    most = drill.plan["objectives"]["rtoSeconds"]
    drill.facts |= {"servedAt": served, "rtoSeconds": seconds}
    held = seconds is not None and seconds <= most
    drill.check("rtoMet", held, f"served again after {figure(seconds, 's')}, objective {most} s")


async def all_serve(drill: Drill, location: str, name: str) -> None:
    """A dry run towards where the plan is active finds nothing to do: all of it serves there."""
    told = {"mode": "forced", "to": location, "reason": "the drill looks", "dryRun": True}
    path = f"plans/{drill.name}/failover"
    status, body = await drill.api(location, "POST", path, told, LOOK_SECONDS_MAX)
    if status != 200:
        raise Missed(f"no dry run: {status} {body.get('detail', '')}")
    promoted = [r for r in body["differences"] if r["verb"] == "promote"]
    rows = [r for r in promoted if r["kind"] not in ANEW]
    open_ = [f"{r['component']} ({r['seen']})" for r in rows if r["would"] != SAME]
    words = f"{len(rows)} components looked at in {location}, not serving: "
    drill.check(name, bool(rows) and not open_, words + ("; ".join(open_[:SHOWN_MAX]) or "none"))
