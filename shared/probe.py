"""Probe: call an address as a stranger would, within a bound that nothing can stretch.

Every probe opens its own connection: one that is kept alive can go on working after a region has
become unreachable for everybody else.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar
from urllib.parse import urlsplit

from shared.reply import Reply, Unreachable, read

T = TypeVar("T")
BYTES_MAX = 256 * 1024
CHUNK_BYTES = 8192
HANGING_MAX = 100  # Calls that were given up and have not ended yet: each is a thread.
_HANGING = threading.BoundedSemaphore(HANGING_MAX)


def call(
    method: str, url: str, seconds: float, *, bearer: str = "", body: dict | None = None
) -> Reply:
    """One request, not redirected and not repeated; raises Unreachable after `seconds`."""
    return within(seconds, lambda: _call(method, url, seconds, bearer, body))


def within(seconds: float, work: Callable[[], T], hanging: threading.Semaphore = _HANGING) -> T:
    """What `work` gives, or Unreachable after `seconds`, whatever it hangs in.

    Name resolution has no bound of its own, and a server that trickles its headers stretches
    every bound between two bytes: so the work is left behind in a thread of its own. `hanging`
    bounds how many may be; whoever calls something that hangs for good brings their own.
    """
    if not hanging.acquire(blocking=False):
        raise Unreachable("too many earlier calls hang still")
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        # Handed to whoever waits, as it is.
        except BaseException as raised:
            future.set_exception(raised)
        finally:
            hanging.release()

    threading.Thread(target=run, name="within", daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except TimeoutError as late:
        if future.done():
            raise
        raise Unreachable(f"no answer within {seconds:g} s") from late


def shown(url: str) -> str:
    """A URL as it may be written down: without user and query, where keys and signatures are."""
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc.rpartition('@')[2]}{split.path}"


def _call(method: str, url: str, seconds: float, bearer: str, body: dict | None) -> Reply:
    import requests

    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    until = time.monotonic() + seconds
    try:
        with requests.request(
            method,
            url,
            headers={"User-Agent": "understudy", **headers},
            json=body,
            timeout=(seconds, seconds),
            allow_redirects=False,
            stream=True,
        ) as answered:
            text = _text(answered, until)
            return read(answered.status_code, answered.headers, text)
    except requests.Timeout as error:
        raise Unreachable(f"no answer within {seconds:g} s") from error
    except requests.RequestException as error:
        raise Unreachable(f"unreachable: {type(error).__name__}") from error


def _text(answered, until: float) -> str:
    """The body, bounded in bytes and in time: a server that trickles cannot hold a probe."""
    got = b""
    for chunk in answered.iter_content(CHUNK_BYTES):
        got += chunk
        if len(got) > BYTES_MAX or time.monotonic() > until:
            break
    return got.decode(errors="replace")
