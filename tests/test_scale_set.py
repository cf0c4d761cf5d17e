"""Scale sets at the wire: what is refused, what is sent once, and what a standby's set must be."""

import time

import pytest

from shared import scaling
from shared.plan import BadPlan
from tests.doors import HERE, THERE, Doors
from tests.parts import MARKER, called, judged, plan_with, task
from tests.patience import HURRIED_WORDS, silent

TYPE = "Microsoft.Compute/virtualMachineScaleSets"
PART = {
    "name": "machines",
    "kind": "scaleSet",
    "resource": f"{{resourceGroup}}/providers/{TYPE}/vmss-test-{{short}}",
    "capacity": {HERE: 4, THERE: 4},
    "standbyCapacity": {HERE: 1, THERE: 1},
}


def place(doors: Doors, capacity: int, location: str = HERE, **properties: object) -> None:
    resource = plan_with(doors, PART).component("machines", location)["resource"]
    sku = {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": capacity}
    profile = {"osProfile": {"customData": MARKER}}
    told = {"provisioningState": "Succeeded", "virtualMachineProfile": profile, **properties}
    doors.world.resources.place(resource, {"location": location, "sku": sku, "properties": told})


def gone(doors: Doors) -> None:
    for location in (HERE, THERE):
        doors.world.resources.remove(
            plan_with(doors, PART).component("machines", location)["resource"]
        )


def ended(doors: Doors, outcome: dict) -> dict:
    """What a step waits for: the end of the operation."""
    until = time.monotonic() + 20
    while outcome["status"] == "running" and time.monotonic() < until:
        outcome = called(doors, "ask_operation", {"operation": outcome["operation"]})
    return outcome


def statuses(found: dict) -> dict[str, str]:
    return {row["name"]: row["status"] for row in found["checks"]}


def test_a_standby_that_is_larger_than_the_active_side_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="standbyCapacity.northeurope is more"):
        plan_with(doors, {**PART, "standbyCapacity": {HERE: 5}})


def test_a_capacity_for_one_location_only_is_refused(doors: Doors) -> None:
    with pytest.raises(BadPlan, match="capacity: westeurope is missing"):
        plan_with(doors, {**PART, "capacity": {HERE: 4}})


def test_a_set_that_is_missing_is_refused_by_name(doors: Doors) -> None:
    gone(doors)
    outcome = called(doors, "promote_scale_set", task(doors, PART, "promote"))
    assert outcome["because"] == "no scale set vmss-test-ne in rg-contoso-ne: deploy it there"


def test_a_set_that_is_missing_needs_no_scaling_down(doors: Doors) -> None:
    gone(doors)
    assert called(doors, "demote_scale_set", task(doors, PART, "demote"))["status"] == "skipped"


@pytest.mark.parametrize(
    "status, code, words, busy",
    [
        (409, "ScopeLocked", "take its lock away", False),
        (409, "OperationNotAllowed", "ask for more quota", False),
        (409, "Conflict", "409 Conflict", True),
        (403, "AuthorizationFailed", "Virtual Machine Contributor", False),
        (401, "InvalidAuthenticationTokenTenant", "another tenant", False),
    ],
)
def test_what_azure_refuses_is_told_with_what_to_do(
    doors: Doors, status: int, code: str, words: str, busy: bool
) -> None:
    place(doors, 1)
    body = {"error": {"code": code, "message": "No quota is left."}}
    effect = {"status": status, "body": body}
    doors.world.faults.add({"match": {"method": "PATCH"}, "effect": effect, "times": 3})
    outcome = called(doors, "promote_scale_set", task(doors, PART, "promote"))
    assert (outcome["status"], outcome.get("busy", False)) == ("refused", busy)
    assert words in outcome["because"]


def test_a_silent_region_is_given_up_within_five_seconds(doors: Doors) -> None:
    place(doors, 4, THERE)
    payload = task(doors, PART, "demote", THERE)
    with silent(doors, THERE):
        outcome = called(doors, "demote_scale_set", payload)
    assert (outcome["status"], "it may still run" in outcome["because"]) == ("refused", True)
    assert HURRIED_WORDS in outcome["because"]


def test_a_set_with_too_few_instances_does_not_pass_verification(doors: Doors) -> None:
    place(doors, 1)
    outcome = called(doors, "observe_scale_set", task(doors, PART, "verify"))
    assert outcome["because"] == "machines has 1 instances, too few"


def test_a_task_of_an_old_epoch_scales_nothing(doors: Doors) -> None:
    place(doors, 1)
    payload, mark = task(doors, PART, "promote", epoch=0), doors.mark()
    assert called(doors, "promote_scale_set", payload)["stale"] is True
    assert doors.sent(mark, "PATCH") == []


def test_a_set_is_scaled_up_to_what_its_location_declares(doors: Doors) -> None:
    place(doors, 1)
    payload = task(doors, PART, "promote")
    with judged(doors):
        assert ended(doors, called(doors, "promote_scale_set", payload))["status"] == "succeeded"
        seen = called(doors, "observe_scale_set", payload)
    assert (seen["capacity"], seen["serving"]) == (4, True)


def test_scaling_up_again_sends_nothing(doors: Doors) -> None:
    place(doors, 1)
    payload = task(doors, PART, "promote")
    ended(doors, called(doors, "promote_scale_set", payload))
    mark = doors.mark()
    assert called(doors, "promote_scale_set", payload)["status"] == "skipped"
    assert doors.sent(mark, "PATCH") == []


def test_a_repeat_whose_answer_was_lost_waits_for_the_instances(doors: Doors) -> None:
    place(doors, 4, provisioningState="Updating")
    mark = doors.mark()
    outcome = called(doors, "promote_scale_set", task(doors, PART, "promote"))
    assert (outcome["status"], doors.sent(mark, "PATCH")) == ("running", [])


def test_more_instances_than_declared_are_left(doors: Doors) -> None:
    place(doors, 9)
    assert called(doors, "promote_scale_set", task(doors, PART, "promote"))["status"] == "skipped"


def test_a_set_is_scaled_down_to_what_the_standby_keeps(doors: Doors) -> None:
    place(doors, 4)
    payload = task(doors, PART, "demote")
    assert ended(doors, called(doors, "demote_scale_set", payload))["status"] == "succeeded"
    seen = called(doors, "observe_scale_set", payload)
    assert (seen["capacity"], seen["serving"]) == (1, False)


def test_a_dry_run_names_the_call_that_would_be_sent(doors: Doors) -> None:
    place(doors, 1)
    payload, mark = task(doors, PART, "promote", dryRun=True), doors.mark()
    seen = called(doors, "observe_scale_set", payload)
    called(doors, "promote_scale_set", payload)
    assert seen["would"] == "have 4 instances"
    sent = [r for r in doors.world.journal.after(mark) if r["method"] == "PATCH"]
    assert [r["request_body"] for r in sent] == [c["body"] for c in seen["calls"]["promote"]]


def test_readiness_finds_no_set(doors: Doors) -> None:
    gone(doors)
    assert statuses(called(doors, "check_scale_set", task(doors, PART, "check"))) == {
        "scaleSet": "fail"
    }


def test_readiness_is_content_with_what_is_declared(doors: Doors) -> None:
    place(doors, 1)
    place(doors, 4, THERE)
    found = called(doors, "check_scale_set", task(doors, PART, "check"))
    assert set(statuses(found).values()) == {"ok"}


def test_readiness_compares_no_size_with_a_dead_region(doors: Doors) -> None:
    place(doors, 1)
    place(doors, 4, THERE)
    payload = task(doors, PART, "check")
    doors.world.lose(THERE)
    assert statuses(called(doors, "check_scale_set", payload))["size"] == "warn"


def look(capacity: int, **more: object) -> dict:
    sku = {"name": "Standard_D2s_v5", "capacity": capacity}
    found = {"status": "succeeded", "because": "", "capacity": capacity, "sku": sku}
    return {**found, "provisioningState": "Succeeded", "singlePlacementGroup": False, **more}


@pytest.mark.parametrize(
    "mine, name, status",
    [
        (look(1, provisioningState="Failed"), "scaleSet", "fail"),
        (look(1, provisioningState="Updating"), "scaleSet", "warn"),
        (look(0), "capacity", "warn"),
        (look(4), "state", "fail"),
        (look(1, sku={"name": "Standard_B1s", "capacity": 1}), "size", "warn"),
    ],
)
def test_what_readiness_finds(mine: dict, name: str, status: str) -> None:
    rows = scaling.checks(PART, HERE, True, mine, look(4))
    assert {row["name"]: row["status"] for row in rows}[name] == status


def test_one_placement_group_holds_no_more_than_a_hundred() -> None:
    part = {**PART, "capacity": {HERE: 101, THERE: 101}}
    rows = scaling.checks(part, HERE, False, look(1, singlePlacementGroup=True), look(4))
    assert ("capacity", "fail") in [(row["name"], row["status"]) for row in rows]
