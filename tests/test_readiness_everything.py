"""Readiness of the estate with every kind: nothing fails that is as it should be, and in time."""

import json
import time
from collections.abc import Iterator

import pytest

from activities import readiness
from rehearsal.estate import DEFAULT
from shared.kinds import KINDS
from tests.doors import HERE, Doors, made_doors
from tests.wire import check_exchanges

EVERYTHING = DEFAULT.parent / "everything.yaml"
SECONDS_MAX = 10.0  # At what every ARM call of the sample estate costs: a tenth of a second.
LATENCY_SECONDS = 0.1
# In a stage that has just opened nothing was backed up, mirrored or moved, and no gateway has its
# overlay.
YOUNG = {"backup", "overlay", "artifacts", "numbers"}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """The estate with every kind behind its doors, at ARM's latency."""
    with made_doors(tmp_path_factory.mktemp("everything"), EVERYTHING) as made, made.led():
        made.world.latency_seconds = LATENCY_SECONDS
        well = json.dumps({"status": "healthy", "unclaimed": ["contoso"]})
        made.strangers.answers["func-contoso-ne.azurewebsites.net/api/health"] = (200, well)
        yield made


@pytest.fixture(scope="module")
def looked(doors: Doors) -> tuple[dict, float]:
    """(what was found, seconds) of one look at everything."""
    readiness.assess(doors.plan.document, HERE)  # Tokens and SDKs are fetched once.
    started = time.monotonic()
    return readiness.assess(doors.plan.document, HERE), time.monotonic() - started


def test_every_kind_is_in_the_estate(doors: Doors) -> None:
    assert {part.kind for part in doors.plan.components} == set(KINDS)


def test_the_whole_estate_is_looked_at_in_time(looked: tuple[dict, float]) -> None:
    assert looked[1] < SECONDS_MAX
    assert not [row for row in looked[0]["checks"] if "not seen within" in row["because"]]


def test_nothing_fails_in_an_estate_that_is_well(looked: tuple[dict, float]) -> None:
    failing = [row for row in looked[0]["checks"] if row["status"] == "fail"]
    assert not [row for row in failing if row["name"] not in YOUNG], failing


def test_each_kind_with_a_check_of_its_own_is_seen(doors: Doors, looked: tuple[dict, float]):
    own = {p.name for p in doors.plan.components if "check" in KINDS[p.kind]}
    assert own <= {row["component"] for row in looked[0]["checks"]}


def test_the_exchanges_are_those_of_azure(doors: Doors, looked: tuple[dict, float]) -> None:
    check_exchanges(doors.world.journal.after(0))
