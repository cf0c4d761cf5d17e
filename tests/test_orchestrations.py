"""The orchestrations, driven through the SDK's own replay with answers instead of a world."""

from datetime import datetime, timedelta
from pathlib import Path

from orchestrations.backup import backup
from orchestrations.component import component
from orchestrations.restore import restore
from orchestrations.stages import stage
from orchestrations.steps import ATTEMPTS_MAX
from orchestrations.watchdog import watchdog
from shared import backups, plan, slip, witness
from shared.outcome import refused, running, skipped, succeeded
from tests.replay import START, Replay

HERE, LOST = "northeurope", "westeurope"
PLAN = plan.load((Path(__file__).parents[1] / "plans" / "contoso.yaml").read_text())
DOCUMENT = PLAN.document
WORKFLOWS = [c.name for c in PLAN.components if c.kind == "logicWorkflow"]
EXCLUSIVE = [
    c.name for c in PLAN.components if c.kind == "logicWorkflow" and c.role != "activeActive"
]


def loaded(told: dict) -> dict:
    return succeeded(plan=DOCUMENT, digest=PLAN.digest)


def record(epoch: int = 1, active: str = LOST, **more: object) -> dict:
    return {**witness.fresh(DOCUMENT, START), "epoch": epoch, "active": active, **more}


def paper(name: str, epoch: int | None = 2) -> dict:
    first = slip.first(
        run="contoso-2-20260105T080000Z",
        plan="contoso",
        digest=PLAN.digest,
        mode="forced",
        source=LOST,
        target=HERE,
        reason="lost",
        by="watchdog",
        now=START,
        facts={},
    )
    route = slip.ROUTES["forced"]
    ahead = route[route.index(name) :]
    return {**first, "stage": ahead[0], "route": ahead[1:], "epoch": epoch}


def fine(told: dict) -> dict:
    return succeeded("done")


def world(**changes: object) -> dict:
    """Answers of a world in which everything works."""
    serving = succeeded("serving", serving=True)
    answers = {
        "load_plan": loaded,
        "claim_epoch": succeeded(record=record(2, HERE)),
        "advance_run": succeeded(record=record(2, HERE)),
        "finish_run": fine,
        "halt_run": fine,
        "send_slip": fine,
        "alert": fine,
        "observe_workflow": serving,
        "observe_gateway": serving,
        "observe_traffic": serving,
        "promote_workflow": fine,
        "demote_workflow": fine,
        "promote_gateway": fine,
        "verify_gateway": fine,
        "promote_traffic": fine,
        "verify_traffic": fine,
        "call_hook": fine,
    }
    return {**answers, **changes}


def at_stage(name: str, epoch: int | None = 2, **changes: object) -> Replay:
    answers, children = world(**changes), {"component": component}
    return Replay(stage, paper(name, epoch), answers, children, instance=f"run.{name}").run()


def done(replay: Replay) -> dict:
    assert isinstance(replay.output, dict), replay.failure
    assert not replay.left_open
    return replay.output


def acted(replay: Replay, activity: str) -> list[str]:
    return [told["component"]["name"] for told in replay.named(activity)]


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


# --- Watchdog -----------------------------------------------------------------------------------


def saw(kind: str, ok: bool | None, because: str = "seen") -> dict:
    at = START.isoformat()
    return {"kind": kind, "ok": ok, "because": because, "seconds": 0.1, "at": at}


def watched(ok: bool | None, live: bool, known: dict | None = None, **changes: object) -> dict:
    """Answers in which the direct observers say `ok` and the lease is live or not."""
    answers = {
        "load_plan": loaded,
        "observe_health": succeeded(observation=saw("health", ok)),
        "observe_gateway_status": succeeded(observation=saw("gateway", ok)),
        "observe_traffic_manager": succeeded(observation=saw("trafficManager", ok)),
        "observe_lease": succeeded(observation=saw("lease", live), record=known or record()),
        "control_arm": succeeded(control={"name": "arm", "ok": True, "because": "200"}),
        "control_http": succeeded(control={"name": "web", "ok": True, "because": "200"}),
        "reserve_run": fine,
        "send_slip": fine,
        "write_watch": fine,
        "alert": fine,
    }
    return {**answers, **changes}


def on_watch(answers: dict, minutes: float = 2) -> Replay:
    told = {"plan": "contoso", "location": HERE}
    return Replay(watchdog, told, answers).run(stop_at=START + timedelta(minutes=minutes))


def test_a_healthy_region_is_only_watched():
    run = on_watch(watched(True, True))
    assert not run.named("reserve_run")
    assert [told["title"] for told in run.named("alert")] == ["westeurope is healthy"]


def test_a_watchdog_that_reaches_nothing_does_nothing():
    dead = {"name": "arm", "ok": False, "because": "no route"}
    answers = watched(
        False,
        False,
        control_arm=succeeded(control=dead),
        control_http=succeeded(control={**dead, "name": "web"}),
    )
    run = on_watch(answers)
    assert not run.named("reserve_run")
    assert run.named("write_watch")[-1]["watch"]["verdict"]["state"] == "isolated"


def test_a_region_that_still_renews_its_lease_is_suspect_and_not_lost():
    run = on_watch(watched(False, True))
    assert not run.named("reserve_run")
    assert run.named("write_watch")[-1]["watch"]["verdict"]["state"] == "suspect"


def test_a_refused_failover_is_alerted_once_and_not_every_round():
    run = on_watch(watched(False, False, record(paused=True)), minutes=3)
    refusals = [t for t in run.named("alert") if t["title"] == "failover refused"]
    assert len(refusals) == 1 and "paused" in refusals[0]["because"]


def test_a_lost_region_starts_a_run_after_the_configured_rounds():
    run = on_watch(watched(False, False))
    reserved = run.named("reserve_run")[0]["slip"]
    sent = run.named("send_slip")[0]
    assert reserved == sent["slip"] and sent["queue"] == "slip-claim"
    assert reserved["to"] == HERE and reserved["from"] == LOST
    started = next(call.at for call in run.calls if call.name == "reserve_run")
    bound = PLAN.watch.rounds * PLAN.watch.every_seconds + PLAN.watch.timeout_seconds
    assert started - START <= timedelta(seconds=bound)


def test_a_watchdog_stands_down_where_the_plan_is_active():
    run = on_watch(watched(True, True, record(2, HERE)))
    assert run.done and not run.continued
    assert "nothing to watch" in str(run.output)


def test_a_watchdog_lives_for_ever_in_short_generations():
    run = on_watch(watched(True, True), minutes=30)
    assert run.continued
    assert isinstance(run.again, dict) and run.again["memory"]["verdict"]["state"] == "healthy"


# --- API Management's pipeline ------------------------------------------------------------------

MARK = "f" * 64


def manifest(**more: object) -> dict:
    made = backups.manifest(
        plan="contoso",
        service=PLAN.component("gateway", LOST)["resource"],
        sku="Standard",
        fingerprint=MARK,
        now=START - timedelta(hours=2),
    )
    return {**made, "completedAt": START.isoformat(), "bytes": 10, **more}


def pipeline(**changes: object) -> dict:
    answers = {
        "load_plan": loaded,
        "read_witness": succeeded(record=record()),
        "read_watch": succeeded(watch={"verdict": {"state": "healthy"}}),
        "check_gateway": succeeded(sku="Standard"),
        "fingerprint_gateway": succeeded(fingerprint=MARK),
        "list_manifests": succeeded(manifests=[]),
        "begin_backup": running("https://arm/operation/1", 15),
        "begin_restore": running("https://arm/operation/2", 15),
        "ask_operation": fine,
        "verify_backup_blob": succeeded(bytes=10),
        "write_manifest": fine,
        "prune_backups": fine,
        "send_slip": fine,
        "promote_gateway": fine,
        "compare_gateways": succeeded("equal"),
        "verify_gateway": fine,
        "mark_proven": fine,
        "alert": fine,
    }
    return {**answers, **changes}


def backing_up(**changes: object) -> Replay:
    told = {"plan": "contoso", "location": LOST, "by": "timer"}
    return Replay(backup, told, pipeline(**changes)).run()


def restoring(**changes: object) -> Replay:
    made = manifest()
    told = slip.restore(
        run="contoso-restore-1",
        plan="contoso",
        digest=PLAN.digest,
        source=LOST,
        target=HERE,
        by="timer",
        now=START,
        facts={"backup": made["name"]},
    )
    known = succeeded(manifests=[made])
    return Replay(restore, told, pipeline(**{"list_manifests": known, **changes})).run()


def test_a_location_that_is_not_active_makes_no_backup():
    run = backing_up(read_witness=succeeded(record=record(2, HERE)))
    assert done(run)["status"] == "skipped" and not run.named("begin_backup")


def test_a_tier_without_backup_is_refused_and_alerted():
    run = backing_up(check_gateway=refused("tier StandardV2 has no backup"))
    assert done(run)["status"] == "refused"
    assert run.named("alert")[0]["because"] == "tier StandardV2 has no backup"


def test_an_unchanged_configuration_is_not_backed_up_again():
    proven = manifest(provenAt=START.isoformat())
    run = backing_up(list_manifests=succeeded(manifests=[proven]))
    assert done(run)["status"] == "skipped" and not run.named("begin_backup")


def test_a_backup_that_failed_leaves_no_manifest():
    run = backing_up(ask_operation=refused("container not found: create it"))
    assert done(run)["status"] == "refused" and not run.named("write_manifest")


def test_a_backup_that_was_never_proven_is_handed_over_again():
    run = backing_up(list_manifests=succeeded(manifests=[manifest()]))
    assert not run.named("begin_backup")
    assert run.named("send_slip")[0]["queue"] == "slip-restore"


def test_a_changed_configuration_is_backed_up_verified_and_handed_to_the_standby():
    run = backing_up()
    assert done(run)["status"] == "succeeded"
    sent = run.named("send_slip")[0]
    assert sent["location"] == HERE
    assert sent["slip"]["facts"]["backup"] == run.named("begin_backup")[0]["backup"]
    assert run.named("write_manifest")[0]["manifest"]["bytes"] == 10


def test_a_restore_never_runs_over_the_active_gateway():
    run = restoring(read_witness=succeeded(record=record(2, HERE)))
    assert "its gateway serves" in done(run)["because"] and not run.named("begin_restore")


def test_a_restore_waits_while_the_active_side_is_suspect_and_then_gives_up():
    run = restoring(read_watch=succeeded(watch={"verdict": {"state": "suspect"}}))
    assert "frozen" in done(run)["because"] and not run.named("begin_restore")


def test_a_backup_of_another_tier_is_not_restored():
    run = restoring(check_gateway=succeeded(sku="Basic"))
    assert "same tier" in done(run)["because"] and not run.named("begin_restore")


def test_an_expired_backup_is_not_restored():
    old = manifest(startedAt=(START - timedelta(days=31)).isoformat())
    run = restoring(list_manifests=succeeded(manifests=[old]))
    assert "expired" in done(run)["because"]


def test_a_difference_after_the_restore_leaves_the_backup_unproven():
    run = restoring(compare_gateways=refused("api orders is missing"))
    assert done(run)["status"] == "refused" and not run.named("mark_proven")


def test_a_restore_is_overlaid_compared_called_and_only_then_proven():
    run = restoring()
    order = [call.name for call in run.calls]
    wanted = [
        "begin_restore",
        "promote_gateway",
        "compare_gateways",
        "verify_gateway",
        "mark_proven",
    ]
    assert [name for name in order if name in wanted] == wanted
    assert done(run)["outcome"] == "succeeded"


def test_a_long_restore_asks_again_until_its_end():
    answers = [running("https://arm/operation/2", 15)] * 5 + [succeeded()]
    run = restoring(ask_operation=lambda told: answers.pop(0))
    assert done(run)["outcome"] == "succeeded" and not answers


def test_a_skipped_step_is_no_trouble():
    output = done(at_stage("activate", promote_workflow=skipped("already enabled")))
    assert output["outcome"] == "succeeded"
    assert datetime.fromisoformat(output["endedAt"]) >= START
