"""Reply: what a resource manager or a probe answered, whatever its shape.

HTML where JSON was due, an empty body and a plain sentence all become one value that can be asked
for its reason.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

WORDS_MAX = 300


class Surprise(Exception):
    """An answer that nobody expects; raised, so that the orchestrator tries again."""


class Unreachable(Surprise):
    """Nobody answered: no connection, no answer in time, or a connection that broke."""


class Unheard(Surprise):
    """A gateway answered that what is behind it did not: its change may have been made."""


@dataclass(frozen=True)
class Reply:
    """One answer: its status, its headers in lower case, its JSON (None when it was not JSON)."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: dict | list | None = None
    text: str = ""

    @property
    def ok(self) -> bool:
        """Did it work?"""
        return 200 <= self.status < 300

    @property
    def document(self) -> dict:
        """The JSON object; a Surprise when the answer has none."""
        if not isinstance(self.body, dict):
            raise Surprise(f"{self.status} without a JSON object: {brief(self.text)}")
        return self.body

    @property
    def properties(self) -> dict:
        """The `properties` of an ARM resource."""
        found = self.document.get("properties")
        return found if isinstance(found, dict) else {}

    @property
    def code(self) -> str:
        """ARM's error code, or the empty string."""
        return str(_error(self.body).get("code", ""))

    @property
    def words(self) -> str:
        """Why it did not work, for people: status, code and message, bounded."""
        error = _error(self.body)
        said = f"{error.get('code', '')}: {error.get('message', '')}".strip(": ")
        return f"{self.status} {said or brief(self.text) or 'without a word'}"[:WORDS_MAX]

    def expect(self) -> "Reply":
        """Itself when it worked; a Surprise with its words otherwise, Unheard after a 504."""
        if not self.ok:
            raise Unheard(self.words) if self.status == 504 else Surprise(self.words)
        return self


def _error(body: dict | list | None) -> dict:
    """The error object of ARM's envelope `{"error": {...}}`, also where it was left out."""
    if not isinstance(body, dict):
        return {}
    error = body.get("error", body)
    return error if isinstance(error, dict) else {}


def brief(text: str) -> str:
    """One line of a text, bounded."""
    return " ".join(text.split())[:WORDS_MAX]


class Answered(Protocol):
    """What the HTTP responses of azure-core, old and new, have in common."""

    status_code: int
    headers: Mapping[str, str]

    def text(self) -> str: ...


def reply_of(response: object) -> Reply:
    """The Reply in a response of azure-core."""
    got = cast(Answered, response)
    return read(got.status_code, got.headers, got.text())


def read(status: int, headers: Mapping[str, str], text: str) -> Reply:
    """The Reply in a status, headers and a text that may be JSON."""
    try:
        found = json.loads(text) if text else None
    except ValueError:
        found = None
    body = found if isinstance(found, dict | list) else None
    return Reply(status, {k.lower(): v for k, v in headers.items()}, body, text)
