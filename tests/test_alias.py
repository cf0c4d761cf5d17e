"""Aliases and replicated namespaces of Service Bus and Event Hubs, through the rehearsal's ARM."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from rehearsal.world import Resource
from shared import alias
from shared.reply import Unreachable
from tests.doors import HERE, THERE, Doors
from tests.parts import MARKER, check_foretold, ended, forced, own
from tests.patience import asked_until
from tests.wire import check_exchanges

KINDS = ("serviceBusAlias", "eventHubsAlias")
SORTS = {
    "serviceBusAlias": ("Microsoft.ServiceBus/namespaces", "queues"),
    "eventHubsAlias": ("Microsoft.EventHub/namespaces", "eventhubs"),
}
both_kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def clean(doors: Doors) -> Iterator[None]:
    """Every test begins without namespaces of its own, and its exchanges are judged."""
    since = doors.mark()
    yield
    doors.world.recover(HERE)
    doors.world.recover(THERE)
    for kind in KINDS:
        for one in (side(doors, kind, THERE), side(doors, kind, HERE)):
            doors.world.resources.remove(one["resource"])
    check_exchanges(doors.world.journal.after(since))


def side(doors: Doors, kind: str, location: str, **more: object) -> dict:
    """The component as it is seen from `location`."""
    common = {"name": "bus", "kind": kind, "mode": "pairing", "alias": "contoso-bus"}
    id = own(doors, location, f"{SORTS[kind][0]}/ns-alias-{location}")
    return {**common, "resource": id, "leftovers": "empty", **more}


def task(doors: Doors, kind: str, verb: str, location: str = HERE, **more: object) -> dict:
    """A task of a forced run; `mode` and `dryRun` go to the task, the rest to the component."""
    doors.hold()
    options = {key: more.pop(key) for key in ("mode", "dryRun") if key in more}
    other = THERE if location == HERE else HERE
    part = {**side(doors, kind, location, **more), "other": side(doors, kind, other, **more)}
    return forced(doors, part, verb, location, **options)


def placed(doors: Doors, kind: str, location: str, tier: str = "Premium") -> Resource:
    part = side(doors, kind, location)
    properties = {"provisioningState": "Succeeded", "status": "Active"}
    body = {"location": location, "sku": {"name": tier, "tier": tier}, "properties": properties}
    return doors.world.resources.place(part["resource"], {**body, "tags": {"note": MARKER}})


def entity(doors: Doors, kind: str, location: str, name: str, **properties: object) -> Resource:
    id = f"{side(doors, kind, location)['resource']}/{SORTS[kind][1]}/{name}"
    return doors.world.resources.place(id, {"properties": {"status": "Active", **properties}})


def paired(doors: Doors, kind: str, entities: int = 1) -> None:
    """westeurope's namespace is primary, northeurope's its secondary, all is carried over."""
    for location in (THERE, HERE):
        placed(doors, kind, location)
        for number in range(entities):
            entity(doors, kind, location, f"e{number}")
    for location, role in ((THERE, "Primary"), (HERE, "Secondary")):
        other = side(doors, kind, HERE if location == THERE else THERE)
        told = {"role": role, "provisioningState": "Succeeded", "partnerNamespace": ""}
        told["partnerNamespace"] = other["resource"]
        doors.world.resources.place(alias.path(side(doors, kind, location)), {"properties": told})


def role(doors: Doors, kind: str, location: str) -> str | None:
    found = doors.world.resources.get(alias.path(side(doors, kind, location)))
    return found.properties["role"] if found else None


def late(doors: Doors, kind: str) -> Resource:
    """An entity of the primary that is not carried over for an hour."""
    made = entity(doors, kind, THERE, "late")
    made.created_at += timedelta(hours=1)
    return made


def moved(doors: Doors, kind: str) -> None:
    """A forced run has failed the alias over to northeurope."""
    paired(doors, kind)
    assert ended(doors, doors.call("promote_alias", task(doors, kind, "promote")))


def protect(doors: Doors, kind: str, **more: object) -> dict:
    return doors.call("protect_alias", task(doors, kind, "protect", THERE, **more))


def checks(doors: Doors, kind: str, **more: object) -> dict[str, dict]:
    found = doors.call("check_alias", task(doors, kind, "check", HERE, **more))
    return {one["name"]: one for one in found["checks"]}


@both_kinds
def test_an_alias_that_nobody_paired_is_refused(doors: Doors, kind: str) -> None:
    placed(doors, kind, HERE)
    outcome = doors.call("promote_alias", task(doors, kind, "promote"))
    assert outcome["status"] == "refused"
    assert "no alias contoso-bus" in outcome["because"]


@both_kinds
def test_a_graceful_run_waits_for_what_is_not_carried_over(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    late(doors, kind)
    outcome = doors.call("promote_alias", task(doors, kind, "promote", mode="graceful"))
    assert (outcome["status"], outcome["busy"]) == ("refused", True)
    assert "1 operations pending" in outcome["because"]
    assert role(doors, kind, HERE) == "Secondary"


@both_kinds
def test_an_unsettled_pairing_is_busy(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    found = doors.world.resources.get(alias.path(side(doors, kind, HERE)))
    assert found is not None
    found.properties["provisioningState"] = "Accepted"
    assert doors.call("promote_alias", task(doors, kind, "promote"))["busy"]


@both_kinds
def test_a_failed_pairing_is_not_failed_over(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    found = doors.world.resources.get(alias.path(side(doors, kind, HERE)))
    assert found is not None
    found.properties["provisioningState"] = "Failed"
    outcome = doors.call("promote_alias", task(doors, kind, "promote"))
    assert "pair anew" in outcome["because"]


@both_kinds
def test_a_stale_task_fails_nothing_over(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    told = task(doors, kind, "promote")
    doors.hold(epoch=2)
    assert doors.call("promote_alias", told)["stale"]
    assert role(doors, kind, HERE) == "Secondary"


@both_kinds
def test_a_forced_run_fails_over_while_the_primary_is_lost(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    late(doors, kind)
    doors.world.lose(THERE)
    outcome = ended(doors, doors.call("promote_alias", task(doors, kind, "promote")))
    seen = doors.call("observe_alias", task(doors, kind, "verify"))
    assert (outcome["status"], seen["serving"]) == ("succeeded", True)


@both_kinds
def test_a_forced_run_says_how_much_was_pending(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    late(doors, kind)
    outcome = doors.call("promote_alias", task(doors, kind, "promote"))
    assert "1 operations pending" in outcome["because"]


@both_kinds
def test_a_graceful_run_fails_over_what_is_carried_over(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    told = task(doors, kind, "promote", mode="graceful")
    assert ended(doors, doors.call("promote_alias", told))["status"] == "succeeded"
    assert role(doors, kind, HERE) == "PrimaryNotReplicating"


@both_kinds
def test_a_second_failover_is_not_sent(doors: Doors, kind: str) -> None:
    moved(doors, kind)
    mark = doors.mark()
    assert doors.call("promote_alias", task(doors, kind, "promote"))["status"] == "skipped"
    assert doors.sent(mark, "POST") == []


@both_kinds
def test_a_lost_answer_is_not_followed_by_a_second_failover(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    doors.world.faults.add(
        {
            "match": {"method": "POST", "path": "/failover"},
            "effect": {"loseAnswer": True},
            "times": 1,
        }
    )
    mark = doors.mark()
    with pytest.raises(Unreachable):
        doors.call("promote_alias", task(doors, kind, "promote"))
    doors.call("promote_alias", task(doors, kind, "promote"))
    again = asked_until(
        lambda: doors.call("promote_alias", task(doors, kind, "promote")), "skipped"
    )
    assert (again["status"], len(doors.sent(mark, "POST"))) == ("skipped", 1)


@both_kinds
def test_verify_refuses_a_secondary(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    outcome = doors.call("observe_alias", task(doors, kind, "verify"))
    assert (outcome["status"], outcome["serving"]) == ("refused", False)


@both_kinds
def test_a_dry_run_names_the_call_that_a_run_sends(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    told = doors.call("observe_alias", task(doors, kind, "promote", dryRun=True))
    mark = doors.mark()
    doors.call("promote_alias", task(doors, kind, "promote"))
    sent = doors.sent(mark, "POST")
    assert [one["url"] for one in told["calls"]["promote"]] == [
        url.removeprefix(doors.wire.arm.url) for url in sent
    ]


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


@both_kinds
def test_a_good_pairing_warns_only_of_what_no_pairing_carries_over(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    wrong = [name for name, one in checks(doors, kind).items() if one["status"] != "ok"]
    assert wrong == ["notReplicated"]


@both_kinds
def test_two_namespaces_of_one_region_and_of_basic_fail(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    placed(doors, kind, THERE, "Basic").body["location"] = HERE
    seen = checks(doors, kind)
    assert (seen["regions"]["status"], seen["tier"]["status"]) == ("fail", "fail")


@both_kinds
def test_no_pairing_fails(doors: Doors, kind: str) -> None:
    for location in (HERE, THERE):
        placed(doors, kind, location)
    assert checks(doors, kind)["pairing"]["status"] == "fail"


@both_kinds
def test_what_is_pending_and_missing_is_a_warning(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    late(doors, kind)
    seen = checks(doors, kind)
    assert (seen["pending"]["status"], seen["entities"]["status"]) == ("warn", "warn")


@both_kinds
def test_readiness_answers_while_the_primary_is_lost(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    doors.world.hold_seconds, held = 0.2, doors.world.hold_seconds
    doors.world.lose(THERE)
    seen = checks(doors, kind)
    doors.world.hold_seconds = held
    assert (seen["pairing"]["status"], seen["regions"]["status"]) == ("ok", "warn")


def replicated(doors: Doors, kind: str, *places: str) -> Resource:
    """One namespace for both locations, in the group of the standby; it has no own location."""
    found = placed(doors, kind, HERE)
    rows = [
        {"locationName": place, "roleType": "Primary" if place == THERE else "Secondary"}
        for place in places
    ]
    found.body.pop("location")
    found.properties["geoDataReplication"] = {"locations": rows}
    return found


def replica(doors: Doors, kind: str, verb: str, **more: object) -> dict:
    told = task(doors, kind, verb, HERE, **more)
    part = {k: v for k, v in told["component"].items() if k != "alias"} | {"mode": "replication"}
    return {**told, "component": {**part, "other": dict(part)}}


@both_kinds
def test_a_namespace_without_a_replica_here_is_refused(doors: Doors, kind: str) -> None:
    replicated(doors, kind, THERE)
    outcome = doors.call("promote_alias", replica(doors, kind, "promote"))
    assert "enable geo-replication in northeurope" in outcome["because"]


@both_kinds
def test_a_planned_promotion_is_refused_while_the_primary_is_lost(doors: Doors, kind: str) -> None:
    replicated(doors, kind, THERE, HERE)
    doors.world.lose(THERE)
    outcome = doors.call("promote_alias", replica(doors, kind, "promote", mode="graceful"))
    assert (outcome["status"], outcome["busy"]) == ("refused", True)


@both_kinds
def test_a_forced_promotion_moves_a_replicated_namespace(doors: Doors, kind: str) -> None:
    replicated(doors, kind, THERE, HERE)
    doors.world.lose(THERE)
    told = replica(doors, kind, "promote")
    assert ended(doors, doors.call("promote_alias", told))["status"] == "succeeded"
    assert doors.call("observe_alias", told)["serving"]
    assert doors.call("promote_alias", told)["status"] == "skipped"


@both_kinds
def test_a_replicated_namespace_needs_no_protection_and_is_ready(doors: Doors, kind: str) -> None:
    replicated(doors, kind, THERE, HERE)
    found = doors.call("check_alias", replica(doors, kind, "check"))
    assert [one["status"] for one in found["checks"]] == ["ok", "ok"]
    assert doors.call("protect_alias", replica(doors, kind, "protect"))["status"] == "skipped"


@both_kinds
def test_nobody_knows_what_a_forced_run_loses_of_a_pairing(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    told = doors.call("observe_alias", task(doors, kind, "promote", dryRun=True))
    assert (told["rpoSeconds"], "carries no messages" in told["rpoBecause"]) == (None, True)
    graceful = task(doors, kind, "promote", dryRun=True, mode="graceful")
    assert doors.call("observe_alias", graceful)["rpoSeconds"] == 0


# The lag that a namespace allows -> what a forced run would lose.
LAGS = {"unknown": None, "synchronous": 0, "bounded": 300}
ROLES = ("Primary", "Secondary")


@both_kinds
@pytest.mark.parametrize("lag", LAGS)
def test_a_replicated_namespace_loses_its_lag_at_most(doors: Doors, kind: str, lag: str) -> None:
    found = replicated(doors, kind, THERE, HERE)
    if lag != "unknown":
        found.properties["geoDataReplication"]["maxReplicationLagDurationInSeconds"] = LAGS[lag]
    told = doors.call("observe_alias", replica(doors, kind, "promote", dryRun=True))
    assert (told["rpoSeconds"], told["rpoBecause"] != "") == (LAGS[lag], True)
    found.properties["geoDataReplication"]["locations"].reverse()
    for row, role in zip(found.properties["geoDataReplication"]["locations"], ROLES, strict=True):
        row["roleType"] = role
    told = doors.call("observe_alias", replica(doors, kind, "promote", dryRun=True))
    assert "rpoSeconds" not in told


@both_kinds
def test_no_outcome_holds_what_a_namespace_hides(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    told = [
        doors.call(name, task(doors, kind, "promote"))
        for name in ("observe_alias", "check_alias", "promote_alias", "protect_alias")
    ]
    assert MARKER not in json.dumps(told)
