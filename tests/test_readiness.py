"""What would make a failover fail is said, with what to do; what would not is no obstacle."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import backups, readiness, views
from shared.outcome import refused, succeeded

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SERVICE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/apim-we"
RPO = 3600.0
GONE = refused("no gateway apim in g")


def manifest(
    hours: float, proven: bool = True, mark: str = "f" * 64, service: str = SERVICE
) -> dict:
    made = NOW - timedelta(hours=hours)
    one = backups.manifest(
        plan="contoso", service=service, sku="Standard", fingerprint=mark, now=made
    )
    return {**one, "provenAt": made.isoformat() if proven else None}


def of_backups(*manifests: dict, mark: str | None = "f" * 64) -> dict:
    listed = succeeded(manifests=list(manifests))
    return readiness.backup("gateway", "ne", listed, SERVICE, mark, RPO, NOW)


def of_gateway(mine: dict, theirs: dict) -> dict[str, str]:
    return {c["name"]: c["status"] for c in readiness.gateway("gateway", "ne", mine, theirs)}


def sku(name: str, state: str = "Succeeded") -> dict:
    return succeeded(sku=name, state=state)


def test_a_workflow_that_is_missing_fails():
    assert readiness.workflow("w", "activeActive", "request", "ne", None)["status"] == "fail"


def test_an_exclusive_workflow_that_runs_in_the_standby_fails_and_says_what_overlap_costs():
    row = readiness.workflow("w", "activePassive", "recurrence", "ne", "Enabled")
    assert row["status"] == "fail" and "both clocks would fire" in row["because"]


def test_a_shared_workflow_that_is_stopped_is_a_warning():
    assert readiness.workflow("w", "activeActive", "request", "ne", "Disabled")["status"] == "warn"


def test_a_missing_gateway_fails_alone():
    assert of_gateway(GONE, sku("Standard")) == {"gateway": "fail"}


def test_a_gateway_of_another_tier_fails():
    assert of_gateway(sku("Basic"), sku("Standard"))["tier"] == "fail"


def test_a_gateway_that_is_being_changed_fails():
    assert of_gateway(sku("Standard", "Updating"), sku("Standard"))["gateway"] == "fail"


def test_an_active_gateway_that_is_silent_is_a_warning():
    assert of_gateway(sku("Standard"), refused("unreachable"))["tier"] == "warn"


def test_without_a_proven_backup_it_fails():
    row = of_backups(manifest(1, proven=False))
    assert row["status"] == "fail" and "1 are not proven" in row["because"]


def test_a_backup_of_the_other_gateway_does_not_count():
    assert of_backups(manifest(1, service=f"{SERVICE}-2"))["status"] == "fail"


def test_an_expired_backup_fails():
    assert of_backups(manifest(30 * 24))["status"] == "fail"


def test_backups_that_cannot_be_listed_fail():
    listed = refused("create the container")
    row = readiness.backup("gateway", "ne", listed, SERVICE, None, RPO, NOW)
    assert (row["status"], row["because"]) == ("fail", "create the container")


def test_a_changed_configuration_that_is_not_backed_up_within_the_rpo_fails():
    assert of_backups(manifest(2), mark="e" * 64)["status"] == "fail"


def test_an_old_backup_of_a_gateway_that_cannot_be_seen_is_a_warning():
    assert of_backups(manifest(2), mark=None)["status"] == "warn"


def test_a_backup_that_expires_soon_is_a_warning():
    assert of_backups(manifest(26 * 24))["status"] == "warn"


def test_a_missing_endpoint_fails():
    assert readiness.traffic("front", "ne", refused("no endpoint ne"))["status"] == "fail"


def test_an_endpoint_beside_the_active_one_is_a_warning():
    row = readiness.traffic("front", "ne", succeeded("both", serving=False))
    assert row["status"] == "warn"


def test_a_resource_group_in_the_active_region_is_a_warning():
    row = readiness.group("front", "ne", "rg", "West Europe", "westeurope")
    assert row["status"] == "warn" and "would be lost" in row["because"]


def test_an_overlay_that_is_not_laid_is_a_warning():
    row = readiness.overlay("gateway", "ne", succeeded("differs", serving=False))
    assert row["status"] == "warn"


def test_one_failing_check_makes_it_not_ready():
    fail = readiness.check("w", "ne", "state", "fail", "is missing", "deploy it")
    found = readiness.summed([readiness.check("w", "ne", "app", "ok", "well"), fail], NOW)
    assert (found["ready"], found["because"]) == (False, "w in ne: is missing")


def test_a_warning_keeps_nobody_from_being_ready():
    warn = readiness.check("w", "ne", "overlay", "warn", "differs", "lay it")
    assert readiness.summed([warn], NOW)["ready"]


def test_an_exclusive_workflow_that_waits_is_well():
    row = readiness.workflow("w", "activePassive", "recurrence", "ne", "Disabled")
    assert (row["status"], row["fix"]) == ("ok", "")


def test_a_proven_backup_of_the_configuration_of_now_is_well_however_old():
    assert of_backups(manifest(10 * 24))["status"] == "ok"


def test_a_change_within_the_rpo_is_well():
    assert of_backups(manifest(0.5), mark="e" * 64)["status"] == "ok"


def test_gateways_of_one_tier_are_well():
    assert of_gateway(sku("Standard"), sku("Standard")) == {"gateway": "ok", "tier": "ok"}


def test_what_is_shown_briefly_is_what_is_not_well():
    rows = [readiness.check("w", "ne", "app", "ok", "well")] * 3
    rows.append(readiness.check("w", "ne", "state", "warn", "is Disabled", "enable it"))
    assert [c["status"] for c in readiness.brief(readiness.summed(rows, NOW))["checks"]] == ["warn"]


@given(
    st.lists(
        st.tuples(st.sampled_from(readiness.STATUSES), st.sampled_from(readiness.NAMES)),
        max_size=12,
    )
)
def test_the_worst_comes_first_and_then_the_most_important(pairs: list[tuple[str, str]]):
    rows = [readiness.check("c", "ne", name, status, "b") for status, name in pairs]
    shown = readiness.summed(rows, NOW)["checks"]
    ranks = [
        (readiness.STATUSES.index(c["status"]), readiness.NAMES.index(c["name"])) for c in shown
    ]
    assert ranks == sorted(ranks) and len(shown) == len(rows)


@pytest.mark.parametrize(
    ("seconds", "words"), [(30, "30 seconds"), (7200, "2 hours"), (60, "60 s")]
)
def test_an_age_is_told_as_people_say_it(seconds: float, words: str):
    assert readiness.aged(timedelta(seconds=seconds)).startswith(words)


def test_a_plan_of_which_nothing_is_known_is_neither_protected_nor_not():
    assert views.protected(None, None)["protected"] is None


def test_a_run_that_protects_says_what_it_waits_for():
    run = {"id": "r1", "phase": "protect", "at": NOW.isoformat()}
    fail = readiness.check("gateway", "we", "backup", "fail", "no proven backup", "make one")
    shown = views.protected(run, readiness.summed([fail], NOW))
    assert shown["protected"] is False
    assert "run r1 protects" in shown["protectedBecause"]
    assert "no proven backup" in shown["protectedBecause"]
