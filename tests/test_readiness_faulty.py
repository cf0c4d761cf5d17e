"""An estate with one fault for every check: each is found by the check's name."""

from collections.abc import Iterator

import pytest

from activities import readiness
from rehearsal.estate import DEFAULT, Estate, load
from tests.doors import HERE, made_doors

FAULTY = DEFAULT.parent / "faulty.yaml"
ESTATE: Estate = load(FAULTY).estate
TOGETHER = [one for one in ESTATE.faults if not one.alone]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict]]:
    """Every check that is not ok, and the doors stay open for those who look on."""
    with made_doors(tmp_path_factory.mktemp("faulty"), FAULTY) as doors, doors.led():
        yield readiness.assess(doors.plan.document, HERE, seconds=30)["checks"]


@pytest.mark.parametrize("fault", TOGETHER, ids=lambda one: one.name)
def test_a_fault_is_found_by_its_check(found: list[dict], fault) -> None:
    rows = [
        row
        for row in found
        if row["name"] == fault.finds
        and (not fault.component or row["component"] == fault.component)
    ]
    assert rows and any(row["status"] != "ok" for row in rows), rows


def test_every_finding_says_what_to_do(found: list[dict]) -> None:
    wrong = [row for row in found if row["status"] != "ok"]
    assert wrong and not [row for row in wrong if not row["fix"] or not row["because"]]
