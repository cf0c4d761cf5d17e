"""Secrecy: what looks like a secret, by the name of a value or by the value itself.

Pure, and the one place that says so, for plans and for templates. Who finds one tells its path and
never the value.
"""

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

DEPTH_MAX = 40
CLEAR = "looks like a secret"
DEEP = "nested too deep to be looked through"
# Connection strings, signatures, private keys; keys of 32 and 64 bytes in base64; signed tokens and
# headers that carry a token; a user in a URL. What a reference fills in is none.
SECRET = re.compile(
    r"(?:AccountKey|SharedAccessKey|(?:^|[?&])sig|password|pwd)=(?!\{\{|@\{)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)(?![A-Za-z0-9+/=])"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}|\b(?:bearer|basic) [\w+/=.~-]{24,}"
    r"|(?<!ssh)://(?![^\s/?#@]*\{\{[^{}]+\}\}@)[^\s/?#@]+@(?!\{)",
    re.IGNORECASE,
)
# A named value ({{name}}), a function of a workflow or a setting (@parameters('x'),
# @Microsoft.KeyVault(...)), or such a one within a text (@{...}). "@@" writes a plain "@".
REFERENCE = re.compile(r"(?:\w+ )?\{\{[^{}]+\}\}|@[A-Za-z][\w.]*\(.*|.*(?<!@)@\{.+\}.*", re.DOTALL)
QUERY = re.compile(r"[?&]([\w.-]+)=([^\s&#'\"<>{}@\[\]]+)")
# In a query these are often none, so the value has to look like one as well: ?code=DE.
DOUBTFUL = ("auth", "code", "key", "keys", "sig", "signature", "token", "tokens")
OPAQUE = re.compile(
    r"(?=.*\d)(?=.*[A-Za-z])[\w+/=.~-]{16,}"
    r"|(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[\w+/=.~-]{12,}|[\w+/=.~-]{40,}",
    re.ASCII,
)
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
PASSWORDS = ("password", "passphrase", "passwd", "pwd")
SURE = re.compile(
    rf"({'|'.join(PASSWORDS)}|secret|credential|connectionstring|apikey|accesskey)s?$"
)
UNSURE = re.compile(r"(.*?)(key|token)s?")
OF_SECRET_KEYS = re.compile(
    r"(?:access|account|admin|api|app|application|auth|authentication|authorization|client|crypto"
    r"|decryption|encryption|functions?|hmac|host|master|primary|private|sas|secondary|secret"
    r"|security|shared|signature|signing|ssh|storage|subscription|symmetric|system|webhook)+"
)
OF_PLAIN_KEYS = re.compile(
    r"(?:business|cache|correlation|dedup|deduplication|foreign|idempotency|instrumentation"
    r"|partition|public|routing|row|sort)+"
)
OF_PLAIN_TOKENS = re.compile(
    r"(?:completion|continuation|dedup|deduplication|endpoint|input|lock|max|name|next|output|page"
    r"|prompt|skip|total|url)+"
)


def telling(name: str) -> str:
    """The word by which a value of this name sounds like a secret: client-secret, apiKey; or ""."""
    said = words(name)
    if sure := SURE.search("".join(said)):
        return sure[1]
    if said[-1:] == ["sas"]:
        return "sas"
    unsure = UNSURE.fullmatch(said[-1]) if said else None
    if unsure is None:
        return ""
    with_it = [*said[:-1], unsure[1]]
    if unsure[2] == "token":
        return "" if any_of(with_it, OF_PLAIN_TOKENS) else "token"
    secret = any_of(with_it, OF_SECRET_KEYS) and not any_of(with_it, OF_PLAIN_KEYS)
    return "key" if secret else ""


def words(name: str) -> list[str]:
    """The words of a name, in small letters, up to the one that says what it is.

    SharedAccessKey1 and shared-access_key.value: shared, access, key.
    """
    found = [word.lower() for word in WORD.findall(name)]
    while found and (found[-1].isdigit() or found[-1] in ("value", "text")):
        found.pop()
    return found


def any_of(said: list[str], these: re.Pattern[str]) -> bool:
    return any(these.fullmatch(word) for word in said)


def in_text(value: str) -> bool:
    """Is there a secret in a text, or in the query of a URL in it?"""
    return bool(SECRET.search(value)) or any(in_query(*one) for one in QUERY.findall(value))


def in_query(name: str, value: str) -> bool:
    if name.lower() in DOUBTFUL:
        return bool(OPAQUE.fullmatch(unquote(value)))
    return bool(telling(name))


def told(value: object) -> bool:
    """Is it a value at all, and no reference to one that is kept elsewhere?"""
    return bool(value) and not reference(value)


def reference(value: object) -> bool:
    return isinstance(value, str) and bool(REFERENCE.fullmatch(value))


def found(
    value: object,
    told: Callable[[object], bool] = told,
    path: str = "",
    name: str = "",
    depth: int = 0,
) -> Iterator[tuple[str, str]]:
    """(path, why) of what looks like a secret, anywhere in plain data.

    `told`: is what stands under a telling name a value at all, and no reference? `name`: what the
    value is called; in a list, and as `value` of an object, as that is. A number is a password or
    none.
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
    elif number(value) and told(value) and telling(name) in PASSWORDS:
        yield path, CLEAR


def number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
