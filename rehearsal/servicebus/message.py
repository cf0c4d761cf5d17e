"""One message: its bytes taken apart, and put together again for whoever receives it.

The service owns the header, the delivery annotations and a few message annotations; everything
else (properties, body, footer) passes through byte for byte. After part 3 of AMQP 1.0.
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from uuid import UUID

from rehearsal.servicebus.amqp import (
    Malformed,
    Raw,
    Stamp,
    Symbol,
    compound,
    decode,
    described,
    encode,
    encode_map,
    raw_items,
    skip,
    span,
)

BATCH_FORMAT = 0x80013700  # Each data section of such a message is a message of its own.
HEADER, DELIVERY_ANNOTATIONS, ANNOTATIONS, PROPERTIES = 0x70, 0x71, 0x72, 0x73
APPLICATION_PROPERTIES, DATA, VALUE = 0x74, 0x75, 0x77
MESSAGE_ID, GROUP_ID = 0, 10  # Places in the list of properties.
NULL, HEADER_FIELDS, TTL = b"\x40", 4, 2  # Of a header as its sender writes it; the fifth is ours.
SCHEDULED_AT = "x-opt-scheduled-enqueue-time"
BATCH_MAX = 10_000

# What every delivered message begins with, encoded once.
OWN_KEYS = (
    "x-opt-enqueued-time",
    "x-opt-sequence-number",
    "x-opt-locked-until",
    "x-opt-message-state",
)
ENQUEUED_TIME, SEQUENCE_NUMBER, LOCKED_UNTIL, MESSAGE_STATE = (
    encode(Symbol(key)) for key in OWN_KEYS
)
HEADER_START, ANNOTATIONS_START = described(HEADER, b"\xd0"), described(ANNOTATIONS, b"")
# A map of one entry, up to the sixteen bytes of the token.
TOKEN_START = described(
    DELIVERY_ANNOTATIONS, encode_map({Symbol("x-opt-lock-token"): UUID(int=0)})
)[:-16]


class State(IntEnum):
    """The numbers that x-opt-message-state carries."""

    ACTIVE = 0
    DEFERRED = 1
    SCHEDULED = 2


@dataclass(slots=True)
class Envelope:
    """A message as its sender wrote it."""

    header: bytes = NULL * HEADER_FIELDS
    ttl_seconds: float | None = None
    annotations: dict[str, Raw] = field(default_factory=dict)
    bare: bytes = b""
    message_id: str | None = None
    session_id: str | None = None
    scheduled_at: float | None = None


@dataclass(slots=True)
class Message:
    """A message in a queue. Times are seconds since 1970; `raw` is what the store keeps."""

    seq: int
    raw: bytes
    envelope: Envelope
    enqueued_at: float
    state: State = State.ACTIVE
    deliveries: int = 0
    expires_at: float | None = None
    visible_at: float | None = None
    token: UUID | None = None  # Set while it is locked.


def sections(raw: bytes) -> list[tuple[int, int, int, int]]:
    """(descriptor, begin, value, end) of every section, in order."""
    found, at = [], 0
    while at < len(raw):  # Bounded: every turn moves forward, or raises.
        if raw[at : at + 2] == b"\x00\x53" and at + 2 < len(raw):
            code, value = raw[at + 2], at + 3
        else:
            descriptor, value = decode(raw, at + 1)
            if raw[at] != 0 or not isinstance(descriptor, int):
                raise Malformed("a section without a numeric descriptor")
            code = descriptor
        end = skip(raw, value)
        found.append((code, at, value, end))
        at = end
    return found


def parse(raw: bytes) -> Envelope:
    """Take a message apart; raises `Malformed`."""
    envelope, bare_from = Envelope(), len(raw)
    for code, begin, value, _ in sections(raw):
        if code >= PROPERTIES:
            bare_from = begin if begin < bare_from else bare_from
        if code == HEADER:
            read_header(envelope, raw_items(raw, value)[0])
        elif code == ANNOTATIONS:
            envelope.annotations = raw_map(raw, value)
        elif code == PROPERTIES:
            read_properties(envelope, raw_items(raw, value)[0])
    envelope.bare = raw[bare_from:]
    if SCHEDULED_AT in envelope.annotations:
        at, _ = decode(envelope.annotations[SCHEDULED_AT])
        envelope.scheduled_at = at / 1000 if isinstance(at, Stamp) else None
    return envelope


def read_header(envelope: Envelope, items: list[bytes]) -> None:
    """Keep the header as it is, but for the count of deliveries, which is the service's."""
    kept = items[:HEADER_FIELDS] + [NULL] * (HEADER_FIELDS - len(items))
    envelope.header = b"".join(kept)
    ttl_ms, _ = decode(kept[TTL])
    envelope.ttl_seconds = ttl_ms / 1000 if isinstance(ttl_ms, int) else None


def read_properties(envelope: Envelope, items: list[bytes]) -> None:
    if items and items[MESSAGE_ID] != NULL:
        envelope.message_id = str(decode(items[MESSAGE_ID])[0])
    if len(items) > GROUP_ID and items[GROUP_ID] != NULL:
        envelope.session_id = str(decode(items[GROUP_ID])[0])


def raw_map(raw: bytes, at: int) -> dict[str, Raw]:
    """A map whose values stay encoded, so that annotations of any type pass through."""
    items, _ = raw_items(raw, at)
    if len(items) % 2:
        raise Malformed("a map with an odd number of items")
    keys = [str(decode(key)[0]) for key in items[::2]]
    return dict(zip(keys, map(Raw, items[1::2]), strict=True))


def split_batch(raw: bytes) -> list[bytes]:
    """The messages inside one of `BATCH_FORMAT`."""
    inner = []
    for code, _, value, _ in sections(raw):
        if code == DATA:
            begin, end = span(raw, value)
            inner.append(raw[begin:end])
    if len(inner) > BATCH_MAX:
        raise Malformed(f"a batch of more than {BATCH_MAX} messages")
    return inner


def render(message: Message, locked_until: float | None = None) -> bytes:
    """The bytes that a receiver gets: how often delivered, its lock, when and as what enqueued."""
    envelope = message.envelope
    header = envelope.header + b"\x70" + message.deliveries.to_bytes(4, "big")
    parts = [HEADER_START, struct.pack(">II", len(header) + 4, HEADER_FIELDS + 1), header]
    if message.token is not None:
        parts += (TOKEN_START, message.token.bytes)
    own = [ENQUEUED_TIME, stamp(message.enqueued_at), SEQUENCE_NUMBER, long(message.seq)]
    if locked_until is not None:
        own += (LOCKED_UNTIL, stamp(locked_until))
    if message.state is not State.ACTIVE:
        own += (MESSAGE_STATE, long(message.state))
    for key, value in envelope.annotations.items():
        if key not in OWN_KEYS:
            own += (encode(Symbol(key)), value)
    parts += (ANNOTATIONS_START, compound(0xD1, own), envelope.bare)
    return b"".join(parts)


def stamp(at: float) -> bytes:
    """An encoded timestamp, of seconds since 1970."""
    return b"\x83" + int(at * 1000).to_bytes(8, "big", signed=True)


def long(number: int) -> bytes:
    return b"\x81" + number.to_bytes(8, "big", signed=True)


def with_reason(raw: bytes, reason: str | None, description: str | None) -> bytes:
    """The same message with why it was dead-lettered among its application properties."""
    added = {"DeadLetterReason": reason, "DeadLetterErrorDescription": description}
    present = [(key, text) for key, text in added.items() if text is not None]
    before, old, after, place = b"", b"", raw, 0
    for code, begin, value, end in sections(raw):
        if code < APPLICATION_PROPERTIES:
            place = end
        elif code == APPLICATION_PROPERTIES:
            old, after = raw[value:end], raw[end:]
            place = begin
    before = raw[:place]
    after = after if old else raw[place:]
    items = [encode(part) for entry in present for part in entry]
    names = {key for key, _ in present}
    for key, value in (raw_map(old, 0) if old else {}).items():
        if key not in names:
            items += [encode(key), bytes(value)]
    return before + described(APPLICATION_PROPERTIES, compound(0xD1, items)) + after


def request_of(raw: bytes) -> tuple[bytes, dict, object]:
    """(message id, encoded; application properties; value) of a request to a management node."""
    message_id, application, value = b"\x40", {}, None
    for code, _, at, _ in sections(raw):
        if code == PROPERTIES:
            begin, _ = span(raw, at)
            if raw[at] != 0x45:
                first = begin + (1 if raw[at] == 0xC0 else 4)
                message_id = raw[first : skip(raw, first)]
        elif code == APPLICATION_PROPERTIES:
            decoded, _ = decode(raw, at)
            application = decoded if isinstance(decoded, dict) else {}
        elif code == VALUE:
            value, _ = decode(raw, at)
    return message_id, application, value


def answer_to(message_id: bytes, application: dict, value: object) -> bytes:
    """The bytes of an answer to the request with that (encoded) id."""
    correlation = [None] * 5 + [Raw(message_id)]
    return b"".join(
        [
            described(PROPERTIES, encode(correlation)),
            described(APPLICATION_PROPERTIES, encode_map(application)),
            described(VALUE, encode(value)),
        ]
    )
