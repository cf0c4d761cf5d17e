"""The loop: read every socket, act, commit once, then write. One thread owns all of it.

Other threads (the admin server) hand work in by `call` and wait for its result.
"""

import queue as mailbox
import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from rehearsal.servicebus.broker import Broker
from rehearsal.servicebus.connection import Wire
from rehearsal.servicebus.hub import Hub
from rehearsal.servicebus.store import Store

READ_BYTES = 1 << 18
UNSENT_MAX_BYTES = 8 << 20  # A client that does not read gets no more until it does.
TURN_SECONDS_MAX = 1.0
CALL_SECONDS_MAX = 10.0
CALLS_MAX = 100
BACKLOG = 128
# A thread of the client that waits for an answer which another of its threads has read already
# holds the socket for 0.2 s, and nobody writes meanwhile. An empty frame, which AMQP allows at any
# time, lets it go; without, a process renews some five locks a second.
EMPTY_FRAME = bytes((0, 0, 0, 8, 2, 0, 0, 0))
NUDGES = 30
NUDGE_SECONDS = 0.01


class Client:
    """One socket with its AMQP engine and what could not be written to it yet."""

    def __init__(self, sock: socket.socket, hub: Hub) -> None:
        self.sock, self.wire = sock, Wire(hub)
        self.unsent = bytearray()
        self.stuck = False  # Does it wait until the socket takes more?
        self.nudges, self.nudge_at = 0, 0.0
        self.gone = False

    def read(self) -> None:
        try:
            data = self.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.wire.feed(data)
        else:
            self.gone = True

    def write(self) -> None:
        """Send what the turn produced; what does not fit waits for the socket."""
        if len(self.unsent) < UNSENT_MAX_BYTES:
            self.unsent += self.wire.pull()
        self._nudge()
        try:
            while self.unsent:  # Bounded: each turn sends, or raises.
                del self.unsent[: self.sock.send(self.unsent[:READ_BYTES])]
        except BlockingIOError:
            return
        except OSError:
            self.gone = True

    def _nudge(self) -> None:
        """After an answer to a request: empty frames, a few times, while nothing else is sent."""
        now = time.monotonic()
        if self.wire.answered:
            self.wire.answered = False
            self.nudges, self.nudge_at = NUDGES, now + NUDGE_SECONDS
        elif self.nudges and now >= self.nudge_at and not self.unsent:
            self.unsent += EMPTY_FRAME
            self.nudges, self.nudge_at = self.nudges - 1, now + NUDGE_SECONDS


class Server:
    """A namespace on a port of 127.0.0.1."""

    def __init__(
        self, database: Path, port: int = 0, clock: Callable[[], float] = time.time
    ) -> None:
        self.store = Store(database)
        self.hub = Hub(Broker(self.store), clock)
        self.listener = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
        self.port: int = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.bell, self.ringer = socket.socketpair()
        for sock in (self.listener, self.bell):
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ)
        self.ringer.setblocking(False)
        self.calls: mailbox.Queue[tuple[Callable[[], object], Future]] = mailbox.Queue(CALLS_MAX)
        self.clients: dict[socket.socket, Client] = {}
        self.ticked_at = 0.0
        self.stopping = False

    # -- from other threads

    def call(self, work: Callable[[], object]) -> object:
        """Have the loop's thread do something and commit it; its result, or what it raised."""
        future: Future = Future()
        self.calls.put((work, future), timeout=CALL_SECONDS_MAX)
        self._ring()
        return future.result(timeout=CALL_SECONDS_MAX)

    def stop(self) -> None:
        self.stopping = True
        self._ring()

    def _ring(self) -> None:
        try:
            self.ringer.send(b"!")
        except BlockingIOError:  # The bell rings already.
            return

    # -- the loop

    def run(self) -> None:
        """Serve until `stop`."""
        while not self.stopping:
            self.turn()
        for client in list(self.clients.values()):
            self._close(client)
        for sock in (self.listener, self.bell, self.ringer):
            sock.close()
        self.selector.close()
        self.store.close()

    def turn(self) -> None:
        for key, mask in self.selector.select(self._patience_seconds()):
            sock = key.fileobj
            if sock is self.listener:
                self._accept()
            elif sock is self.bell:
                self.bell.recv(READ_BYTES)
            elif isinstance(sock, socket.socket) and mask & selectors.EVENT_READ:
                self.clients[sock].read()
        done = self._answer_calls()
        self.hub.turn()
        self.store.commit()
        for future, result in done:  # Like any acknowledgement: only after the commit.
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
        self._tick()
        for client in list(self.clients.values()):
            self._finish(client)

    def _tick(self) -> None:
        """Let each connection's own timers run, once a second: its heartbeats ask for no more."""
        now = self.hub.clock()
        if now - self.ticked_at >= TURN_SECONDS_MAX:
            self.ticked_at = now
            for client in self.clients.values():
                client.wire.transport.tick(now)

    def _patience_seconds(self) -> float:
        due, now = self.hub.due(), time.monotonic()
        waits = [client.nudge_at - now for client in self.clients.values() if client.nudges]
        if due is not None:
            waits.append(due - self.hub.clock())
        return min([TURN_SECONDS_MAX, *(max(0.0, wait) for wait in waits)])

    def _accept(self) -> None:
        sock, _ = self.listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.clients[sock] = Client(sock, self.hub)
        self.selector.register(sock, selectors.EVENT_READ)

    def _answer_calls(self) -> list[tuple[Future, object]]:
        done = []
        for _ in range(self.calls.qsize()):
            work, future = self.calls.get_nowait()
            try:
                done.append((future, work()))
            except Exception as raised:  # Whatever it is, it belongs to the caller.
                done.append((future, raised))
        return done

    def _finish(self, client: Client) -> None:
        if not client.wire.cut:
            client.write()
        if client.gone or client.wire.cut or (client.wire.over and not client.unsent):
            return self._close(client)
        if client.stuck != bool(client.unsent):
            client.stuck = bool(client.unsent)
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.stuck else 0)
            self.selector.modify(client.sock, events)
        return None

    def _close(self, client: Client) -> None:
        client.wire.hang_up()
        self.selector.unregister(client.sock)
        del self.clients[client.sock]
        client.sock.close()
