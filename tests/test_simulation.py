"""Simulation: seeds replay exactly, the properties hold, and planted bugs are seen."""

import json
from pathlib import Path

import pytest

from rehearsal.__main__ import main
from rehearsal.simulation import days, story
from rehearsal.simulation.command import PLAN
from rehearsal.simulation.durable import Context, Instance, Unsteady
from rehearsal.simulation.hunt import hunt
from rehearsal.simulation.missing import NOT_YET
from rehearsal.simulation.mutants import MUTANTS
from shared import plan, witness
from tests.replay import START, leaves, replay_once

SIMULATED = plan.load(PLAN.read_text(encoding="utf-8"))
SEEDS = 60
KINDS = {0: "activity", 2: "child", 5: "timer"}
# Those that take one seed or a few; the slow test hunts them all.
QUICK = ("skip-an-epoch", "wake-before-the-fence", "close-the-old-door-first", "forget-the-rounds")


def test_an_orchestrator_that_changes_its_mind_is_refused():
    """A replay that asks for something else would wreck an instance in Azure."""
    asked = iter(["a", "b"])

    def fickle(context):
        yield context.call_activity(next(asked), {})

    instance = Instance("one", "fickle", fickle, {})
    instance.turn(START, [])
    with pytest.raises(Unsteady):
        instance.recall()


def test_an_orchestrator_that_raises_has_failed():
    def broken(context):
        yield context.call_activity("a", {})
        raise LookupError("nothing there")

    instance = Instance("one", "broken", broken, {})
    instance.turn(START, [])
    instance.turn(START, [(0, True, None)])
    assert (instance.done, instance.failure) == (True, "LookupError: nothing there")


def test_a_task_that_fails_among_others_is_raised_at_once():
    def together(context):
        try:
            yield context.task_all([context.call_activity(n, {}) for n in "ab"])
        except Exception as failure:
            return str(failure)

    instance = Instance("one", "together", together, {})
    instance.turn(START, [])
    instance.turn(START, [(1, False, "no such thing")])
    assert instance.output == "no such thing"


def test_the_context_offers_nothing_that_the_sdk_does_not():
    from azure.durable_functions import DurableOrchestrationContext

    offered = {n for n in dir(Context({}, "one")) if not n.startswith("_")}
    known = {n for n in dir(DurableOrchestrationContext) if not n.startswith("_")}
    assert offered - known == {"told", "status", "again", "continued"}


@pytest.mark.parametrize("seed", [1, 4, 7, 30, 34, 168])
def test_both_drivers_ask_for_the_same_on_the_same_history(seed, monkeypatch):
    """What the thin driver played, the SDK's own replay plays too, action for action."""
    kept = keep_instances(monkeypatch)
    story.tell(seed, SIMULATED)
    assert len(kept) > 2
    for instance in tuple(kept):
        state = replay_once(instance.story, instance.told, instance.id, history(instance))
        said = [
            shown(action) for action in leaves(state["actions"]) if action["actionType"] in KINDS
        ]
        assert said == [shown_leaf(leaf) for leaf in instance.asked]


def keep_instances(monkeypatch) -> list[Instance]:
    kept: list[Instance] = []
    start = Instance.__init__

    def noted(self, *given) -> None:
        start(self, *given)
        kept.append(self)

    monkeypatch.setattr(Instance, "__init__", noted)
    return kept


def history(instance: Instance) -> list[dict]:
    """The turns of an instance as Durable's history events."""
    told = {"Input": json.dumps(instance.told), "Name": instance.name, "Version": ""}
    events, first = [], 0
    for now, news in instance.turns:
        at = {"Timestamp": now.isoformat().replace("+00:00", "Z"), "IsPlayed": True, "EventId": -1}
        events.append({**at, "EventType": 12})
        if not first and len(events) == 1:
            events.append({**at, "EventType": 0, **told})
        events += [{**at, **closed(instance, *answer)} for answer in news]
        last = first_after(instance, news, first)
        events += [{**at, **opened(leaf)} for leaf in instance.asked[first:last]]
        first = last
        events.append({**at, "EventType": 13})
    return events[:-1]


def first_after(instance: Instance, news: list, first: int) -> int:
    """How many tasks were asked for once this turn had ended."""
    turn = next(i for i, (_, played) in enumerate(instance.turns) if played is news)
    later = [answer[0] for _, played in instance.turns[turn + 1 :] for answer in played]
    again = Instance(instance.id, instance.name, instance.story, instance.told)
    for now, played in instance.turns[: turn + 1]:
        again.turn(now, played)
    assert first <= len(again.asked) and all(ref < len(instance.asked) for ref in later)
    return len(again.asked)


def opened(leaf) -> dict:
    kind = {"activity": 4, "child": 7, "timer": 10}[leaf.kind]
    extra = {"FireAt": str(leaf.due)} if leaf.kind == "timer" else {"Name": leaf.name}
    return {"EventType": kind, "EventId": leaf.ref, **extra}


def closed(instance: Instance, ref: int, ok: bool, value: object) -> dict:
    leaf = instance.asked[ref]
    if leaf.kind == "timer":
        return {"EventType": 11, "TimerId": ref, "FireAt": str(leaf.due)}
    kind = {("activity", True): 5, ("activity", False): 6, ("child", True): 8, ("child", False): 9}
    answer = {"Result": json.dumps(value)} if ok else {"Reason": str(value), "Details": ""}
    return {"EventType": kind[leaf.kind, ok], "TaskScheduledId": ref, **answer}


def shown(action: dict) -> tuple:
    kind = KINDS[action["actionType"]]
    if kind == "timer":
        return kind, action["fireAt"][:23]
    return kind, action["functionName"], json.loads(action["input"])


def shown_leaf(leaf) -> tuple:
    if leaf.kind == "timer":
        return leaf.kind, leaf.due.isoformat()[:23]
    return leaf.kind, leaf.name, json.loads(json.dumps(leaf.told))


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
