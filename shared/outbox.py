"""Outbox: messages to the slip queues, over handles that are opened once.

Opening a sender or a receiver costs half a second inside the client, and a handle must not be used
by two threads at once: so each is kept, with a lock, and thrown away when it has failed.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from shared import clients
from shared.reply import Surprise

T = TypeVar("T")
SEND_SECONDS = 10.0
PEEK_SECONDS = 3.0


@dataclass
class Handle:
    """One open sender or receiver of a queue."""

    location: str
    queue: str
    receives: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    opened: object = None

    def use(self, work: Callable[..., T]) -> T:
        """Do `work` with the handle, opened if need be; a failure closes it for the next to open.

        Raises Surprise with the client's words.
        """
        from azure.servicebus.exceptions import ServiceBusError

        with self.lock:
            try:
                if self.opened is None:
                    self.opened = self._open()
                return work(self.opened)
            except (ServiceBusError, OSError, ValueError) as error:
                self._drop()
                raise Surprise(f"{self.queue} in {self.location}: {error}") from error

    def _open(self) -> object:
        client = clients.bus(self.location)
        if self.receives:
            return client.get_queue_receiver(self.queue, prefetch_count=0)
        return client.get_queue_sender(self.queue)

    def _drop(self) -> None:
        """Forget a handle that failed. It is not closed: closing waits for a peer that is gone."""
        self.opened = None


@clients.once
def handle(location: str, queue: str, receives: bool) -> Handle:
    """The process's one handle of this kind."""
    return Handle(location, queue, receives)


def send(location: str, queue: str, body: str, message_id: str) -> None:
    """Send one JSON message; returns when the namespace has stored it."""
    from azure.servicebus import ServiceBusMessage

    message = ServiceBusMessage(body, message_id=message_id, content_type="application/json")
    handle(location, queue, False).use(
        lambda sender: sender.send_messages(message, timeout=SEND_SECONDS)
    )


def peek(location: str, queue: str) -> int:
    """How many messages one look at the queue shows (0 or 1); proves that it answers."""
    seen = handle(location, queue, True).use(
        lambda receiver: receiver.peek_messages(max_message_count=1, timeout=PEEK_SECONDS)
    )
    return len(seen)
