"""Audit reading: what there is of a plan's audit, verified as far as it has been read.

Each process reads an audit once from its first line and then only what has come since, so that a
look at a plan costs little, however long its audit is.
"""

import json
import threading
from dataclasses import dataclass, field

from shared import audit
from shared.append_blobs import Growing

SECONDS_MAX = 4.0  # Of one request; a page about a plan waits no longer.
CHUNK_BYTES = 256 * 1024
CHUNKS_MAX = 64  # At one look; the next one goes on from there.
LINES_MAX = 200
_READERS: dict[tuple[str, str, str], "Reader"] = {}
_OPENING = threading.Lock()


@dataclass
class Reader:
    """What this process has read of one audit. `marks`: (lines before, blob, offset)."""

    place: Growing
    plan: str
    chain: audit.Chain = field(default_factory=audit.Chain)
    known: audit.Chain = field(default_factory=audit.Chain)  # The longest that was ever read.
    tail: dict | None = None
    number: int = 0
    offset: int = 0
    marks: list[tuple[int, int, int]] = field(default_factory=list)
    broken: str = ""
    whole: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> None:
        """Read on. What was found broken is read anew from its beginning."""
        with self.lock:
            if self.broken:
                self.chain, self.tail, self.marks = audit.Chain(), None, []
                self.number, self.offset, self.broken = 0, 0, ""
            last = (numbers(self.place, self.plan) or [0])[-1]
            try:
                self._shrunk()
                self.whole = self._read_on(last)
                if self.whole and self.chain.count < self.known.count:
                    raise self._fewer(self.chain.count)
            except audit.Broken as broken:
                self.broken = f"after line {self.chain.count}: {broken}"
            if self.chain.count > self.known.count:
                self.known = self.chain

    def page(self, after: int) -> list[dict]:
        """Some of the lines that follow the first `after` of those that were read."""
        with self.lock:
            mark = next((m for m in reversed(self.marks) if m[0] <= after), None)
            known = self.chain.count
        if mark is None or after >= known:
            return []
        count, number, offset = mark
        name = audit.file_name(self.plan, number)
        # A mark is followed by another after one chunk and a half at most.
        raws = whole_lines(self.place.part(name, offset, 2 * CHUNK_BYTES))
        shown = raws[after - count : min(known - count, after - count + LINES_MAX)]
        return [json.loads(raw) for raw in shown]

    def _shrunk(self) -> None:
        grown = self.place.grown(audit.file_name(self.plan, self.number))
        if (grown.bytes if grown else 0) < self.offset:
            raise self._fewer(None)

    def _fewer(self, left: int | None) -> audit.Broken:
        words = "fewer are left" if left is None else f"{left} are left"
        return audit.Broken("truncated", f"{self.known.count} lines were there, {words}")

    def _read_on(self, last: int) -> bool:
        """True when the end was reached of what there was when the blobs were listed."""
        for _ in range(CHUNKS_MAX):
            name = audit.file_name(self.plan, self.number)
            data = self.place.part(name, self.offset, CHUNK_BYTES)
            raws = whole_lines(data)
            if raws:
                self._take(raws)
            elif data:
                raise audit.Broken("truncated", "the line has no end")
            elif self.number < last:
                self.number, self.offset = self.number + 1, 0
            else:
                return True
        return False

    def _take(self, raws: list[str]) -> None:
        mark = self.marks[-1] if self.marks else None
        if not mark or mark[1] != self.number or self.offset - mark[2] > CHUNK_BYTES // 2:
            self.marks.append((self.chain.count, self.number, self.offset))
        for raw in raws:
            self.chain = audit.follow(self.chain, raw)
            if self.chain.count == self.known.count and self.chain.head != self.known.head:
                raise audit.Broken("changed", "it was another line when it was read before")
            self.tail = json.loads(raw)
            self.offset += len(raw.encode()) + 1


def whole_lines(data: bytes) -> list[str]:
    """The lines in these bytes, without the one that does not end in them."""
    return data[: data.rfind(b"\n") + 1].decode("utf-8", "replace").split("\n")[:-1]


def numbers(place: Growing, plan: str) -> list[int]:
    """The numbers of the blobs of a plan's audit, in order."""
    found = [audit.numbered(name) for name in place.names(f"{plan}.audit.")]
    return sorted(number for number in found if number is not None)


def reader(document: dict) -> Reader:
    """This process's reader of a plan's audit."""
    known = document["witness"]
    key = (known["blobServiceUri"].rstrip("/"), known["container"], document["name"])
    with _OPENING:
        if key not in _READERS:
            place = Growing(key[0], key[1], SECONDS_MAX)
            _READERS[key] = Reader(place, document["name"])
        return _READERS[key]


def summary(document: dict, record: dict | None) -> dict:
    """{"count", "head", "verified", "because"}: does the chain hold, and is its end the record's?

    `verified` is null where that is not known (yet). Raises Surprise when it cannot be read.
    """
    seen = reader(document)
    seen.refresh()
    shown = {"count": seen.chain.count, "head": seen.chain.head}
    verified, because = judged(seen, record)
    return {**shown, "verified": verified, "because": because}


def judged(seen: Reader, record: dict | None) -> tuple[bool | None, str]:
    if seen.broken:
        return False, seen.broken
    if not seen.whole:
        return None, "it is long and was not read to its end yet: look again"
    if seen.tail is None:
        return None, "nothing was written yet"
    transitions = [one for one in record["transitions"] if one.get("n", 0)] if record else []
    if transitions and audit.foreign(seen.tail, transitions):
        return False, "its last line is not about the witness's record"
    behind = len(audit.due(seen.tail, transitions))
    return True, f"{behind} lines are still to be written" if behind else ""
