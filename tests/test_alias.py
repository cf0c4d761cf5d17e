"""Geo-DR aliases of Service Bus and Event Hubs, failed over through the rehearsal's ARM."""

from collections.abc import Iterator

import pytest

from shared import alias
from shared.reply import Unreachable
from tests.aliases import both_kinds, emptied, late, moved, paired, placed, role, side, task
from tests.doors import HERE, THERE, Doors
from tests.parts import ended
from tests.patience import asked_until


@pytest.fixture(autouse=True)
def clean(doors: Doors) -> Iterator[None]:
    """Every test begins without namespaces of its own, and its exchanges are judged."""
    with emptied(doors):
        yield


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
