"""Control numbers at a failover: raised once, beyond what anybody has seen."""

from shared import b2b
from shared.plan import Plan
from tests import b2b_estate as estate
from tests.b2b_doors import EDIFACT, X12, job, mirror, number
from tests.b2b_doors import plan as plan
from tests.doors import HERE, THERE, Doors


def test_a_failover_goes_on_with_numbers_that_nobody_has_seen(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    doors.world.lose(THERE)
    outcome = doors.call("promote_account", job(doors, plan, "promote"))
    assert outcome["status"] == "succeeded", outcome
    assert (number(doors, plan), number(doors, plan, EDIFACT)) == ("000002000", "1070")


def test_numbers_are_raised_once_in_an_epoch(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    task = job(doors, plan, "promote")
    doors.call("promote_account", task)
    mark = doors.mark()
    assert doors.call("promote_account", task)["status"] == "skipped"
    assert doors.sent(mark, "PUT") == [] and number(doors, plan) == "000002000"


def test_a_bump_whose_answer_was_lost_is_not_made_twice(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    task = job(doors, plan, "promote")
    fault = {"match": {"method": "PUT", "path": X12}, "effect": {"loseAnswer": True}, "times": 1}
    doors.world.faults.add(fault)
    doors.call("promote_account", task)
    assert doors.call("promote_account", task)["status"] == "skipped"
    assert number(doors, plan) == "000002000"


def test_what_the_new_side_has_sent_since_is_left_alone(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    task = job(doors, plan, "promote")
    doors.call("promote_account", task)
    session = estate.of(doors.world, plan, HERE, f"sessions/{X12}")
    session.properties["content"] = estate.number("000002345")
    assert doors.call("promote_account", task)["status"] == "skipped"
    assert number(doors, plan) == "000002345"


def test_a_copy_that_lands_late_is_raised_again(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    task = job(doors, plan, "promote")
    doors.call("promote_account", task)
    session = estate.of(doors.world, plan, HERE, f"sessions/{X12}")
    session.properties["content"] = estate.number("000001000")
    assert doors.call("verify_account", {**task, "verb": "verify"})["status"] == "refused"
    doors.call("promote_account", task)
    assert doors.call("verify_account", {**task, "verb": "verify"})["status"] == "succeeded"


def test_a_living_source_is_looked_at_once_more(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    session = estate.of(doors.world, plan, THERE, f"sessions/{X12}")
    session.properties["content"] = estate.number("000001900")
    doors.call("promote_account", job(doors, plan, "promote"))
    assert number(doors, plan) == "000002900"


def test_an_agreement_that_was_never_seen_sending_jumps_too(doors: Doors, plan: Plan) -> None:
    doors.world.resources.remove(estate.of(doors.world, plan, THERE, f"sessions/{X12}").id)
    mirror(doors, plan)
    doors.call("promote_account", job(doors, plan, "promote"))
    assert number(doors, plan) == "1001"


def test_a_dry_run_names_the_calls_and_sends_none(doors: Doors, plan: Plan) -> None:
    mirror(doors, plan)
    mark = doors.mark()
    seen = doors.call("observe_account", {**job(doors, plan, "promote"), "dryRun": True})
    urls = [call["url"].partition("/sessions/")[2] for call in seen["calls"]["promote"]]
    assert sorted(urls) == [f"{one}?api-version=2019-05-01" for one in (EDIFACT, X12)]
    assert seen["serving"] is False and "1000 further on" in seen["would"]
    assert doors.sent(mark, "PUT") == []


def test_a_number_that_rolls_over_goes_on_from_below() -> None:
    span = b2b.Range(1, 100, rolls=True)
    assert (span.bumped(95, 10), b2b.Range(1, 100).bumped(95, 10)) == (5, None)
    assert span.ahead(5, 95) and not span.ahead(95, 5)
