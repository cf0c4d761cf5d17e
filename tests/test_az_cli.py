"""The unmodified az CLI drives the embedded ARM: another judge, with certificates checked."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from rehearsal.runtimes import MemoryBlobs
from tests.environment import AT_START
from tests.test_provider_apim import base_of, place_service
from tests.test_provider_logic import DEFINITION
from tests.test_provider_traffic import make
from tests.wire import Wire, open_wire, small_world

pytestmark = pytest.mark.slow
VERSION = "2.91.0"
FOLDER = Path(__file__).resolve().parents[1] / ".tools" / "az-venv"
INSTALL_SECONDS, COMMAND_SECONDS = 900, 120


@dataclass
class Az:
    """The CLI with a configuration of its own, pointed at one wire."""

    wire: Wire
    environment: dict[str, str]

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command; its answer as text, whatever it is."""
        command = [str(FOLDER / "bin" / "python"), "-m", "azure.cli", *words, "--output", "json"]
        return subprocess.run(
            command,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def do(self, *words: str) -> dict | list | None:
        """Run one command that must succeed; its answer as JSON."""
        done = self.ask(*words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None


def install() -> None:
    """Put the CLI into an environment of its own, once."""
    if (FOLDER / f"az-{VERSION}").exists():
        return
    python = FOLDER / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True, timeout=INSTALL_SECONDS)
    pip = [str(python), "-m", "pip", "install", "--quiet", f"azure-cli=={VERSION}"]
    done = subprocess.run(
        pip,
        env=AT_START,
        check=False,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
    )
    if done.returncode:
        pytest.skip(f"azure-cli {VERSION} could not be installed: {done.stderr[-300:]}")
    (FOLDER / f"az-{VERSION}").touch()


@pytest.fixture(scope="module")
def az(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Az]:
    """A CLI that knows the rehearsal as its cloud and is logged in with a managed identity."""
    world = small_world()
    world.blobs = MemoryBlobs(("stne", "apim-backups"))
    world.poll_seconds = 1
    with open_wire(tmp_path_factory.mktemp("ca"), world) as wire:
        yield logged_in(wire, tmp_path_factory.mktemp("az"))


def logged_in(wire: Wire, folder: Path) -> Az:
    """The CLI with its configuration in `folder`, this wire its cloud, logged in as an operator."""
    install()
    kept = {key: AT_START[key] for key in ("PATH", "HOME", "LANG") if key in AT_START}
    environment = kept | {
        "AZURE_CONFIG_DIR": str(folder),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_CORE_NO_COLOR": "true",
        "REQUESTS_CA_BUNDLE": wire.bundle,
        "IDENTITY_ENDPOINT": wire.identity.endpoint,
        "IDENTITY_HEADER": wire.identity.admit("operator", ""),
    }
    cli = Az(wire, environment)
    cli.do("cloud", "register", "-n", "Rehearsal", "--endpoint-resource-manager", wire.arm.url)
    cli.do("cloud", "set", "-n", "Rehearsal")
    cli.do("login", "--identity")
    return cli


def flow(az: Az, name: str, state: str) -> str:
    """A workflow that is there already; its id."""
    id = f"{az.wire.subscription}/resourceGroups/rg-we/providers/Microsoft.Logic/workflows/{name}"
    properties = {"state": state, "definition": DEFINITION}
    az.wire.world.resources.place(id, {"location": "westeurope", "properties": properties})
    return id


def test_an_unknown_workflow_is_refused_in_the_words_of_arm(az: Az) -> None:
    url = f"{az.wire.subscription}/resourceGroups/rg-we/providers/Microsoft.Logic/workflows/none"
    done = az.ask("rest", "--method", "get", "--url", f"{url}?api-version=2019-05-01")
    assert done.returncode != 0
    assert "ResourceNotFound" in done.stderr


def test_the_login_finds_the_subscription(az: Az) -> None:
    account = cast("dict", az.do("account", "show"))
    assert account["id"] == az.wire.world.subscription_id
    assert account["environmentName"] == "Rehearsal"


def test_rest_enables_a_workflow(az: Az) -> None:
    id = flow(az, "by-rest", "Disabled")
    az.do("rest", "--method", "post", "--url", f"{id}/enable?api-version=2019-05-01")
    found = az.wire.world.resources.get(id)
    assert found is not None
    assert found.properties["state"] == "Enabled"


def test_invoke_action_enables_a_workflow(az: Az) -> None:
    id = flow(az, "by-action", "Disabled")
    words = ("--action", "enable", "--ids", id, "--api-version", "2019-05-01")
    az.do("resource", "invoke-action", *words)
    found = az.wire.world.resources.get(id)
    assert found is not None
    assert found.properties["state"] == "Enabled"


def test_groups_and_resources_are_listed(az: Az) -> None:
    id = flow(az, "listed", "Enabled")
    groups = cast("list[dict]", az.do("group", "list"))
    resources = cast("list[dict]", az.do("resource", "list", "--resource-group", "rg-we"))
    assert {"rg-we", "rg-ne"} <= {row["name"] for row in groups}
    assert id in [row["id"] for row in resources]


def test_apim_backup_and_restore_carry_the_configuration(az: Az) -> None:
    blobs = cast("MemoryBlobs", az.wire.world.blobs)
    blobs.keys["stne"] = "a2V5"
    for group, name, location in (
        ("rg-we", "apim-we", "westeurope"),
        ("rg-ne", "apim-ne", "northeurope"),
    ):
        place_service(az.wire, group, name, location)
    backend = {"properties": {"url": "https://we.example.net", "protocol": "http"}}
    az.wire.world.resources.place(f"{base_of(az.wire, 'rg-we', 'apim-we')}/backends/b", backend)
    where = ("--storage-account-name", "stne", "--storage-account-container", "apim-backups")
    what = ("--backup-name", "by-az", "--storage-account-key", "a2V5")
    az.do("apim", "backup", "-g", "rg-we", "-n", "apim-we", *where, *what)
    az.do("apim", "restore", "-g", "rg-ne", "-n", "apim-ne", *where, *what)
    assert ("stne", "apim-backups", "by-az") in blobs.blobs
    restored = f"{base_of(az.wire, 'rg-ne', 'apim-ne')}/backends/b"
    assert az.wire.world.resources.get(restored) is not None


def test_a_traffic_manager_endpoint_is_switched_off(az: Az) -> None:
    make(az.wire, "contoso")
    where = ("-g", "rg-ne", "--profile-name", "contoso", "-n", "e1")
    words = ("--type", "externalEndpoints", "--endpoint-status", "Disabled")
    az.do("network", "traffic-manager", "endpoint", "update", *where, *words)
    shown = cast(
        "dict",
        az.do("network", "traffic-manager", "profile", "show", "-g", "rg-ne", "-n", "contoso"),
    )
    assert [row["endpointStatus"] for row in shown["endpoints"]] == ["Disabled", "Enabled"]
