"""What is seen from outside while a drill runs: the witness, the verdicts, and who answers.

Read straight from the storage accounts and the customer, never from the app's own word.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp

from rehearsal.blobs import AUDIENCE, VERSION
from rehearsal.identity import mint
from rehearsal.stage import Stage

LOOK_SECONDS, LOOK_SECONDS_MAX = 0.1, 2.0
CHANGES_MAX = 5_000
Say = Callable[[str, str], None]


@dataclass
class Watcher:
    """Changes in order, each `{"at", ...}`: `records`, `verdicts`, `rounds`, `answering`."""

    stage: Stage
    say: Say
    records: list[dict] = field(default_factory=list)
    verdicts: list[dict] = field(default_factory=list)
    rounds: list[dict] = field(default_factory=list)
    answering: list[dict] = field(default_factory=list)
    look_seconds: float = LOOK_SECONDS
    _etags: dict[str, str] = field(default_factory=dict)
    _blobs: dict[str, str] = field(default_factory=dict)
    _task: asyncio.Task | None = None

    @property
    def record(self) -> dict | None:
        """The witness's record as it was last seen."""
        return self.records[-1]["record"] if self.records else None

    @property
    def epochs(self) -> list[int]:
        """Every epoch that the witness had, in order, without repeats."""
        return list(dict.fromkeys(row["record"]["epoch"] for row in self.records))

    def verdict(self, location: str) -> str | None:
        """What the watchdog of a location says now."""
        found = [row["state"] for row in self.verdicts if row["location"] == location]
        return found[-1] if found else None

    def offset_seconds(self, location: str) -> float | None:
        """How far a location's app was ahead of the time when its last round was seen."""
        found = [row for row in self.rounds if row["location"] == location]
        if not found:
            return None
        seen = datetime.fromisoformat(found[-1]["at"])
        return round((found[-1]["judgedAt"] - seen).total_seconds(), 1)

    def start(self) -> None:
        """Begin to look."""
        stage, plan = self.stage, self.stage.scene.plan_name
        witness = stage.estate.witness.storage
        self._open("witness", witness, f"{plan}.json")
        for name, place in stage.estate.locations.items():
            self._open(name, place.storage, f"watch/{plan}.json")
        self._task = asyncio.create_task(self._keep_looking())

    def _open(self, key: str, account: str, blob: str) -> None:
        port = self.stage.storage.accounts[account].port
        self._blobs[key] = f"https://127.0.0.1:{port}/{account}/understudy/{blob}"

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_looking(self) -> None:
        # The storage clients cost more than the look is worth, many times a second.
        limit = aiohttp.ClientTimeout(total=LOOK_SECONDS_MAX)
        tls = aiohttp.TCPConnector(ssl=self.stage.authority.client())
        async with aiohttp.ClientSession(timeout=limit, connector=tls, trust_env=False) as session:
            while True:
                self._look_at_client()
                for key, url in self._blobs.items():
                    content = await self._changed(session, key, url)
                    if content is not None:
                        note = self._note_record if key == "witness" else self._note_verdict
                        note(key, content)
                await asyncio.sleep(self.look_seconds)

    async def _changed(self, session: aiohttp.ClientSession, key: str, url: str) -> dict | None:
        """The blob, if it is not as it was; None also while it is not there or storage is down."""
        world = self.stage.world
        headers = {
            "Authorization": f"Bearer {mint(world, 'watcher', AUDIENCE, world.now)}",
            "x-ms-version": VERSION,
        }
        if key in self._etags:
            headers["If-None-Match"] = self._etags[key]
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError):
            async with session.get(url, headers=headers) as reply:
                if reply.status == 200:
                    found = json.loads(await reply.read())
                    self._etags[key] = reply.headers["ETag"]
                    return found
        return None

    def _note_record(self, key: str, record: dict) -> None:
        was, run = self.record, record.get("run")
        old = (was.get("run") or {}).get("phase") if was else None
        self._keep(self.records, {"record": record})
        if was is not None and record["epoch"] != was["epoch"]:
            self.say("witness", f"epoch {record['epoch']}: {record['active']} is active")
        if run and run.get("phase") != old:
            self.say("run", f"{run['id']}: {run['phase']}")

    def _note_verdict(self, location: str, watch: dict) -> None:
        verdict = watch.get("verdict") or {}
        state, because = verdict.get("state"), verdict.get("because", "")
        if verdict:
            seen = {key: watch.get(key, []) for key in ("observations", "controls")}
            at = datetime.fromisoformat(verdict["at"])
            self._keep(self.rounds, {"location": location, "judgedAt": at, "state": state, **seen})
        if state and state != self.verdict(location):
            row = {"location": location, "state": state, "because": because}
            self._keep(self.verdicts, row)
            self.say("verdict", f"{location} says {watch.get('watches')} is {state}: {because}")

    def _look_at_client(self) -> None:
        now = self.stage.clients()["answering"]
        if not self.answering or self.answering[-1]["location"] != now:
            self._keep(self.answering, {"location": now})
            self.say("client", f"answered by {now}" if now else "not answered")

    def _keep(self, rows: list[dict], row: dict) -> None:
        rows.append({"at": datetime.now(UTC).isoformat(), **row})
        del rows[:-CHANGES_MAX]
