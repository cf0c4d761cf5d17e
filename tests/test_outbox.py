"""Outbox: a namespace that takes connections and says nothing holds nobody up."""

import gc
import socket
import threading
import time
from collections.abc import Iterator
from typing import cast

import pytest
from azure.servicebus import ServiceBusSender

from shared import clients, outbox
from shared.reply import Surprise
from tests.doors import HERE, THERE, Doors

# The client leaves the sockets of what was given up to the collector, whenever that comes.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
BOUND_SECONDS = 0.5


@pytest.fixture
def silent(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The other location's namespace takes every connection and never says a word."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def accept() -> None:
            while True:
                try:
                    taken.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        key = "SharedAccessKeyName=a;SharedAccessKey=c2VjcmV0;UseDevelopmentEmulator=true"
        monkeypatch.setenv("SLIPS_WESTEUROPE", f"Endpoint=sb://127.0.0.1:{port};{key}")
        monkeypatch.setattr(outbox, "SEND_SECONDS", BOUND_SECONDS / 2)
        monkeypatch.setattr(outbox, "OPEN_SECONDS", BOUND_SECONDS / 2)
        clients.forget()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        for one in taken:
            one.close()
    monkeypatch.undo()
    clients.forget()
    forget_sockets()


def forget_sockets() -> None:
    """Wait for the uses that were left behind, and let the collector close what they opened."""
    for _ in range(500):
        if not [one for one in threading.enumerate() if one.name == "within"]:
            break
        time.sleep(0.02)
    gc.collect()


def test_a_send_to_a_silent_namespace_ends_in_time_and_the_next_one_too(silent: None) -> None:
    started = time.monotonic()
    for number in range(2):
        with pytest.raises(Surprise, match=f"slip-claim in {THERE}: no answer") as told:
            outbox.send(THERE, "slip-claim", "{}", f"m{number}")
        assert "c2VjcmV0" not in str(told.value)
    assert time.monotonic() - started < 40 * BOUND_SECONDS


def test_a_handle_that_is_in_use_for_too_long_is_not_waited_for(silent: None) -> None:
    held = outbox.handle(THERE, "slip-fence", False)
    with held.lock, pytest.raises(Surprise, match="still busy"):
        outbox.send(THERE, "slip-fence", "{}", "m")


def test_what_was_opened_is_closed_when_the_clients_are_forgotten(doors: Doors) -> None:
    """The client knows its senders only weakly: the handle is to close what it has opened."""
    clients.forget()
    outbox.send(HERE, "slip-claim", "{}", "forgotten")
    sender = cast(ServiceBusSender, outbox.handle(HERE, "slip-claim", False).opened)
    clients.bus(HERE)._handlers.discard(sender)
    clients.forget()
    with pytest.raises(ValueError, match="shutdown"):
        sender.send_messages([])
    doors.empty("slip-claim")
