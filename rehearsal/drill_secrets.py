"""Secrets never move: what a drill leaves behind is searched for those that the estate planted.

Searched: the hosts' histories and logs, the messages that were on a bus, every blob that the app
wrote, what it told people, and the report. Not searched: the gateway's backups, which hold its
configuration whole, and ARM's own journal, which is the emulated Azure's.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearsal.drill import Drill

PLANTED = b"planted-secret"
# What nobody planted and is one all the same: signatures and keys as Azure writes them.
SIGNED = rb"[?&]sig=(?!REDACTED)[\w%-]{16,}"
KEYED = rb"(?:AccountKey|SharedAccessKey)=(?!REDACTED)[\w+/]{16,}"
SECRET = re.compile(b"|".join((PLANTED, SIGNED, KEYED)))
FILES = ("*.db", "*.db-wal", "logs/host-*.log")
CONTAINER = "understudy"
SHOWN_MAX = 5


def judge(drill: "Drill", report: dict) -> None:
    """Check `noSecretMoved` where the estate planted secrets."""
    if PLANTED.decode() not in json.dumps(drill.stage.estate.model_dump(mode="json")):
        return
    places = [*_files(drill.stage.folder), *_blobs(drill), *_told(drill, report)]
    found = sorted({where for where, data in places if SECRET.search(data)})
    words = f"{len(places)} files, blobs and messages searched, found in: "
    drill.check("noSecretMoved", not found, words + (", ".join(found[:SHOWN_MAX]) or "none"))


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for pattern in FILES:
        for path in sorted(folder.glob(pattern)):
            yield path.name, path.read_bytes()
            if path.suffix == ".db":
                yield path.name, b"\n".join(values(path))


def values(path: Path) -> Iterator[bytes]:
    """Every text and blob of a database, each in one piece: in its file long ones are cut up."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as file:
        tables = file.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (table,) in tables:
            for row in file.execute(f'select * from "{table}"'):
                for value in row:
                    if isinstance(value, str | bytes):
                        yield value.encode() if isinstance(value, str) else value


def _blobs(drill: "Drill") -> Iterator[tuple[str, bytes]]:
    storage = drill.stage.storage
    for account in storage.accounts:
        for name in storage.names(account, CONTAINER):
            # The plan is the user's own; it is laid here by hand.
            if not name.startswith("plans/"):
                yield f"{account}/{name}", storage.read(account, CONTAINER, name)


def _told(drill: "Drill", report: dict) -> Iterator[tuple[str, bytes]]:
    yield "alerts", json.dumps(drill.stage.alerts, default=str).encode()
    yield "report", json.dumps(report, default=str).encode()
