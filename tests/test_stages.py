"""The stages of a run, driven through the SDK's own replay."""

from datetime import datetime, timedelta

from orchestrations.steps import ATTEMPTS_MAX
from shared import slip
from shared.outcome import refused, skipped, succeeded
from tests.replay import START
from tests.stories import (
    EXCLUSIVE,
    LOST,
    PLAN,
    WORKFLOWS,
    acted,
    at_stage,
    done,
)


def test_a_claim_that_is_refused_ends_the_run_and_sends_no_slip():
    run = at_stage("claim", None, claim_epoch=refused("another run holds the record"))
    assert done(run)["outcome"] == "refused"
    assert "another run holds" in done(run)["because"]
    assert not run.named("send_slip")
    assert run.named("halt_run") and run.named("alert")


def test_an_epoch_that_moved_stops_a_later_stage_before_it_touches_anything():
    run = at_stage("activate", advance_run=refused("epoch moved: the slip has 2, the witness 3"))
    assert done(run)["outcome"] == "refused"
    assert not run.named("promote_workflow")


def test_a_plan_that_cannot_be_loaded_halts_the_run_with_its_reason():
    run = at_stage("fence", load_plan=refused("no plan of that digest"))
    assert done(run)["because"] == "no plan of that digest"


def test_a_dead_region_does_not_stop_the_run_at_the_fence():
    run = at_stage("fence", demote_workflow=refused("unreachable within 5 s"))
    output = done(run)
    assert output["outcome"] == "partial"
    assert {row["outcome"] for row in output["rows"]} == {"refused"}
    assert run.named("send_slip")[0]["queue"] == "slip-promote"


def test_a_workflow_that_will_not_start_does_not_hold_the_others_back():
    def promote(task: dict) -> dict:
        return refused("409") if task["component"]["name"] == "orders-intake" else succeeded()

    run = at_stage("activate", promote_workflow=promote)
    output = done(run)
    assert [r["component"] for r in output["rows"] if r["outcome"] == "refused"] == [
        "orders-intake"
    ]
    assert len(output["rows"]) == len(WORKFLOWS)
    assert run.named("send_slip")[0]["slip"]["facts"]["troubles"] == 1


def test_a_change_that_is_accepted_but_does_not_show_is_refused():
    run = at_stage("activate", observe_workflow=succeeded("Disabled", serving=False))
    assert all("does not show" in row["because"] for row in done(run)["rows"])


def test_a_surprise_is_tried_again_and_then_written_down():
    def broken(task: dict) -> dict:
        raise ConnectionError("the wire was cut")

    run = at_stage("promote", promote_gateway=broken)
    row = done(run)["rows"][0]
    assert row["attempts"] == ATTEMPTS_MAX and row["outcome"] == "refused"
    assert "the wire was cut" in row["because"]


def test_the_fence_stops_only_what_must_not_run_twice():
    run = at_stage("fence")
    assert sorted(acted(run, "demote_workflow")) == sorted(EXCLUSIVE)
    assert {told["location"] for told in run.named("demote_workflow")} == {LOST}


def test_activation_wakes_queues_and_requests_before_webhooks_and_clocks_last():
    names = acted(at_stage("activate"), "promote_workflow")
    waves = [PLAN.trigger_wave(name) for name in names]
    assert waves == sorted(waves) and sorted(names) == sorted(WORKFLOWS)


def test_each_stage_sends_the_slip_to_the_next_and_the_last_finishes_the_run():
    route = slip.ROUTES["forced"]
    for name, following in zip(route, route[1:], strict=False):
        run = at_stage(name)
        assert done(run)["outcome"] == "succeeded"
        assert [told["queue"] for told in run.named("send_slip")] == [f"slip-{following}"]
    last = at_stage("protect")
    assert not last.named("send_slip") and len(last.named("finish_run")) == 1


def test_the_claimed_epoch_travels_with_the_slip():
    assert at_stage("claim", None).named("send_slip")[0]["slip"]["epoch"] == 2


def test_verification_waits_for_the_callers_dns_and_tries_again_what_failed():
    tries: list[str] = []

    def call(task: dict) -> dict:
        tries.append(task["component"]["name"])
        return succeeded() if len(tries) > 2 else refused("503")

    run = at_stage("verify", call_hook=call)
    assert done(run)["outcome"] == "succeeded" and len(tries) == 3
    first = next(call.at for call in run.calls if call.name == "component")
    assert first - START >= timedelta(seconds=PLAN.ttl_seconds())


def test_a_skipped_step_is_no_trouble():
    output = done(at_stage("activate", promote_workflow=skipped("already enabled")))
    assert output["outcome"] == "succeeded"
    assert datetime.fromisoformat(output["endedAt"]) >= START
