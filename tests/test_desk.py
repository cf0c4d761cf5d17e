"""What the desk shows of Contoso: plans, runs and backups, and who is told that there is none."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from activities import desk, readiness
from shared import store
from tests.desk_doors import PLAN, STORE, refused, watch_state
from tests.desk_doors import drained as drained
from tests.desk_doors import fresh as fresh
from tests.desk_doors import without_witness as without_witness
from tests.doors import THERE, Doors


@pytest.mark.parametrize("name", ["nobody", "UPPER", "x", "../contoso", "a" * 41])
def test_a_plan_that_is_not_there_is_404(doors: Doors, name: str) -> None:
    assert refused(lambda: desk.one_plan(name))["status"] == 404


def test_a_plan_that_was_never_good_is_404_with_every_error(doors: Doors) -> None:
    doors.lay(STORE, "understudy", "plans/broken.yaml", b"name: broken\nhome: nowhere\nx: 1\n")
    assert len(refused(lambda: desk.one_plan("broken"))["errors"]) > 2


def test_a_plan_that_was_never_good_hides_no_other(doors: Doors) -> None:
    doors.lay(STORE, "understudy", "plans/broken.yaml", b"name: broken\n")
    _, body = desk.every_plan()
    shown = {plan["name"]: plan for plan in body["plans"]}
    assert shown["contoso"]["active"] == THERE
    assert "plan broken is bad" in shown["broken"]["warnings"][0]


def test_an_unknown_run_is_404(doors: Doors) -> None:
    assert refused(lambda: desk.one_run("contoso-none", {}))["status"] == 404


@pytest.mark.slow
def test_a_run_that_only_a_silent_witness_may_know_is_503(without_witness: None) -> None:
    assert refused(lambda: desk.one_run("contoso-none", {}))["status"] == 503


def test_backups_that_cannot_be_listed_are_no_empty_list(doors: Doors) -> None:
    text = doors.plan_text.replace("container: apim-backups", "container: nowhere")
    doors.lay(STORE, "understudy", PLAN, text.encode())
    body = refused(lambda: desk.every_backup("contoso"))
    assert (body["status"], "create the container" in body["detail"]) == (503, True)


def test_a_plan_is_shown_with_what_a_failover_takes(doors: Doors) -> None:
    _, plan = desk.one_plan("contoso")
    assert plan["forecast"]["rtoSeconds"] == pytest.approx(sum(plan["forecast"]["parts"].values()))
    assert (plan["readiness"]["ready"], plan["protected"]) == (False, False)
    readiness.forget()


def test_a_plan_at_rest_has_no_warnings(doors: Doors) -> None:
    _, plan = desk.one_plan("contoso")
    assert (plan["active"], plan["phase"], plan["warnings"]) == (THERE, "steady", [])


def test_a_fresh_verdict_is_not_stale(doors: Doors) -> None:
    store.write_watch(watch_state(datetime.now(UTC)))
    _, plan = desk.one_plan("contoso")
    assert (plan["verdict"]["state"], plan["verdict"]["stale"]) == ("healthy", False)


def test_a_verdict_of_a_silent_watchdog_is_called_old(doors: Doors) -> None:
    store.write_watch(watch_state(datetime.now(UTC) - timedelta(minutes=2)))
    _, plan = desk.one_plan("contoso")
    assert plan["verdict"]["stale"] is True
    assert "silent since" in plan["warnings"][0]


def test_a_watch_state_of_another_version_is_told_and_left_out(doors: Doors) -> None:
    state = watch_state(datetime.now(UTC))
    del state["refusal"]
    store.write_watch(state)
    _, plan = desk.one_plan("contoso")
    assert plan["verdict"] is None
    assert "refusal" in plan["warnings"][0]


def test_a_plan_is_shown_without_its_witness_and_says_so(without_witness: None) -> None:
    _, plan = desk.one_plan("contoso")
    assert plan["active"] is None
    assert plan["warnings"][0].startswith("witness: ")


def test_a_bad_new_plan_is_told_beside_the_last_good_one(doors: Doors) -> None:
    desk.one_plan("contoso")
    doors.lay(STORE, "understudy", PLAN, b"name: contoso\nhome: nowhere\n")
    _, plan = desk.one_plan("contoso")
    assert plan["home"] == THERE
    assert plan["warnings"][0].startswith("bad new plan: ")


def test_the_age_of_the_last_proven_backup_is_shown(doors: Doors) -> None:
    made = datetime.now(UTC) - timedelta(hours=1)
    name = f"contoso-{made:%Y%m%dT%H%M%SZ}-aaaaaaaa"
    manifest = {
        "name": name,
        "plan": "contoso",
        "service": doors.plan.component("gateway", THERE)["resource"],
        "sku": "Standard",
        "fingerprint": "a" * 64,
        "apiVersion": "2024-05-01",
        "startedAt": made.isoformat(),
        "completedAt": made.isoformat(),
        "bytes": 1,
        "provenAt": made.isoformat(),
        "provenBecause": "compared",
    }
    doors.lay(STORE, "apim-backups", f"{name}.json", json.dumps(manifest).encode())
    _, plan = desk.one_plan("contoso")
    _, listed = desk.every_backup("contoso")
    doors.drop(STORE, "apim-backups", f"{name}.json")
    assert plan["backup"]["ageSeconds"] == pytest.approx(3600, abs=60)
    assert [row["name"] for row in listed["backups"]] == [name]
