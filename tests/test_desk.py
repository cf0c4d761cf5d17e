"""What the desk answers over Contoso: who is refused and why, and what an order leaves behind."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Protocol, cast

import pytest

from activities import desk, desk_orders, readiness
from shared import clients, outbox, store, undelivered
from shared.problem import Problem
from tests.doors import HERE, THERE, Doors
from tests.papers import paper_of

WITNESS, STORE, RECORD = "stcontosowitness", "stcontosone", "contoso.json"
PLAN, OUTBOX = "plans/contoso.yaml", f"outbox/{HERE}.json"
GOOD = {"mode": "forced", "reason": "the region is lost"}
DEAD_BUS = (
    "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true;"
)


@pytest.fixture(autouse=True)
def fresh(doors: Doors) -> Iterator[None]:
    """Every test finds the good plan alone, no record and no watch state."""
    doors.drop(WITNESS, "understudy", RECORD)
    doors.drop(STORE, "understudy", "watch/contoso.json")
    doors.drop(STORE, "understudy", OUTBOX)
    yield
    doors.drop(STORE, "understudy", OUTBOX)
    doors.lay(STORE, "understudy", PLAN, doors.plan_text.encode())
    doors.drop(STORE, "understudy", "plans/broken.yaml")


def forget() -> None:
    """Open every door anew at its next use; a sender that is left open would be collected so."""
    opened = outbox.handle(HERE, "slip-claim", False).opened
    if opened is not None:
        cast("Closing", opened).close()
    clients.forget()


class Closing(Protocol):
    """What of the client's sender is used here."""

    def close(self) -> None: ...


@pytest.fixture(autouse=True, scope="module")
def drained(opened: Doors) -> Iterator[None]:
    """Afterwards the queue of the first stage is as empty as before."""
    yield
    with opened.led():
        with clients.bus(HERE).get_queue_receiver(
            "slip-claim", receive_mode="receiveanddelete"
        ) as receiver:
            receiver.receive_messages(max_message_count=100, max_wait_time=0.2)
        forget()


def waiting(doors: Doors, namespace: str = "sb-contoso-ne") -> int:
    return doors.wire.run(doors.buses.counts(namespace, "slip-claim"))["messageCount"]


def order(body: object, key: str | None = None, plan: str = "contoso") -> tuple:
    return desk_orders.order_failover(plan, json.dumps(body).encode(), key)


def refused(work: Callable[[], object]) -> dict:
    """The problem that `work` ends in."""
    with pytest.raises(Problem) as no:
        work()
    return no.value.body


def claimed(doors: Doors, run: str) -> None:
    """Carry a reserved run over its claim, as its first stage does."""
    witness = doors.plan.document["witness"]
    asked = {"plan": "contoso", "witness": witness}
    known = doors.call("read_witness", asked)["record"]["run"]
    paper = paper_of(doors, run, target=known["to"])
    told = doors.call("claim_epoch", {"slip": paper, "witness": witness})
    assert told["status"] == "succeeded", told["because"]


def watch_state(at: datetime) -> dict:
    """What a watchdog wrote at that moment."""
    return {
        "plan": "contoso",
        "location": HERE,
        "watches": THERE,
        "verdict": {"state": "healthy", "because": "4 of 4 answer", "since": at.isoformat()},
        "at": at.isoformat(),
        "observations": [],
        "controls": [],
        "refusal": "",
    }


@pytest.fixture
def without_witness(doors: Doors) -> Iterator[None]:
    """The witness's name resolves to nothing."""
    host = f"{WITNESS}.blob.core.windows.net"
    address = doors.world.hosts.pop(host)
    forget()  # An open connection needs no name.
    yield
    doors.world.hosts[host] = address
    forget()


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


@pytest.mark.parametrize("name", ["nobody", "UPPER", "x", "../contoso", "a" * 41])
def test_a_plan_that_is_not_there_is_404(doors: Doors, name: str) -> None:
    assert refused(lambda: desk.one_plan(name))["status"] == 404


def test_a_plan_that_was_never_good_is_404_with_every_error(doors: Doors) -> None:
    doors.lay(STORE, "understudy", "plans/broken.yaml", b"name: broken\nhome: nowhere\nx: 1\n")
    assert len(refused(lambda: desk.one_plan("broken"))["errors"]) > 2


def test_a_plan_that_was_never_good_hides_no_other(doors: Doors) -> None:
    doors.lay(STORE, "understudy", "plans/broken.yaml", b"name: broken\n")
    _, body = desk.every_plan()
    shown = {plan["name"]: plan for plan in body["plans"]}
    assert shown["contoso"]["active"] == THERE
    assert "plan broken is bad" in shown["broken"]["warnings"][0]


def test_a_wrong_body_is_400_with_every_error(doors: Doors) -> None:
    body = refused(lambda: order({"mode": "maybe", "surprise": 1}))
    assert body["status"] == 400
    assert [error.split(":")[0] for error in body["errors"]] == ["mode", "reason", "surprise"]


def test_a_wrong_body_is_400_also_without_the_witness(without_witness: None) -> None:
    assert refused(lambda: order({"mode": "forced"}))["status"] == 400


def test_without_the_witness_nobody_moves_a_plan(without_witness: None) -> None:
    body = refused(lambda: order(GOOD, "k1"))
    assert (body["status"], body["title"]) == (503, "Out of reach")


@pytest.fixture
def full_outbox(doors: Doors, without_bus: Callable[[], None]) -> None:
    """Nor can a slip be written down."""
    entry = {"queue": "slip-fence", "slip": {}, "at": datetime.now(UTC).isoformat()}
    slips = [{"id": f"r{n}", **entry} for n in range(undelivered.SLIPS_MAX)]
    book = {**undelivered.EMPTY, "slips": slips}
    doors.lay(STORE, "understudy", OUTBOX, json.dumps(book).encode())


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


def test_an_unknown_run_is_404(doors: Doors) -> None:
    assert refused(lambda: desk.one_run("contoso-none", {}))["status"] == 404


@pytest.mark.slow
def test_a_run_that_only_a_silent_witness_may_know_is_503(without_witness: None) -> None:
    assert refused(lambda: desk.one_run("contoso-none", {}))["status"] == 503


def test_backups_that_cannot_be_listed_are_no_empty_list(doors: Doors) -> None:
    text = doors.plan_text.replace("container: apim-backups", "container: nowhere")
    doors.lay(STORE, "understudy", PLAN, text.encode())
    body = refused(lambda: desk.every_backup("contoso"))
    assert (body["status"], "create the container" in body["detail"]) == (503, True)


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


def test_a_plan_is_shown_with_what_a_failover_takes(doors: Doors) -> None:
    _, plan = desk.one_plan("contoso")
    assert plan["forecast"]["rtoSeconds"] == pytest.approx(sum(plan["forecast"]["parts"].values()))
    assert (plan["readiness"]["ready"], plan["protected"]) == (False, False)
    readiness.forget()


def test_a_plan_at_rest_has_no_warnings(doors: Doors) -> None:
    _, plan = desk.one_plan("contoso")
    assert (plan["active"], plan["phase"], plan["warnings"]) == (THERE, "steady", [])


def test_a_fresh_verdict_is_not_stale(doors: Doors) -> None:
    store.write_watch(watch_state(datetime.now(UTC)))
    _, plan = desk.one_plan("contoso")
    assert (plan["verdict"]["state"], plan["verdict"]["stale"]) == ("healthy", False)


def test_a_verdict_of_a_silent_watchdog_is_called_old(doors: Doors) -> None:
    store.write_watch(watch_state(datetime.now(UTC) - timedelta(minutes=2)))
    _, plan = desk.one_plan("contoso")
    assert plan["verdict"]["stale"] is True
    assert "silent since" in plan["warnings"][0]


def test_a_watch_state_of_another_version_is_told_and_left_out(doors: Doors) -> None:
    state = watch_state(datetime.now(UTC))
    del state["refusal"]
    store.write_watch(state)
    _, plan = desk.one_plan("contoso")
    assert plan["verdict"] is None
    assert "refusal" in plan["warnings"][0]


def test_a_plan_is_shown_without_its_witness_and_says_so(without_witness: None) -> None:
    _, plan = desk.one_plan("contoso")
    assert plan["active"] is None
    assert plan["warnings"][0].startswith("witness: ")


def test_a_bad_new_plan_is_told_beside_the_last_good_one(doors: Doors) -> None:
    desk.one_plan("contoso")
    doors.lay(STORE, "understudy", PLAN, b"name: contoso\nhome: nowhere\n")
    _, plan = desk.one_plan("contoso")
    assert plan["home"] == THERE
    assert plan["warnings"][0].startswith("bad new plan: ")


def test_the_age_of_the_last_proven_backup_is_shown(doors: Doors) -> None:
    made = datetime.now(UTC) - timedelta(hours=1)
    name = f"contoso-{made:%Y%m%dT%H%M%SZ}-aaaaaaaa"
    manifest = {
        "name": name,
        "plan": "contoso",
        "service": doors.plan.component("gateway", THERE)["resource"],
        "sku": "Standard",
        "fingerprint": "a" * 64,
        "apiVersion": "2024-05-01",
        "startedAt": made.isoformat(),
        "completedAt": made.isoformat(),
        "bytes": 1,
        "provenAt": made.isoformat(),
        "provenBecause": "compared",
    }
    doors.lay(STORE, "apim-backups", f"{name}.json", json.dumps(manifest).encode())
    _, plan = desk.one_plan("contoso")
    _, listed = desk.every_backup("contoso")
    doors.drop(STORE, "apim-backups", f"{name}.json")
    assert plan["backup"]["ageSeconds"] == pytest.approx(3600, abs=60)
    assert [row["name"] for row in listed["backups"]] == [name]
