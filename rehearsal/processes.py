"""Child processes of the stage: each in a group of its own, with a log, and ended by its pid.

A child dies with the stage even when the stage is killed: on Linux the kernel is asked for that.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

POLL_SECONDS = 0.05
STOP_SECONDS_MAX = 8.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class NotStarted(Exception):
    """A child that did not become ready; the text carries the end of its log."""


def _die_with_parent() -> None:
    """In the child, before exec: be killed when the stage is gone, however it went."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """One running process."""

    def __init__(self, name: str, argv: list[str], log: Path, env: dict | None = None) -> None:
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                argv,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Is it still running? Also collects the process when it has ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL to the process and whatever it started; quiet when it is gone already."""
        self._signal(signal.SIGKILL)
        self._process.wait(timeout=STOP_SECONDS_MAX)

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL when that did not help within STOP_SECONDS_MAX."""
        self._signal(signal.SIGTERM)
        for _ in range(int(STOP_SECONDS_MAX / POLL_SECONDS)):
            if not self.alive:
                break
            await asyncio.sleep(POLL_SECONDS)
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        # The group may outlive its leader, so it is signalled even when the leader has ended.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def failed(self, why: str) -> NotStarted:
        """What to raise when it did not become ready."""
        return NotStarted(f"{self.name} {why}; the end of {self.log.name}:\n{self.tail()}")


async def ready(child: Child, read: Path, seconds: float) -> dict:
    """Wait until a child has written its ready file, and give the JSON in it."""
    for _ in range(int(seconds / POLL_SECONDS)):
        if read.exists():
            return json.loads(read.read_text(encoding="utf-8"))
        if not child.alive:
            raise child.failed("ended before it was ready")
        await asyncio.sleep(POLL_SECONDS)
    raise child.failed(f"was not ready within {seconds:.0f} s")
