"""Scale: what a stage costs the app when its plan has a thousand workflows.

`python -m rehearsal.simulation.scale COUNT` wakes so many workflows, through the SDK's own replay
and the rehearsal's engine, in virtual time: every activity answers at once, so what is measured is
what the orchestrations themselves cost. Prints JSON; each count in a process of its own, because of
the memory.
"""

import asyncio
import json
import resource
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import azure.durable_functions as df

from orchestrations.component import component
from orchestrations.stages import stage
from orchestrations.waves import block
from rehearsal import estate, estate_growth
from rehearsal.host import index, invoke
from rehearsal.host.durable.clock import VirtualClock
from rehearsal.host.durable.engine import Engine
from rehearsal.host.durable.store import Instance, Store
from rehearsal.host.durable.work import Activity
from shared import pace
from shared.kinds import KINDS
from shared.plan import Plan, load
from shared.record import fresh

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
RUN = "scale-1"
POLL_SECONDS = 0.01
SECONDS_MAX = 900.0
WELL = {"status": "succeeded", "because": "as asked"}
ACTIVITIES = ("load_plan", "advance_run", "read_witness", "note_rows", "send_slip", "alert")


def answers(plan: Plan) -> dict[str, dict]:
    """What each activity says, always: a standby in which nothing runs yet and all is well."""
    to = plan.other(plan.home)
    run = {"id": RUN, "phase": "activate", "mode": "forced", "from": plan.home, "to": to}
    run |= {"at": START.isoformat(), "by": "scale", "reason": "", "because": "", "approval": None}
    run |= {"paused": False, "cancel": None, "released": None, "resumed": False}
    record = {**fresh(plan.document, START), "epoch": 1, "active": to, "run": run}
    known = {"record": record, "now": START.isoformat()}
    loaded = {"plan": plan.document, "digest": plan.digest, "stale": False}
    verbs = {verb.activity: WELL for kind in KINDS.values() for verb in kind.values()}
    looks = {kind["observe"].activity for kind in KINDS.values() if "observe" in kind}
    return {
        **verbs,
        **dict.fromkeys(ACTIVITIES, WELL),
        **{name: {**WELL, "serving": True} for name in looks},
        "load_plan": {**WELL, **loaded},
        "advance_run": {**WELL, **known},
        "read_witness": {**WELL, **known},
    }


def activity(said: dict) -> Activity:
    text = json.dumps(said)

    async def at_once(given: str | None) -> str:
        return text

    return at_once


def orchestrators(tally: Counter[str]) -> dict[str, Callable[[str], str]]:
    """The three of a stage; `tally` counts their turns, and the bytes of their replays."""
    made = df.DFApp()
    for one in (stage, component, block):
        made.orchestration_trigger(context_name="context")(one)
    functions = [index.as_function(each) for each in made.get_functions()]
    return {each.name: counted(invoke.orchestrator(each), tally) for each in functions}


def counted(replay: Callable[[str], str], tally: Counter[str]) -> Callable[[str], str]:
    def turn(text: str) -> str:
        answer = replay(text)
        tally["turns"] += 1
        tally["replayedBytes"] += len(text) + len(answer)
        return answer

    return turn


async def wake(plan: Plan, folder: Path) -> dict:
    """Seconds of this process for the whole stage, virtual ones of its clock, and what it wrote."""
    clock, store = VirtualClock(START), Store(folder / "scale.db")
    told = {name: activity(said) for name, said in answers(plan).items()}
    tally: Counter[str] = Counter()
    engine = Engine(store, orchestrators(tally), told, clock)
    await engine.start()
    slip = {"version": 1, "kind": "failover", "run": RUN, "plan": plan.name, "digest": plan.digest}
    slip |= {"mode": "forced", "from": plan.home, "to": plan.other(plan.home), "epoch": 1}
    slip |= {"stage": "activate", "route": ["redirect", "verify", "protect"], "reason": ""}
    slip |= {"by": "scale", "requestedAt": START.isoformat(), "facts": {}}
    worked = time.process_time()
    id = engine.start_instance("stage", f"{RUN}.activate", json.dumps(slip))
    ended = await end(engine, id)
    worked = time.process_time() - worked
    await engine.stop()
    store.close()
    rows = json.loads(ended.output or "{}").get("rows", [])
    return {
        "workflows": sum(row["outcome"] == "succeeded" for row in rows),
        "processorSeconds": round(worked, 3),
        "virtualSeconds": round((clock.now() - START).total_seconds(), 1),
        "historyBytes": history_bytes(folder / "scale.db"),
        **tally,
        "boundSeconds": pace.bound_seconds(len(rows)),
    }


def megabytes() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def history_bytes(file: Path) -> int:
    """What all instances together have in their histories."""
    with closing(sqlite3.connect(file)) as known:
        return known.execute("select sum(length(data)) from history").fetchone()[0]


async def end(engine: Engine, id: str) -> Instance:
    """The instance once it has ended; RuntimeError where it does not, or not well."""
    until = time.monotonic() + SECONDS_MAX
    while not engine.instance(id).finished:
        if time.monotonic() > until:
            raise RuntimeError(f"{id} does not end")
        await asyncio.sleep(POLL_SECONDS)
    found = engine.instance(id)
    if found.status != "Completed":
        raise RuntimeError(f"{id} is {found.status}: {(found.output or '')[:300]}")
    return found


def main(count: int) -> None:
    """Print the figures of one count; its memory is what it took beside the modules."""
    before = megabytes()
    plan = load(estate_growth.grow(estate.load(), count).plan_text)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(wake(plan, Path(folder)))
    found |= {"residentMegabytes": megabytes(), "grownMegabytes": megabytes() - before}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
