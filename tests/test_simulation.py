"""Simulation: seeds replay exactly, the properties hold, and planted bugs are seen."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import pytest

from rehearsal.__main__ import main
from rehearsal.simulation import days, story, weather
from rehearsal.simulation.command import PLAN
from rehearsal.simulation.hunt import hunt
from rehearsal.simulation.missing import NOT_YET
from rehearsal.simulation.mutants import MUTANTS
from rehearsal.simulation.patches import planted
from rehearsal.simulation.play import SEEDS_PER_BATCH, play
from shared import permit, plan, witness

SIMULATED = plan.load(PLAN.read_text(encoding="utf-8"))
SEEDS = 60
# Those that take one seed or a few; the slow test hunts them all.
QUICK = (
    "skip-an-epoch",
    "wake-before-the-fence",
    "close-the-old-door-first",
    "forget-the-rounds",
    "forget-to-undo",
)


def test_no_seed_of_a_few_violates_a_property():
    assert {seed: told.violations for seed, told in few().items() if told.violations} == {}


@cache
def few() -> dict[int, story.Told]:
    """The first seeds, played once for whoever looks at them."""
    return {seed: played(seed) for seed in range(1, SEEDS)}


def played(seed: int) -> story.Told:
    return story.tell(seed, SIMULATED)


def test_the_same_seed_is_the_same_story():
    assert played(7).lines == played(7).lines


def test_the_product_is_as_it_was_after_a_seed():
    before = vars(witness).copy()
    played(1)
    assert vars(witness) == before


def test_what_is_counted_as_missing_has_its_reason():
    notes = {name for told in few().values() for name in told.notes}
    assert notes <= set(NOT_YET) and all(len(reason) > 40 for reason in NOT_YET.values())


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found(name):
    assert hunt(name, SIMULATED, seeds=60).seed is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_every_planted_bug_is_found(name):
    assert hunt(name, SIMULATED).seed is not None


@pytest.mark.slow
def test_no_seed_of_as_many_as_a_minute_plays_violates_a_property():
    """`make simulate` plays ten thousand."""
    total = play(SIMULATED, 1000, 10_000, seconds=60)
    assert total.failed == [] and total.seeds >= SEEDS_PER_BATCH


def test_a_seed_is_the_same_whoever_plays_it():
    """Three batches, of which the last is short."""
    alone, shared = (play(SIMULATED, 5000, 25, workers, per_batch=10) for workers in (1, 2))
    fields = ("seeds", "claims", "losses", "seen", "virtual_seconds", "failed", "notes", "examples")
    assert [getattr(alone, f) for f in fields] == [getattr(shared, f) for f in fields]


def test_a_bound_of_time_ends_with_the_batch_that_exceeds_it():
    assert play(SIMULATED, 1, 15, seconds=0, per_batch=5).seeds == 5


def test_a_story_that_nobody_reads_is_not_written():
    assert story.tell(7, SIMULATED, telling=False).lines == []


def test_a_lost_region_is_seen_within_the_rounds_and_one_timeout():
    lost = days.losses(SIMULATED, 300)
    assert lost.seen >= days.TAIL and lost.moved >= days.TAIL


def test_a_loss_under_a_watchdogs_eyes_is_seen_in_time_in_nearly_any_weather():
    """Where nothing else goes wrong a late one is a violation."""
    total = play(SIMULATED, 1, SEEDS_PER_BATCH)
    assert total.losses > 20 and total.seen >= 0.9 * total.losses


def test_a_run_is_carried_though_its_namespace_is_away_all_the_time():
    """Its slips wait in the outbox, and each stage starts where they lie."""
    here, there = "northeurope", "westeurope"
    drawn = weather.draw(Random(1), [there, here])
    fair = replace(
        drawn, trouble=0.0, lost_202=0.0, lagging="", options={}, kills={}, strays=set(), events=[]
    )
    with planted(story.knobs(fair)):
        world = story.build(Random(1), fair, SIMULATED, [there, here])
        world.down.add(f"bus.{here}")
        world.at(1.0, story.order, world, here, None, None, "forced")
        world.run(120)
        claims = world.judge.claims
    assert (claims, world.record["active"], world.record["run"]) == (1, here, None)


def test_nothing_is_moved_on_days_without_a_loss():
    quiet = days.false_alarms(SIMULATED, 100, seed=1)
    assert quiet.doubted > 0 and quiet.permitted == 0


def test_a_watchdog_that_forgets_the_lease_moves_on_days_without_a_loss(
    monkeypatch: pytest.MonkeyPatch,
):
    others = tuple(one for one in permit.QUESTIONS["watchdog"] if one is not permit.lapsed)
    monkeypatch.setitem(permit.QUESTIONS, "watchdog", others)
    assert days.false_alarms(SIMULATED, 100, seed=1).permitted > 0


def test_a_plan_that_cannot_be_read_is_no_simulation(tmp_path: Path, capsys):
    assert main(["simulate", "--seeds", "1", "--plan", str(tmp_path / "none.yaml")]) == 2
    assert "could not run" in capsys.readouterr().err


def test_a_plan_with_kinds_that_no_seed_plays_is_refused_by_their_names(capsys):
    plans = Path(__file__).parents[1] / "plans"
    assert main(["simulate", "--seeds", "1", "--plan", str(plans / "everything.yaml")]) == 2
    assert "no seed plays" in (told := capsys.readouterr().err) and "cosmosDb" in told
    assert main(["simulate", "--seeds", "1", "--plan", str(plans / "contoso.yaml")]) == 0


@pytest.mark.parametrize(
    "wrong", ["--seeds 0", "--seeds x", "--days -1", "--workers 0", "--minutes 0", "--minutes nan"]
)
def test_a_number_that_plays_nothing_is_refused(wrong: str, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["simulate", *wrong.split()])
    assert ended.value.code == 2 and wrong.split()[0] in capsys.readouterr().err


def test_one_seed_tells_its_story(capsys):
    seed = next(seed for seed, told in few().items() if told.claims)
    assert main(["simulate", "--seeds", "1", "--start", str(seed)]) == 0
    assert "claimed westeurope -> northeurope" in capsys.readouterr().out


def test_seeds_that_time_did_not_allow_are_no_success(capsys):
    """Two batches, of which the second is not begun."""
    wanted = ["--seeds", str(SEEDS_PER_BATCH + 1), "--minutes", "0.0001"]
    assert main(["simulate", *wanted]) == 1
    assert f"1 of {SEEDS_PER_BATCH + 1} seeds were not played" in capsys.readouterr().out


def test_the_figures_are_printed_last(capsys):
    assert main(["simulate", "--seeds", "2", "--figures"]) == 0
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert shown["violations"] == 0 and shown["failoversPerSecond"] > 0
