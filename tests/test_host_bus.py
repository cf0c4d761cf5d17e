"""The host's Service Bus listener against the rehearsal's player, both as processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from tests.host_process import ROOT, HostProcess, wait_for

QUEUE = "slip-test"


class Bus:
    """A player in a process of its own, on one port for all its lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts: dict = {}
        self.process: subprocess.Popen | None = None

    def start(self) -> Bus:
        """Start, and put the queue there."""
        ready = self.folder / "bus.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "rehearsal.servicebus", "--namespace", "tests"]
        command += ["--db", str(self.folder / "bus.db"), "--ready-file", str(ready)]
        command += ["--port", str(self.facts.get("amqp", 0))]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        wait_for(ready.exists)
        self.facts = json.loads(ready.read_text())
        requests.put(f"{self.facts['admin']}/queues/{QUEUE}", json={}, timeout=5)
        return self

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal and wait."""
        assert self.process
        self.process.send_signal(number)
        self.process.wait(timeout=10)

    @property
    def connection(self) -> str:
        """The connection string."""
        return self.facts["connectionString"]

    def send(self, *bodies: str, message_id: str | None = None) -> float:
        """Send messages; the time of sending."""
        client = ServiceBusClient.from_connection_string(self.connection)
        with client, client.get_queue_sender(QUEUE) as sender:
            # Opens the link before the clock starts.
            sender.create_message_batch()
            sent = time.time()
            properties: dict = {"kind": "test"}
            for body in bodies:
                message = ServiceBusMessage(
                    body, message_id=message_id, application_properties=properties
                )
                sender.send_messages(message)
        return sent


class Notes:
    """What the test app has written down."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, body: str) -> list[dict]:
        """The arrivals of messages with this body."""
        if not self.path.exists():
            return []
        lines = [json.loads(each) for each in self.path.read_text().splitlines()]
        return [each for each in lines if each["body"] == body]

    def wait(self, body: str, count: int = 1) -> list[dict]:
        """Those arrivals once there are so many."""
        wait_for(lambda: len(self.of(body)) >= count)
        return self.of(body)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for both processes."""
    return tmp_path_factory.mktemp("bus")


@pytest.fixture(scope="module")
def bus(folder: Path) -> Iterator[Bus]:
    """A running player."""
    running = Bus(folder).start()
    yield running
    running.end()


@pytest.fixture(scope="module")
def notes(folder: Path, bus: Bus) -> Iterator[Notes]:
    """A host that listens, and what it notes."""
    settings = {"SLIPS": bus.connection, "QUEUE": QUEUE, "NOTES": str(folder / "notes")}
    host = HostProcess(folder, "bus", settings).start()
    wait_for(lambda: '"listening"' in host.log.read_text())
    yield Notes(folder / "notes")
    host.end()


def test_a_message_whose_function_raises_comes_again(bus: Bus, notes: Notes) -> None:
    """Abandoned at once, with a delivery count that grows; the third time it is completed."""
    bus.send("bad")
    assert [each["deliveryCount"] for each in notes.wait("bad", 3)] == [1, 2, 3]


def test_a_message_arrives_with_its_metadata(bus: Bus, notes: Notes) -> None:
    """Id, count, properties, time."""
    bus.send("plain", message_id="id-1")
    found = notes.wait("plain")[0]
    facts = (found["messageId"], found["deliveryCount"], found["properties"])
    assert facts == ("id-1", 1, {"kind": "test"}) and "20" in found["enqueued"]


def test_messages_are_handled_side_by_side(bus: Bus, notes: Notes) -> None:
    """None of the four is done before it has seen all of them."""
    bus.send("slow", "slow", "slow", "slow")
    assert [each["count"] for each in notes.wait("met", 4)] == [4, 4, 4, 4]


def test_a_hop_is_quick(bus: Bus, notes: Notes) -> None:
    """From the send to the function; nobody looks from time to time: the median of five says so.

    A few milliseconds where nothing else runs; the limit is a busy machine's.
    """
    hops = []
    for number in range(5):
        sent = bus.send(f"hop {number}")
        hops.append(notes.wait(f"hop {number}")[0]["at"] - sent)
    assert sorted(hops)[2] < 0.4, hops


def test_a_listener_comes_back_after_the_bus(bus: Bus, notes: Notes) -> None:
    """The player is killed and started again; what is sent then arrives."""
    bus.end(signal.SIGKILL)
    time.sleep(1)
    bus.start()
    bus.send("after")
    assert len(notes.wait("after")) == 1
