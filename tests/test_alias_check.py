"""Readiness of aliases: would a failover work?"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from activities import alias_check, readiness
from tests.aliases import KINDS, both_kinds, checks, emptied, late, paired, placed, task, topic
from tests.doors import HERE, THERE, Doors
from tests.parts import MARKER


@pytest.fixture(autouse=True)
def clean(doors: Doors) -> Iterator[None]:
    """Every test begins without namespaces of its own, and its exchanges are judged."""
    with emptied(doors):
        yield


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


# What is compared -> the paths that it asks.
ASKED = {
    "access": "/roleAssignments$",
    "networks": "/networkRuleSets/default$",
    "messages": "/topics/news/subscriptions$",
    "entities": f"/ns-alias-{HERE}/(queues|eventhubs)$",
}
ADVICE = ("access", "networks", "messages")


@contextmanager
def slow(doors: Doors, path: str, seconds: float) -> Iterator[None]:
    """What is asked of these paths takes so long; what still goes on is over at the end."""
    doors.world.faults.add({"match": {"path": path}, "effect": {"delaySeconds": seconds}})
    yield
    doors.world.faults.clear()
    for one in threading.enumerate():
        if one.name.startswith(("alias", "topics")):
            one.join(20)


def test_a_comparison_that_takes_too_long_takes_nothing_with_it(doors: Doors) -> None:
    """With the bounds as they are, before somebody who orders a graceful run has waited enough."""
    paired(doors, KINDS[0])
    topic(doors, THERE, activeMessageCount=1)
    topic(doors, HERE)
    with slow(doors, "|".join(ASKED[name] for name in ADVICE), alias_check.ADVICE_SECONDS_MAX + 1):
        begun = time.monotonic()
        seen = checks(doors, KINDS[0])
        took = time.monotonic() - begun
    assert took < readiness.ORDER_SECONDS
    essential = ("pairing", "pending", "regions", "tier", "entities", "namespace")
    assert {name: seen[name]["status"] for name in essential} == dict.fromkeys(essential, "ok")
    for name in ADVICE:
        assert (seen[name]["status"], alias_check.LATE in seen[name]["because"]) == ("warn", True)


@pytest.mark.parametrize("name", ASKED)
def test_what_is_late_is_a_warning_of_its_own(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    paired(doors, KINDS[0])
    topic(doors, THERE)
    topic(doors, HERE)
    monkeypatch.setattr(alias_check, "ADVICE_SECONDS_MAX", 1.5)
    monkeypatch.setattr(alias_check, "ENTITIES_SECONDS_MAX", 1.6)
    with slow(doors, ASKED[name], 2.5):
        seen = checks(doors, KINDS[0])
    late = [one for one, row in seen.items() if alias_check.LATE in row["because"]]
    wrong = {one for one, row in seen.items() if row["status"] != "ok"}
    assert (late, wrong) == ([name], {"notReplicated", name})


@both_kinds
def test_entities_may_take_longer_than_what_only_advises(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    paired(doors, kind)
    monkeypatch.setattr(alias_check, "ADVICE_SECONDS_MAX", 0.2)
    with slow(doors, ASKED["entities"], 1.0):
        assert checks(doors, kind)["entities"]["status"] == "ok"


def test_messages_are_told_where_only_the_secondarys_entities_cannot_be_read(doors: Doors) -> None:
    paired(doors, KINDS[0])
    topic(doors, THERE, activeMessageCount=2)
    doors.world.faults.add({"match": {"path": ASKED["entities"]}, "effect": {"status": 403}})
    seen = checks(doors, KINDS[0])
    doors.world.faults.clear()
    assert "cannot be compared" in seen["entities"]["because"]
    assert "2 messages lie in ns-alias-westeurope: news/audit 2" in seen["messages"]["because"]


@both_kinds
def test_no_outcome_holds_what_a_namespace_hides(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    told = [
        doors.call(name, task(doors, kind, "promote"))
        for name in ("observe_alias", "check_alias", "promote_alias", "protect_alias")
    ]
    assert MARKER not in json.dumps(told)
