"""The stories in which people decide."""

import asyncio
from datetime import datetime

from rehearsal.drill import Drill
from rehearsal.drill_bound import WAVE
from rehearsal.drill_counts import writes
from rehearsal.drill_never import enabled, exclusive
from rehearsal.drill_story import Missed
from rehearsal.scenarios_gateway import prove_standby
from rehearsal.scenarios_waits import await_takeover, await_watch, hold, lose_home
from rehearsal.world import ALL

ASKED_SECONDS_MAX = 90.0
THOUGHT_SECONDS = 8.0
STAGE_SECONDS_MAX = 60.0
BACK_SECONDS_MAX = 90.0
AGAIN_SECONDS, ORDER_SECONDS_MAX = 3.0, 60.0
PROTECTED_SECONDS_MAX = 180.0
SERVED_SECONDS = 6.0
LAST_WAVE, LAST_WAVE_SECONDS = ("nightly-invoices", "stock-sync", "price-refresh"), 4.0
# Workflows whose work is numbered: name -> the length of a period where that is a time.
FOLLOWED = {"mailbox-orders": 1, "ledger-window": 10}
WHO = {"by": "operator", "comment": "drill"}


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


async def graceful(drill: Drill) -> None:
    """A person moves the plan while all is well: nothing is lost, nothing is done twice."""
    await prove_standby(drill)
    await await_watch(drill)
    await order(drill, drill.home, drill.standby, "graceful")
    lost = drill.stage.clients()["failures"]
    await await_takeover(drill)
    await drill.so("the end of the run", lambda: not drill.phase(), PROTECTED_SECONDS_MAX)
    failed = drill.stage.clients()["failures"] - lost
    drill.check("noCallLost", failed == 0, f"{failed} calls lost since the word was given")
    check_followed(drill)


async def order(drill: Drill, asked: str, to: str, mode: str) -> str:
    """Order a failover at one location's API, again while it is not ready; gives the run."""
    drill.timeline.chapter(f"Order a {mode} move to {to}")
    body = {"mode": mode, "to": to, "reason": "drill"}

    async def taken() -> dict | None:
        asked_at = drill.stage.world.now.isoformat()
        status, told = await drill.api(asked, "POST", f"plans/{drill.name}/failover", body)
        if status == 409:
            drill.say(f"not yet: {told.get('detail')}", lane="people")
            await hold(drill, AGAIN_SECONDS)
            return None
        if status != 202:
            raise Missed(f"the order was not taken: {status} {told}")
        return {**told, "askedAt": asked_at}

    told = await drill.until("the order taken", taken, ORDER_SECONDS_MAX)
    drill.facts.setdefault("outageAt", told["askedAt"])
    drill.say(f"a person orders a {mode} move to {to}")
    return str(told["run"])


def check_followed(drill: Drill) -> None:
    """What has an order of its own was followed without a gap: mails, and a clock's windows."""
    for name, step_seconds in FOLLOWED.items():
        rows = [row for row in drill.stage.world.effects if row["workflow"] == name]
        missing = missed([row["key"].partition(":")[2] for row in rows], step_seconds)
        words = f"{name}: {len(rows)} done, missed: {', '.join(missing[:5]) or 'none'}"
        drill.check(f"nothingSkippedBy{name.title().replace('-', '')}", not missing, words)


def missed(periods: list[str], step_seconds: int) -> list[str]:
    """What lies between the first and the last and was not done; a period is a number or a time."""
    done = {
        int(period)
        if period.isdigit()
        else int(datetime.fromisoformat(period).timestamp()) // step_seconds
        for period in periods
    }
    whole = range(min(done, default=0), max(done, default=0))
    return [str(number) for number in whole if number not in done] if done else ["everything"]


async def approval(drill: Drill) -> None:
    """The plan asks for approval: a region is lost, a person is asked, says yes, and it moves."""
    await prove_standby(drill)
    await await_watch(drill)
    await lose_home(drill, ALL)
    drill.timeline.chapter("Wait to be asked")

    def wanted() -> bool:
        return (asked(drill).get("approval") or {}).get("state") == "wanted"

    await drill.so("a run that wants approval", wanted, ASKED_SECONDS_MAX)
    await hold(drill, THOUGHT_SECONDS)
    told = [a for a in drill.stage.alerts if "approval" in str(a.get("title"))]
    drill.check("personAsked", bool(told), f"{len(told)} alerts ask for approval")
    active = (drill.watcher.record or {}).get("active")
    app = drill.stage.estate.locations[drill.standby].app
    acted = [row for row in writes(drill) if row["principal"] == app]
    # The restore of the gateway was before the loss.
    since = [row for row in acted if str(row["at"]) >= drill.facts["outageAt"]]
    held = active == drill.home and not since
    drill.check("heldUntilApproved", held, f"{active} active, {len(since)} changes by the app")
    await say(drill, drill.standby, asked(drill)["id"], "approve")
    await await_takeover(drill)


def asked(drill: Drill) -> dict:
    """The run in progress, or nothing."""
    return (drill.watcher.record or {}).get("run") or {}


async def say(drill: Drill, location: str, run: str, word: str) -> None:
    """A person's word on a run, at one location's API."""
    status, body = await drill.api(location, "POST", f"runs/{run}/{word}", WHO)
    drill.say(f"a person says {word}: {status}", lane="people")
    if status != 200:
        raise Missed(f"{word} was not taken: {status} {body}")


async def cancelled_midway(drill: Drill) -> None:
    """A move is cancelled half way: what it did is undone in reverse, and home goes on."""
    await prove_standby(drill)
    await await_watch(drill)
    # The last wave takes its time: a word said after the first ones is heard before its end.
    for name in (n for n in exclusive(drill) if n in LAST_WAVE):
        drill.stage.world.faults.add(
            {
                "match": {"path": f"/{name}/enable", "location": drill.standby},
                "effect": {"delaySeconds": LAST_WAVE_SECONDS},
            }
        )
    run = await order(drill, drill.home, drill.standby, "graceful")
    drill.quicken()

    def half_way() -> bool:
        return drill.phase() == "activate" and len(enabled(drill, drill.standby)) > 1

    await drill.so("half of the activation", half_way, STAGE_SECONDS_MAX)
    await say(drill, drill.standby, run, "cancel")
    drill.stage.world.faults.clear()
    drill.timeline.chapter("Wait until it is undone")
    await drill.so("the end of the run", lambda: not drill.phase(), BACK_SECONDS_MAX)
    await hold(drill, SERVED_SECONDS)
    record = drill.watcher.record or {}
    ends = [line["what"] for line in record["transitions"] if line["who"] == run]
    drill.check("cancelled", "cancelled" in ends, f"the run: {', '.join(ends)}")
    words = f"{record['active']} is active, epoch {record['epoch']}"
    drill.check("homeIsActive", record["active"] == drill.home, words)
    off = sorted(set(exclusive(drill)) - set(enabled(drill, drill.home)))
    drill.check("homeWorks", not off, f"not enabled again: {', '.join(off) or 'none'}")
    on = enabled(drill, drill.standby)
    drill.check("standbyStands", not on, f"still enabled: {', '.join(on) or 'none'}")
    seen = drill.stage.clients()
    drill.check("homeServes", seen["answering"] == drill.home, f"by {seen['answering']}")
    drill.check("noCallLost", not seen["failures"], f"{seen['failures']} calls lost")
    _undone_in_reverse(drill)
    check_followed(drill)


def _undone_in_reverse(drill: Drill) -> None:
    """By ARM's journal: in the standby a later wave was stopped before an earlier one."""
    waves = {c["name"]: WAVE.get(c.get("trigger"), 0) for c in drill.plan["components"]}
    group = drill.stage.estate.locations[drill.standby].resourceGroup.lower()
    paths = [
        row["url"].split("?")[0].lower() for row in writes(drill) if group in row["url"].lower()
    ]
    stopped = [path.split("/")[-2] for path in paths if path.endswith("/disable")]
    seen = [waves[name] for name in stopped if name in waves]
    words = f"{', '.join(stopped)}" if stopped else "nothing was stopped"
    held = bool(stopped) and seen == sorted(seen, reverse=True)
    drill.check("undoneInReverse", held, words)
