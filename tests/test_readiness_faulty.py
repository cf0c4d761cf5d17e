"""An estate with one fault for every check: each is found by the check's name."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from activities import readiness
from rehearsal.estate import DEFAULT, Estate, load
from shared import backups
from tests.doors import HERE, THERE, Doors, made_doors

FAULTY = DEFAULT.parent / "faulty.yaml"
ESTATE: Estate = load(FAULTY).estate
# Wrong in any stage that has just opened, or by what the estate says besides its resources.
ELSEWHERE = {
    "resourceGroup",
    "backup",
    "overlay",
    "app",
    "vouches",
    "drill",
    "restoreTime",
    "template",
    "same",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict]]:
    """Every check that is not ok, and the doors stay open for those who look on."""
    with made_doors(tmp_path_factory.mktemp("faulty"), FAULTY) as doors, doors.led():
        unpermit(doors)
        doors.world.timings["settle_seconds"] = 600.0  # What a pairing carries over is on its way.
        doors.strangers.answers["func-contoso-ne.azurewebsites.net/api/health"] = (503, "{}")
        lay_old_backup(doors)
        yield readiness.assess(doors.plan.document, HERE, seconds=30)["checks"]


def unpermit(doors: Doors) -> None:
    """In one resource group the app may look, and no more."""
    role = doors.world.resources.of_type("Microsoft.Authorization/roleAssignments")
    own = [r for r in role if "/rg-contoso-ne/" in r.id.lower() and r.name == "1"]
    for one in own:
        doors.world.resources.remove(one.id)


def lay_old_backup(doors: Doors) -> None:
    """Proven once, after a restore of an hour; older than the RPO, and the gateway has changed."""
    then = datetime.now(UTC) - timedelta(hours=9)
    service = doors.plan.component("gateway", THERE)["resource"]
    made = backups.manifest(
        plan="contoso", service=service, sku="Standard", fingerprint="0" * 64, now=then
    )
    proven = (then + timedelta(hours=1)).isoformat()
    made |= {"completedAt": then.isoformat(), "bytes": 1, "provenAt": proven}
    doors.lay("stcontosone", "apim-backups", f"{made['name']}.json", json.dumps(made).encode())


@pytest.mark.parametrize(
    "fault", ESTATE.faults, ids=lambda one: f"{one.finds}-{one.component or 'plan'}"
)
def test_a_fault_is_found_by_its_check(found: list[dict], fault) -> None:
    rows = [
        row
        for row in found
        if row["name"] == fault.finds
        and (not fault.component or row["component"] == fault.component)
    ]
    assert rows and any(row["status"] != "ok" for row in rows), rows


@pytest.mark.parametrize("name", sorted({*ELSEWHERE, "permissions"}))
def test_what_is_wrong_besides_is_found_too(found: list[dict], name: str) -> None:
    rows = [row for row in found if row["name"] == name]
    assert any(row["status"] != "ok" for row in rows), rows


def test_every_finding_says_what_to_do(found: list[dict]) -> None:
    wrong = [row for row in found if row["status"] != "ok"]
    assert wrong and not [row for row in wrong if not row["fix"] or not row["because"]]
