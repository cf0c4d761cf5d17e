"""The journal: every exchange with the embedded ARM, in order, with nothing secret in it.

A bounded ring in memory answers questions; a file, when given, keeps every row as a line of JSON.
"""

import json
import re
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TextIO

ROWS_MAX = 100_000
KEYS_MAX = 10_000
HIDDEN = "REDACTED"
SETTINGS = "/config/appsettings"
CONNECTIONS = "/listworkflowsconnections"
_SECRET_KEY = re.compile(
    r"secret|password|accesskey|primarykey|secondarykey|accountkey|^authorization$|^x-identity-header$"
    r"|connectionstring|access_token|^sig$",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"(sig=|SharedAccessKey=|AccountKey=|Bearer )[^&;\"'\s<]+",
    re.IGNORECASE,
)


@lru_cache(maxsize=KEYS_MAX)
def _named_secret(key: str) -> bool:
    """Is what has this name a secret? There are few names, and many rows with the same."""
    return bool(_SECRET_KEY.search(key))


def redact(value: object) -> object:
    """A copy of a JSON value without keys, signatures and tokens; booleans and shapes stay."""
    if isinstance(value, str):
        if "=" not in value and " " not in value:  # Every secret text has either: most have not.
            return value
        return _SECRET_TEXT.sub(rf"\g<1>{HIDDEN}", value)
    if isinstance(value, dict | Mapping):  # The second alone is slow to ask.
        # A named value says of itself that it is secret; then its value is.
        own = value.get("secret") is True
        return {
            key: HIDDEN
            if isinstance(item, str) and (_named_secret(str(key)) or (own and key == "value"))
            else redact(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    return value


def _hide_settings(row: dict) -> None:
    """Any setting of an app may be a secret; only the states of its workflows are told."""
    for key in ("request_body", "response_body"):
        body = row.get(key)
        if isinstance(body, dict) and isinstance(body.get("properties"), dict):
            named = body["properties"].items()
            told = {k: v if k.lower().endswith(".flowstate") else HIDDEN for k, v in named}
            row[key] = {**body, "properties": told}
        elif isinstance(body, str) and body:
            row[key] = HIDDEN


def _hide_files(row: dict) -> None:
    """People write secrets into a logic app's connections; only what files there are is told."""
    body = row.get("response_body")
    own = body.get("properties") if isinstance(body, dict) else None
    if isinstance(body, dict) and isinstance(own, dict) and isinstance(own.get("files"), dict):
        hidden = dict.fromkeys(own["files"], HIDDEN)
        row["response_body"] = {**body, "properties": {**own, "files": hidden}}


class Journal:
    """Rows of the Contract, numbered from 1; the oldest leave memory after `rows_max`."""

    def __init__(self, rows_max: int = ROWS_MAX) -> None:
        self._rows: deque[dict] = deque(maxlen=rows_max)
        self._count = 0
        self._file: TextIO | None = None

    def write_to(self, path: Path) -> None:
        """Also keep every row from now on in a file of JSON lines."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")

    def append(self, row: dict) -> int:
        """Keep a redacted copy of a row and give its number."""
        self._count += 1
        clean = redact(row)
        if not isinstance(clean, dict):
            raise TypeError("a journal row is an object")
        if SETTINGS in str(row.get("url", "")).lower():
            _hide_settings(clean)
        if CONNECTIONS in str(row.get("url", "")).lower():
            _hide_files(clean)
        # What listValue and listSecrets answer is a secret by the question, not by its key.
        if "/listvalue" in str(row.get("url", "")).lower():
            answer = clean.get("response_body")
            if isinstance(answer, dict) and "value" in answer:
                clean["response_body"] = {**answer, "value": HIDDEN}
        kept = {"n": self._count, **clean}
        self._rows.append(kept)
        if self._file is not None:
            self._file.write(json.dumps(kept, default=str) + "\n")
            self._file.flush()
        return self._count

    def after(self, n: int = 0) -> list[dict]:
        """The rows in memory numbered above `n`, oldest first."""
        return [row for row in self._rows if row["n"] > n]

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()
            self._file = None
