"""Cosmos DB accounts, through the rehearsal's ARM."""

from collections.abc import Iterator

import pytest

from rehearsal.world import Resource
from shared import cosmos
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


@pytest.fixture(autouse=True)
def account(doors: Doors) -> Iterator[Resource]:
    """An account that writes in westeurope, and would write in northeurope next."""
    properties = {
        "provisioningState": "Succeeded",
        "enableAutomaticFailover": True,
        "databaseAccountOfferType": "Standard",
        "regions": ["West Europe", "North Europe"],
    }
    body = {"tags": {"note": MARKER}, "properties": properties}
    with laid(doors, {resource(doors): body}) as made:
        yield made[0]


def resource(doors: Doors) -> str:
    return own(doors, HERE, "Microsoft.DocumentDB/databaseAccounts/cosmos-test")


def task(doors: Doors, verb: str, location: str = HERE, **more: object) -> dict:
    part = {"name": "catalogue", "kind": "cosmosDb", "resource": resource(doors)}
    return forced(doors, part, verb, location, **{"away": THERE, **more})


def checks(doors: Doors) -> dict[str, str]:
    return statuses(doors.call("check_cosmos", task(doors, "check")))


def test_an_account_that_is_not_there_is_refused(doors: Doors) -> None:
    doors.world.resources.remove(resource(doors))
    outcome = doors.call("promote_cosmos", task(doors, "promote"))
    assert (outcome["status"], "deploy it" in outcome["because"]) == ("refused", True)


def test_an_account_without_a_region_here_is_refused(doors: Doors, account: Resource) -> None:
    account.properties["regions"] = ["West Europe", "Sweden Central"]
    outcome = doors.call("promote_cosmos", task(doors, "promote"))
    assert "no region in northeurope" in outcome["because"]


def test_nothing_goes_offline_while_another_region_would_write(
    doors: Doors, account: Resource
) -> None:
    account.properties["regions"].insert(1, "Sweden Central")
    outcome = doors.call("promote_cosmos", task(doors, "promote"))
    assert "Sweden Central would write next" in outcome["because"]


def test_a_region_that_is_not_being_left_is_not_taken_offline(
    doors: Doors, account: Resource
) -> None:
    """A healthy third one writes; northeurope would be next."""
    account.properties["regions"] = ["Sweden Central", "North Europe", "West Europe"]
    mark = doors.mark()
    outcome = doors.call("promote_cosmos", task(doors, "promote"))
    assert outcome["status"] == "refused"
    assert "Sweden Central writes, not westeurope" in outcome["because"]
    assert doors.sent(mark, "POST") == []


def test_a_dry_run_shows_no_call_that_a_run_would_refuse(doors: Doors, account: Resource) -> None:
    account.properties["regions"] = ["Sweden Central", "North Europe", "West Europe"]
    told = doors.call("observe_cosmos", task(doors, "promote", dryRun=True))
    assert told["calls"] == {"promote": []}
    assert "Sweden Central writes" in told["would"]


def test_an_account_that_is_being_changed_is_busy(doors: Doors, account: Resource) -> None:
    account.properties["provisioningState"] = "Updating"
    assert doors.call("promote_cosmos", task(doors, "promote"))["busy"]


def test_priorities_are_not_changed_while_the_write_region_is_lost(doors: Doors) -> None:
    doors.world.lose(THERE)
    outcome = doors.call("promote_cosmos", task(doors, "promote", mode="graceful"))
    assert (outcome["status"], outcome["busy"]) == ("refused", True)


def test_a_stale_task_moves_nothing(doors: Doors, account: Resource) -> None:
    told = task(doors, "promote")
    doors.hold(epoch=2)
    assert doors.call("promote_cosmos", told)["stale"]
    assert account.properties["regions"][0] == "West Europe"


def test_a_graceful_run_changes_priorities(doors: Doors, account: Resource) -> None:
    told = task(doors, "promote", mode="graceful")
    assert ended(doors, doors.call("promote_cosmos", told))["status"] == "succeeded"
    assert account.properties["regions"] == ["North Europe", "West Europe"]
    assert doors.call("observe_cosmos", told)["serving"]


def test_an_undo_takes_no_region_offline(doors: Doors) -> None:
    mark = doors.mark()
    doors.call("promote_cosmos", task(doors, "undo"))
    assert "/failoverPriorityChange?" in doors.sent(mark, "POST")[0]


def test_a_forced_run_takes_the_lost_region_offline(doors: Doors, account: Resource) -> None:
    doors.world.lose(THERE)
    outcome = ended(doors, doors.call("promote_cosmos", task(doors, "promote")))
    assert (outcome["status"], account.properties["offline"]) == ("succeeded", ["West Europe"])
    assert doors.call("observe_cosmos", task(doors, "verify"))["serving"]


def test_a_second_change_is_not_sent(doors: Doors) -> None:
    ended(doors, doors.call("promote_cosmos", task(doors, "promote")))
    mark = doors.mark()
    assert doors.call("promote_cosmos", task(doors, "promote"))["status"] == "skipped"
    assert doors.sent(mark, "POST") == []


def test_a_lost_answer_is_not_followed_by_a_second_change(doors: Doors) -> None:
    check_sent_once(doors, "promote_cosmos", task(doors, "promote"), "/offline")


def test_the_region_that_was_left_comes_back_online_once(doors: Doors, account: Resource) -> None:
    ended(doors, doors.call("promote_cosmos", task(doors, "promote")))
    told = task(doors, "protect", THERE)
    assert ended(doors, doors.call("protect_cosmos", told))["status"] == "succeeded"
    assert account.properties["offline"] == []
    assert doors.call("protect_cosmos", told)["status"] == "skipped"


def test_a_region_that_is_still_lost_stays_offline(doors: Doors) -> None:
    doors.world.lose(THERE)
    ended(doors, doors.call("promote_cosmos", task(doors, "promote")))
    assert doors.call("protect_cosmos", task(doors, "protect", THERE))["busy"]


def test_verify_refuses_a_region_that_does_not_write(doors: Doors) -> None:
    assert doors.call("observe_cosmos", task(doors, "verify"))["status"] == "refused"


@pytest.mark.parametrize("mode", ["graceful", "forced"])
def test_a_dry_run_names_the_call_that_a_run_sends(doors: Doors, mode: str) -> None:
    told = task(doors, "promote", mode=mode)
    check_forecast(doors, "observe_cosmos", "promote_cosmos", told)


def test_a_dry_run_names_the_call_that_takes_the_region_back(doors: Doors) -> None:
    told, move = (
        task(doors, "protect", THERE, away=HERE),
        {"promote_cosmos": task(doors, "promote")},
    )
    check_foretold(doors, "observe_cosmos", "protect_cosmos", told, move)


@pytest.mark.parametrize("what", ["graceful", "moved"])
def test_a_dry_run_takes_no_region_back_that_no_run_takes_offline(
    doors: Doors, account: Resource, what: str
) -> None:
    if what == "moved":
        account.properties["regions"] = ["North Europe", "West Europe"]
    told = {**task(doors, "protect", THERE, away=HERE), "dryRun": True}
    told |= {"mode": "graceful"} if what == "graceful" else {}
    seen = doors.call("observe_cosmos", told)
    assert (seen["calls"], seen["would"]) == ({"protect": []}, "stay as it is")


# Consistency -> what a forced run would lose, as cosmos-db/consistency-levels has it.
LOST = {"Strong": 0.0, "BoundedStaleness": 300.0, "Session": None, "Eventual": None}


@pytest.mark.parametrize("level", LOST)
def test_what_a_forced_run_would_lose_is_what_the_consistency_bounds(
    doors: Doors, account: Resource, level: str
) -> None:
    bound = {"maxIntervalInSeconds": 300} if level == "BoundedStaleness" else {}
    account.properties["consistencyPolicy"] = {"defaultConsistencyLevel": level, **bound}
    told = doors.call("observe_cosmos", task(doors, "promote", dryRun=True))
    assert (told["rpoSeconds"], told["rpoBecause"] != "") == (LOST[level], True)


def test_a_change_of_priorities_would_lose_nothing(doors: Doors, account: Resource) -> None:
    told = task(doors, "promote", mode="graceful", dryRun=True)
    assert doors.call("observe_cosmos", told)["rpoSeconds"] == 0
    account.properties["regions"] = ["North Europe", "West Europe"]
    assert "rpoSeconds" not in doors.call("observe_cosmos", {**told, "mode": "forced"})


def test_what_several_regions_write_may_be_lost_where_this_one_writes_already() -> None:
    """The rehearsal has no account that writes in many regions."""
    regions = ("westeurope", "northeurope")
    document = {"properties": {"writeLocations": [{"locationName": name} for name in regions]}}
    assert cosmos.losing(cosmos.seen_of(document), HERE, graceful=False)["rpoSeconds"] is None


def test_a_good_account_has_nothing_wrong(doors: Doors) -> None:
    assert checks(doors) == {"regions": "ok", "automatic": "ok"}


def test_priorities_and_automatic_failover_are_looked_at(doors: Doors, account: Resource) -> None:
    account.properties["regions"].insert(1, "Sweden Central")
    account.properties["enableAutomaticFailover"] = False
    seen = checks(doors)
    assert (seen["priority"], seen["automatic"]) == ("fail", "warn")


def test_one_region_alone_fails(doors: Doors, account: Resource) -> None:
    account.properties["regions"] = ["North Europe"]
    assert checks(doors) == {"regions": "fail"}


def test_no_outcome_holds_what_an_account_hides(doors: Doors) -> None:
    names = ("observe_cosmos", "check_cosmos", "promote_cosmos", "protect_cosmos")
    check_keeps_quiet(doors, task(doors, "promote"), *names)
