"""Probe: a bound that nothing can stretch, and no secret in what is told."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from activities import hook, observers
from shared import probe
from shared.reply import Unreachable

SECONDS = 0.4


@contextmanager
def trickle() -> Iterator[str]:
    """A server whose headers come byte by byte and never end; its address."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            taken, _ = listener.accept()
            with taken:
                taken.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not over.wait(0.05):
                    taken.sendall(b"x")

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        over.set()
        server.join(5)


def test_a_server_that_trickles_its_headers_cannot_hold_a_probe() -> None:
    with trickle() as url:
        started = time.monotonic()
        with pytest.raises(Unreachable, match=r"no answer within 0\.4 s"):
            probe.call("GET", url, SECONDS)
        assert time.monotonic() - started < 20 * SECONDS


def test_an_observer_that_hangs_in_whatever_it_does_ends_in_time() -> None:
    hang = threading.Event()
    started = time.monotonic()
    seen = observers._observed({"timeoutSeconds": 0.1}, "lease", lambda: (hang.wait(60), "", {}))
    hang.set()
    assert seen["observation"]["ok"] is False and time.monotonic() - started < 20


def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(KeyError, match="mine"):
        probe.within(1, lambda: {}["mine"])


def test_a_timeout_of_the_work_itself_is_not_taken_for_ours() -> None:
    def late() -> None:
        raise TimeoutError("of the work")

    with pytest.raises(TimeoutError, match="of the work"):
        probe.within(1, late)


def test_too_many_calls_that_hang_are_refused_and_forgotten_when_they_end() -> None:
    hang = threading.Event()
    for _ in range(probe.HANGING_MAX):
        with pytest.raises(Unreachable):
            probe.within(0, lambda: hang.wait(30))
    with pytest.raises(Unreachable, match="hang still"):
        probe.within(1, lambda: None)
    hang.set()
    for _ in range(1000):
        time.sleep(0.02)
        if not [one for one in threading.enumerate() if one.name == "within"]:
            break
    assert probe.within(1, lambda: "free") == "free"


def test_what_is_told_of_a_url_has_no_key_in_it() -> None:
    url = "https://me:pass@prod.example.net/workflows/w/invoke?api-version=1&sig=SECRET#x"
    assert probe.shown(url) == "https://prod.example.net/workflows/w/invoke"


def test_a_hook_that_cannot_be_reached_tells_no_signature() -> None:
    part = {"url": "http://127.0.0.1:1/hook?sig=SECRET"}
    outcome = hook.call_hook({"component": part})
    assert outcome["status"] == "refused" and "SECRET" not in str(outcome)
