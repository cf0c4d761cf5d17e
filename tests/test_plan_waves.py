"""In which order the components of a plan wake: what waits comes after what it waits for."""

import json

from shared.plan import load
from tests.test_plan import CONTOSO, component, document


def test_consumers_wake_first_and_clocks_last():
    plan = load(CONTOSO)
    classes = [
        {plan.trigger_wave(name) for name in wave} for wave in plan.waves("activate", "northeurope")
    ]
    assert classes == [{0}, {1}, {2}, {3}]


def test_what_waits_wakes_after_what_it_waits_for():
    data = document()
    component(data, "orders-intake")["waitsFor"] = ["orders-worker"]
    waves = load(json.dumps(data)).waves("activate", "northeurope")
    place = {name: n for n, wave in enumerate(waves) for name in wave}
    assert place["orders-intake"] > place["orders-worker"]


def test_a_clock_wakes_after_every_chain_of_consumers():
    data = document()
    component(data, "orders-intake")["waitsFor"] = ["orders-worker"]
    component(data, "orders-status")["waitsFor"] = ["orders-intake"]
    waves = load(json.dumps(data)).waves("activate", "northeurope")
    assert "stock-sync" in waves[-1]


def test_a_wait_for_another_stage_does_not_hold_a_wave():
    data = document()
    component(data, "orders-intake")["waitsFor"] = ["gateway"]
    assert "orders-intake" in load(json.dumps(data)).waves("activate", "northeurope")[0]


def test_every_component_is_promoted_once():
    plan = load(CONTOSO)
    stages = ("promote", "activate", "redirect", "verify")
    woken = [n for stage in stages for wave in plan.waves(stage, "northeurope") for n in wave]
    assert sorted(woken) == sorted(part.name for part in plan.components)
