"""The engine's memory: instances, history and inbox in one SQLite file.

Every method that writes is one transaction. WAL with synchronous=NORMAL survives the kill of the
process at any moment, which is what the rehearsal does to it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

from rehearsal.host.durable.history import Row

FINISHED = ("Completed", "Failed", "Terminated", "Canceled")
SCHEMA = """
create table if not exists instances(
  id text primary key, generation integer not null, execution text not null, name text not null,
  input text, status text not null, output text, custom_status text, created_at text not null,
  updated_at text not null, parent text, version text, cancelled text not null default '[]');
create index if not exists instances_status on instances(status);
create table if not exists history(
  n integer primary key, instance text not null, type integer not null, ref integer,
  data text not null, retry text);
create index if not exists history_instance on history(instance, n);
create table if not exists inbox(
  n integer primary key autoincrement, instance text not null, generation integer,
  type integer not null, ref integer, data text not null);
create index if not exists inbox_instance on inbox(instance, n);
create table if not exists facts(name text primary key, value text not null);
"""


@dataclass(frozen=True)
class Instance:
    """One orchestration instance; JSON texts as the extension keeps them, times as `stamp`."""

    id: str
    generation: int
    execution: str
    name: str
    input: str | None
    status: str
    created_at: str
    updated_at: str
    output: str | None = None
    custom_status: str | None = None
    parent: str | None = None
    version: str | None = None
    cancelled: str = "[]"

    @property
    def finished(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.status in FINISHED

    def parent_task(self) -> tuple[str, int, int] | None:
        """Instance, generation and task id of the parent that waits for this one."""
        if self.parent is None:
            return None
        instance, generation, task = json.loads(self.parent)
        return instance, generation, task


class Mail(NamedTuple):
    """A message to an instance; a `generation` other than the instance's own is out of date."""

    n: int
    instance: str
    generation: int | None
    row: Row


COLUMNS = [each.name for each in fields(Instance)]
PUT_INSTANCE = (
    f"insert or replace into instances({','.join(COLUMNS)}) values ({','.join('?' * len(COLUMNS))})"
)
PUT_ROW = "insert into history(instance, type, ref, data, retry) values (?,?,?,?,?)"
PUT_MAIL = "insert into inbox(instance, generation, type, ref, data) values (?,?,?,?,?)"


class Store:
    """The SQLite file; used from one thread only."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(str(path), isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=normal")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, also inside another one; whatever was raised passes through."""
        inner = self._db.in_transaction
        self._db.execute("savepoint inner_one" if inner else "begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback to inner_one" if inner else "rollback")
            if inner:
                self._db.execute("release inner_one")
            raise
        self._db.execute("release inner_one" if inner else "commit")

    def instance(self, instance: str) -> Instance | None:
        """The instance, or None."""
        found = self.instances("id = ?", (instance,))
        return found[0] if found else None

    def instances(self, where: str, values: tuple, limit: int = -1) -> list[Instance]:
        """Instances by an SQL condition, oldest first."""
        query = f"select {','.join(COLUMNS)} from instances where {where} order by created_at, id"
        return [Instance(*each) for each in self._db.execute(f"{query} limit {limit}", values)]

    def history(self, instance: str) -> list[Row]:
        """The history of the current generation, in order."""
        query = "select type, ref, data, retry from history where instance = ? order by n"
        return [Row(*each) for each in self._db.execute(query, (instance,))]

    def mail(self, instance: str) -> list[Mail]:
        """What waits for the instance, in the order of arrival."""
        query = "select n, generation, type, ref, data from inbox where instance = ? order by n"
        found = self._db.execute(query, (instance,))
        return [Mail(n, instance, gen, Row(kind, ref, data)) for n, gen, kind, ref, data in found]

    def addressees(self) -> list[str]:
        """Instances that have mail."""
        return [each for (each,) in self._db.execute("select distinct instance from inbox")]

    def put_instance(self, instance: Instance) -> None:
        """Insert or replace; inside a transaction of the caller or as one of its own."""
        self._db.execute(PUT_INSTANCE, [getattr(instance, name) for name in COLUMNS])

    def put_rows(self, instance: str, rows: Iterable[Row]) -> None:
        """Append to the history."""
        self._db.executemany(PUT_ROW, [(instance, *each) for each in rows])

    def post(self, instance: str, generation: int | None, row: Row) -> None:
        """Put one message into an inbox."""
        self._db.execute(PUT_MAIL, (instance, generation, row.type, row.ref, row.data))

    def take(self, mail: Iterable[Mail]) -> None:
        """Remove messages that were dealt with."""
        self._db.executemany("delete from inbox where n = ?", [(each.n,) for each in mail])

    def forget_history(self, instance: str) -> None:
        """Drop the history, for a new generation."""
        self._db.execute("delete from history where instance = ?", (instance,))

    def purge(self, instance: str) -> None:
        """Drop everything about an instance."""
        for table, key in (("history", "instance"), ("inbox", "instance"), ("instances", "id")):
            self._db.execute(f"delete from {table} where {key} = ?", (instance,))

    def fact(self, name: str, default: str) -> str:
        """A value that outlives the process; `default` is kept when there was none."""
        self._db.execute("insert or ignore into facts values (?,?)", (name, default))
        (value,) = self._db.execute("select value from facts where name = ?", (name,)).fetchone()
        return value
