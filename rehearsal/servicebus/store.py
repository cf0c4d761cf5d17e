"""Queues on disk: SQLite with a write-ahead log, one commit for everything done in a turn.

Nothing may be acknowledged before `commit` returns. Changes to the same message within a turn are
folded into one, so a message that came and went in between is never written.
"""

import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.servicebus.message import Message, State, parse

SCHEMA = """
create table if not exists queues (name text primary key, properties text, next_seq integer);
create table if not exists messages (
    queue text, seq integer, state integer, deliveries integer,
    enqueued_at real, expires_at real, visible_at real, raw blob, primary key (queue, seq));
create table if not exists sessions (
    queue text, id text, state blob, at real, primary key (queue, id));
create table if not exists history (queue text, id text, at real, primary key (queue, id));
"""
DROP = "delete from messages where queue = ? and seq = ?"
COUNT = "update queues set next_seq = max(next_seq, ?) where name = ?"
PUT = "insert or replace into messages values (?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass
class Kept:
    """What the store has of one queue name."""

    messages: list[Message] = field(default_factory=list)
    states: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    history: dict[str, float] = field(default_factory=dict)


class Store:
    """The ledger of all queues of a namespace."""

    def __init__(self, path: Path) -> None:
        self.file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.file.execute("pragma journal_mode = wal")
        # The log survives this process's death without a sync per commit; only the machine's own
        # death could lose its tail, and a rehearsal does not rehearse that.
        self.file.execute("pragma synchronous = normal")
        self.file.executescript(SCHEMA)
        self.pending: dict[tuple[str, int], Message | None] = {}
        self.others: list[tuple[str, tuple]] = []
        self.highest: dict[str, int] = {}

    # -- queues

    def queues(self) -> list[tuple[str, dict, int]]:
        """(name, ARM properties, next sequence number) of every queue."""
        rows = self.file.execute("select name, properties, next_seq from queues").fetchall()
        return [(name, json.loads(properties), next_seq) for name, properties, next_seq in rows]

    def save_queue(self, name: str, properties: dict, next_seq: int) -> None:
        statement = "insert or replace into queues values (?, ?, ?)"
        self.others.append((statement, (name, json.dumps(properties), next_seq)))

    def drop_queue(self, *names: str) -> None:
        for name in names:
            for table in ("messages", "sessions", "history"):
                self.others.append((f"delete from {table} where queue = ?", (name,)))
            self.others.append(("delete from queues where name = ?", (name,)))
            self.pending = {key: kept for key, kept in self.pending.items() if key[0] != name}

    def load(self, queue: str) -> Kept:
        kept = Kept()
        columns = "seq, state, deliveries, enqueued_at, expires_at, visible_at, raw"
        found = self.file.execute(
            f"select {columns} from messages where queue = ? order by seq", (queue,)
        )
        for seq, state, deliveries, enqueued_at, expires_at, visible_at, raw in found:
            message = Message(seq, raw, parse(raw), enqueued_at, State(state), deliveries)
            message.expires_at, message.visible_at = expires_at, visible_at
            kept.messages.append(message)
        states = self.file.execute("select id, state, at from sessions where queue = ?", (queue,))
        kept.states = {key: (state, at) for key, state, at in states}
        seen = self.file.execute("select id, at from history where queue = ? order by at", (queue,))
        kept.history = dict(seen.fetchall())
        return kept

    # -- the ledger

    def put(self, queue: str, message: Message) -> None:
        self.pending[queue, message.seq] = message
        if message.seq >= self.highest.get(queue, 0):
            self.highest[queue] = message.seq

    def drop(self, queue: str, seq: int) -> None:
        self.pending[queue, seq] = None

    def seen(self, queue: str, message_id: str, at: float) -> None:
        self.others.append(
            ("insert or replace into history values (?, ?, ?)", (queue, message_id, at))
        )

    def state(self, queue: str, session_id: str, state: bytes | None, at: float) -> None:
        if state is None:
            row = ("delete from sessions where queue = ? and id = ?", (queue, session_id))
        else:
            values = (queue, session_id, state, at)
            row = ("insert or replace into sessions values (?, ?, ?, ?)", values)
        self.others.append(row)

    # -- disk

    def commit(self) -> bool:
        """Write everything since the last commit, or nothing; answers whether there was any."""
        if not (self.pending or self.others):
            return False
        self.file.execute("begin immediate")
        for statement, values in self.others:
            self.file.execute(statement, values)
        gone = [key for key, message in self.pending.items() if message is None]
        rows = [row(key[0], message) for key, message in self.pending.items() if message]
        highest = [(seq + 1, queue) for queue, seq in self.highest.items()]
        for statement, values in ((DROP, gone), (PUT, rows), (COUNT, highest)):
            if values:
                self.file.executemany(statement, values)
        self.file.execute("commit")
        self.pending, self.others, self.highest = {}, [], {}
        return True

    def close(self) -> None:
        self.commit()
        self.file.close()


def row(queue: str, message: Message) -> tuple:
    return (
        queue,
        message.seq,
        int(message.state),
        message.deliveries,
        message.enqueued_at,
        message.expires_at,
        message.visible_at,
        message.raw,
    )
