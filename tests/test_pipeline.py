"""API Management's backup and restore, driven through the SDK's own replay."""

from datetime import timedelta

from orchestrations.backup import backup
from orchestrations.restore import restore
from shared import backups, slip
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
