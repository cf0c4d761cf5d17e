"""Storage accounts through the rehearsal's ARM and its `-secondary` endpoint."""

from collections.abc import Iterator

import pytest

from activities import desk_dryrun
from rehearsal.world import Resource
from shared import forecast_steps
from shared.plan import Plan
from tests.doors import HERE, THERE, Doors
from tests.parts import (
    MARKER,
    check_forecast,
    check_foretold,
    check_keeps_quiet,
    check_sent_once,
    ended,
    forced,
    laid,
    own,
    statuses,
)

ACCOUNT = "stcontosone"  # Its data plane answers at -secondary too.
SECONDARY = f"{ACCOUNT}-secondary.blob.core.windows.net"


@pytest.fixture(autouse=True)
def account(doors: Doors) -> Iterator[Resource]:
    """A readable copy in northeurope of an account whose primary is in westeurope."""
    body = {
        "sku": {"name": "Standard_RAGRS", "tier": "Standard"},
        "tags": {"note": MARKER},
        "properties": {
            "provisioningState": "Succeeded",
            "primaryLocation": THERE,
            "secondaryLocation": HERE,
        },
    }
    doors.world.hosts[SECONDARY] = doors.world.hosts[f"{ACCOUNT}.blob.core.windows.net"]
    with laid(doors, {resource(doors): body}) as made:
        yield made[0]
    del doors.world.hosts[SECONDARY]


def resource(doors: Doors) -> str:
    return own(doors, HERE, f"Microsoft.Storage/storageAccounts/{ACCOUNT}")


def task(doors: Doors, verb: str, failover: str = "customerManaged", **more: object) -> dict:
    """A task of a forced run towards northeurope."""
    part = {"name": "docs", "kind": "storageAccount", "resource": resource(doors)}
    part |= {"failover": failover, "container": "understudy", "syncSecondsMax": 3600}
    return forced(doors, part, verb, HERE, **more)


def compared(doors: Doors) -> dict:
    """The account in a dry run of a forced run towards northeurope."""
    part, document = task(doors, "promote")["component"], doors.plan.document
    plan = Plan.model_validate({**document, "components": [*document["components"], part]})
    act = {"component": "docs", "stage": "promote", "verb": "promote", "location": HERE}
    return desk_dryrun.compared(plan, "forced", act, set())


def left(doors: Doors) -> dict:
    """The task of the end of that run: for the location that it has left."""
    return {**task(doors, "protect"), "location": THERE}


def observed(doors: Doors, mode: str = "forced") -> dict:
    """What a dry run sees."""
    return doors.call("observe_storage", task(doors, "promote", mode=mode, dryRun=True))


def checks(doors: Doors, failover: str = "customerManaged") -> dict[str, str]:
    return statuses(doors.call("check_storage", task(doors, "check", failover)))


def test_an_account_that_is_not_there_is_refused(doors: Doors) -> None:
    doors.world.resources.remove(resource(doors))
    outcome = doors.call("promote_storage", task(doors, "promote"))
    assert (outcome["status"], "deploy it" in outcome["because"]) == ("refused", True)


def test_a_locally_redundant_account_does_not_move(doors: Doors, account: Resource) -> None:
    account.body["sku"]["name"] = "Standard_LRS"
    outcome = doors.call("promote_storage", task(doors, "promote"))
    assert "no copy in northeurope" in outcome["because"]


def test_a_planned_failover_is_refused_while_the_primary_is_lost(doors: Doors) -> None:
    doors.world.lose(THERE)
    outcome = doors.call("promote_storage", task(doors, "promote", mode="graceful"))
    assert "planned failover is not possible" in outcome["because"]


def test_a_forced_failover_leaves_the_account_locally_redundant(
    doors: Doors, account: Resource
) -> None:
    doors.world.lose(THERE)
    outcome = ended(doors, doors.call("promote_storage", task(doors, "promote")))
    assert outcome["status"] == "succeeded"
    assert account.properties["primaryLocation"] == HERE
    assert account.body["sku"]["name"] == "Standard_LRS"


def test_a_failover_says_how_old_the_copy_was(doors: Doors, account: Resource) -> None:
    account.body["lagSeconds"] = 120
    outcome = doors.call("promote_storage", task(doors, "promote"))
    assert "copied up to 120 s ago" in outcome["because"]


def test_a_planned_failover_keeps_the_tier(doors: Doors, account: Resource) -> None:
    told = task(doors, "promote", mode="graceful")
    ended(doors, doors.call("promote_storage", told))
    assert account.properties["primaryLocation"] == HERE
    assert account.body["sku"]["name"] == "Standard_RAGRS"


def test_a_second_failover_is_not_sent(doors: Doors) -> None:
    ended(doors, doors.call("promote_storage", task(doors, "promote")))
    mark = doors.mark()
    assert doors.call("promote_storage", task(doors, "promote"))["status"] == "skipped"
    assert doors.sent(mark, "POST") == []


def test_a_lost_answer_is_not_followed_by_a_second_failover(doors: Doors) -> None:
    check_sent_once(doors, "promote_storage", task(doors, "promote"), "/failover")


def test_a_stale_task_moves_nothing(doors: Doors) -> None:
    told = task(doors, "promote")
    doors.hold(epoch=2)
    assert doors.call("promote_storage", told)["stale"]


def test_the_tier_is_set_back_and_only_once(doors: Doors, account: Resource) -> None:
    ended(doors, doors.call("promote_storage", task(doors, "promote")))
    assert doors.call("protect_storage", left(doors))["status"] == "succeeded"
    assert account.body["sku"]["name"] == "Standard_RAGRS"
    assert doors.call("protect_storage", left(doors))["status"] == "skipped"


def test_a_dry_run_names_the_call_that_sets_the_tier_back(doors: Doors) -> None:
    told, move = {**left(doors), "away": HERE}, {"promote_storage": task(doors, "promote")}
    check_foretold(doors, "observe_storage", "protect_storage", told, move)


@pytest.mark.parametrize("what", ["graceful", "none", "refused"])
def test_a_dry_run_sets_no_tier_back_that_no_run_takes_away(
    doors: Doors, account: Resource, what: str
) -> None:
    told = {**left(doors), "away": HERE, "dryRun": True}
    if what == "refused":
        account.body["sku"] = {"name": "Standard_LRS", "tier": "Standard"}
    elif what == "none":
        told["component"]["failover"] = "none"
    else:
        told["mode"] = what
    seen = doors.call("observe_storage", told)
    assert (seen["calls"], seen["would"]) == ({"protect": []}, "stay as it is")


def test_the_tier_that_an_owner_chose_is_left_alone(doors: Doors, account: Resource) -> None:
    """Locally redundant, and its primary still in westeurope: no run has failed it over."""
    account.body["sku"] = {"name": "Standard_LRS", "tier": "Standard"}
    assert doors.call("protect_storage", left(doors))["status"] == "skipped"
    assert account.body["sku"]["name"] == "Standard_LRS"


def test_an_account_that_does_not_move_is_read_at_its_secondary(doors: Doors) -> None:
    doors.world.lose(THERE)
    outcome = doors.call("promote_storage", task(doors, "promote", "none"))
    assert (outcome["status"], "-secondary" in outcome["because"]) == ("skipped", True)


def test_a_secondary_that_cannot_be_read_is_refused(doors: Doors) -> None:
    doors.world.lose(THERE)
    told = task(doors, "promote", "none")
    told["component"]["container"] = "nowhere"
    assert doors.call("promote_storage", told)["status"] == "refused"


def test_a_copy_that_was_not_read_is_not_called_readable(doors: Doors) -> None:
    doors.world.lose(THERE)
    told = task(doors, "promote", "none")
    told["component"]["container"] = None
    outcome = doors.call("promote_storage", told)
    assert (outcome["status"], "names no container" in outcome["because"]) == ("refused", True)


def test_what_a_forced_run_would_lose_is_as_old_as_the_copy(
    doors: Doors, account: Resource
) -> None:
    account.body["lagSeconds"] = 120
    assert observed(doors)["rpoSeconds"] == pytest.approx(120, abs=20)


def test_a_planned_failover_would_lose_nothing(doors: Doors, account: Resource) -> None:
    account.body["lagSeconds"] = 120
    assert observed(doors, mode="graceful")["rpoSeconds"] == 0


def test_an_account_without_a_copy_does_not_know_what_it_would_lose(
    doors: Doors, account: Resource
) -> None:
    account.body["sku"]["name"] = "Standard_LRS"
    assert observed(doors)["rpoSeconds"] is None


def test_an_account_that_is_not_shown_may_lose_anything(doors: Doors) -> None:
    """The forecast of a dry run that may not read it."""
    refused = {"match": {"path": resource(doors)}, "effect": {"status": 403, "code": "Forbidden"}}
    doors.world.faults.add({**refused, "times": 1})
    found = compared(doors)
    assert (found["rpoSeconds"], found["rpoBecause"]) == (None, found["seen"])


def test_an_account_that_is_here_has_nothing_to_lose(doors: Doors, account: Resource) -> None:
    account.properties.update({"primaryLocation": HERE, "secondaryLocation": THERE})
    assert "rpoSeconds" not in observed(doors)


def test_the_forecast_of_a_dry_run_counts_the_age_of_the_copy(
    doors: Doors, account: Resource
) -> None:
    account.body["lagSeconds"] = 7200
    told = forecast_steps.losing(doors.plan, {}, [compared(doors)])
    assert (told["meetsRpo"], told["rpoBecause"].split()[0]) == (False, "docs")


def test_verify_refuses_an_account_that_has_not_moved(doors: Doors) -> None:
    assert doors.call("observe_storage", task(doors, "verify"))["serving"] is False


def test_a_dry_run_names_the_call_that_a_run_sends(doors: Doors) -> None:
    told = task(doors, "promote", mode="graceful")
    check_forecast(doors, "observe_storage", "promote_storage", told)


def test_a_good_account_has_nothing_wrong(doors: Doors) -> None:
    assert checks(doors) == {"redundancy": "ok", "sync": "ok", "reads": "ok"}


def test_nobody_is_ready_while_the_account_is_on_its_way(doors: Doors, account: Resource) -> None:
    account.properties["failoverInProgress"] = True
    assert checks(doors)["failover"] == "fail"


def test_a_late_copy_fails(doors: Doors, account: Resource) -> None:
    account.body["lagSeconds"] = 7200
    assert checks(doors)["sync"] == "fail"


def test_a_copy_in_a_third_location_fails(doors: Doors, account: Resource) -> None:
    account.properties["secondaryLocation"] = "swedencentral"
    assert checks(doors) == {"redundancy": "fail", "reads": "ok"}


def test_a_copy_that_nobody_can_read_fails_where_the_account_stays(
    doors: Doors, account: Resource
) -> None:
    account.body["sku"]["name"] = "Standard_GRS"
    assert (checks(doors, "none")["reads"], checks(doors)["reads"]) == ("fail", "warn")


def test_no_outcome_holds_what_an_account_hides(doors: Doors) -> None:
    names = ("observe_storage", "check_storage", "promote_storage", "protect_storage")
    check_keeps_quiet(doors, task(doors, "promote"), *names)
