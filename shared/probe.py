"""Probe: call an address as a stranger would, within a bound that nothing can stretch.

Every probe opens its own connection: one that is kept alive can go on working after a region has
become unreachable for everybody else.
"""

import time

from shared.reply import Reply, Unreachable, read

BYTES_MAX = 256 * 1024
CHUNK_BYTES = 8192


def call(
    method: str, url: str, seconds: float, *, bearer: str = "", body: dict | None = None
) -> Reply:
    """One request, not redirected and not repeated; raises Unreachable after about `seconds`."""
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
