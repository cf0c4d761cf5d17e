"""A Functions host in a process of its own, for tests: started, called, killed, started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[1]
APPS = Path(__file__).parent / "apps"
READY_SECONDS_MAX = 20
POLL_SECONDS = 0.02
KEYS = {"read": "read-key", "master": "master-key"}


class HostProcess:
    """`python -m rehearsal.host` on one app; its database stays when it is killed."""

    def __init__(
        self,
        folder: Path,
        app: str,
        settings: dict[str, str] | None = None,
        ahead_seconds: float = 0,  # How much too late its machine's clock is.
    ) -> None:
        self.folder = folder
        self.ahead_seconds = ahead_seconds
        self.app = app
        self.settings = settings or {}
        self.log = folder / "host.log"
        self.url = ""
        self.process: subprocess.Popen | None = None

    def start(self) -> HostProcess:
        """Start and wait until it serves; AssertionError with its log when it does not."""
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        skewed = ["rehearsal.host.skewed", str(self.ahead_seconds)]
        module = skewed if self.ahead_seconds else ["rehearsal.host"]
        command = [sys.executable, "-m", *module, "--app", str(APPS / self.app)]
        command += ["--name", "tests", "--db", str(self.folder / "hub.db")]
        command += ["--read-key", KEYS["read"], "--master-key", KEYS["master"]]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--ready-file", str(ready)],
                cwd=ROOT,
                env={**os.environ, **self.settings},
                stderr=log,
            )
        wait_for(lambda: ready.exists() or self.process and self.process.poll() is not None)
        assert ready.exists(), self.log.read_text()
        self.url = json.loads(ready.read_text())["url"]
        return self

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, by default the one for a graceful stop, and wait; the exit code."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(timeout=15)

    def call(
        self, method: str, path: str, body: object = None, key: str | None = KEYS["read"]
    ) -> requests.Response:
        """One request under the app's URL, with a key unless it is None."""
        headers = {"Content-Type": "application/json"} | ({"x-functions-key": key} if key else {})
        data = None if body is None else json.dumps(body)
        return requests.request(method, f"{self.url}{path}", data=data, headers=headers, timeout=10)

    def start_orchestration(self, name: str, instance: str, given: object = None) -> dict:
        """Start through the app's own starter; the management URLs."""
        reply = self.call("POST", f"/api/start/{name}?id={instance}", given)
        assert reply.status_code == 202, reply.text
        return reply.json()

    def ended(self, links: dict) -> dict:
        """The status of an orchestration when it has ended."""
        wait_for(lambda: requests.get(links["statusQueryGetUri"], timeout=10).status_code == 200)
        return requests.get(links["statusQueryGetUri"], timeout=10).json()


def wait_for(true: Callable[[], object], seconds: float = READY_SECONDS_MAX) -> None:
    """Return when `true()` is; AssertionError after `seconds`."""
    for _ in range(int(seconds / POLL_SECONDS)):
        if true():
            return
        time.sleep(POLL_SECONDS)
    raise AssertionError("waited in vain")
