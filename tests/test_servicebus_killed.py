"""The player is killed under load; what it had acknowledged is there when it comes back."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusReceiveMode
from azure.servicebus.exceptions import ServiceBusError

from rehearsal.servicebus.bench import make_queue, running_player

# The client leaves the sockets of connections that were cut to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed <socket:ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture(autouse=True)
def sockets_collected() -> Iterator[None]:
    """Collect what the client left behind here, where the filters above hold."""
    yield
    gc.collect()


def kill_rounds(folder: Path, rounds: int) -> tuple[set[str], set[str]]:
    """Send until the player is killed, again and again; what was acknowledged, what is there."""
    acknowledged: set[str] = set()
    for number in range(rounds):
        with running_player(folder) as facts:
            make_queue(facts, "load")
            kill = Timer(0.2 + 0.1 * number, os.kill, (facts["pid"], signal.SIGKILL))
            acknowledged |= send_until_cut(facts["connectionString"], str(number), kill)
            kill.join()
    with running_player(folder) as facts:
        return acknowledged, received_all(facts["connectionString"])


def send_until_cut(connection: str, prefix: str, kill: Timer) -> set[str]:
    """Send small batches until the player is gone; the bodies that it acknowledged.

    `kill` is started with the first of them, so that the death comes under load.
    """
    sent: set[str] = set()
    with (
        ServiceBusClient.from_connection_string(connection, retry_total=0) as client,
        client.get_queue_sender("load") as sender,
    ):
        for number in range(100_000):
            bodies = [f"{prefix}.{number}.{place}" for place in range(5)]
            try:
                sender.send_messages([ServiceBusMessage(body) for body in bodies])
            except ServiceBusError:
                break
            sent.update(bodies)
            if number == 0:
                kill.start()
    return sent


def received_all(connection: str) -> set[str]:
    found: set[str] = set()
    mode = ServiceBusReceiveMode.RECEIVE_AND_DELETE
    with (
        ServiceBusClient.from_connection_string(connection) as client,
        client.get_queue_receiver("load", receive_mode=mode) as receiver,
    ):
        for _ in range(100_000):
            got = receiver.receive_messages(500, max_wait_time=1)
            found.update(str(message) for message in got)
            if not got:
                break
    return found


@pytest.mark.parametrize("rounds", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_nothing_that_was_acknowledged_is_lost_when_the_player_is_killed(
    tmp_path: Path, rounds: int
) -> None:
    acknowledged, found = kill_rounds(tmp_path, rounds)
    assert acknowledged and acknowledged <= found
