"""History, pure: what goes on of ARM's answer, what does not, and in which order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import history
from shared.history import Listed, Purse, merged
from tests.unhurried import UNHURRIED

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
SECRET = "hunter2"


def item(seconds: float, name: str = "run", **more: object) -> dict:
    own = {"startTime": (START + timedelta(seconds=seconds)).isoformat(), "status": "Succeeded"}
    return {"name": name, "properties": {**own, **more}}


def row(seconds: float, name: str = "run", kind: str = "run", location: str = "west") -> dict:
    return history.row(kind, location, "orders", item(seconds, name))


@pytest.mark.parametrize(
    "words",
    [
        f"GET https://x.example.net/a?api-version=1&sig={SECRET} failed",
        f"Endpoint=sb://x/;SharedAccessKeyName=a;SharedAccessKey={SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"AccountKey={SECRET}==;EndpointSuffix=x",
        f'{{"client_secret": "{SECRET}"}}',
        f"ftp://user:{SECRET}@x.example.net",
        f"password: '{SECRET} {SECRET}'",
        f"token eyJhbGciOiJSUzI1NiJ9.{SECRET}.{SECRET}",
    ],
)
def test_a_failure_does_not_tell_what_is_secret(words: str):
    error = {"code": "ActionFailed", "message": words}
    shown = history.row("run", "west", "orders", item(0, error=error))
    assert SECRET not in str(shown)
    assert shown["because"].startswith("ActionFailed: ")


def test_a_tracking_id_does_not_tell_what_is_secret():
    tracked = item(0, correlation={"clientTrackingId": f"https://x/?sig={SECRET}"})
    assert SECRET not in str(history.row("run", "west", "orders", tracked))


def test_links_to_inputs_and_outputs_are_left_out():
    link = {"uri": SECRET}
    own = {"inputsLink": link, "outputsLink": link, "outputs": {"a": link}}
    shown = history.row(
        "run", "west", "orders", {"name": "run", "properties": {**own, "trigger": own}}
    )
    assert SECRET not in str(shown)


def test_a_row_without_a_failure_has_no_because():
    assert "because" not in history.row("run", "west", "orders", item(0, code="OK"))


def test_a_failure_that_has_only_a_code_says_it():
    assert history.row("trigger", "west", "o", item(0, code="Timeout"))["because"] == "Timeout"


def test_a_row_whose_time_cannot_be_read_is_the_oldest():
    odd = history.row("run", "west", "orders", {"name": "odd", "properties": {"startTime": "x"}})
    rows, *_ = merged([Listed("west", "orders", [odd, row(0)])], 5)
    assert [one["at"] for one in rows] == [START.isoformat(), None]


def test_times_are_compared_as_times_and_not_as_words():
    """ARM writes as many digits of a second as there are."""
    texts = ("2026-01-05T08:00:00Z", "2026-01-05T08:00:00.1234567Z")
    rows = [
        history.row("run", "west", "orders", {"name": text, "properties": {"startTime": text}})
        for text in texts
    ]
    shown, *_ = merged([Listed("west", "orders", rows)], 5)
    assert [one["name"] for one in shown] == list(reversed(texts))


def test_a_run_comes_before_the_trigger_that_began_it():
    lists = [Listed("west", "orders", [row(0, kind=kind)]) for kind in ("trigger", "run")]
    assert [one["kind"] for one in merged(lists, 5)[0]] == ["run", "trigger"]


def cut(*seconds: float, location: str = "west") -> Listed:
    """A list of which ARM kept older rows back."""
    rows = [row(one, f"r{one:g}", location=location) for one in seconds]
    return Listed(location, "orders", rows, True, min(map(history.order, rows)))


def names(rows: list[dict]) -> list[str]:
    return [one["name"] for one in rows]


def test_a_page_ends_where_a_list_was_cut() -> None:
    """Older rows of the others wait for those that were kept back, so none is passed over."""
    lists = [cut(9, 8), Listed("north", "orders", [row(8.5, "n1"), row(1, "n2")])]
    rows, onward, _ = merged(lists, 50)
    assert names(rows) == ["r9", "n1", "r8"]
    assert onward == history.order(row(8, "r8"))


def test_a_list_that_was_cut_further_back_ends_no_page() -> None:
    lists = [cut(1), Listed("north", "orders", [row(9, "n1"), row(8, "n2")])]
    rows, onward, _ = merged(lists, 2)
    assert (names(rows), onward) == (["n1", "n2"], history.order(row(8, "n2")))


def test_the_last_page_names_no_next_one() -> None:
    assert merged([Listed("west", "orders", [row(1)])], 50)[1] is None


def test_a_page_of_which_nothing_fits_still_goes_on() -> None:
    held = Listed("west", "orders", [], True, history.order(row(3)))
    assert merged([held], 50)[:2] == ([], history.order(row(3)))


def test_more_rows_of_one_second_than_can_be_read_are_a_warning_and_no_standstill() -> None:
    after = history.order(row(5.5))
    held = Listed("west", "orders", [], True, history.order(row(5.6)), crowded=True)
    rows, onward, warnings = merged([held], 50, after)
    assert rows == []
    assert onward is not None and START + timedelta(seconds=5) == onward[0] < after[0]
    assert warnings[0].startswith("not all rows are shown of orders in west")


NAMES = [f"w{n}" for n in range(2 * history.WORKFLOWS_MAX + 7)]


def test_every_workflow_of_a_large_plan_is_in_one_set() -> None:
    numbers = range(1, history.sets(NAMES) + 1)
    assert [name for number in numbers for name in history.chosen(NAMES, number).names] == NAMES


def test_the_sets_lead_to_each_other_and_the_last_one_to_the_first() -> None:
    assert [history.chosen(NAMES, number).next for number in (1, 2, 3)] == [2, 3, 1]


def test_what_a_set_leaves_out_are_those_behind_it_and_then_those_before() -> None:
    most = history.WORKFLOWS_MAX
    assert history.chosen(NAMES, 2).left == NAMES[2 * most :] + NAMES[:most]


@pytest.mark.parametrize("count", [0, 1, history.WORKFLOWS_MAX])
def test_a_small_plan_is_one_set_and_leaves_nothing_out(count: int) -> None:
    assert history.chosen(NAMES[:count]) == (NAMES[:count], [], 1)


def test_a_purse_that_is_empty_says_when_it_is_not():
    purse = Purse()
    assert purse.pay(history.READS_MAX, 0.0) == 0.0
    assert purse.pay(20, 0.5) == 1.5
    assert purse.pay(20, 2.0) == 0.0


def test_the_largest_page_can_be_paid():
    assert Purse().pay(history.WORKFLOWS_MAX * history.REQUESTS_EACH, 0.0) == 0.0


@UNHURRIED
@given(asks=st.lists(st.tuples(st.floats(0, 9), st.integers(1, history.READS_MAX)), max_size=30))
def test_a_purse_never_gives_more_than_its_share(asks: list[tuple[float, int]]):
    purse, now, given_away = Purse(), 0.0, 0
    for pause, reads in asks:
        now += pause
        given_away += reads if purse.pay(reads, now) == 0.0 else 0
        assert given_away <= history.READS_MAX + now * history.READS_PER_SECOND + 1e-6


LISTS = st.lists(st.lists(st.integers(0, 99), max_size=8, unique=True), max_size=5)


def arm(ages: list[int], name: str, size: int, after: history.Order | None) -> Listed:
    """What ARM gives of one list: `size` rows older than `after`, and whether there are more."""
    rows = [history.row("run", "west", name, item(one, f"{name}-{one}")) for one in ages]
    left = sorted((r for r in rows if after is None or history.order(r) < after), key=history.order)
    left = left[::-1]
    shown = left[:size]
    floor = history.order(shown[-1]) if shown else None
    return Listed("west", name, shown, len(left) > size, floor)


@UNHURRIED
@given(whole=LISTS, size=st.integers(1, 8), top=st.integers(1, 20))
def test_page_by_page_every_row_is_shown_once_and_in_order(
    whole: list[list[int]], size: int, top: int
):
    """Also when newer ones are begun between two pages: they move nothing."""
    shown: list[dict] = []
    after, begun = None, [list(ages) for ages in whole]
    for turn in range(100):
        lists = [arm(ages, f"w{n}", size, after) for n, ages in enumerate(begun)]
        rows, after, warnings = merged(lists, top, after)
        assert len(rows) <= top
        assert warnings == []
        shown += rows
        if after is None:
            break
        begun = [[*ages, 1000 + turn] for ages in begun]
    assert after is None
    wanted = sorted((one for ages in whole for one in ages), reverse=True)
    assert [(history.age(one) - START).total_seconds() for one in shown] == wanted
    assert len({one["name"] for one in shown}) == len(shown)


@UNHURRIED
@given(ages=st.permutations(range(6)))
def test_the_order_does_not_depend_on_who_answered_first(ages: list[int]):
    lists = [Listed("west", "orders", [row(age // 2, f"r{age}")]) for age in ages]
    names = [one["name"] for one in merged(lists, 9)[0]]
    assert names == ["r5", "r4", "r3", "r2", "r1", "r0"]


def test_what_could_not_be_known_beforehand_is_owed_within_bounds_and_paid_back():
    purse = history.Purse(left=0.0, at=0.0)
    assert [purse.owe(0.0) for _ in range(history.DEBT_MAX + 1)].count(True) == history.DEBT_MAX
    assert purse.pay(10, 0.0) == (10 + history.DEBT_MAX) / history.READS_PER_SECOND
    assert purse.pay(10, (10 + history.DEBT_MAX) / history.READS_PER_SECOND) == 0.0
