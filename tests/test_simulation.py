"""Simulation: seeds replay exactly, the properties hold, and planted bugs are seen."""

from pathlib import Path

import pytest

from rehearsal.__main__ import main
from rehearsal.simulation import days, story
from rehearsal.simulation.command import PLAN
from rehearsal.simulation.hunt import hunt
from rehearsal.simulation.missing import NOT_YET
from rehearsal.simulation.mutants import MUTANTS
from shared import plan, witness

SIMULATED = plan.load(PLAN.read_text(encoding="utf-8"))
SEEDS = 60
# Those that take one seed or a few; the slow test hunts them all.
QUICK = ("skip-an-epoch", "wake-before-the-fence", "close-the-old-door-first", "forget-the-rounds")


def test_no_seed_of_a_few_violates_a_property():
    broken = {
        seed: told.violations for seed in range(1, SEEDS) if (told := played(seed)).violations
    }
    assert broken == {}


def played(seed: int) -> story.Told:
    return story.tell(seed, SIMULATED)


def test_the_same_seed_is_the_same_story():
    assert played(7).lines == played(7).lines


def test_the_product_is_as_it_was_after_a_seed():
    before = vars(witness).copy()
    played(1)
    assert vars(witness) == before


def test_what_is_counted_as_missing_has_its_reason():
    notes = {name for seed in range(1, SEEDS) for name in played(seed).notes}
    assert notes <= set(NOT_YET) and all(len(reason) > 40 for reason in NOT_YET.values())


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found(name):
    assert hunt(name, SIMULATED, seeds=60).seed is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_every_planted_bug_is_found(name):
    assert hunt(name, SIMULATED).seed is not None


@pytest.mark.slow
def test_no_seed_of_a_thousand_violates_a_property():
    broken = {s: told.violations for s in range(1, 1001) if (told := played(s)).violations}
    assert broken == {}


def test_a_lost_region_is_seen_within_the_rounds_and_one_timeout():
    assert days.losses(SIMULATED, 300).within >= days.TAIL


def test_nothing_is_claimed_on_days_without_a_loss():
    assert days.false_alarms(SIMULATED, 100, seed=1).claimed == 0


def test_a_plan_that_cannot_be_read_is_no_simulation(tmp_path: Path, capsys):
    assert main(["simulate", "--seeds", "1", "--plan", str(tmp_path / "none.yaml")]) == 2
    assert "could not run" in capsys.readouterr().err


def test_one_seed_tells_its_story(capsys):
    assert main(["simulate", "--seeds", "1", "--start", "7"]) == 0
    assert "claimed westeurope -> northeurope" in capsys.readouterr().out
