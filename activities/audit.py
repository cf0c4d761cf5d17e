"""Audit: write every transition of a witness record behind it, into append blobs that only grow.

Nobody waits for it: a storage that refuses or is silent costs a bounded moment, and whoever looks
next catches up. Two writers at once are told apart by the size that each of them had read.
"""

from typing import NamedTuple

from shared import audit, probe
from shared.append_blobs import BLOCKS_MAX, Growing, Grown
from shared.audit_reading import numbers
from shared.outcome import refused, succeeded
from shared.reply import Surprise

SECONDS_MAX = 2.0  # In all: a heartbeat waits for it, and has a quarter of a lease.
REQUEST_SECONDS = 1.5
ROUNDS_MAX = 3
TAIL_BYTES = 64 * 1024  # The longest line is far shorter.
FULL_BLOCKS = BLOCKS_MAX - 1000


class End(NamedTuple):
    """The newest blob's number, how far it has come (None: it is not there), the last line."""

    number: int
    grown: Grown | None
    tail: dict | None


def keep_audit(payload: dict) -> dict:
    """Append those of `transitions`, a record's last ones, that the audit of `plan` lacks.

    Fact `audited`: the number of the last of them. Safe to repeat: what is there is not written
    again. Refused, never raised, when storage does not take it: it is caught up later.
    """
    known, transitions = payload["witness"], payload["transitions"]
    uri = known["blobServiceUri"].rstrip("/")
    place = Growing(uri, known["container"], REQUEST_SECONDS)
    try:
        lines = probe.within(SECONDS_MAX, lambda: caught_up(place, payload["plan"], transitions))
    except Surprise as error:
        return refused(f"audit: {error}")
    return succeeded(audited=transitions[-1].get("n", 0) if transitions else 0, lines=lines)


def caught_up(place: Growing, plan: str, transitions: list[dict], full: int = FULL_BLOCKS) -> int:
    """How many lines had to be appended; a blob of `full` blocks is followed by the next.

    Raises Surprise, also where the end is no line: nothing is built upon what was tampered with.
    """
    for _ in range(ROUNDS_MAX):
        number, grown, tail = end_of(place, plan)
        lines = audit.due(tail, transitions)
        if not lines:
            return 0
        if grown and grown.blocks >= full:
            number, grown = number + 1, None
        name = audit.file_name(plan, number)
        if grown is None:
            place.begin(name)
        data = "".join(f"{audit.text(line)}\n" for line in lines).encode()
        if place.append(name, data, at=grown.bytes if grown else 0):
            return len(lines)
    raise Surprise(f"the audit of {plan} grew {ROUNDS_MAX} times meanwhile")


def end_of(place: Growing, plan: str) -> End:
    """Where the audit ends. A blob that was begun and not written follows a full one."""
    number = numbers(place, plan)[-1:]
    if not number:
        return End(0, None, None)
    grown = place.grown(audit.file_name(plan, number[0]))
    tail = last_line(place, plan, number[0], grown)
    if tail is None and number[0]:
        before = number[0] - 1
        tail = last_line(place, plan, before, place.grown(audit.file_name(plan, before)))
    return End(number[0], grown, tail)


def last_line(place: Growing, plan: str, number: int, grown: Grown | None) -> dict | None:
    """The last line of one blob, of as much of it as was there when it was looked at."""
    if grown is None or not grown.bytes:
        return None
    name, first = audit.file_name(plan, number), max(0, grown.bytes - TAIL_BYTES)
    lines = place.part(name, first, grown.bytes - first).decode("utf-8", "replace").split("\n")
    try:
        return audit.parsed(lines[-2] if len(lines) > 1 and not lines[-1] else lines[-1])
    except audit.Broken as broken:
        raise Surprise(f"{name} does not end in a line of an audit: {broken}") from broken
