"""Plans at the wire: what was told once is not told again, and a changed text always is."""

from shared import store
from tests.doors import Doors

WHERE = ("stcontosone", "understudy", "plans/contoso.yaml")


def lay(doors: Doors, text: str) -> dict:
    doors.lay(*WHERE, text.encode())
    return doors.call("load_plan", {"plan": "contoso"})


def test_a_version_that_is_known_is_not_told_again(doors: Doors) -> None:
    known = lay(doors, doors.plan_text)["digest"]
    again = doors.call("load_plan", {"plan": "contoso", "known": known})
    assert (again["unchanged"], again["digest"], "plan" in again) == (True, known, False)


def test_a_newer_version_is_told_whole(doors: Doors) -> None:
    known = lay(doors, doors.plan_text)["digest"]
    lay(doors, doors.plan_text.replace("name: contoso", "name: contoso\napprovalMinutes: 31", 1))
    newer = doors.call("load_plan", {"plan": "contoso", "known": known})
    lay(doors, doors.plan_text)
    assert newer["plan"]["approvalMinutes"] == 31 and newer["digest"] != known


def test_a_bad_text_after_a_good_one_is_read_and_told_as_stale(doors: Doors) -> None:
    known = lay(doors, doors.plan_text)["digest"]
    bad = lay(doors, "name: contoso")
    lay(doors, doors.plan_text)
    assert bad["digest"] == known and bad["stale"]


def test_the_same_text_is_read_once(doors: Doors) -> None:
    lay(doors, doors.plan_text)
    with doors.led():
        first, again = store.newest("contoso"), store.newest("contoso")
    assert first and again and first.plan is again.plan
