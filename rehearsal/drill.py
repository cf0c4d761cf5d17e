"""The drill: open a stage, tell one scenario on it, judge it from outside, write the report."""

import asyncio
import contextlib
import json
import logging
import signal
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import aiohttp

from rehearsal import drill_findings, report, stage_producer
from rehearsal.azurite import NotSetUp
from rehearsal.drill_story import Missed, Scenario, laid_over
from rehearsal.drill_switches import Switches
from rehearsal.drill_watch import Watcher
from rehearsal.estate import Scene
from rehearsal.processes import NotStarted
from rehearsal.stage import Stage
from rehearsal.stage_hosts import MASTER_KEY
from rehearsal.timeline import Timeline
from shared import plan as plans

T = TypeVar("T")
MET, MISSED, ERROR = 0, 1, 2
QUICK_SECONDS = 0.02
API_SECONDS_MAX = 15.0
# Backups are asked for by the story, not by the clock.
SETTINGS = {"BACKUP_SCHEDULE": "0 0 3 1 1 *", "WATCHDOG_SCHEDULE": "*/2 * * * * *"}


class Drill:
    """What a scenario works with: the stage, the plan, and ways to wait, to say and to check."""

    def __init__(self, stage: Stage, timeline: Timeline, watcher: Watcher) -> None:
        self.stage, self.timeline, self.watcher = stage, timeline, watcher
        plan = plans.load(stage.scene.plan_text)
        self.plan, self.switches = plan.document, Switches(stage.world, plan)
        self.home, self.standby = stage.estate.home, stage.estate.standby
        self.checks: dict[str, tuple[bool, str]] = {}
        self.facts: dict = {}
        self.kept: dict = {}  # What the scenario's own checks need, and the report does not show.

    @property
    def name(self) -> str:
        """The plan's name."""
        return self.stage.scene.plan_name

    def say(self, what: str, lane: str = "world") -> None:
        """Note something in the timeline."""
        self.timeline.say(lane, what)

    def outage(self, what: str) -> None:
        """The moment from which everything is counted."""
        self.facts["outageAt"] = self.stage.world.now.isoformat()
        self.say(what)

    def quicken(self) -> None:
        """Look more often from now on: what comes is short."""
        self.watcher.look_seconds = QUICK_SECONDS

    def phase(self) -> str | None:
        """The stage of the run in progress, by the witness; None when there is no run."""
        run = (self.watcher.record or {}).get("run")
        return run["phase"] if run else None

    def ran(self) -> bool:
        """Was any run ever reserved, by the witness?"""
        return any(row["record"].get("run") for row in self.watcher.records)

    def check(self, name: str, held: bool, because: str) -> None:
        """An invariant, by name; once broken it stays broken."""
        was, words = self.checks.get(name, (True, because))
        self.checks[name] = (was and held, because if was else words)

    async def until(self, what: str, ask: Callable[[], Awaitable[T | None]], seconds: float) -> T:
        """Ask until the answer is neither None nor false, or raise Missed naming `what`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            if found := await ask():
                return found
            await asyncio.sleep(self.watcher.look_seconds)
        raise Missed(f"{what} did not happen within {seconds:.0f} s")

    async def so(self, what: str, ask: Callable[[], object], seconds: float) -> None:
        """Wait until a plain condition holds."""

        async def answer() -> bool | None:
            return bool(ask()) or None

        await self.until(what, answer, seconds)

    async def api(
        self,
        location: str,
        method: str,
        path: str,
        body: dict | None = None,
        seconds: float = API_SECONDS_MAX,
    ) -> tuple[int, dict]:
        """Call a location's HTTP API through its front, with the key that may change things."""
        url = f"{self.stage.network.apps[location].url}/api/{path}"
        limit = aiohttp.ClientTimeout(total=seconds)
        headers = {"x-functions-key": MASTER_KEY}
        async with (
            aiohttp.ClientSession(timeout=limit, trust_env=False) as session,
            session.request(method, url, json=body, headers=headers) as reply,
        ):
            found = await reply.json(content_type=None) if reply.status != 204 else {}
            return reply.status, found if isinstance(found, dict) else {"value": found}


async def run(scenario: Scenario, scene: Scene, seed: int, out: Path) -> int:
    """Tell a scenario and write its report into `out`; gives the exit code."""
    timeline = Timeline(scenario.name, scenario.chapters)
    started = datetime.now(UTC).isoformat()
    base = {"scenario": scenario.name, "seed": seed, "plan": scene.plan_name, "startedAt": started}
    out.mkdir(parents=True, exist_ok=True)
    for old in ("arm.jsonl", "report.json", "report.html"):
        (out / old).unlink(missing_ok=True)
    settings = {**SETTINGS, **scenario.settings}
    with timeline:
        timeline.chapter("Open the stage")
        try:
            whole = Stage(laid_over(scene, scenario.changes), out / "stage", seed, settings)
            # The hosts call ARM from their first moment, so the file is there before they are.
            whole.world.journal.write_to(out / "arm.jsonl")
            opened = asyncio.get_running_loop().time()
            async with whole as stage:
                opened = round(asyncio.get_running_loop().time() - opened, 1)
                found = {**await _tell(scenario, stage, timeline), "setUpSeconds": opened}
        except (NotStarted, NotSetUp, OSError) as wrong:
            found = {"outcome": "error", "because": str(wrong)}
        # Exit 1 says that objectives were missed: whatever else went wrong must not look like it.
        except Exception as wrong:
            logging.exception("the drill broke")
            found = {"outcome": "error", "because": f"{type(wrong).__name__}: {wrong}"}
        found |= {"endedAt": datetime.now(UTC).isoformat(), "events": list(timeline.events)}
        written = report.write({**base, **found}, out)
        timeline.end(f"{report.HEADLINES[written['outcome']]}: {written['because']}")
    print(drill_findings.summary(written, out))
    return {"met": MET, "missed": MISSED}.get(written["outcome"], ERROR)


async def _tell(scenario: Scenario, stage: Stage, timeline: Timeline) -> dict:
    """The story, then the judgement; what is found goes into the report."""
    stage.world.timings |= scenario.timings
    watcher = Watcher(stage, timeline.say)
    drill = Drill(stage, timeline, watcher)
    timeline.state = lambda: drill_findings.state(drill)
    missed = ""
    async with contextlib.AsyncExitStack() as stack:
        watcher.start()
        stack.push_async_callback(watcher.stop)
        if (own := stage.estate.workload) is not None:
            text = stage.buses.players[own.namespace].connection_string()
            producers = await stage_producer.start(own.producers, text)
            stack.push_async_callback(producers.stop)
        try:
            await scenario.story(drill)
        except Missed as wrong:
            missed = str(wrong)
            drill.check("storyToldToItsEnd", False, missed)
        timeline.chapter("Judge")
        found = await drill_findings.gather(drill, scenario)
    for name, (held, because) in drill.checks.items():
        timeline.say("check", f"{'held' if held else 'BROKEN'}: {report.words(name)} - {because}")
    return found


async def keep_open(scene: Scene, ready_file: Path, seed: int, out: Path | None) -> int:
    """Keep a stage up until SIGTERM; `ready_file` appears whole when it is ready."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    ready_file.unlink(missing_ok=True)
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(tempfile.TemporaryDirectory(prefix="understudy-"))
        folder = out / "stage" if out else Path(own) / "stage"
        opening = asyncio.create_task(Stage(scene, folder, seed).open())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({opening, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not opening.done():
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            return MET
        stage = await opening
        try:
            await asyncio.to_thread(_announce, ready_file, stage.ready())
            await stop.wait()
        finally:
            await stage.close()
            ready_file.unlink(missing_ok=True)
            stopped.cancel()
    return MET


def _announce(file: Path, facts: dict) -> None:
    """Write the ready file in one move, so that nobody reads half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(file.suffix + ".part")
    draft.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    draft.replace(file)
