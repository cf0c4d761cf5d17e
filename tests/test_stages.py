"""The stages of a run, driven through the SDK's own replay."""

from collections.abc import Callable
from datetime import datetime, timedelta

from orchestrations.component import STEP_MAX
from orchestrations.stages import stage
from orchestrations.steps import ATTEMPTS_MAX, BUSY_PAUSE, PATIENCE
from orchestrations.waves import CHUNK, block
from shared import plan, slip
from shared.outcome import BUSY_ROUNDS_MAX, refused, running, skipped, succeeded
from tests.replay import START, Replay
from tests.stories import (
    EXCLUSIVE,
    LOST,
    PLAN,
    WORKFLOWS,
    acted,
    at_stage,
    done,
    grown,
    loaded,
    paper,
    world,
)


def test_a_claim_that_is_refused_ends_the_run_and_sends_no_slip():
    run = at_stage("claim", None, claim_epoch=refused("another run holds the record"))
    assert done(run)["outcome"] == "refused"
    assert "another run holds" in done(run)["because"]
    assert not run.named("send_slip")
    assert run.named("halt_run") and run.named("alert")


def test_a_claim_is_told_the_maintenance_windows_of_its_plan():
    told = at_stage("claim", None).named("claim_epoch")[0]
    assert told["maintenance"] == PLAN.document["maintenance"]


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


def after(failures: int, then: dict | None = None) -> Callable[[dict], dict]:
    """An answer that comes only after so many surprises."""
    left = [None] * failures

    def answer(told: dict) -> dict:
        if left:
            left.pop()
            raise ConnectionError("away")
        return then or succeeded()

    return answer


def test_a_version_that_is_not_known_here_gives_the_reservation_back():
    def load(told: dict) -> dict:
        return refused("that version is not known here") if "digest" in told else loaded(told)

    run = at_stage("claim", None, load_plan=load)
    assert [told["witness"] for told in run.named("halt_run")] == [PLAN.document["witness"]]


def test_a_claimed_run_outwaits_minutes_without_its_storage_queue_or_witness():
    run = at_stage("activate", load_plan=after(20, loaded({})), send_slip=after(20))
    assert done(run)["outcome"] == "succeeded" and not run.named("halt_run")


def test_a_claimed_run_pages_while_it_outwaits_a_silent_witness():
    run = at_stage("activate", advance_run=after(2 * PATIENCE, world()["advance_run"]))
    assert done(run)["outcome"] == "succeeded"
    assert [told["title"] for told in run.named("alert")] == ["activate waits"] * 2


def test_a_run_that_is_not_claimed_yet_does_not_wait_for_long():
    run = at_stage("claim", None, claim_epoch=after(PATIENCE))
    assert done(run)["outcome"] == "refused" and len(run.named("claim_epoch")) == PATIENCE


def test_a_run_outwaits_a_silent_witness_at_its_end():
    run = at_stage("protect", finish_run=after(20))
    assert done(run)["outcome"] == "succeeded" and not run.named("halt_run")


def test_a_gateway_that_is_being_restored_is_waited_for_a_minute_and_not_longer():
    run = at_stage("promote", promote_gateway=refused("is being restored", busy=True))
    assert len(run.named("promote_gateway")) == 1 + BUSY_ROUNDS_MAX
    assert "is being restored" in done(run)["because"]
    assert run.now - START < (BUSY_ROUNDS_MAX + 1) * BUSY_PAUSE
    assert run.named("send_slip")[0]["queue"] == "slip-activate"


def test_a_component_that_never_settles_holds_the_run_up_for_minutes_only():
    slow = running("https://arm/operation/1", 3600)
    run = at_stage("promote", promote_gateway=slow, ask_operation=slow)
    assert "still running" in done(run)["because"]
    assert run.now - START < 2 * STEP_MAX


def test_a_poll_that_nobody_answers_says_nothing_of_the_operation():
    slow = running("https://arm/operation/1", 5)
    run = at_stage("promote", promote_gateway=slow, ask_operation=after(6))
    assert done(run)["outcome"] == "succeeded"


def with_steps(many: plan.Plan, step: Callable[[dict], dict]) -> Replay:
    """The activation of a plan whose components answer as `step` says, side by side."""
    document = succeeded(plan=many.document, digest=many.digest)
    answers = world(load_plan=document, component=step)
    return Replay(
        stage, paper("activate"), answers, {"block": block}, instance="run.activate"
    ).run()


def test_a_step_that_breaks_off_does_not_stop_those_behind_it():
    many = grown(2 * CHUNK)

    def break_off(told: dict) -> dict:
        if told["task"]["component"]["name"] == "w0000":
            raise MemoryError("the worker was killed")
        return {"component": told["task"]["component"]["name"], "outcome": "succeeded"}

    run = with_steps(many, break_off)
    rows = done(run)["rows"]
    assert [row["outcome"] for row in rows] == ["refused"] * CHUNK + ["succeeded"] * CHUNK
    assert "the worker was killed" in rows[0]["because"]


def test_a_thousand_workflows_of_a_dead_region_cost_the_fence_one_chunk_of_waiting():
    many = grown(200, "recurrence")
    document = succeeded(plan=many.document, digest=many.digest)
    run = at_stage("fence", load_plan=document, demote_workflow=refused("unreachable"))
    assert len(run.named("demote_workflow")) == CHUNK
    assert len(done(run)["rows"]) == 200
    assert "not tried" in done(run)["rows"][-1]["because"]


def test_arms_tokens_are_counted_from_the_beginning_of_the_stage_in_every_wave():
    many = grown(260)
    parts = many.document["components"]
    for part in parts[-130:]:
        part.update(trigger="recurrence", role="activePassive")
    run = with_steps(many, lambda told: {"component": "", "outcome": "succeeded"})
    # Of 520 looks 225 are in the bucket, then come 23 a second. Counted anew in each wave it were
    # no more than two seconds for each of both.
    assert timedelta(seconds=12) < run.now - START < timedelta(seconds=16)
