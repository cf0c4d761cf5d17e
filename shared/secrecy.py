"""Secrecy: what looks like a secret, by the name of a value or by the value itself.

Pure, and the one place that says so, for plans and for templates. Who finds one tells its path and
never the value.
"""

import re
from collections.abc import Callable, Iterator

DEPTH_MAX = 40
CLEAR = "looks like a secret"
DEEP = "nested too deep to be looked through"
# Connection strings, signatures, private keys; keys of 32 and 64 bytes in base64; signed tokens and
# headers that carry a token; a user in a URL.
SECRET = re.compile(
    r"AccountKey=|SharedAccessKey=|(?:^|[?&])sig=|(?:password|pwd)=|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)(?![A-Za-z0-9+/=])"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}|\b(?:bearer|basic) [\w+/=.~-]{24,}"
    r"|(?<!ssh)://[^\s/?#@]+@(?!\{)",
    re.IGNORECASE,
)
QUERY = re.compile(r"[?&]([\w.-]+)=[\w%+/.~-]")
SIGNING = ("code", "sig", "signature", "auth")  # In a query; elsewhere a code is often none.
TELLING = re.compile(
    r"(?:password|passphrase|passwd|pwd|secret|credential|connectionstring|^sas"
    r"|(?<!max)(?<!continuation)token"
    r"|(?<!partition)(?<!routing)(?<!row)(?<!sort)(?<!public)(?<!instrumentation)"
    r"(?<!idempotency)(?<!correlation)key)(?:s|value|text)?$"
)


def telling(name: str) -> bool:
    """Does a value of this name sound like a secret? client-secret, apiKey, SharedAccessKey ..."""
    return bool(TELLING.search(name.lower().replace("-", "").replace("_", "")))


def in_text(value: str) -> bool:
    """Is there a secret in a text, or in the query of a URL in it?"""
    if SECRET.search(value):
        return True
    return any(n.lower() in SIGNING or telling(n) for n in QUERY.findall(value))


def found(
    value: object,
    told: Callable[[str], bool] = bool,
    path: str = "",
    name: str = "",
    depth: int = 0,
) -> Iterator[tuple[str, str]]:
    """(path, why) of what looks like a secret, anywhere in plain data.

    `told`: is a text under a telling name a value at all, and no reference? `name`: what the value
    is called; in a list, and as `value` of an object, as that is.
    """
    if depth > DEPTH_MAX:
        yield path, DEEP
    elif isinstance(value, dict):
        for key, one in value.items():
            where = f"{path}.{key}" if path else str(key)
            yield from found(one, told, where, name if key == "value" else str(key), depth + 1)
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from found(one, told, f"{path}[{n}]", name, depth + 1)
    elif isinstance(value, str):
        if in_text(value) or (told(value) and telling(name)):
            yield path, CLEAR
    elif isinstance(value, int | float) and not isinstance(value, bool) and telling(name):
        yield path, CLEAR
