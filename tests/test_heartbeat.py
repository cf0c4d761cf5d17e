"""The heartbeat, driven through the SDK's own replay."""

from datetime import timedelta
from typing import cast

import pytest

from orchestrations.component import component
from orchestrations.heartbeat import heartbeat
from shared.outcome import refused, skipped, succeeded
from tests.replay import START, Replay
from tests.stories import EXCLUSIVE, HERE, LOST, PLAN, acted, loaded, record

SILENT = refused("witness: unreachable")
SERVING = succeeded("serving", serving=True)
MOVERS = PLAN.movers()  # Of what must stand still, that which works where the plan is active.


def beating(minutes: float = 1, memory: dict | None = None, **changes: object) -> Replay:
    """The heartbeat of westeurope, home and active."""
    answers = {
        "load_plan": loaded,
        "renew_lease": succeeded(record=record()),
        "ask_peer": refused("northeurope does not answer either"),
        "yield_claim": succeeded(),
        "note_claim": succeeded(),
        "observe_workflow": succeeded("serving", serving=False),
        "demote_workflow": succeeded("disabled"),
        "promote_workflow": succeeded("enabled"),
        "alert": succeeded(),
    }
    told = {"plan": "contoso", "location": LOST, "memory": memory}
    run = Replay(heartbeat, told, {**answers, **changes}, {"component": component})
    return run.run(stop_at=START + timedelta(minutes=minutes))


def test_a_location_that_can_renew_touches_nothing():
    run = beating(minutes=2)
    assert not run.named("demote_workflow") and not run.named("promote_workflow")
    assert run.continued


def test_one_lost_beat_is_no_reason_to_stand_down():
    answers = [succeeded(record=record()), SILENT] * 20
    run = beating(renew_lease=lambda told: answers.pop(0))
    assert not run.named("demote_workflow") and not run.named("ask_peer")


def test_an_active_side_that_cannot_renew_stops_what_is_exclusive_before_its_lease_is_out():
    run = beating(renew_lease=SILENT)
    assert sorted(set(acted(run, "demote_workflow"))) == sorted(EXCLUSIVE)
    last = max(call.at for call in run.calls if call.name == "demote_workflow")
    assert last - START < timedelta(seconds=PLAN.witness.lease_seconds)


def test_it_stands_down_once_and_says_why_once():
    run = beating(renew_lease=SILENT)
    assert len(run.named("demote_workflow")) == len(EXCLUSIVE)
    assert [t["title"] for t in run.named("alert")] == ["westeurope stands down"]


def test_a_witness_that_is_down_alone_changes_nothing_while_the_standby_vouches():
    run = beating(renew_lease=SILENT, ask_peer=succeeded("northeurope vouches"))
    assert run.named("ask_peer") and not run.named("demote_workflow")


def test_what_could_not_be_stopped_is_tried_again_at_the_next_beat():
    tries: list[str] = []

    def demote(task: dict) -> dict:
        tries.append(task["component"]["name"])
        return refused("ARM is silent") if len(tries) <= len(EXCLUSIVE) else succeeded()

    beating(renew_lease=SILENT, demote_workflow=demote)
    assert len(tries) == 2 * len(EXCLUSIVE)


@pytest.mark.parametrize("unheard", [1, 2, 3])
def test_what_an_unsteady_arm_does_not_stop_is_tried_again_before_the_next_beat(unheard: int):
    """Who is isolated waits seconds for the witness in each beat; others may claim meanwhile."""
    left = [refused("no answer within 5 s")] * unheard

    def demote(task: dict) -> dict:
        stuck = task["component"]["name"] == EXCLUSIVE[0]
        return left.pop() if stuck and left else succeeded("disabled")

    run = beating(renew_lease=SILENT, demote_workflow=demote)
    calls = [call for call in run.calls if call.name == "demote_workflow"]
    assert len(calls) == len(EXCLUSIVE) + unheard
    assert calls[-1].at - calls[0].at < timedelta(seconds=PLAN.witness.lease_seconds / 4)


def test_a_side_that_stepped_back_for_caution_serves_again_with_its_lease():
    answers = [SILENT] * 6 + [succeeded(record=record())] * 20
    run = beating(
        renew_lease=lambda told: answers.pop(0),
        observe_workflow=succeeded("serving", serving=True),
    )
    assert sorted(set(acted(run, "promote_workflow"))) == sorted(MOVERS)
    assert run.named("alert")[-1]["title"] == "westeurope serves again"


def stopping_and_back(**changes: object) -> Replay:
    """Half a minute without the witness, then it is back."""
    answers = [SILENT] * 6 + [succeeded(record=record())] * 20
    serving = succeeded("serving", serving=True)
    return beating(
        renew_lease=lambda told: answers.pop(0), **{"observe_workflow": serving, **changes}
    )


def test_what_a_person_had_stopped_stays_stopped():
    def demote(task: dict) -> dict:
        mine = task["component"]["name"] == EXCLUSIVE[0]
        return skipped("is Disabled already") if mine else succeeded("disabled")

    def observe(task: dict) -> dict:
        mine = task["component"]["name"] == EXCLUSIVE[0] and task["verb"] == "verify"
        stopped = refused("is Disabled", serving=False)
        return stopped if mine else succeeded("serving", serving=True)

    run = stopping_and_back(demote_workflow=demote, observe_workflow=observe)
    assert sorted(set(acted(run, "promote_workflow"))) == sorted(MOVERS[1:])


def test_what_could_not_be_seen_before_it_was_stopped_comes_back_too():
    """The process may have died between the stop and its note: the repeat finds it stopped."""

    def observe(task: dict) -> dict:
        if task["verb"] == "verify":
            raise ConnectionError("ARM is away")
        return succeeded("serving", serving=True)

    run = stopping_and_back(demote_workflow=skipped("is so already"), observe_workflow=observe)
    assert sorted(set(acted(run, "promote_workflow"))) == sorted(MOVERS)


def test_what_was_stopped_by_a_call_whose_answer_was_lost_comes_back_too():
    run = stopping_and_back(demote_workflow=skipped("is Disabled already"))
    assert sorted(set(acted(run, "promote_workflow"))) == sorted(MOVERS)


def test_what_serves_again_is_looked_at_once_more_for_a_stop_that_lands_late():
    """In this generation once; what is left to do is handed to the next one."""
    answers = [SILENT] * 6 + [succeeded(record=record())] * 60
    serving = succeeded("serving", serving=True)
    run = beating(5, renew_lease=lambda told: answers.pop(0), observe_workflow=serving)
    at = [call.at for call in run.calls if call.name == "promote_workflow"]
    assert len(at) == 2 * len(MOVERS) and max(at) - min(at) >= timedelta(seconds=15)
    left = cast(dict, run.again)["memory"]["again"]
    assert (left["looks"], sorted(left["names"])) == (1, sorted(MOVERS))


def test_what_will_not_start_again_is_tried_at_every_beat_and_alerted_once():
    tries: list[str] = []

    def promote(task: dict) -> dict:
        tries.append(task["component"]["name"])
        return refused("ARM is silent") if tries.count(EXCLUSIVE[0]) < 3 else succeeded()

    run = stopping_and_back(promote_workflow=promote)
    assert tries.count(EXCLUSIVE[0]) == 3
    titles = [told["title"] for told in run.named("alert")]
    assert len([title for title in titles if "cannot serve again" in title]) == 1
    assert titles[-1] == "westeurope serves again"


def test_only_what_would_not_stop_is_tried_again():
    def demote(task: dict) -> dict:
        stuck = task["component"]["name"] == EXCLUSIVE[0]
        return refused("403") if stuck else succeeded("disabled")

    elsewhere = refused("northeurope is active", record=record(2, HERE))
    names = acted(beating(renew_lease=elsewhere, demote_workflow=demote), "demote_workflow")
    assert names.count(EXCLUSIVE[0]) > 2 and names.count(EXCLUSIVE[1]) == 1


COMING = {"id": "r", "phase": "requested", "to": LOST, "at": START.isoformat(), "cancel": None}
COMING |= {"paused": False, "approval": None}
WANTED = {"state": "wanted", "until": (START + timedelta(hours=1)).isoformat()}


@pytest.mark.parametrize("more", [{}, {"phase": "quiesce"}, {"paused": True}, {"approval": WANTED}])
def test_what_runs_in_a_region_that_returns_is_stopped_though_a_run_is_to_come_to_it(more: dict):
    """It has not claimed, its slip may be lost, and people may hold it: both would work."""
    elsewhere = refused("active", record=record(2, HERE, run={**COMING, **more}))
    names = acted(beating(renew_lease=elsewhere), "demote_workflow")
    assert sorted(set(names)) == sorted(EXCLUSIVE)


def test_a_lost_region_that_returns_stops_its_workflows_and_never_serves_by_itself():
    elsewhere = refused("northeurope is active at epoch 2, not westeurope", record=record(2, HERE))
    run = beating(renew_lease=elsewhere)
    assert sorted(acted(run, "demote_workflow")) == sorted(EXCLUSIVE)
    assert not run.named("promote_workflow")
    assert run.named("yield_claim") == [{"plan": "contoso", "epoch": 2}]


def test_a_standby_whose_workflows_stand_still_alerts_nobody():
    elsewhere = refused("northeurope is active at epoch 2", record=record(2, HERE))
    run = beating(renew_lease=elsewhere, demote_workflow=skipped("is Disabled already"))
    assert not run.named("alert")
