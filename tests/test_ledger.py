"""The ledger, purely: what a look leaves behind, what is bounded, what becomes of an order."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import ledger, ledger_orders, ledger_views
from tests.replay import START
from tests.stories import EXCLUSIVE, LOST, PLAN

NAMES = st.sampled_from(["a", "b", "c", "d"])
ROWS = st.lists(st.integers(0, 50), unique=True, max_size=30)
LOOKS = st.lists(st.tuples(NAMES, ROWS, st.booleans()), max_size=12)
SAID = {"by": "Ada", "comment": "the region is back"}


def run(name: str, workflow: str = "w", minute: int = 0) -> dict:
    at = (START + timedelta(minutes=minute)).isoformat()
    return {"run": name, "trigger": "t", "startedAt": at, "status": "Running", "tracking": name}


def look(workflow: str, *names: str, more: bool = False) -> dict:
    return {"workflow": workflow, "runs": [run(name) for name in names], "more": more}


def seen(*looks: dict, runs_max: int = 500) -> dict:
    return ledger.looked(ledger.fresh("contoso", 1, LOST), list(looks), START, runs_max)


def evidence(*names: str, workflow: str = "orders-intake", **found: str) -> dict:
    """A frozen ledger of these runs, with what was found of some of them since."""
    held = ledger.frozen(seen(look(workflow, *names)), None, START)
    return ledger.reviewed(held, found, START)


def order(held: dict, word: str, runs: list[str] | None = None, active: str = "northeurope"):
    wary = ledger_views.cautions(PLAN, active, LOST)
    return ledger_orders.ordered(held, word, runs, wary, SAID, START)


def one(held: dict, word: str = "resubmit", name: str = "r1") -> dict:
    return held["orders"][ledger_orders.key(word, name)]


def intended(held: dict) -> dict:
    after = ledger_orders.intended(held, one(held), START)
    assert after is not None
    return after


def shown(name: str, **trigger: str) -> dict:
    """A run as ARM shows it."""
    tracking = {"clientTrackingId": trigger.pop("tracking", name)}
    return {"name": name, "properties": {"correlation": tracking, "trigger": trigger}}


# --- Looks ---------------------------------------------------------------------------------------


def test_a_look_without_an_answer_changes_nothing_but_says_so():
    before = seen(look("w", "r1"))
    after = ledger.unanswered(before, "unreachable", START)
    assert (after["runs"], after["at"]) == (before["runs"], before["at"])
    assert after["silent"] == {"because": "unreachable", "since": START.isoformat()}


def test_silence_keeps_the_moment_at_which_it_began():
    once = ledger.unanswered(seen(look("w", "r1")), "unreachable", START)
    again = ledger.unanswered(once, "still", START + timedelta(minutes=5))
    assert again["silent"]["since"] == START.isoformat()


def test_what_was_not_looked_at_is_kept():
    held = ledger.looked(seen(look("a", "r1"), look("b", "r2")), [look("b")], START, 500)
    assert [row["run"] for row in held["runs"]] == ["r1"]


@given(LOOKS, st.integers(1, 20))
def test_a_ledger_is_bounded_and_says_what_it_left_out(looks: list, runs_max: int):
    held, last = ledger.fresh("contoso", 1, LOST), {}
    for workflow, rows, more in looks:
        names = [f"{workflow}{n}" for n in rows]
        held = ledger.looked(held, [look(workflow, *names, more=more)], START, runs_max)
        last[workflow] = (names, more)
    known = {row["run"] for row in held["runs"]}
    assert len(held["runs"]) <= runs_max
    for workflow, (names, more) in last.items():
        if more or set(names) - known:
            assert held["cut"].get(workflow, 0) > 0


@given(LOOKS)
def test_the_same_look_twice_is_one_look(looks: list):
    told = [look(w, *[f"{w}{n}" for n in rows], more=more) for w, rows, more in looks]
    one_each = list({entry["workflow"]: entry for entry in told}.values())
    once = seen(*one_each, runs_max=10)
    assert ledger.looked(once, one_each, START, 10) == once


@given(st.floats(5, 3600), st.integers(1, 10_000))
def test_a_round_leaves_arm_to_the_failover(every: float, workflows: int):
    looks = ledger.looks(every, workflows)
    assert 1 <= looks <= workflows
    assert looks == 1 or looks * len(ledger.IN_FLIGHT) <= every * ledger.LOOKS_PER_SECOND


def test_a_sweep_is_complete_since_it_began():
    later = START + timedelta(minutes=3)
    held = ledger.swept(ledger.fresh("contoso", 1, LOST), 0, 20, START)
    assert ledger.swept(held, 20, 0, later)["sweep"]["completeSince"] == START.isoformat()


def test_only_messages_in_the_lost_region_are_stranded():
    queue = {"namespace": "/ns", "active": 3, "deadLetter": 0, "scheduled": 0}
    rows = [
        {**queue, "queue": "here", "location": LOST},
        {**queue, "queue": "elsewhere", "location": "swedencentral"},
        {**queue, "queue": "empty", "location": LOST, "active": 0},
    ]
    held = ledger.counted(ledger.fresh("contoso", 1, LOST), rows, START)
    assert [row["queue"] for row in ledger.stranded(held)] == ["here"]


def test_the_age_of_the_last_look_is_counted_to_the_claim():
    claim = {"run": "x", "at": (START + timedelta(seconds=45)).isoformat(), "epoch": 2}
    assert ledger.age_seconds(ledger.frozen(seen(look("w", "r1")), claim, START)) == 45


def test_a_run_whose_end_is_known_is_not_looked_at_again():
    held = evidence("r1", "r2", "r3", r1="Succeeded", r2="Running")
    assert [row["run"] for row in ledger.to_look_at(held, 10)] == ["r3", "r2"]


def test_what_ended_well_after_the_last_look_is_no_abandoned_run():
    late = {**look("w", "r2", "r3"), "runs": [{**run("r2"), "status": "Succeeded"}, run("r3")]}
    held = ledger.belated(evidence("r1"), [late], 0, START, 500)
    assert [row["run"] for row in held["runs"]] == ["r1", "r3"]
    assert held["late"] == {"cursor": None, "runs": 1}


@given(ROWS, st.integers(1, 20))
def test_what_is_found_late_is_bounded_and_said(rows: list[int], runs_max: int):
    late = look("w", *[f"r{n}" for n in rows])
    held = ledger.belated(evidence("r1", "r2"), [late], 0, START, runs_max)
    new = {f"r{n}" for n in rows} - {"r1", "r2"}
    listed = {row["run"] for row in held["runs"]} - {"r1", "r2"}
    assert len(held["runs"]) <= max(2, runs_max)
    assert held["cut"].get("w", 0) == len(new) - len(listed)


# --- Orders --------------------------------------------------------------------------------------


def test_a_run_of_a_region_that_is_silent_cannot_be_ordered():
    _, answer = order(evidence("r1"), "resubmit")
    assert "has not answered" in answer["refused"][0]["because"]


def test_a_run_that_ended_well_is_not_run_again():
    _, answer = order(evidence("r1", r1="Succeeded"), "resubmit")
    assert answer["refused"] == [{"run": "r1", "because": "it ran to its end: Succeeded"}]


def test_a_run_that_still_runs_is_not_run_again():
    _, answer = order(evidence("r1", r1="Running"), "resubmit")
    assert "drain it first" in answer["refused"][0]["because"]


def test_a_run_that_ended_cannot_be_drained():
    _, answer = order(evidence("r1", r1="Failed"), "drain")
    assert "does not run any more" in answer["refused"][0]["because"]


def test_a_run_that_nobody_saw_is_refused():
    _, answer = order(evidence("r1", r1="Failed"), "resubmit", ["r9"])
    assert answer["refused"] == [{"run": "r9", "because": "no run of this ledger"}]


@pytest.mark.parametrize("workflow", [EXCLUSIVE[0], "orders-worker"])
def test_a_run_that_might_be_one_too_many_must_be_named(workflow: str):
    """An exclusive workflow is active elsewhere; a queue delivers its message again by itself."""
    held = evidence("r1", workflow=workflow, r1="Failed")
    _, all_of_them = order(held, "resubmit")
    _, by_name = order(held, "resubmit", ["r1"])
    assert "name the run" in all_of_them["refused"][0]["because"]
    assert by_name["ordered"] == ["r1"]


@given(st.lists(st.sampled_from(["resubmit", "drain"]), max_size=6))
def test_however_often_it_is_asked_a_run_is_ordered_once(words: list[str]):
    held = evidence("r1", "r2", r1="Failed", r2="Running")
    asked: list[str] = []
    for word in words:
        held, answer = order(held, word)
        asked += [f"{word}:{name}" for name in answer["ordered"]]
    assert len(asked) == len(set(asked)) == len(held["orders"])


def test_the_same_order_again_changes_nothing():
    held, _ = order(evidence("r1", r1="Failed"), "resubmit")
    again, answer = order(held, "resubmit", ["r1"])
    assert again is held and answer["already"] == ["r1"]


def test_an_intent_is_written_down_by_one_alone():
    held, _ = order(evidence("r1", r1="Failed"), "resubmit")
    assert ledger_orders.intended(intended(held), one(held), START) is None


def test_an_intent_is_left_alone_until_it_must_have_settled():
    held = intended(order(evidence("r1", r1="Failed"), "resubmit")[0])
    assert ledger_orders.due(held, START + timedelta(seconds=119)) == []
    assert len(ledger_orders.due(held, START + timedelta(seconds=120))) == 1


def traced(since: list[dict], complete: bool = True, sends: int = 1) -> dict:
    held = intended(order(evidence("r1", r1="Failed"), "resubmit")[0])
    return ledger_orders.came_of({**one(held), "sends": sends}, "track-1", since, complete)


def test_more_runs_than_are_listed_leave_it_uncertain():
    assert traced([], complete=False)["state"] == "uncertain"


def test_a_run_that_does_not_say_what_began_it_leaves_it_uncertain():
    assert traced([shown("r5")])["state"] == "uncertain"


SHOWN = st.lists(
    st.builds(
        lambda n, source, origin, tracking: shown(
            f"x{n}", sourceHistoryName=source, originHistoryName=origin, tracking=tracking
        ),
        st.integers(0, 9),
        st.sampled_from(["", "r1", "r2"]),
        st.sampled_from(["", "own"]),
        st.sampled_from(["track-1", "track-2"]),
    ),
    max_size=6,
)


@given(SHOWN, st.booleans(), st.integers(1, 4))
def test_nothing_is_sent_again_unless_it_is_known_that_nothing_came_of_it(
    since: list[dict], complete: bool, sends: int
):
    state = traced(since, complete, sends)["state"]
    ours = any(
        ledger_orders.source(one) == "r1" or ledger_orders.tracked(one) == "track-1"
        for one in since
    )
    told = all(ledger_orders.own(one) for one in since)
    assert (state == "sent") == ours
    assert state != "wanted" or (complete and told and sends < ledger_orders.SENDS_MAX)


def test_requests_that_come_to_nothing_end():
    assert traced([], sends=ledger_orders.SENDS_MAX)["state"] == "refused"


def test_a_run_that_came_of_it_is_found_by_its_source():
    found = traced([shown("r5", sourceHistoryName="r1", originHistoryName="r5")])
    assert (found["state"], found["result"]) == ("sent", "r5")


def test_a_run_that_came_of_it_is_found_by_its_tracking_id():
    assert traced([shown("r5", tracking="track-1")])["result"] == "r5"


def test_a_request_that_never_arrived_is_sent_again():
    began = shown("r5", originHistoryName="r5")
    assert traced([])["state"] == traced([began])["state"] == "wanted"


# --- What people see -----------------------------------------------------------------------------
