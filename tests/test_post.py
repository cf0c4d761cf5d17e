"""Post: a slip survives the loss of either namespace, in order, however often it is tried."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Protocol, cast

import pytest

from activities import health, slip_desk
from shared import clients, outbox, post, slip, undelivered
from shared.reply import Surprise
from tests.doors import HERE, THERE, Doors
from tests.stories import paper

STORE, OWN, ELSEWHERE = "stcontosone", f"outbox/{HERE}.json", f"outbox/{THERE}.json"
NAMESPACES = {HERE: "sb-contoso-ne", THERE: "sb-contoso-we"}
DEAD_BUS = (
    "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true;"
)
SETTINGS = {HERE: "SLIPS", THERE: "SLIPS_WESTEUROPE"}
NUMBERS = count(1)  # A broker drops a message id that it has seen within the hour.


class Killed(BaseException):
    """The process dies here."""


class Closing(Protocol):
    """What of the client's sender is used here."""

    def close(self) -> None: ...


def forget() -> None:
    """Open every door anew at its next use; a sender that is left open would be collected so."""
    for location in SETTINGS:
        for queue in ("slip-verify", "slip-restore", "slip-relay"):
            opened = outbox.handle(location, queue, False).opened
            if opened is not None:
                cast(Closing, opened).close()
    clients.forget()


@contextmanager
def away(*locations: str, noticed: bool = True) -> Iterator[None]:
    """Nobody listens where these namespaces are; `noticed`: nor is anybody asked for a while.

    The client takes seconds to find a closed port closed.
    """
    with pytest.MonkeyPatch.context() as patch:
        for location in locations:
            patch.setenv(SETTINGS[location], DEAD_BUS)
        forget()
        if noticed:
            post.silences().update(dict.fromkeys(locations, time.monotonic() + 60.0))
        yield
        forget()
    clients.forget()


@pytest.fixture(autouse=True)
def fresh(doors: Doors) -> Iterator[None]:
    forget()
    for name in (OWN, ELSEWHERE):
        doors.drop(STORE, "understudy", name)
    yield
    for name in (OWN, ELSEWHERE):
        doors.drop(STORE, "understudy", name)
    forget()


def a_slip(to: str = THERE, **more: object) -> dict:
    source = HERE if to == THERE else THERE
    named = {"run": f"posted-{next(NUMBERS)}", "from": source, "to": to}
    return {**paper("verify"), **named, **more}


def a_restore() -> dict:
    return a_slip(kind="restore", stage="restore", route=[], epoch=None, facts={"backup": "b"})


def held(doors: Doors, location: str, queue: str) -> int:
    counted = doors.wire.run(doors.buses.counts(NAMESPACES[location], queue))
    return counted["messageCount"]


def send(doors: Doors, told: dict) -> str:
    order = {"slip": told, "queue": slip.queue(told), "location": told["to"]}
    return doors.call("send_slip", order)["how"]


def waiting(location: str) -> list[str]:
    return [one["slip"]["run"] for one in post.read(location)["slips"]]


def gone(location: str) -> list[tuple[str, str]]:
    return [(one["id"].split(".")[0], one["how"]) for one in post.read(location)["gone"]]


class Client:
    """The engine: an instance id is one instance. `dies`: right after a start."""

    def __init__(self, away: bool = False, dies: bool = False) -> None:
        self.started: list[str] = []
        self.away, self.dies = away, dies

    async def get_status(self, instance: str) -> SimpleNamespace:
        if self.away:
            raise Exception("storage is away")
        known = SimpleNamespace(value="Running") if instance in self.started else None
        return SimpleNamespace(runtime_status=known)

    async def start_new(self, name: str, instance: str, told: dict) -> None:
        self.started.append(instance)
        if self.dies:
            raise Killed


# --- Refusals ------------------------------------------------------------------------------------


def test_a_full_outbox_is_a_surprise(doors: Doors) -> None:
    entry = {"queue": "q", "slip": {}, "at": datetime.now(UTC).isoformat()}
    slips = [{"id": f"r{n}", **entry} for n in range(undelivered.SLIPS_MAX)]
    full = {**undelivered.EMPTY, "slips": slips}
    doors.lay(STORE, "understudy", OWN, json.dumps(full).encode())
    with away(HERE), pytest.raises(Surprise, match="is full"):
        send(doors, a_slip(HERE))


def test_a_blob_that_is_no_outbox_is_named_and_stops_no_slip(doors: Doors) -> None:
    doors.lay(STORE, "understudy", ELSEWHERE, b"{}")
    with pytest.raises(Surprise, match="is no outbox"):
        post.read(THERE)
    assert send(doors, a_slip()) == "sent"


def test_a_slip_that_is_too_old_is_not_sent_and_people_are_told(doors: Doors) -> None:
    with away(HERE, THERE):
        told = a_slip()
        send(doors, told)
    book = post.read(THERE)
    old = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    aged = {**book, "slips": [{**one, "at": old} for one in book["slips"]]}
    doors.lay(STORE, "understudy", ELSEWHERE, json.dumps(aged).encode())
    before = held(doors, THERE, "slip-verify")
    slip_desk.forward()
    assert (waiting(THERE), held(doors, THERE, "slip-verify")) == ([], before)
    alerts = [json.loads(one["body"]) for one in doors.strangers.heard if "alerts" in one["where"]]
    assert (alerts[-1]["title"], alerts[-1]["run"]) == ("slip not sent", told["run"])
    assert "more than 60 minutes" in alerts[-1]["because"]


def test_an_entry_that_is_no_slip_is_taken_out_and_people_are_told(doors: Doors) -> None:
    entry = {"id": "x.verify", "queue": "slip-verify", "slip": {"run": "x", "plan": "contoso"}}
    book = {**undelivered.EMPTY, "slips": [{**entry, "at": datetime.now(UTC).isoformat()}]}
    doors.lay(STORE, "understudy", OWN, json.dumps(book).encode())
    engine = Client()
    asyncio.run(slip_desk.carry_once(engine))
    assert (engine.started, gone(HERE)) == ([], [("x", "over")])
    assert any("slip not sent" in one["body"] for one in doors.strangers.heard)


# --- The ways ------------------------------------------------------------------------------------


def test_a_slip_goes_to_the_namespace_of_its_location(doors: Doors) -> None:
    before = held(doors, THERE, "slip-verify")
    assert send(doors, a_slip()) == "sent"
    assert held(doors, THERE, "slip-verify") == before + 1


def test_a_slip_for_a_lost_namespace_goes_by_our_own_relay(doors: Doors) -> None:
    told = a_slip()
    with away(THERE):
        assert send(doors, told) == "relayed"
        assert send(doors, told) == "relayed"
    assert held(doors, HERE, "slip-relay") == 1
    doors.empty("slip-relay")


def test_a_relayed_slip_is_taken_by_whichever_stage_it_names() -> None:
    told = json.dumps(a_slip(THERE))
    assert slip.parse(told, None, THERE)["stage"] == "verify"
    with pytest.raises(slip.BadSlip, match="in a queue of"):
        slip.parse(told, None, HERE)


def test_without_either_namespace_a_slip_waits_and_is_sent_when_one_is_back(doors: Doors) -> None:
    told, before = a_slip(), held(doors, THERE, "slip-verify")
    with away(HERE, THERE):
        assert send(doors, told) == "kept"
        slip_desk.forward()
        assert waiting(THERE) == [told["run"]]
    slip_desk.forward()
    assert (waiting(THERE), gone(THERE)) == ([], [(told["run"], "sent")])
    assert held(doors, THERE, "slip-verify") == before + 1


def test_a_slip_that_waits_goes_by_the_relay_where_only_ours_is_back(doors: Doors) -> None:
    told = a_slip()
    with away(HERE, THERE):
        send(doors, told)
    with away(THERE):
        slip_desk.forward()
    assert gone(THERE) == [(told["run"], "relayed")]
    doors.empty("slip-relay")


def test_a_restore_is_not_relayed(doors: Doors) -> None:
    before = held(doors, HERE, "slip-relay")
    with away(THERE):
        assert send(doors, a_restore()) == "kept"
    assert held(doors, HERE, "slip-relay") == before


def test_a_restore_that_waits_holds_no_slip_of_a_run_up(doors: Doors) -> None:
    told = a_slip()
    with away(THERE):
        assert send(doors, a_restore()) == "kept"
        assert send(doors, told) == "relayed"
    doors.empty("slip-relay")


def test_a_slip_of_a_run_is_relayed_past_a_restore_that_waits(doors: Doors) -> None:
    restore, told = a_restore(), a_slip()
    with away(HERE, THERE):
        send(doors, restore)
        send(doors, told)
    with away(THERE):
        slip_desk.forward()
    assert (waiting(THERE), gone(THERE)) == ([restore["run"]], [(told["run"], "relayed")])
    doors.empty("slip-relay")


def test_what_waits_is_not_overtaken(doors: Doors) -> None:
    first, second = a_slip(), a_slip()
    with away(HERE, THERE):
        send(doors, first)
    assert send(doors, second) == "kept"
    slip_desk.forward()
    assert [run for run, _ in gone(THERE)] == [first["run"], second["run"]]


def test_a_namespace_that_was_silent_is_not_asked_again_at_once(
    doors: Doors, caplog: pytest.LogCaptureFixture
) -> None:
    with away(HERE, noticed=False):
        send(doors, a_slip(HERE))
        doors.drop(STORE, "understudy", OWN)
        send(doors, a_slip(HERE))
    assert "its namespace was silent" in caplog.text


def test_health_warns_of_slips_that_wait(doors: Doors) -> None:
    told = a_slip()
    post.keep(THERE, slip.queue(told), told)
    checks = {one["name"]: one for one in health.check_location([], 4)["checks"]}
    assert checks["outbox"]["status"] == "warning"
    assert checks["outbox"]["because"] == f"slips wait: 1 for {THERE}"


# --- Without a namespace of one's own ------------------------------------------------------------


def test_a_run_goes_on_without_its_namespace(doors: Doors) -> None:
    told, engine = a_slip(HERE), Client()
    with away(HERE):
        send(doors, told)
        assert asyncio.run(slip_desk.carry_once(engine))
    assert engine.started == [slip.instance_id(told)]
    assert (waiting(HERE), gone(HERE)) == ([], [(told["run"], "started")])


def test_while_nothing_can_be_started_a_slip_waits(doors: Doors) -> None:
    told = a_slip(HERE)
    with away(HERE):
        send(doors, told)
    assert not asyncio.run(slip_desk.carry_once(Client(away=True)))
    assert waiting(HERE) == [told["run"]]


def test_an_empty_outbox_is_looked_at_once(doors: Doors) -> None:
    engine = Client()
    asyncio.run(asyncio.wait_for(slip_desk.carry(engine), slip_desk.LOOK_SECONDS))
    assert engine.started == []


# --- Killed between any two steps ----------------------------------------------------------------
