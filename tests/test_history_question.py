"""History's question, pure: what may be asked, each error by name, and the place to go on."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import history, history_question
from shared.history_question import Question, onward, question
from tests.unhurried import UNHURRIED

WORKFLOWS = ["orders", "mails"]
QUOTED = ["'x'", "'y'", "''"]
AT = datetime(2026, 1, 5, 8, 0, 0, 500_000, tzinfo=UTC)
PLACE: history.Order = (AT, "west", "orders", 1, "run-1")


def errors(**told: str) -> list[str]:
    return question("contoso", WORKFLOWS, told)[1]


def asked(**told: str) -> Question:
    made, wrong = question("contoso", WORKFLOWS, told)
    assert wrong == []
    return made


@pytest.mark.parametrize("word", ["", "failed!", "Succeeded' or status eq 'Failed", "null"])
def test_a_status_that_there_is_not_is_refused(word: str) -> None:
    assert errors(status=word)[0].startswith("status: one of Aborted, Cancelled, Failed")


@pytest.mark.parametrize("key", ["from", "to"])
@pytest.mark.parametrize("word", ["", "yesterday", "1700000000x", "2026-13-01", "2026-01-05T25:00"])
def test_a_time_that_is_none_is_refused(key: str, word: str) -> None:
    assert errors(**{key: word})[0].startswith(f"{key}: a time as 2026-01-31T08:00:00Z")


def test_a_time_that_ends_before_it_begins_is_refused() -> None:
    assert errors(**{"from": "2026-01-06", "to": "2026-01-05"}) == ["from: must be before to"]


def test_a_format_that_there_is_not_is_refused() -> None:
    assert errors(format="xml") == ["format: one of json, csv"]


@pytest.mark.parametrize("word", ["", "x", "é", "W10", "bnVsbA", "W1tbW1tb", "A" * 601, "e30"])
def test_a_place_that_no_page_has_said_is_refused(word: str) -> None:
    assert errors(after=word)[0].startswith("after: what `next` of an earlier page said")


def test_the_place_of_another_question_is_refused() -> None:
    word = onward("contoso", asked(status="Failed"), PLACE)
    assert errors(status="Failed", after=word) == []
    assert errors(after=word)[0].endswith("this one is of another question")


def test_each_component_that_is_no_workflow_is_named_in_an_error() -> None:
    found = errors(component="x,orders,y,x,")
    assert [one.split(" is none")[0] for one in found] == [f"component: {n}" for n in QUOTED]


def test_a_wrong_component_does_not_tell_what_is_secret_and_is_cut_short() -> None:
    (found,) = errors(component=f"password={'hunter2'}{'a' * 500}")
    assert "hunter2" not in found and len(found) < 150


def test_more_components_than_can_be_named_are_refused() -> None:
    many = ",".join(f"x{n}" for n in range(history_question.COMPONENTS_MAX + 1))
    assert errors(component=many) == ["component: at most 100 workflows"]


@pytest.mark.parametrize("word", ["0", "2", "-1", "x", "", "1.0", "1,1", "9" * 50])
def test_a_set_that_there_is_not_is_refused(word: str) -> None:
    assert errors(set=word) == ["set: a whole number from 1 to 1"]


def test_there_are_as_many_sets_as_what_is_asked_for_needs() -> None:
    many = [f"w{n}" for n in range(history.WORKFLOWS_MAX + 1)]
    assert question("contoso", many, {"set": "2"})[1] == []
    told = {"set": "2", "component": ",".join(many[:5])}
    assert question("contoso", many, told)[1] == ["set: a whole number from 1 to 1"]


def test_components_are_the_same_question_in_any_order() -> None:
    assert asked(component="mails,orders,mails").components == ("orders", "mails")
    word = onward("contoso", asked(component="mails,orders"), PLACE)
    assert errors(component="orders,mails", after=word) == []
    assert errors(component="orders", after=word)[0].endswith("of another question")


def test_the_place_in_another_set_is_refused() -> None:
    many = [f"w{n}" for n in range(history.WORKFLOWS_MAX + 1)]
    told = {"set": "2", "after": onward("contoso", Question(set=1), PLACE)}
    assert question("contoso", many, told)[1][0].endswith("of another question")


def test_every_error_has_a_line_of_its_own() -> None:
    told = {"top": "0", "component": "x", "set": "0", "status": "x", "from": "x", "to": "x"}
    told |= {"after": "x"}
    found = errors(**told, format="x")
    assert sorted(one.split(":")[0] for one in found) == sorted([*told, "format"])


@UNHURRIED
@given(st.text(max_size=80))
def test_no_text_makes_a_question_fail_otherwise(text: str) -> None:
    keys = ("top", "component", "set", "status", "from", "to", "after", "format")
    assert all(errors(**{key: text}) or asked(**{key: text}) for key in keys)


def test_who_accepts_csv_gets_it() -> None:
    assert asked(Accept="text/csv").csv
    assert not asked(Accept="text/csv, application/json").csv
    assert not asked(Accept="text/csv", format="json").csv


def test_a_day_begins_at_midnight_of_utc() -> None:
    assert asked(**{"from": "2026-01-05"}).since == datetime(2026, 1, 5, tzinfo=UTC)


def test_a_status_may_be_written_small() -> None:
    assert asked(status="failed").filter == "status eq 'Failed'"


def test_arm_is_asked_for_whole_seconds_around_the_time() -> None:
    made = asked(**{"from": "2026-01-05T08:00:00.5Z", "to": "2026-01-05T09:30:00.5+01:00"})
    assert made.filter == "startTime ge 2026-01-05T08:00:00Z and startTime lt 2026-01-05T08:30:01Z"


def test_arm_is_asked_for_nothing_newer_than_the_second_of_the_place() -> None:
    assert Question(after=PLACE).filter == "startTime lt 2026-01-05T08:00:01Z"


def test_the_first_moment_of_a_time_is_in_it_and_the_last_is_not() -> None:
    made = Question(since=AT, until=AT + timedelta(seconds=1))
    rows = [{"status": "Failed", "at": (AT + timedelta(seconds=s)).isoformat()} for s in (0, 1)]
    assert [made.fits(row) for row in rows] == [True, False]


@UNHURRIED
@given(
    st.datetimes(timezones=st.just(UTC)),
    st.text(max_size=40),
    st.text(max_size=40),
    st.integers(0, 1),
)
def test_a_place_is_read_as_it_was_written(at: datetime, where: str, name: str, kind: int) -> None:
    place: history.Order = (at, "west", where, kind, name)
    word = onward("contoso", Question(), place)
    if len(word) <= history_question.AFTER_LENGTH_MAX:
        assert asked(after=word).after == place
