"""Outbox: messages to the slip queues, over handles that are opened once.

Opening a sender or a receiver costs half a second inside the client, and a handle must not be used
by two threads at once: so each is kept, with a lock, and thrown away when it has failed. The client
waits without end for a peer that takes its connection and says nothing: so a use that takes too
long is left behind with its handle.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from shared import clients, probe
from shared.reply import Surprise, Unreachable

T = TypeVar("T")
SEND_SECONDS = 10.0
PEEK_SECONDS = 3.0
OPEN_SECONDS = 5.0  # Connecting, and the first token.
HANGING_MAX = 10  # Per handle: TCP's keep-alive ends the silent ones after some minutes.


@dataclass
class Handle:
    """One open sender or receiver of a queue."""

    location: str
    queue: str
    receives: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    hanging: threading.Semaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(HANGING_MAX)
    )
    opened: object = None

    def use(self, work: Callable[..., T], seconds: float) -> T:
        """Do `work` with the handle, opened if need be; a failure closes it for the next to open.

        Raises Surprise with the client's words, or when it takes more than `seconds`, and as many
        again while another thread uses the handle.
        """
        from azure.servicebus.exceptions import ServiceBusError

        where = f"{self.queue} in {self.location}"
        if not self.lock.acquire(timeout=seconds):
            raise Surprise(f"{where}: still busy with an earlier call")
        try:
            self.opened, result = probe.within(seconds, self._task(work), self.hanging)
            return result
        except (ServiceBusError, OSError, ValueError, Unreachable) as error:
            self._drop()
            raise Surprise(f"{where}: {error}") from error
        finally:
            self.lock.release()

    def close(self) -> None:
        """Close what is open. Its client knows it only for as long as this handle is kept."""
        close, self.opened = getattr(self.opened, "close", None), None
        if close:
            close()

    def _task(self, work: Callable[..., T]) -> Callable[[], tuple[object, T]]:
        known = self.opened

        def task() -> tuple[object, T]:
            opened = known if known is not None else self._open()
            return opened, work(opened)

        return task

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


def send(
    location: str, queue: str, body: str, message_id: str, within: float | None = None
) -> None:
    """Send one JSON message; returns when the namespace has stored it.

    `within`: seconds, where there is another way for it; else as long as a namespace may take.
    """
    from azure.servicebus import ServiceBusMessage

    message = ServiceBusMessage(body, message_id=message_id, content_type="application/json")
    handle(location, queue, False).use(
        lambda sender: sender.send_messages(message, timeout=SEND_SECONDS),
        within or SEND_SECONDS + OPEN_SECONDS,
    )


def peek(location: str, queue: str) -> int:
    """How many messages one look at the queue shows (0 or 1); proves that it answers."""
    seen = handle(location, queue, True).use(
        lambda receiver: receiver.peek_messages(max_message_count=1, timeout=PEEK_SECONDS),
        PEEK_SECONDS + OPEN_SECONDS,
    )
    return len(seen)
