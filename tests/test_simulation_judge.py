"""The simulation's judge: what excuses a workflow that runs in two places, and what does not."""

from dataclasses import replace
from random import Random

import pytest

from orchestrations.component import component
from rehearsal.simulation import story, weather
from rehearsal.simulation.command import PLAN
from rehearsal.simulation.durable import Instance
from rehearsal.simulation.world import World
from shared import plan, stale

SIMULATED = plan.load(PLAN.read_text(encoding="utf-8"))
HERE, THERE = "westeurope", "northeurope"
NAME = "mailbox-orders"
UNREACHABLE = {"status": "refused", "because": "mailbox-orders is unreachable: no answer"}
STALE = {"status": "refused", "because": "stale, nothing was sent: epoch moved", "stale": True}


def fair_world() -> World:
    """Two locations in which nothing goes wrong and nothing happens by itself yet."""
    drawn = weather.draw(Random(1), [HERE, THERE])
    fair = replace(
        drawn, trouble=0.0, lost_202=0.0, lagging="", options={}, kills={}, strays=set(), events=[]
    )
    return story.build(Random(1), fair, SIMULATED, [HERE, THERE])


def claimed(world: World) -> dict:
    """The record of a forced run to THERE that has claimed and is at `activate`."""
    run = {
        **{"id": "run-1", "phase": "activate", "mode": "forced", "from": HERE, "to": THERE},
        **{"at": world.time_of(0), "by": "watchdog in northeurope", "reason": "", "because": ""},
        **{"approval": None, "paused": None, "cancel": None, "released": False},
    }
    return {**world.record, "epoch": 1, "active": THERE, "holder": THERE, "run": run}


def task(run: str, stage: str, verb: str, place: str) -> dict:
    part = {"name": NAME, "kind": "logicWorkflow"}
    own = {"plan": "contoso", "run": run, "stage": stage, "epoch": 1}
    return {**own, "verb": verb, "location": place, "component": part}


def found_late(said: dict) -> list[str]:
    """What is broken when both run, though HERE's app lives for long; `said`: to its own stops."""
    world = fair_world()
    judge = world.judge
    world.now, world.record = 100.0, claimed(world)
    judge.answered(
        THERE, "demote_workflow", task("run-1", "fence", "demote", HERE), True, UNREACHABLE
    )
    own = task(stale.keeper("contoso", "heartbeat", HERE), "demote", "demote", HERE)
    for _ in range(5):
        judge.answered(HERE, "demote_workflow", own, True, said)
    missed = task("run-1", "promote", "demote", HERE)
    judge.answered(THERE, "demote_workflow", missed, True, UNREACHABLE)
    broken = judge.effects.switched(task("run-1", "activate", "promote", THERE), True, world.now)
    return [broken.name] if broken else []


@pytest.mark.parametrize(("said", "expected"), [(UNREACHABLE, []), (STALE, ["stepped-back-late"])])
def test_only_a_stop_without_an_answer_excuses_an_app(said, expected):
    """That its own guard takes a stop for stale is the app's fault, not its resource manager's."""
    assert found_late(said) == expected


def test_a_switch_excuses_the_row_of_another_only_if_it_was_sent_before_it_began():
    """What was sent while the row's own work was under way was not late: it was in its way."""
    shown = {}
    for sent in (50.0, 101.0):
        world = fair_world()
        judge = world.judge
        world.now, world.record = 100.0, claimed(world)
        told = task("run-1", "activate", "promote", THERE)
        instance = Instance(f"run-1.activate.{NAME}", "component", component, {"task": told})
        judge.began(THERE, instance)
        world.now = 102.0
        judge.effects.switched({**told, "verb": "demote"}, False, sent)
        judge._rowed(instance, told, {"outcome": "succeeded", "because": ""})
        shown[sent] = [name for name, _ in judge.violations]
    assert shown == {50.0: [], 101.0: ["shown"]}


def beside(seconds: float, late: bool = False) -> list[str]:
    """What is broken when HERE, whose app lives, runs it beside THERE for so long."""
    world = fair_world()
    for app in world.apps.values():
        app.hub.clear()  # Nobody does anything about it.
        app.life += 1
    world.record = claimed(world)
    world.judge.effects.strays |= {(HERE, NAME)} if late else set()
    world.enabled[THERE, NAME] = True
    world.judge.beside.look()
    world.run(seconds)
    world.enabled[HERE, NAME] = False
    world.judge.beside.look()
    world.run(500)
    return [name for name, _ in world.judge.violations]


@pytest.mark.parametrize(
    ("seconds", "late", "expected"),
    [(29, False, []), (31, False, ["beside"]), (59, True, []), (61, True, ["beside"])],
)
def test_what_runs_in_both_places_is_judged_by_how_long_it_lasts(seconds, late, expected):
    """A lease and a half where its app knows of it; a look and a round for what landed late."""
    assert beside(seconds, late) == expected


def test_a_region_without_its_app_or_its_resource_manager_is_not_to_blame():
    for hinder in (lambda w: w.apps[HERE].kill(), lambda w: w.cuts.add((HERE, f"arm.{HERE}"))):
        world = fair_world()
        hinder(world)
        world.record = claimed(world)
        world.enabled[THERE, NAME] = True
        world.judge.beside.look()
        assert not world.judge.beside.spells


@pytest.mark.parametrize(("endpoint", "laid"), [(THERE, True), (HERE, False)])
def test_callers_belong_where_the_plan_is_active_in_the_end(endpoint: str, laid: bool):
    world = fair_world()
    world.endpoints = {name: name == endpoint for name in (HERE, THERE)}
    world.laid[HERE] = laid
    world.judge.conclude()
    assert [name for name, _ in world.judge.violations] == ["callers"]
