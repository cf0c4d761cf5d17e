"""Batch at the wire: schedules enabled and disabled by identity, and what readiness compares."""

from collections.abc import Iterator

import pytest

from rehearsal import batch as plane
from rehearsal.identity import mint
from rehearsal.providers.batch import SCHEDULES, endpoint
from shared import batch, data_plane
from shared.plan import BadPlan
from shared.reply import Surprise
from tests.doors import HERE, THERE, Doors
from tests.parts import MARKER, called, judged, plan_with, task
from tests.patience import HURRIED_WORDS, silent

PART = {
    "name": "night",
    "kind": "batch",
    "resource": "{resourceGroup}/providers/Microsoft.Batch/batchAccounts/batchtest{short}",
    "schedules": ["one", "two"],
}
TOKEN_FOR = "https://batch.core.windows.net"


def place(doors: Doors, state: str, location: str = HERE, **more: object) -> None:
    """An account whose two schedules are in one state, with one pool."""
    table = doors.world.resources
    resource = plan_with(doors, PART).component("night", location)["resource"]
    quotas = {"dedicatedCoreQuota": 10, "lowPriorityCoreQuota": 10, "poolQuota": 5}
    quotas |= {"activeJobAndJobScheduleQuota": 5}
    told = {"provisioningState": "Succeeded", "poolAllocationMode": "BatchService", **quotas}
    schedules = {name: {"state": state, "metadata": MARKER} for name in PART["schedules"]}
    body = {"location": location, "properties": {**told, **more}, SCHEDULES: schedules}
    table.place(resource, body)
    pool = {"vmSize": "STANDARD_D2S_V3", "startTask": {"commandLine": f"x {MARKER}"}}
    table.place(f"{resource}/pools/workers", {"properties": pool})


@pytest.fixture(scope="module")
def serving(opened: Doors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Both accounts' data planes; they serve whatever the accounts then are."""
    for location in (HERE, THERE):
        place(opened, "disabled", location)
    leaf = opened.wire.authority.leaf("batch", regions=(HERE, THERE))
    running = opened.wire.run(plane.start(opened.world, leaf.server()))
    yield
    opened.wire.run(running.stop())


@pytest.fixture(autouse=True)
def fresh(doors: Doors, serving: None) -> None:
    place(doors, "disabled")
    place(doors, "active", THERE)


def states(doors: Doors, payload: dict) -> list[str]:
    return list(called(doors, "observe_batch", payload)["states"].values())


def account(doors: Doors) -> dict:
    found = doors.world.resources.get(plan_with(doors, PART).component("night", HERE)["resource"])
    assert found is not None
    return found.body


def test_a_schedule_with_a_path_for_a_name_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="schedules"):
        plan_with(doors, {**PART, "schedules": ["../jobs"]})


@pytest.mark.parametrize(
    "url",
    ["https://evil.example.net/x", "http://a.b.batch.azure.com/x", "https://batch.azure.com/x"],
)
def test_no_token_goes_to_a_stranger(doors: Doors, url: str) -> None:
    with pytest.raises(Surprise, match="gets no token"):
        data_plane.ask(data_plane.BATCH, "GET", url)


def test_an_account_that_is_missing_is_refused_by_name(doors: Doors) -> None:
    payload = task(doors, PART, "promote")
    payload["component"]["resource"] += "gone"
    outcome = called(doors, "promote_batch", payload)
    assert outcome["because"].startswith("no Batch account batchtestnegone in rg-contoso-ne")


def test_a_schedule_that_is_missing_is_refused_before_any_is_enabled(doors: Doors) -> None:
    del account(doors)[SCHEDULES]["two"]
    payload = task(doors, PART, "promote")
    assert "no job schedule two" in called(doors, "promote_batch", payload)["because"]
    assert account(doors)[SCHEDULES]["one"]["state"] == "disabled"


def test_a_schedule_that_has_ended_does_not_keep_the_other(doors: Doors) -> None:
    account(doors)[SCHEDULES]["one"]["state"] = "completed"
    outcome = called(doors, "promote_batch", task(doors, PART, "promote"))
    assert outcome["because"] == "job schedule one: 409 JobScheduleCompleted"
    assert account(doors)[SCHEDULES]["two"]["state"] == "active"


def test_without_the_role_that_is_said(doors: Doors) -> None:
    effect = {"status": 403, "body": '{"code": "AuthorizationPermissionMismatch"}'}
    doors.world.faults.add({"match": {"path": "jobschedules"}, "effect": effect, "times": 3})
    outcome = called(doors, "promote_batch", task(doors, PART, "promote"))
    assert (outcome["status"], "Batch Job Submitter" in outcome["because"]) == ("refused", True)


def test_a_silent_region_is_given_up_soon(doors: Doors) -> None:
    payload = task(doors, PART, "demote", THERE)
    with silent(doors, THERE):
        outcome = called(doors, "demote_batch", payload)
    assert (outcome["status"], "may still start" in outcome["because"]) == ("refused", True)
    assert HURRIED_WORDS in outcome["because"]


def test_a_task_of_an_old_epoch_enables_nothing(doors: Doors) -> None:
    assert called(doors, "promote_batch", task(doors, PART, "promote", epoch=0))["stale"] is True
    assert account(doors)[SCHEDULES]["one"]["state"] == "disabled"


def test_schedules_are_enabled(doors: Doors) -> None:
    payload = task(doors, PART, "promote")
    with judged(doors):
        assert called(doors, "promote_batch", payload)["status"] == "succeeded"
        assert states(doors, payload) == ["active", "active"]


def test_schedules_are_disabled(doors: Doors) -> None:
    place(doors, "active")
    payload = task(doors, PART, "demote")
    assert called(doors, "demote_batch", payload)["status"] == "succeeded"
    assert states(doors, payload) == ["disabled", "disabled"]


@pytest.mark.parametrize("verb, before", [("promote", "active"), ("demote", "disabled")])
def test_a_repeat_changes_nothing(doors: Doors, verb: str, before: str) -> None:
    place(doors, before)
    assert called(doors, f"{verb}_batch", task(doors, PART, verb))["status"] == "skipped"


def test_a_disabled_schedule_does_not_pass_verification(doors: Doors) -> None:
    outcome = called(doors, "observe_batch", task(doors, PART, "verify"))
    assert outcome["because"] == "not active: one, two"


def test_a_dry_run_names_the_calls(doors: Doors) -> None:
    seen = called(doors, "observe_batch", task(doors, PART, "promote", dryRun=True))
    root = "https://batchtestne.northeurope.batch.azure.com/jobschedules"
    assert [call["url"].partition("?")[0] for call in seen["calls"]["promote"]] == [
        f"{root}/one/enable",
        f"{root}/two/enable",
    ]


def test_readiness_is_content_with_two_that_agree(doors: Doors) -> None:
    with judged(doors):
        found = called(doors, "check_batch", task(doors, PART, "check"))
    assert {row["status"] for row in found["checks"]} == {"ok"}


def test_readiness_finds_the_smaller_quota(doors: Doors) -> None:
    place(doors, "disabled", dedicatedCoreQuota=2)
    found = called(doors, "check_batch", task(doors, PART, "check"))
    assert ("quota", "warn") in [(row["name"], row["status"]) for row in found["checks"]]


def look(state: str = "disabled", **more: object) -> dict:
    pool = {"workers": {"vmSize": "STANDARD_D2S_V3"}}
    found = {"provisioningState": "Succeeded", "activeJobAndJobScheduleQuota": 5}
    seen = {"status": "succeeded", "because": "", "states": {"one": state}, "pools": pool}
    return {**seen, "account": {**found, **more}}


@pytest.mark.parametrize(
    "mine, other, name, status",
    [
        ({"status": "refused", "because": "gone"}, look(), "account", "fail"),
        (look(provisioningState="Failed"), look(), "account", "fail"),
        (look(poolAllocationMode="UserSubscription"), look(), "account", "warn"),
        (look(""), look(), "schedules", "fail"),
        (look("active"), look("active"), "state", "fail"),
        ({**look(), "pools": {}}, look(), "pools", "fail"),
        ({**look(), "pools": {"workers": {"vmSize": "OTHER"}}}, look(), "pools", "warn"),
        (look(), {"status": "refused", "because": "silent"}, "pools", "warn"),
        (look(activeJobAndJobScheduleQuota=0), look(), "quota", "fail"),
    ],
)
def test_what_readiness_finds(mine: dict, other: dict, name: str, status: str) -> None:
    rows = batch.checks(PART, mine, other)
    assert {row["name"]: row["status"] for row in rows}[name] == status


def test_only_a_token_for_batch_opens_its_data_plane(doors: Doors) -> None:
    here = doors.world.resources.get(plan_with(doors, PART).component("night", HERE)["resource"])
    assert here is not None
    port = doors.world.hosts[endpoint(here)].port
    said = []
    for audience in (TOKEN_FOR, "https://management.azure.com"):
        token = mint(doors.world, doors.wire.oid, audience, doors.world.now)
        url = f"https://localhost:{port}/jobschedules/one?api-version={plane.VERSION}"
        said.append(doors.wire.ask("GET", url, token=token).status_code)
    assert said == [200, 401]
