"""The story of an estate in which every kind of component moves, and moves back."""

import asyncio

from rehearsal.drill import Drill
from rehearsal.drill_still import at_work, unlike
from rehearsal.drill_story import Missed
from rehearsal.providers.data_factory_code import code_of
from rehearsal.report import figure, seconds_between
from rehearsal.scenarios_gateway import prove_standby
from rehearsal.scenarios_return import STOOD_DOWN_SECONDS_MAX, come_back, go_home
from rehearsal.scenarios_waits import await_takeover, await_watch, lose_home
from rehearsal.world import ALL
from shared.kinds import KINDS
from shared.plan import Plan

SHOWN_MAX = 5
# What each run does anew, so that a dry run cannot tell it from what is still to be done: raise the
# partners' numbers, ask a person, call a hook, redeploy.
ANEW = ("integrationAccount", "manual", "http", "deployment")
LOOK_SECONDS_MAX = 60.0  # It looks at everything, in both locations.
# An alias is Accepted for seconds while it is paired anew, which begins when a region is back.
LOOKS_MAX, LOOK_PAUSE_SECONDS = 3, 5.0


async def everything(drill: Drill) -> None:
    """An estate of every kind loses its region, moves, and goes home when the region is back."""
    await prove_standby(drill)
    await await_watch(drill)
    await lose_home(drill, ALL)
    await await_takeover(drill)
    measure(drill)
    judge_code(drill)
    await come_back(drill)
    await stand_down(drill, drill.home)
    await all_as_meant(drill, drill.standby, "standbyServesEveryKind", "homeStandsInEveryKind")
    await go_home(drill)
    await all_as_meant(drill, drill.home, "homeServesEveryKind", "standbyStandsInEveryKind")
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


def judge_code(drill: Drill) -> None:
    """The factory that took over runs the same as the lost one, which was ahead of it when the
    story began."""
    plan, table = Plan.model_validate(drill.plan), drill.stage.world.resources
    for name in (part.name for part in plan.components if part.kind == "dataFactory"):
        roots = [plan.component(name, at)["resource"] for at in (drill.home, drill.standby)]
        was, now = (code_of(table, root) for root in roots)
        apart = sorted(one for one in {*was, *now} if was.get(one) != now.get(one))
        words = f"{len(now)} parts of {name}, not as at home: {', '.join(apart) or 'none'}"
        drill.check("codeDeployed", bool(now) and not apart, words)


async def stand_down(drill: Drill, location: str) -> None:
    """Until nothing exclusive is at work there, of any kind: they stop one after the other."""

    def working() -> list[str]:
        return at_work(drill.stage.world, Plan.model_validate(drill.plan), location)

    try:
        await drill.so(f"{location} standing still", lambda: not working(), STOOD_DOWN_SECONDS_MAX)
    except Missed as late:
        raise Missed(f"{late}: {', '.join(working())}") from late


async def all_as_meant(drill: Drill, location: str, serves: str, stands: str) -> None:
    """A dry run towards where the plan is active finds nothing to do: all of it serves there, and
    what may not run twice stands still in the other location. What does not serve is looked at
    again, a few times: what is being paired anew just then settles by itself."""
    plan, rows = Plan.model_validate(drill.plan), await differences(drill, location)
    for _ in range(LOOKS_MAX - 1):
        if not unlike(rows, "promote", served(rows)):
            break
        await asyncio.sleep(LOOK_PAUSE_SECONDS)
        rows = await differences(drill, location)
    judge_served(drill, rows, location, serves)
    judge_still(drill, rows, plan.other(location), stands)


async def differences(drill: Drill, location: str) -> list[dict]:
    """What a dry run towards `location` would find to do."""
    told = {"mode": "forced", "to": location, "reason": "the drill looks", "dryRun": True}
    path = f"plans/{drill.name}/failover"
    status, body = await drill.api(location, "POST", path, told, LOOK_SECONDS_MAX)
    if status != 200:
        raise Missed(f"no dry run: {status} {body.get('detail', '')}")
    return body["differences"]


def served(rows: list[dict]) -> list[str]:
    """What a dry run looked at, but for what each run does anew."""
    promoted = [r for r in rows if r["verb"] == "promote" and r["kind"] not in ANEW]
    return [row["component"] for row in promoted]


def judge_served(drill: Drill, rows: list[dict], location: str, name: str) -> None:
    """What a dry run would start is started, but for what each run does anew."""
    names = served(rows)
    wrong = unlike(rows, "promote", names)
    words = f"{len(names)} components looked at in {location}, not serving: "
    drill.check(name, bool(names) and not wrong, words + ("; ".join(wrong[:SHOWN_MAX]) or "none"))


def judge_still(drill: Drill, rows: list[dict], away: str, name: str) -> None:
    """What may not run twice stands still in the location that was left, of every kind: by a dry
    run, which would stop nothing there, and by the world itself."""
    plan = Plan.model_validate(drill.plan)
    names = plan.exclusive(away)
    on = [f"{one} (by the world)" for one in at_work(drill.stage.world, plan, away)]
    wrong = [*on, *unlike(rows, "demote", names)]
    words = f"{len(names)} components looked at in {away}, at work or not known to stand still: "
    drill.check(name, bool(names) and not wrong, words + ("; ".join(wrong[:SHOWN_MAX]) or "none"))
