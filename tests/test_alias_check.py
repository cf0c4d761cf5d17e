"""Readiness of aliases: would a failover work?"""

import json
from collections.abc import Iterator

import pytest

from tests.aliases import both_kinds, checks, emptied, late, paired, placed, task
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


@both_kinds
def test_no_outcome_holds_what_a_namespace_hides(doors: Doors, kind: str) -> None:
    paired(doors, kind)
    told = [
        doors.call(name, task(doors, kind, "promote"))
        for name in ("observe_alias", "check_alias", "promote_alias", "protect_alias")
    ]
    assert MARKER not in json.dumps(told)
