"""The stage's Functions hosts: one process per location, with the settings it has in Azure.

The app is told the names it would have in Azure; its location's egress makes them loopback.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.estate import Estate
from rehearsal.processes import Child, NotStarted, ready

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 45.0
READ_KEY, MASTER_KEY = "rehearsal-read", "rehearsal-master"
ARM = "https://management.azure.com"
ALERTS = "http://alerts.rehearsal.example/alerts"
# The rehearsal's own times; a drill may give others.
SCHEDULES = {
    "WATCHDOG_SCHEDULE": "*/5 * * * * *",
    "HEARTBEAT_SCHEDULE": "*/10 * * * * *",
    "BACKUP_SCHEDULE": "0 */5 * * * *",
}
Moved = Callable[[int | None], None]
# A machine's own Azure or proxy settings must not reach the app.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Wiring:
    """What a location's app is connected to."""

    egress_port: int
    identity_endpoint: str
    identity_header: str
    bundle: Path
    slips: dict[str, str]  # location -> connection string through this location's forwarder


def settings(
    estate: Estate,
    location: str,
    wiring: Wiring,
    extra: dict[str, str],
    deployed: dict[str, str] | None = None,
) -> dict:
    """The environment of a location's host: its app settings, and the way out.

    `deployed`: the app settings as a template gave them, in place of the rehearsal's own.
    """
    place, proxy = estate.locations[location], f"http://127.0.0.1:{wiring.egress_port}"
    made = {key: os.environ[key] for key in KEPT if key in os.environ}
    own = {
        "LOCATION": location,
        "ARM_ENDPOINT": ARM,
        "ARM_AUDIENCE": ARM,
        "AzureWebJobsStorage__blobServiceUri": f"https://{place.storage}.blob.core.windows.net",
        "API_AUTH": "key",
        "ALERT_WEBHOOK": ALERTS,
        "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1",
        **SCHEDULES,
    }
    made |= own if deployed is None else deployed
    made |= {
        "WEBSITE_HOSTNAME": f"{place.app}.azurewebsites.net",
        "IDENTITY_ENDPOINT": wiring.identity_endpoint,
        "IDENTITY_HEADER": wiring.identity_header,
        "REQUESTS_CA_BUNDLE": str(wiring.bundle),
        "SSL_CERT_FILE": str(wiring.bundle),
        "HTTPS_PROXY": proxy,
        "HTTP_PROXY": proxy,
        # The host calls itself, and the identity endpoint is on the machine, as in Azure.
        "NO_PROXY": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
    }
    for name, text in wiring.slips.items():
        made["SLIPS" if name == location else f"SLIPS_{name.upper()}"] = text
    return made | extra


@dataclass
class Host:
    """One location's host, which may be down; `moved` is told the port whenever that changes."""

    location: str
    environment: dict
    app: Path
    folder: Path
    moved: Moved
    child: Child | None = None
    port: int | None = None
    starts: int = 0
    clock_seconds: float = 0.0  # How far its machine's clock is off from its next start on.
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def up(self) -> bool:
        """Is the process running?"""
        return self.child is not None and self.child.alive

    async def start(self) -> None:
        """Start the process, on the same database as before; nothing when it is up."""
        async with self.busy:
            if self.up:
                return
            self.starts += 1
            file = self.folder / f"host-{self.location}-{self.starts}.json"
            command = [sys.executable, "-m", *self._module(), "--app", str(self.app)]
            command += ["--name", self.location, "--db", str(self.folder / f"{self.location}.db")]
            command += ["--port", "0", "--ready-file", str(file)]
            command += ["--read-key", READ_KEY, "--master-key", MASTER_KEY]
            log = self.folder / "logs" / f"host-{self.location}.log"
            env = {**self.environment, "PYTHONPATH": str(ROOT)}
            self.child = Child(f"functions host {self.location}", command, log, env)
            try:
                said = await ready(self.child, file, READY_SECONDS)
            except NotStarted:
                self.child.kill()
                raise
            self.port = int(str(said["url"]).rstrip("/").rsplit(":", 1)[-1])
            self.moved(self.port)

    def _module(self) -> list[str]:
        """What serves the app: the host, on a machine whose clock is right or wrong."""
        if not self.clock_seconds:
            return ["rehearsal.host"]
        return ["rehearsal.host.skewed", str(self.clock_seconds)]

    async def kill(self) -> None:
        """SIGKILL, as a machine that is lost."""
        async with self.busy:
            self._gone()
            if self.child is not None:
                await asyncio.to_thread(self.child.kill)

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL when that does not help."""
        self._gone()
        if self.child is not None:
            await self.child.stop()

    def _gone(self) -> None:
        self.port = None
        self.moved(None)


async def start_all(hosts: dict[str, Host]) -> None:
    """Start every host side by side; the first that fails is raised when all have tried."""
    tried = await asyncio.gather(*(h.start() for h in hosts.values()), return_exceptions=True)
    for failed in tried:
        if isinstance(failed, BaseException):
            raise failed
