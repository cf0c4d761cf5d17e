"""What the HTTP API says of ledgers, and how it takes orders for what a failover cut off."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from activities import ledger_desk
from shared import ledger, ledger_store
from shared.problem import Problem
from shared.record import noted
from tests.doors import THERE, Doors

STORE, WITNESS = "stcontosone", "stcontosowitness"
SAID = {"by": "Ada", "comment": "it is back"}
RUN = "contoso-20261121T090000Z"


def clean(doors: Doors) -> None:
    for name in doors.storage.names(STORE, "understudy"):
        if name.startswith("ledger/"):
            doors.drop(STORE, "understudy", name)
    doors.drop(WITNESS, "understudy", "contoso.json")


@pytest.fixture(autouse=True)
def fresh(doors: Doors) -> Iterator[None]:
    """Every test finds no ledger and leaves none."""
    clean(doors)
    yield
    clean(doors)


def seen(*names: str, workflow: str = "orders-intake") -> dict:
    """A ledger of epoch 0 in which these runs are in flight at home."""
    now = datetime.now(UTC)
    row = {"trigger": "manual", "startedAt": now.isoformat(), "status": "Running", "tracking": ""}
    runs = [{**row, "run": name} for name in names]
    held = ledger.fresh("contoso", 0, THERE)
    return ledger.looked(held, [{"workflow": workflow, "runs": runs, "more": False}], now, 500)


def lay(doors: Doors, held: dict, epoch: int | None = None) -> None:
    name = ledger_store.name("contoso", epoch)
    doors.lay(STORE, "understudy", name, json.dumps(held).encode())


def failed_over(doors: Doors) -> None:
    """The standby has claimed, in run RUN, and that has ended."""
    doors.hold(run=None)
    now, blob = datetime.now(UTC), doors.storage.read(WITNESS, "understudy", "contoso.json")
    record = noted(json.loads(blob), now, RUN, "claimed", "w -> n")
    record = noted(record, now, RUN, "finished", "active in n")
    doors.lay(WITNESS, "understudy", "contoso.json", json.dumps(record).encode())


def reviewed(status: str, *names: str) -> None:
    now = datetime.now(UTC)
    found = dict.fromkeys(names, status)
    ledger_store.change("contoso", lambda was: ledger.reviewed(was, found, now), epoch=0)


def order(word: str = "resubmit", **more: object) -> tuple:
    return ledger_desk.order("contoso", word, json.dumps({**SAID, **more}).encode())


def refused(work: Callable[[], object]) -> dict:
    with pytest.raises(Problem) as no:
        work()
    return no.value.body


def test_an_order_without_a_name_is_refused(doors: Doors):
    assert refused(lambda: ledger_desk.order("contoso", "drain", b"{}"))["status"] == 400


def test_an_order_where_no_epoch_has_ended_says_whom_to_ask(doors: Doors):
    lay(doors, seen("r1"))
    no = refused(order)
    assert (no["status"], THERE in no["detail"]) == (404, True)


def test_an_epoch_that_is_no_number_is_refused(doors: Doors):
    assert refused(lambda: ledger_desk.one_ledger("contoso", "x"))["status"] == 400


def test_an_epoch_that_is_not_kept_is_not_found(doors: Doors):
    assert refused(lambda: ledger_desk.one_ledger("contoso", "7"))["status"] == 404


def test_what_is_in_flight_is_shown_with_its_age(doors: Doors):
    lay(doors, seen("r1", "r2"))
    _, view = ledger_desk.one_ledger("contoso", None)
    assert [row["run"] for row in view["watching"]["runs"]] == ["r1", "r2"]
    assert 0 <= view["watching"]["ageSeconds"] < 60
    assert view["ended"] == []


def test_what_was_abandoned_is_shown_before_anybody_has_frozen_it(doors: Doors):
    """The round that freezes comes up to its period after the claim."""
    lay(doors, seen("r1"))
    failed_over(doors)
    _, view = ledger_desk.one_ledger("contoso", None)
    assert [row["run"] for row in view["ended"][0]["abandoned"]] == ["r1"]
    assert view["ended"][0]["failover"]["run"] == RUN


def test_an_order_freezes_what_it_is_about(doors: Doors):
    lay(doors, seen("r1"))
    failed_over(doors)
    status, answer = order()
    assert (status, answer["epoch"], answer["ordered"]) == (202, 0, [])
    assert "has not answered" in answer["refused"][0]["because"]
    assert ledger_store.ended("contoso") == [0]


def test_the_same_order_twice_is_one_order(doors: Doors):
    lay(doors, seen("r1", "r2"))
    failed_over(doors)
    order()
    reviewed("Failed", "r1", "r2")
    assert order()[1]["ordered"] == ["r1", "r2"]
    assert order(runs=["r1"])[1] | {"withinSeconds": 0} == {
        "plan": "contoso",
        "epoch": 0,
        "word": "resubmit",
        "ordered": [],
        "already": ["r1"],
        "refused": [],
        "withinSeconds": 0,
    }


def test_an_order_is_noted_at_the_witness_once(doors: Doors):
    """From there it gets into the audit, like every other decision."""
    lay(doors, seen("r1", "r2"))
    failed_over(doors)
    order()
    reviewed("Failed", "r1")
    assert [one["run"] for one in order()[1]["refused"]] == ["r2"]
    order()
    record = json.loads(doors.storage.read(WITNESS, "understudy", "contoso.json"))
    lines = [line for line in record["transitions"] if line["what"] == "resubmit"]
    assert [(line["who"], line["why"]) for line in lines] == [
        ("Ada", "1 runs of epoch 0: it is back")
    ]


def test_an_order_says_who_gave_it(doors: Doors):
    lay(doors, seen("r1"))
    failed_over(doors)
    order()
    reviewed("Failed", "r1")
    order()
    _, view = ledger_desk.one_ledger("contoso", "0")
    one = view["ended"][0]["abandoned"][0]["orders"][0]
    assert (one["by"], one["state"]) == ("Ada", "wanted")


def test_a_run_shows_what_it_abandoned(doors: Doors):
    lay(doors, seen("r1"))
    failed_over(doors)
    status, view = ledger_desk.one_run(RUN, {})
    assert status == 200
    assert [row["run"] for row in view["abandoned"]["abandoned"]] == ["r1"]


def test_a_run_of_which_no_ledger_lies_here_abandoned_nothing_that_is_known(doors: Doors):
    failed_over(doors)
    assert ledger_desk.one_run(RUN, {})[1]["abandoned"] is None
