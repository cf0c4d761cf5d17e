"""The commands of docs/deploy.md, typed as they stand there, with the unmodified az CLI."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from rehearsal.world import Address, World
from tests.app_index import ROOT
from tests.test_az_cli import FOLDER, Az, logged_in
from tests.wire import open_wire, small_world

pytestmark = pytest.mark.slow
COMMANDS_SECONDS = 500
# Groups of the workload: the page asks for them, it does not make them.
WORKLOAD = {"rg-contoso-global": "northeurope"}
# Names that may be taken in this world; no bytes are kept behind them.
ACCOUNTS = {
    "stcontosowe": "westeurope",
    "stcontosone": "northeurope",
    "stcontosowitness": "swedencentral",
}
LOCK = "Microsoft.Authorization/locks"
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"


def commands(*sections: str) -> str:
    """The indented lines of some sections of the page, in their order."""
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    found = []
    for part in re.split(r"^## ", page, flags=re.M):
        if part.startswith(sections):
            found += [line[4:] for line in part.splitlines() if line.startswith("    ")]
    return "\n".join(found)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which somebody has followed the page, sections 3 and 4."""
    world = small_world()
    world.recover("swedencentral")
    for name, location in WORKLOAD.items():
        id = f"/subscriptions/{world.subscription_id}/resourceGroups/{name}"
        world.resources.place(id, {"location": location})
    for name, location in ACCOUNTS.items():
        world.hosts[f"{name}.blob.core.windows.net"] = Address(0, location, "data")
    with open_wire(tmp_path_factory.mktemp("ca"), world) as wire:
        az = logged_in(wire, tmp_path_factory.mktemp("az"))
        said = typed(az, commands("3.", "4."))
        assert said.returncode == 0, said.stderr[-3000:]
        yield world


def typed(az: Az, text: str) -> subprocess.CompletedProcess[str]:
    """Run the page's lines in one shell, which stops at the first that fails."""
    python = FOLDER / "bin" / "python"
    shell = f'set -eu\naz() {{ "{python}" -m azure.cli "$@"; }}\n{text}\n'
    return subprocess.run(
        ["bash", "-c", shell],
        cwd=ROOT,
        env=az.environment,
        capture_output=True,
        text=True,
        timeout=COMMANDS_SECONDS,
        check=False,
    )


def names(world: World, kind: str) -> set[str]:
    return {row.name for row in world.resources.of_type(kind)}


def test_both_apps_are_there(deployed: World) -> None:
    assert names(deployed, "Microsoft.Web/sites") == {"func-contoso-we", "func-contoso-ne"}


def test_each_location_logs_to_the_other_one_too(deployed: World) -> None:
    settings = deployed.resources.of_type("Microsoft.Insights/diagnosticSettings")
    there = {r.properties["workspaceId"] for r in settings if r.name == "there"}
    assert len(there) == 2


def test_the_witness_is_locked(deployed: World) -> None:
    assert names(deployed, LOCK) == {"understudy-witness"}


def test_the_active_app_may_not_act_in_the_standby_s_group(deployed: World) -> None:
    (active,) = (
        row.properties["principalId"]
        for row in deployed.resources.of_type("Microsoft.ManagedIdentity/userAssignedIdentities")
        if row.name == "id-func-contoso-we"
    )
    acting = set()
    for row in deployed.resources.of_type(ASSIGNMENT):
        role = deployed.resources.get(row.properties["roleDefinitionId"])
        named = str(role.properties.get("roleName", "")) if role else ""
        if row.properties["principalId"] == active and named.startswith("Understudy operator"):
            acting.add(row.group)
    assert acting == {"rg-contoso-we", "rg-contoso-global"}
