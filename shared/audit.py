"""Audit: every transition of a witness record, in order and for good, as a chain of lines.

Each line holds the hash of the line before it, so that none can be changed, taken out or moved
without all that follow; that the last ones are missing shows only to who noted a head before.
`python -m shared.audit verify FILE... [--head HASH] [--count N]` says so without any service.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ZERO = "0" * 64  # What the first line follows.
AUDITOR = "audit"
GAP, ANEW = "gap", "anew"  # The two lines that are no transitions.
SHAPE = {"n": int, "at": str, "who": str, "what": str, "why": str, "epoch": int}
LINKS = ("previous", "hash")
OPTIONAL = ("evidence",)
WRITTEN = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
FILE = re.compile(r"\.audit(?:\.(\d+))?\.jsonl$")


class Broken(Exception):
    """A line that does not follow; `how` is changed, missing, reordered or truncated."""

    def __init__(self, how: str, because: str) -> None:
        super().__init__(f"{how}: {because}")
        self.how = how


@dataclass(frozen=True)
class Chain:
    """What is known of the lines so far: how many, the last one's hash, its transition's number."""

    count: int = 0
    head: str = ZERO
    n: int = 0


def file_name(plan: str, number: int) -> str:
    """The blob of a plan's audit; a full one is followed by the next number."""
    return f"{plan}.audit.{number}.jsonl" if number else f"{plan}.audit.jsonl"


def numbered(name: str) -> int | None:
    """The number in the name of an audit's blob or file; None for another name."""
    found = FILE.search(name)
    return int(found[1] or 0) if found else None


def due(tail: dict | None, transitions: list[dict]) -> list[dict]:
    """The lines that must follow the `tail` so that every one of these transitions is kept.

    `tail`: the last line, None where there is none; `transitions`: a record's. None are due for a
    record that is older than the tail. What was forgotten before it could be written, and a record
    that began anew, are told in lines of their own.
    """
    known = [one for one in transitions if one.get("n", 0) > 0]
    if not known:  # An older version's have no number yet.
        return []
    rows: list[dict] = []
    after = tail["n"] if tail else 0
    if tail and foreign(tail, known):
        if known[-1]["at"] <= tail["at"]:
            return []
        why = f"the record was made anew after transition {after}"
        rows, after = [told(known[0], 0, ANEW, why)], 0
    fresh = [one for one in known if one["n"] > after]
    if fresh and fresh[0]["n"] > after + 1:
        last = fresh[0]["n"] - 1
        why = f"transitions {after + 1} to {last} were forgotten before they could be written"
        rows.append(told(fresh[0], last, GAP, why))
    elif fresh and tail is None and len(known) < len(transitions):
        why = f"{len(transitions) - len(known)} transitions of an older version have no number"
        rows.append(told(fresh[0], 0, GAP, why))
    return list(linked(tail["hash"] if tail else ZERO, rows + fresh))


def foreign(tail: dict, transitions: list[dict]) -> bool:
    """Do these belong to another record than the tail, or to an older state of its own?"""
    same = next((one for one in transitions if one["n"] == tail["n"]), None)
    if same and tail["what"] not in (GAP, ANEW):
        return not alike(same, tail)
    return transitions[-1]["n"] < tail["n"]


def alike(transition: dict, line: dict) -> bool:
    """Is this line about this transition?"""
    return all(transition[key] == line[key] for key in SHAPE)


def told(follower: dict, n: int, what: str, why: str) -> dict:
    """A line of the audit's own, before the transition `follower`."""
    shown = {"at": follower["at"], "epoch": follower["epoch"]}
    return {"n": n, "who": AUDITOR, "what": what, "why": why, **shown}


def linked(previous: str, rows: list[dict]) -> Iterator[dict]:
    for row in rows:
        kept = {key: row[key] for key in (*SHAPE, *OPTIONAL) if key in row}
        line = {**kept, "previous": previous}
        previous = digest(line)
        yield {**line, "hash": previous}


def text(line: dict) -> str:
    """A line as it is written: one spelling only, so that every changed byte shows."""
    return WRITTEN.encode(line)


def digest(line: dict) -> str:
    """SHA-256 of a line without its own hash, in hex."""
    bare = {key: value for key, value in line.items() if key != "hash"}
    return hashlib.sha256(text(bare).encode()).hexdigest()


def parsed(raw: str) -> dict:
    """The line in a text; Broken where it is none, or not as it was written."""
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Broken("changed", f"not JSON: {error}") from error
    wanted = {*SHAPE, *LINKS}
    if not isinstance(line, dict) or not wanted <= set(line) <= {*wanted, *OPTIONAL}:
        raise Broken("changed", f"a line has {', '.join(sorted(wanted))}")
    if any(type(line[key]) is not kind for key, kind in SHAPE.items()):
        raise Broken("changed", "a value of a wrong type")
    if text(line) != raw or digest(line) != line["hash"]:
        raise Broken("changed", "its hash is not that of its words")
    return line


def follow(chain: Chain, raw: str) -> Chain:
    """The chain with one more line; Broken where it does not follow."""
    line = parsed(raw)
    n, expected = line["n"], chain.n + 1
    if line["previous"] != chain.head:
        if n > expected:
            raise Broken("missing", f"transitions {expected} to {n - 1} are not before it")
        if n < expected:
            raise Broken("reordered", f"transition {n} does not come after {chain.n}")
        raise Broken("changed", "it was written after another line than the one before it")
    if not follows(line, chain):
        raise Broken("changed", f"transition {n} after {chain.n}, and no line says why")
    return Chain(chain.count + 1, line["hash"], n)


def follows(line: dict, chain: Chain) -> bool:
    if line["what"] == ANEW:
        return line["n"] == 0
    return line["n"] == chain.n + 1 or (line["what"] == GAP and line["n"] >= chain.n)


def verify(lines: Iterable[tuple[str, str]], head: str | None, count: int | None) -> Chain:
    """Follow every line, (where it stands, its text); Broken names the first that is bad.

    `head` and `count` are of an earlier look: since then lines may have come, none may be gone.
    """
    chain, seen = Chain(), head in (None, ZERO)
    for where, raw in lines:
        try:
            if not raw.endswith("\n"):
                raise Broken("truncated", "the line has no end")
            chain = follow(chain, raw[:-1])
        except Broken as broken:
            raise Broken(f"{where}: {broken.how}", str(broken).partition(": ")[2]) from broken
        seen = seen or (chain.head == head and count in (None, chain.count))
        if count == chain.count and not seen:
            raise Broken(f"{where}: changed", f"line {count} has another hash than {head}")
    if not chain.count:
        raise Broken("missing", "there is not one line")
    if count is not None and chain.count < count:
        raise Broken("truncated", f"{count} lines were there, {chain.count} are left")
    if not seen:
        raise Broken("truncated", f"no line has the hash {head}")
    return chain


def lines_of(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Every line of the files, in the order of their numbers, and where it stands."""
    for path in sorted(paths, key=lambda path: numbered(path.name) or 0):
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, raw in enumerate(file, 1):
                yield f"{path}:{number}", raw


def main(arguments: list[str]) -> int:
    """0: the chain holds; 1: it does not, and where; 2: a file cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m shared.audit", description=main.__doc__)
    verifying = parser.add_subparsers(dest="word", required=True).add_parser("verify")
    verifying.add_argument("files", nargs="+", type=Path, metavar="FILE")
    verifying.add_argument("--head", help="a hash that was the last line's once")
    verifying.add_argument("--count", type=int, help="how many lines there were then")
    asked = parser.parse_args(arguments)
    try:
        chain = verify(lines_of(asked.files), asked.head, asked.count)
    except Broken as broken:
        sys.stdout.write(f"{broken}\n")
        return 1
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"cannot be read: {error}\n")
        return 2
    sys.stdout.write(f"the chain holds: --head {chain.head} --count {chain.count}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
