"""What an order leaves behind at the desk: who is refused and why, and one run with one slip."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from activities import desk, readiness
from shared import undelivered
from tests.desk_doors import (
    GOOD,
    OUTBOX,
    STORE,
    claimed,
    forget,
    order,
    refused,
    waiting,
    watch_state,
)
from tests.desk_doors import drained as drained
from tests.desk_doors import fresh as fresh
from tests.desk_doors import without_witness as without_witness
from tests.doors import HERE, THERE, Doors

DEAD_BUS = (
    "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true;"
)


@pytest.fixture
def without_bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Nobody listens where the slips go; call it to have the namespace back."""
    with monkeypatch.context() as patch:
        patch.setenv("SLIPS", DEAD_BUS)
        forget()

        def back() -> None:
            patch.undo()
            forget()

        yield back
    forget()


@pytest.fixture
def full_outbox(doors: Doors, without_bus: Callable[[], None]) -> None:
    """Nor can a slip be written down."""
    entry = {"queue": "slip-fence", "slip": {}, "at": datetime.now(UTC).isoformat()}
    slips = [{"id": f"r{n}", **entry} for n in range(undelivered.SLIPS_MAX)]
    book = {**undelivered.EMPTY, "slips": slips}
    doors.lay(STORE, "understudy", OUTBOX, json.dumps(book).encode())


def test_a_wrong_body_is_400_with_every_error(doors: Doors) -> None:
    body = refused(lambda: order({"mode": "maybe", "surprise": 1}))
    assert body["status"] == 400
    assert [error.split(":")[0] for error in body["errors"]] == ["mode", "reason", "surprise"]


def test_a_wrong_body_is_400_also_without_the_witness(without_witness: None) -> None:
    assert refused(lambda: order({"mode": "forced"}))["status"] == 400


def test_without_the_witness_nobody_moves_a_plan(without_witness: None) -> None:
    body = refused(lambda: order(GOOD, "k1"))
    assert (body["status"], body["title"]) == (503, "Out of reach")


def test_a_slip_that_waits_in_the_outbox_is_on_its_way(
    doors: Doors, without_bus: Callable[[], None]
) -> None:
    status, body, _ = order(GOOD, "k1")
    book = json.loads(doors.storage.read(STORE, "understudy", OUTBOX))
    assert (status, [one["slip"]["run"] for one in book["slips"]]) == (202, [body["run"]])


def test_a_slip_that_nothing_takes_is_503_and_says_to_repeat(full_outbox: None) -> None:
    body = refused(lambda: order(GOOD, "k2"))
    assert body["status"] == 503
    assert "the same Idempotency-Key" in body["detail"]


@pytest.mark.slow
def test_a_slip_that_nothing_takes_without_a_key_says_where_to_look(full_outbox: None) -> None:
    body = refused(lambda: order(GOOD))
    assert f"/api/runs/{body['run']}" in body["detail"]


def test_the_repeat_after_a_503_sends_the_slip(
    doors: Doors, full_outbox: None, without_bus: Callable[[], None]
) -> None:
    run, before = refused(lambda: order(GOOD, "k3"))["run"], waiting(doors)
    doors.drop(STORE, "understudy", OUTBOX)
    without_bus()
    status, body, _ = order(GOOD, "k3")
    assert (status, body["run"], waiting(doors)) == (202, run, before + 1)


def test_a_second_run_is_409_while_one_is_in_progress(doors: Doors) -> None:
    _, first, _ = order(GOOD, "k4")
    body = refused(lambda: order(GOOD, "k5"))
    assert body["status"] == 409
    assert first["run"] in body["detail"]


def test_a_graceful_run_is_409_where_the_standby_is_not_ready(doors: Doors) -> None:
    body = refused(lambda: order({**GOOD, "mode": "graceful"}))
    assert (body["status"], body["title"]) == (409, "Not ready")
    assert "backup" in [check["name"] for check in body["checks"]]


def test_a_graceful_run_is_409_where_the_active_location_does_not_answer(doors: Doors) -> None:
    doors.strangers.answers["func-contoso-we.azurewebsites.net/api/health"] = (503, "{}")
    body = refused(lambda: order({**GOOD, "mode": "graceful"}))
    doors.strangers.answers.clear()
    assert (body["status"], "use forced" in body["detail"]) == (409, True)


def test_a_graceful_run_is_409_where_the_active_location_is_lost(doors: Doors) -> None:
    state = watch_state(datetime.now(UTC))
    lost = {**state["verdict"], "state": "lost"}
    text = json.dumps({**state, "verdict": lost}).encode()
    doors.lay(STORE, "understudy", "watch/contoso.json", text)
    body = refused(lambda: order({**GOOD, "mode": "graceful"}))
    assert (body["title"], "use forced" in body["detail"]) == ("Not now", True)


def test_a_forced_run_is_told_what_is_known_to_fail(doors: Doors) -> None:
    desk.one_readiness("contoso")
    _, body, _ = order(GOOD, "warned")
    readiness.forget()
    assert any("backup" in words for words in body["warnings"])


def test_moving_to_where_it_is_active_is_409(doors: Doors) -> None:
    assert refused(lambda: order({**GOOD, "to": THERE}))["status"] == 409


def test_a_key_that_began_another_order_is_400(doors: Doors) -> None:
    order({**GOOD, "to": HERE}, "k6")
    body = refused(lambda: order({**GOOD, "to": THERE}, "k6"))
    assert (body["status"], "Idempotency-Key" in body["detail"]) == (400, True)


def test_an_order_is_accepted_with_the_address_of_its_run(doors: Doors) -> None:
    status, body, headers = order(GOOD, "k7")
    assert (status, body["to"]) == (202, HERE)
    assert headers["Location"] == f"/api/runs/{body['run']}"


def test_the_same_key_is_the_same_run_and_one_slip(doors: Doors) -> None:
    before = waiting(doors)
    assert order(GOOD, "k8")[1] == order(GOOD, "k8")[1]
    assert waiting(doors) == before + 1


def test_a_repeat_after_the_claim_does_not_turn_the_run_round(doors: Doors) -> None:
    """The standby is another one by then, but the order is not."""
    first = order(GOOD, "k9")
    claimed(doors, first[1]["run"])
    before = waiting(doors, "sb-contoso-we")
    again = order(GOOD, "k9")
    assert again[2] == first[2] and again[1]["to"] == first[1]["to"]
    assert waiting(doors, "sb-contoso-we") == before


def test_a_repeat_after_the_end_is_answered_with_the_run(doors: Doors) -> None:
    _, body, _ = order(GOOD, "k10")
    halt = {"slip": {"run": body["run"], "plan": "contoso"}, "because": "enough"}
    doors.call("halt_run", {**halt, "witness": doors.plan.document["witness"]})
    status, again, headers = order(GOOD, "k10")
    assert (status, again["run"]) == (202, body["run"])
    assert headers["Location"].endswith(body["run"])


def test_a_reserved_run_is_shown_before_its_first_stage(doors: Doors) -> None:
    _, body, _ = order(GOOD, "k11")
    _, run = desk.one_run(body["run"], {})
    assert (run["phase"], run["outcome"], run["to"]) == ("requested", "running", HERE)


def test_a_run_that_ended_elsewhere_is_known_by_the_witness(doors: Doors) -> None:
    _, body, _ = order(GOOD, "k12")
    halt = {"slip": {"run": body["run"], "plan": "contoso"}, "because": "enough"}
    doors.call("halt_run", {**halt, "witness": doors.plan.document["witness"]})
    _, run = desk.one_run(body["run"], {})
    assert (run["phase"], run["outcome"]) == ("halted", "refused")
