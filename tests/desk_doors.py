"""Contoso as the desk's tests want it: a plan, no record, and what people order there."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol, cast

import pytest

from activities import desk_orders
from shared import clients, outbox
from shared.problem import Problem
from tests.doors import HERE, THERE, Doors
from tests.papers import paper_of

WITNESS, STORE, RECORD = "stcontosowitness", "stcontosone", "contoso.json"
PLAN, OUTBOX = "plans/contoso.yaml", f"outbox/{HERE}.json"
GOOD = {"mode": "forced", "reason": "the region is lost"}


@pytest.fixture(autouse=True)
def fresh(doors: Doors) -> Iterator[None]:
    """The good plan alone, no record and no watch state; afterwards as well."""
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


@pytest.fixture
def without_witness(doors: Doors) -> Iterator[None]:
    """The witness's name resolves to nothing."""
    host = f"{WITNESS}.blob.core.windows.net"
    address = doors.world.hosts.pop(host)
    forget()  # An open connection needs no name.
    yield
    doors.world.hosts[host] = address
    forget()


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
