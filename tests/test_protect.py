"""A run is not done before the next disaster is survivable, and nobody waits for it."""

from datetime import datetime, timedelta

import pytest

from orchestrations.component import component
from orchestrations.protect import LOOKS_MAX, PIPELINES_MAX, pause
from orchestrations.stages import stage
from shared import plan, readiness
from shared.outcome import refused, succeeded
from tests.replay import START, Replay
from tests.stories import DOCUMENT, EXCLUSIVE, HERE, LOST, done, paper, record, world

KEPT = ("gateway", "stock-sync", "front")
PARTS = [part for part in DOCUMENT["components"] if part["name"] in KEPT]
PLAN = plan.checked({**DOCUMENT, "protectMinutes": 3, "components": PARTS})
READY = succeeded("all is well", ready=True, checks=[])


def unready(*names: str, component_name: str = "gateway") -> dict:
    checks = [
        readiness.check(component_name, LOST, name, "fail", f"{name} fails", "mend it")
        for name in names
    ]
    return succeeded("; ".join(names), ready=False, checks=checks)


def protecting(*answers: dict, **changes: object) -> Replay:
    """The stage with one answer per look; the last one stays."""
    left = list(answers)
    told = {
        "load_plan": succeeded(plan=PLAN.document, digest=PLAN.digest),
        "assess_readiness": lambda told: left.pop(0) if len(left) > 1 else left[0],
        "backup": succeeded("on its way", backup="b"),
        **changes,
    }
    return Replay(
        stage, paper("protect"), world(**told), {"component": component}, instance="p"
    ).run()


def test_what_does_not_become_ready_in_time_is_told_with_its_reason():
    run = protecting(unready("app"))
    assert run.named("finish_run")[0]["because"] == "not protected: app"
    last = run.named("alert")[-1]
    assert (last["title"], "not protected: app" in last["because"]) == ("run finished", True)
    assert timedelta(minutes=3) <= run.now - START < timedelta(minutes=5)


def test_a_protection_that_another_run_overtakes_ends_itself():
    gone = refused("run r has ended: finished", record=record(2, HERE))
    answers = [succeeded(record=record(2, HERE))] * 2 + [gone] * 20
    run = protecting(unready("app"), advance_run=lambda told: answers.pop(0))
    assert done(run)["because"] == "run r has ended: finished"
    assert not run.named("finish_run") and not run.named("alert")


def test_a_silent_witness_does_not_end_a_protection():
    known = succeeded(record=record(2, HERE))
    answers = [known, refused("witness: unreachable"), refused("witness: unreachable")]
    run = protecting(
        *[unready("app")] * 3,
        READY,
        advance_run=lambda told: answers.pop(0) if answers else known,
    )
    assert done(run)["outcome"] == "succeeded" and run.named("finish_run")


def test_a_lost_region_is_asked_for_nothing():
    run = protecting(unready("app", "slips", "gateway", "backup"))
    assert not run.named("backup") and not run.named("demote_workflow")


def test_the_gateways_pipeline_is_turned_round():
    run = protecting(unready("backup"), unready("backup"), READY)
    told = run.named("backup")
    assert [(one["plan"], one["location"]) for one in told] == [("contoso", HERE)]
    assert done(run)["outcome"] == "succeeded"


def test_a_pipeline_that_proves_nothing_is_not_turned_at_every_look():
    run = protecting(unready("backup"))
    assert len(run.named("backup")) == 1 and len(run.named("assess_readiness")) > 10


@pytest.mark.slow
def test_a_pipeline_that_proves_nothing_is_turned_again_once_a_restore_could_have_ended():
    longer = plan.checked({**PLAN.document, "protectMinutes": 25})
    document = succeeded(plan=longer.document, digest=longer.digest)
    run = protecting(unready("backup"), load_plan=document)
    times = [call.at for call in run.calls if call.name == "backup"]
    assert len(times) == 2 <= PIPELINES_MAX and times[1] - times[0] >= timedelta(minutes=20)


def test_a_backup_that_breaks_off_is_a_row_and_no_end():
    def backup(told: dict) -> dict:
        raise MemoryError("the worker was killed")

    run = protecting(unready("backup"), READY, backup=backup)
    words = [row["because"] for row in done(run)["rows"]]
    assert any("the worker was killed" in one for one in words) and run.named("finish_run")


def test_an_exclusive_workflow_that_runs_in_the_old_region_is_stopped():
    seen = unready("state", component_name="stock-sync")
    run = protecting(seen, READY)
    tasks = run.named("demote_workflow")
    assert [(t["component"]["name"], t["location"]) for t in tasks] == [("stock-sync", LOST)]
    assert "stock-sync" in EXCLUSIVE


def test_the_quiet_period_begins_with_protect():
    assert protecting(READY).named("advance_run")[0]["quietMinutes"] == PLAN.quiet_minutes


def test_what_is_ready_at_once_costs_one_look():
    run = protecting(READY)
    assert len(run.named("assess_readiness")) == 1 and run.named("finish_run")[0]["because"] == ""


def test_a_lost_region_is_looked_for_often_and_then_every_minute():
    waits = [pause(seconds).total_seconds() for seconds in (0, 100, 1000, 3600, 7200)]
    assert waits == [5, 10, 60, 60, 120]


@pytest.mark.parametrize("days", [0.04, 1, 7])
def test_the_looks_of_the_longest_wait_are_bounded(days: float):
    waited, looks = 0.0, 0
    while waited < days * 86_400:
        waited += pause(waited).total_seconds()
        looks += 1
    assert looks < LOOKS_MAX


def test_the_stage_ends_when_it_says():
    output = done(protecting(unready("app"), READY))
    assert datetime.fromisoformat(output["endedAt"]) - START < timedelta(minutes=1)


def test_a_workflow_that_may_run_in_both_is_never_stopped_for_a_check_that_fails():
    seen = succeeded(
        "definition",
        ready=False,
        checks=[
            readiness.check("orders-intake", LOST, name, "fail", "it differs", "deploy it")
            for name in ("definition", "role", "connections", "state")
        ],
    )
    parts = [part for part in DOCUMENT["components"] if part["name"] in (*KEPT, "orders-intake")]
    known = plan.checked({**DOCUMENT, "protectMinutes": 3, "components": parts})
    told = succeeded(plan=known.document, digest=known.digest)
    run = protecting(seen, READY, load_plan=told)
    assert done(run)["outcome"] == "succeeded" and not run.named("demote_workflow")
