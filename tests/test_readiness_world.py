"""Readiness of what a plan stands on: figures, permissions, clocks and times."""

import copy
from datetime import UTC, datetime, timedelta

import pytest

from activities import peer
from shared import readiness_world as world
from shared.permissions import BESIDE, PERMISSIONS
from shared.plan import Plan, load
from tests.app_index import ROOT

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MONITOR = {"path": world.GATEWAY_STATUS, "intervalInSeconds": 10, "timeoutInSeconds": 5}
PROFILE = {
    "dnsConfig": {"ttl": 10},
    "monitorConfig": {**MONITOR, "toleratedNumberOfFailures": 3},
}


def status(rows: list[dict]) -> dict[str, str]:
    return {row["name"]: row["status"] for row in rows}


def profile(ttl: int = 10, rto: int = 120, **monitor: object) -> dict[str, str]:
    seen = {**PROFILE, "monitorConfig": {**PROFILE["monitorConfig"], **monitor}}
    return status(world.profile("front", "here", seen, ttl, [world.GATEWAY_STATUS], rto))


def test_a_ttl_that_the_plan_does_not_know_is_a_warning():
    assert profile(ttl=60)["ttl"] == "warn"


def test_a_probe_of_the_root_says_nothing_of_a_gateway():
    assert profile(path="/")["probePath"] == "warn"


def test_a_profile_that_is_slower_than_the_rto_is_a_warning():
    assert profile(rto=50)["detection"] == "warn"
    assert profile(rto=55)["detection"] == "ok"  # 4 intervals of 10 s, 5 s, and a TTL of 10 s.


def test_a_profile_that_fits_the_plan_is_well():
    assert set(profile().values()) == {"ok"}


ENABLE = "Microsoft.Logic/workflows/enable/action"
RESUBMIT = "Microsoft.Logic/workflows/triggers/histories/resubmit/action"


def allowed(*actions: str, but: tuple[str, ...] = ()) -> str:
    rows = [{"actions": list(actions), "notActions": list(but)}]
    wanted = {ENABLE: True, RESUBMIT: False}
    return world.permitted("here", "/subscriptions/s/resourceGroups/g", wanted, rows)["status"]


def test_an_action_that_no_role_grants_fails():
    assert allowed("Microsoft.Logic/workflows/read") == "fail"


def test_an_action_that_is_taken_away_again_fails():
    assert allowed("*", but=("Microsoft.Logic/workflows/enable/*",)) == "fail"


def test_actions_are_compared_without_letter_case_and_with_stars():
    assert allowed("microsoft.logic/WORKFLOWS/*") == "ok"


def test_an_action_that_no_run_calls_is_only_missed():
    assert allowed(ENABLE) == "warn"
    row = world.permitted("here", "/g", {RESUBMIT: False}, [])
    assert row["because"] == f"not allowed in g: {RESUBMIT}" and row["fix"]


def test_what_a_run_calls_is_told_before_what_it_does_not():
    row = world.permitted("here", "/g", {"a/read": False, "b/write": True}, [])
    assert (row["status"], row["because"]) == ("fail", "not allowed in g: b/write, a/read")


def test_what_is_beside_a_run_is_among_what_its_kind_asks():
    for kind, actions in BESIDE.items():
        sides = PERMISSIONS[kind]
        assert actions and set(actions) < {*sides["read"], *sides["act"]}


def everything() -> Plan:
    return load((ROOT / "plans" / "everything.yaml").read_text(encoding="utf-8"))


def test_roles_from_before_the_ledgers_orders_let_a_plan_move():
    plan = everything()
    to = plan.other(plan.home)
    group = world.wanted(plan, to)[plan.locations[to].resource_group]
    needed = {action for action, need in group.items() if need}
    assert RESUBMIT in group and RESUBMIT not in needed
    assert {ENABLE, "Microsoft.Logic/workflows/runs/read"} <= needed


def test_callbacks_are_needed_where_the_workflow_is_that_they_name():
    plan = everything()
    to = plan.other(plan.home)
    group = plan.locations[to].resource_group
    link = "Microsoft.Logic/workflows/triggers/listCallbackUrl/action"
    assert world.wanted(plan, to)[group][link] is True
    document = copy.deepcopy(plan.document)
    (gateway,) = (one for one in document["components"] if one["kind"] == "apiManagement")
    for laid in gateway["overlay"].values():
        del laid["callbacks"]
    assert world.wanted(Plan.model_validate(document), to)[group][link] is False


def test_only_what_the_roles_let_the_app_read_tells_whether_it_has_any():
    # A factory itself is nothing that the app asks for.
    plan = everything()
    to = plan.other(plan.home)
    groups = world.readable(plan, to)
    found = groups[plan.locations[to].resource_group]
    assert 0 < len(found) <= world.SHOWN_MAX
    assert not [one for rows in groups.values() for one in rows if "/factories/" in one]


def test_permissions_that_cannot_be_read_are_a_warning():
    assert world.permitted("here", "/g", {"a/read": True}, None, "403")["status"] == "warn"


def test_a_clock_that_is_far_off_is_named():
    seen = world.clock("here", {"here": 0.4, "there": -61.0})
    assert seen["status"] == "warn" and "there -61.0 s" in seen["because"]


@pytest.mark.parametrize(("days", "wanted"), [(None, "warn"), (100, "warn"), (5, "ok")])
def test_a_plan_that_was_not_moved_for_a_season_is_a_warning(days: int | None, wanted: str):
    at = (NOW - timedelta(days=days or 0)).isoformat()
    ends = [] if days is None else [{"what": "finished", "at": at}]
    assert world.drilled("here", {"transitions": ends}, NOW)["status"] == wanted


def test_a_slip_namespace_that_the_plan_moves_fails():
    assert world.slips_apart("here", ["sb-ne"], ["SB-NE"])["status"] == "fail"
    assert world.slips_apart("here", ["sb-ne"], ["sb-orders"])["status"] == "ok"


def test_what_the_standby_mends_on_the_active_side_has_to_be_allowed_there():
    plan = everything()
    groups = world.wanted(plan, plan.other(plan.home))
    there = groups[plan.locations[plan.home].resource_group]
    assert "Microsoft.Insights/diagnosticSettings/write" in there
    assert "Microsoft.Web/connections/write" not in there


@pytest.mark.parametrize(("minutes", "wanted"), [(120, "ok"), (60, "warn"), (30, "fail")])
def test_a_restore_that_is_always_running_is_a_finding(minutes: int, wanted: str):
    made = {"completedAt": NOW.isoformat(), "provenAt": (NOW + timedelta(minutes=45)).isoformat()}
    row = world.restore_time("gateway", "here", [made], timedelta(minutes=minutes))
    assert row is not None and row["status"] == wanted


def test_without_a_proven_backup_nothing_is_said_of_restores():
    made = {"completedAt": NOW.isoformat(), "provenAt": None}
    assert world.restore_time("gateway", "here", [made], timedelta(hours=1)) is None


def test_more_changes_than_the_bucket_pays_for_within_the_rto_fail():
    assert status(world.quota("here", [], 2000, 120)) == {"writes": "fail"}
    assert status(world.quota("here", [], 1000, 120)) == {"writes": "ok"}


def test_a_lease_too_short_to_stop_what_is_exclusive_is_a_warning_with_the_length_that_would_do():
    """Each is looked at and stopped; five eighths of it and the peer's 3 s are gone by then."""
    assert world.lease("here", 140, 10)["status"] == "ok"
    row = world.lease("here", 300, 10)
    assert row["status"] == "warn" and "leaseSeconds to 47" in row["fix"]
    assert world.lease("here", 300, 47)["status"] == "ok"
    assert world.PEER_SECONDS == peer.SECONDS_MAX


def flows(subscription: str, count: int) -> list[str]:
    """The ids of so many workflows there."""
    group = f"/subscriptions/{subscription}/resourceGroups/rg"
    return [f"{group}/providers/Microsoft.Logic/workflows/flow-{n}" for n in range(count)]


def test_more_workflows_than_a_region_takes_of_a_subscription_fail():
    assert status(world.quota("here", flows("one", 1001), 0, 120))["quota"] == "fail"
    assert status(world.quota("here", flows("one", 1000), 0, 120))["quota"] == "ok"


def test_each_subscription_has_a_limit_of_its_own():
    """Spread as the check advises, a plan of more than a thousand workflows is well."""
    spread = [*flows("one", 516), *flows("TWO", 500), *flows("two", 200)]
    rows = [one for one in world.quota("here", spread, 0, 120) if one["name"] == "quota"]
    assert [(one["status"], one["because"].split()[0]) for one in rows] == [
        ("ok", "516"),
        ("ok", "700"),
    ]
    more = world.quota("here", [*spread, *flows("one", 490)], 0, 120)
    (bad,) = [one for one in more if one["status"] == "fail"]
    assert "subscription one " in bad["because"]
    assert "others not counted" in bad["because"]
