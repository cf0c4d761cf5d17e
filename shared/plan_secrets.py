"""Plan secrets: a plan holds none. It is read by more people than may know one, and in histories.

What looks like a secret is refused by its path alone, with what to write instead.
"""

import re
from collections.abc import Iterator

from shared import secrecy

RULE = "a plan holds no secrets"
INSTEAD = (
    (
        r"components\[\d+\]\.url$",
        "put the whole URL into a setting of both apps and name that in urlSetting",
    ),
    (
        r"components\[\d+\]\.body\.",
        "leave it out: a URL that urlSetting names may carry it",
    ),
    (
        r"components\[\d+\]\.overlay\.[^.]+\.namedValues\.",
        "refer to one of this location's Key Vault: keyVault: {secretIdentifier}",
    ),
    (
        r"components\[\d+\]\.values\.",
        "make this connection by a template or by hand, or let it use a managed identity",
    ),
)
OTHERWISE = "keep it in a vault, or in a setting of the app"


def problems(data: dict) -> Iterator[str]:
    """What looks like a secret in a raw document, each with its path."""
    for path, why in secrecy.found(data):
        yield f"{path}: {why}: {RULE}: {instead(path)}"


def instead(path: str) -> str:
    """What to do with a secret that stands there."""
    return next((words for where, words in INSTEAD if re.match(where, path)), OTHERWISE)
