"""The unmodified az CLI against `python -m rehearsal stage`, as the design's user would try it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rehearsal.azurite import find_node, script
from tests.test_az_cli import COMMAND_SECONDS, FOLDER, install

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS, STOP_SECONDS = 120, 60
GROUP, STANDBY = "rg-contoso-we", "rg-contoso-ne"


@dataclass(frozen=True)
class Az:
    """The CLI with a configuration of its own, and the stage's ready file."""

    ready: dict
    environment: dict[str, str]

    def do(self, *words: str) -> dict:
        """Run one command that must succeed; its answer as JSON, {} where it has none."""
        command = [str(FOLDER / "bin" / "python"), "-m", "azure.cli", *words, "--output", "json"]
        done = subprocess.run(
            command,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def id(self, group: str, tail: str) -> str:
        return f"/subscriptions/{self.ready['subscriptionId']}/resourceGroups/{group}/{tail}"


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    """A stage as a process, and what its ready file says."""
    if find_node() is None or not script().exists():
        pytest.skip("Azurite is not installed; `python -m rehearsal setup` does that")
    folder = tmp_path_factory.mktemp("stage")
    file = folder / "ready.json"
    command = [sys.executable, "-m", "rehearsal", "stage", "--ready-file", str(file)]
    with subprocess.Popen([*command, "--out", str(folder / "out")], cwd=ROOT) as stage:
        try:
            yield awaited(file, stage)
        finally:
            stage.send_signal(signal.SIGTERM)
            stage.wait(STOP_SECONDS)


def awaited(file: Path, stage: subprocess.Popen) -> dict:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and stage.poll() is None:
        if file.exists():
            return json.loads(file.read_text(encoding="utf-8"))
        time.sleep(0.2)
    raise AssertionError("the stage was not ready in time")


@pytest.fixture(scope="module")
def az(ready: dict, tmp_path_factory: pytest.TempPathFactory) -> Az:
    """Registered as a cloud of its own and logged in with the stage's managed identity."""
    install()
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    cli = Az(
        ready,
        kept
        | {
            "AZURE_CONFIG_DIR": str(tmp_path_factory.mktemp("az")),
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "AZURE_CORE_NO_COLOR": "true",
            "REQUESTS_CA_BUNDLE": ready["caBundle"],
            "IDENTITY_ENDPOINT": ready["identityEndpoint"],
            "IDENTITY_HEADER": ready["identityHeader"],
        },
    )
    cli.do("cloud", "register", "-n", "Rehearsal", "--endpoint-resource-manager", ready["arm"])
    cli.do("cloud", "set", "-n", "Rehearsal")
    cli.do("login", "--identity")
    return cli


def test_the_subscription_of_the_ready_file_is_found(az: Az) -> None:
    assert az.do("account", "show")["id"] == az.ready["subscriptionId"]


def test_a_gateway_is_backed_up_into_the_standby_s_container(az: Az) -> None:
    where = ("--storage-account-name", "stcontosone", "--storage-account-container", "apim-backups")
    key = az.ready["locations"]["northeurope"]["blob"].split("AccountKey=")[1].split(";")[0]
    words = ("-g", GROUP, "-n", "apim-contoso-we", *where)
    az.do("apim", "backup", *words, "--backup-name", "by-az", "--storage-account-key", key)
    shown = az.do("apim", "show", "-g", GROUP, "-n", "apim-contoso-we")
    assert shown["provisioningState"] == "Succeeded"


def test_a_workflow_is_enabled_by_its_action(az: Az) -> None:
    id = az.id(STANDBY, "providers/Microsoft.Logic/workflows/stock-sync")
    words = ("--ids", id, "--api-version", "2019-05-01")
    az.do("resource", "invoke-action", "--action", "enable", *words)
    assert az.do("resource", "show", *words)["properties"]["state"] == "Enabled"


def test_callers_are_pointed_away_from_an_endpoint(az: Az) -> None:
    where = ("-g", "rg-contoso-global", "--profile-name", "contoso", "-n", "westeurope")
    words = ("--type", "externalEndpoints", "--endpoint-status", "Disabled")
    changed = az.do("network", "traffic-manager", "endpoint", "update", *where, *words)
    assert changed["endpointStatus"] == "Disabled"
