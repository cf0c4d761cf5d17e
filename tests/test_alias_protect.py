"""The namespace that a failover left: emptied, and paired anew."""

from collections.abc import Iterator

import pytest

from shared import alias
from tests.aliases import (
    KINDS,
    both_kinds,
    emptied,
    entity,
    moved,
    paired,
    protect,
    role,
    side,
    task,
)
from tests.doors import HERE, THERE, Doors
from tests.parts import check_foretold, ended
from tests.patience import asked_until


@pytest.fixture(autouse=True)
def clean(doors: Doors) -> Iterator[None]:
    """Every test begins without namespaces of its own, and its exchanges are judged."""
    with emptied(doors):
        yield


@both_kinds
def test_a_dry_run_names_what_empties_and_pairs_the_namespace_that_is_left(
    doors: Doors, kind: str
) -> None:
    paired(doors, kind, entities=2)
    told = task(doors, kind, "protect", THERE, leftovers="delete")
    move = {"promote_alias": task(doors, kind, "promote")}
    check_foretold(doors, "observe_alias", "protect_alias", told, move)


def test_a_dry_run_says_on_what_an_emptying_hangs(doors: Doors) -> None:
    paired(doors, KINDS[0])
    told = doors.call("observe_alias", task(doors, KINDS[0], "protect", THERE, dryRun=True))
    assert "if no messages lie there then" in told["would"]
    assert [one["method"] for one in told["calls"]["protect"]] == ["DELETE", "PUT"]


def test_a_dry_run_deletes_nothing_that_a_run_would_keep(doors: Doors) -> None:
    paired(doors, KINDS[0])
    entity(doors, KINDS[0], THERE, "e0", messageCount=3)
    told = doors.call("observe_alias", task(doors, KINDS[0], "protect", THERE, dryRun=True))
    assert (told["calls"], "messages lie in e0" in told["would"]) == ({}, True)


@both_kinds
def test_a_dry_run_of_what_is_paired_already_names_nothing(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    told = doors.call("observe_alias", task(doors, kind, "protect", HERE, dryRun=True))
    assert (told["calls"], told["would"]) == ({}, "stay as it is")


@both_kinds
def test_leftovers_are_kept_where_the_plan_says_so(doors: Doors, kind: str) -> None:
    moved(doors, kind)
    outcome = protect(doors, kind, leftovers="keep")
    assert "e0 are left" in outcome["because"]


def test_leftovers_with_messages_in_them_are_not_deleted(doors: Doors) -> None:
    moved(doors, KINDS[0])
    entity(doors, KINDS[0], THERE, "e0", messageCount=3)
    outcome = protect(doors, KINDS[0])
    assert "messages lie in e0" in outcome["because"]


def test_a_topic_with_subscriptions_is_not_taken_for_empty(doors: Doors) -> None:
    moved(doors, KINDS[0])
    topic = f"{side(doors, KINDS[0], THERE)['resource']}/topics/news"
    told = {"sizeInBytes": 0, "subscriptionCount": 2}
    doors.world.resources.place(topic, {"properties": told})
    mark = doors.mark()
    assert "news, with subscriptions" in protect(doors, KINDS[0])["because"]
    assert doors.sent(mark, "DELETE") == []


def test_hubs_whose_events_nobody_can_count_are_not_deleted(doors: Doors) -> None:
    moved(doors, KINDS[1])
    outcome = protect(doors, KINDS[1])
    assert "does not say whether they are empty" in outcome["because"]


@both_kinds
def test_a_namespace_that_is_primary_of_another_alias_is_left_alone(
    doors: Doors, kind: str
) -> None:
    moved(doors, kind)
    part = side(doors, kind, THERE, alias="other-alias")
    told = {"role": "PrimaryNotReplicating", "provisioningState": "Succeeded"}
    told["partnerNamespace"] = ""
    doors.world.resources.place(alias.path(part), {"properties": told})
    outcome = protect(doors, kind, leftovers="delete")
    assert "is primary of an alias: nothing deleted" in outcome["because"]


@both_kinds
def test_nothing_is_deleted_where_the_other_side_is_not_primary(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    mark = doors.mark()
    assert protect(doors, kind, leftovers="delete")["status"] == "refused"
    assert doors.sent(mark, "DELETE") == []


@both_kinds
def test_the_namespace_that_was_left_is_emptied_and_paired_anew(doors: Doors, kind: str) -> None:
    moved(doors, kind)
    outcome = ended(doors, protect(doors, kind, leftovers="delete"))
    assert outcome["status"] == "succeeded"
    assert (role(doors, kind, HERE), role(doors, kind, THERE)) == ("Primary", "Secondary")


@both_kinds
def test_once_protected_the_alias_goes_home_with_a_graceful_run(doors: Doors, kind: str) -> None:
    moved(doors, kind)
    ended(doors, protect(doors, kind, leftovers="delete"))
    told = task(doors, kind, "promote", mode="graceful")
    home = {**told, "component": {**side(doors, kind, THERE), "other": side(doors, kind, HERE)}}
    # What is young is still to be carried over.
    moving = asked_until(lambda: doors.call("promote_alias", home), "running", "succeeded")
    assert ended(doors, moving)["status"] == "succeeded"
    assert role(doors, kind, THERE) == "PrimaryNotReplicating"


@both_kinds
def test_a_second_protection_changes_nothing(doors: Doors, kind: str) -> None:
    moved(doors, kind)
    ended(doors, protect(doors, kind, leftovers="delete"))
    mark = doors.mark()
    assert protect(doors, kind, leftovers="delete")["status"] == "skipped"
    assert doors.sent(mark, "PUT") + doors.sent(mark, "DELETE") == []


def test_many_leftovers_are_deleted_in_several_goes(doors: Doors) -> None:
    moved(doors, KINDS[0])
    for number in range(30):
        entity(doors, KINDS[0], THERE, f"more{number}")
    topic = f"{side(doors, KINDS[0], THERE)['resource']}/topics/news"
    doors.world.resources.place(topic, {"properties": {"sizeInBytes": 0}})
    first = protect(doors, KINDS[0])
    assert (first["busy"], "7 leftovers" in first["because"]) == (True, True)
    assert ended(doors, protect(doors, KINDS[0]))["status"] == "succeeded"


@both_kinds
def test_a_pairing_that_failed_is_broken_and_made_anew(doors: Doors, kind: str) -> None:
    paired(doors, kind, entities=0)
    found = doors.world.resources.get(alias.path(side(doors, kind, THERE)))
    assert found is not None
    found.properties["provisioningState"] = "Failed"
    doors.hold()
    told = {**task(doors, kind, "protect", HERE)}
    assert doors.call("protect_alias", told)["busy"]
    assert ended(doors, doors.call("protect_alias", told))["status"] == "succeeded"
    assert role(doors, kind, HERE) == "Secondary"
