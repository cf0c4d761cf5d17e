"""API Management's backup and restore, driven through the SDK's own replay."""

from datetime import datetime, timedelta

from orchestrations.backup import backup
from orchestrations.restore import restore
from shared import backups, slip, stale
from shared.outcome import refused, running, succeeded
from tests.replay import START, Replay
from tests.stories import (
    HERE,
    LOST,
    PLAN,
    done,
    fine,
    loaded,
    record,
)

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


def watched(state: str, at: datetime = START) -> dict:
    return succeeded(watch={"verdict": {"state": state}, "at": at.isoformat()})


def under_way(phase: str = "activate", active: str = LOST) -> dict:
    """The witness's answer while a run was entered at START, one epoch on."""
    known = {"id": "contoso-x", "phase": phase, "at": START.isoformat()}
    run = {**known, "paused": False, "approval": None}
    return succeeded(record=record(2, active, run=run))


def pipeline(**changes: object) -> dict:
    answers = {
        "load_plan": loaded,
        "read_witness": succeeded(record=record()),
        "read_watch": watched("healthy"),
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
        "mark_unproven": fine,
        "assess_readiness": succeeded("well", ready=True, checks=[], at=START.isoformat()),
        "read_readiness": succeeded(readiness=None),
        "write_readiness": fine,
        "alert": fine,
    }
    return {**answers, **changes}


def backing_up(by: str = "timer", here: str = LOST, **changes: object) -> Replay:
    told = {"plan": "contoso", "location": here, "by": by}
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
    run = restoring(read_watch=watched("suspect", START + timedelta(hours=1)))
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


def test_a_plan_of_other_locations_is_not_backed_up_here():
    run = backing_up(here="swedencentral")
    assert done(run)["status"] == "skipped" and "no location" in done(run)["because"]


def test_no_backup_begins_while_a_run_needs_the_gateway():
    run = backing_up(here=HERE, read_witness=under_way(active=HERE))
    assert done(run)["status"] == "skipped" and not run.named("begin_backup")


def test_the_order_to_back_up_says_for_which_epoch_and_where_to_look():
    """As every change does, so that it is weighed right before it is sent."""
    (order,) = backing_up().named("begin_backup")
    assert (order["run"], order["verb"]) == (f"contoso-backup-{LOST}", "backup")
    assert (order["epoch"], order["witness"]) == (record()["epoch"], PLAN.document["witness"])
    assert stale.contradiction(record(), order, START) == ""


def test_a_backup_that_a_run_overtook_is_left_out_and_disturbs_nobody():
    """The run was reserved while the gateway was being looked at; the next timer tries again."""
    over = refused("stale, nothing was sent: run contoso-x is under way", stale=True)
    run = backing_up(begin_backup=over)
    assert done(run)["status"] == "skipped" and "contoso-x" in done(run)["because"]
    assert not run.named("write_manifest") and not run.named("alert")


def test_a_backup_whose_epoch_cannot_be_read_does_not_begin_and_says_so():
    def silent(told: dict) -> dict:
        raise ConnectionError("the epoch cannot be read: no answer")

    run = backing_up(begin_backup=silent)
    assert "epoch cannot be read" in run.named("alert")[0]["because"]
    assert not run.named("write_manifest")


def test_no_backup_begins_while_somebody_changes_the_gateway():
    run = backing_up(check_gateway=succeeded(sku="Standard", state="Updating"))
    assert done(run)["status"] == "skipped" and not run.named("begin_backup")


def test_a_backup_that_was_found_to_differ_is_not_restored_again_by_the_clock():
    known = succeeded(manifests=[manifest(provenBecause="api orders is missing")])
    run = backing_up(list_manifests=known)
    assert not run.named("send_slip") and "api orders is missing" in done(run)["because"]


def test_a_backup_that_was_found_to_differ_is_restored_again_when_a_person_asks():
    known = succeeded(manifests=[manifest(provenBecause="api orders is missing")])
    assert backing_up(by="person", list_manifests=known).named("send_slip")


def test_a_restore_does_not_begin_while_a_run_is_under_way():
    run = restoring(read_witness=under_way())
    assert "contoso-x is under way" in done(run)["because"] and not run.named("begin_restore")


def test_a_run_that_died_long_ago_does_not_bar_restores_for_ever():
    old = under_way()
    old["record"]["run"]["at"] = (START - timedelta(days=2)).isoformat()
    assert done(restoring(read_witness=old))["outcome"] == "succeeded"


def test_a_restore_that_a_newer_backup_overtook_is_left_to_that_one():
    newer = manifest(name="contoso-z", startedAt=START.isoformat())
    run = restoring(list_manifests=succeeded(manifests=[manifest(), newer]))
    assert done(run)["outcome"] == "skipped" and not run.named("begin_restore")


def test_a_restore_does_not_begin_while_another_one_runs():
    run = restoring(check_gateway=succeeded(sku="Standard", state="Updating"))
    assert done(run)["outcome"] == "skipped" and not run.named("begin_restore")


def test_a_word_of_a_watchdog_that_fell_silent_is_no_calm():
    run = restoring(read_watch=watched("healthy", START - timedelta(hours=1)))
    assert "silent since" in done(run)["because"] and not run.named("begin_restore")


def test_a_restore_that_waited_for_the_witness_says_so():
    run = restoring(read_witness=refused("unreachable"))
    assert "the witness cannot be read" in done(run)["because"]


def test_a_difference_is_noted_in_the_manifest():
    found = refused("api orders is missing", differences=["api orders is missing"])
    run = restoring(compare_gateways=found)
    assert run.named("mark_unproven")[0]["because"] == "api orders is missing"


def test_a_comparison_that_could_not_be_made_is_no_difference():
    run = restoring(compare_gateways=refused("unreachable"))
    assert not run.named("mark_unproven")


def test_an_hour_of_restoring_outlives_minutes_without_arm():
    silent = iter(range(9))

    def ask(told: dict) -> dict:
        if next(silent, None) is not None:
            raise ConnectionError("away")
        return succeeded()

    assert done(restoring(ask_operation=ask))["outcome"] == "succeeded"
