"""A large plan costs in proportion: every answer must not replay every question."""

import asyncio
from pathlib import Path

import pytest

from bench.probes import slope
from orchestrations import waves
from rehearsal import estate, estate_growth
from rehearsal.simulation import scale
from shared import pace
from shared.plan import load

SMALL, LARGE = 100, 300


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """The activation of plans with so many workflows more."""
    return [one(tmp_path_factory.mktemp("scale"), count) for count in (SMALL, LARGE)]


def one(folder: Path, count: int) -> dict:
    plan = load(estate_growth.grow(estate.load(), count).plan_text)
    return asyncio.run(scale.wake(plan, folder))


def test_every_workflow_of_a_large_plan_is_woken(measured: list[dict]) -> None:
    own = measured[0]["workflows"] - SMALL
    assert [found["workflows"] for found in measured] == [SMALL + own, LARGE + own]
    assert own > 0


def test_a_large_plan_takes_what_arms_bucket_takes(measured: list[dict]) -> None:
    """In a time in which every answer comes at once."""
    bounds = [pace.bound_seconds(found["workflows"]) for found in measured]
    assert [found["virtualSeconds"] for found in measured] == pytest.approx(bounds, abs=1)


@pytest.mark.parametrize("key", ["historyBytes", "turns"])
def test_what_a_stage_writes_and_how_often_it_is_replayed_grows_in_proportion(
    measured: list[dict], key: str
) -> None:
    assert slope(measured, key) <= 1.1


@pytest.mark.parametrize("outer", waves.INNER)
def test_what_is_done_apart_holds_whole_parts(outer: str) -> None:
    assert waves.SIZES[outer] % waves.SIZES[waves.INNER[outer]] == 0
