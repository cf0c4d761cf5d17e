"""One message: its bytes taken apart, and put together again for whoever receives it.

The service owns the header, the delivery annotations and a few message annotations; everything
else (properties, body, footer) passes through byte for byte. After part 3 of AMQP 1.0.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from uuid import UUID

from rehearsal.servicebus.amqp import (
    Malformed,
    Raw,
    Stamp,
    Symbol,
    UInt,
    compound,
    decode,
    described,
    encode,
    encode_map,
    skip,
    span,
)

BATCH_FORMAT = 0x80013700  # Each data section of such a message is a message of its own.
HEADER, DELIVERY_ANNOTATIONS, ANNOTATIONS, PROPERTIES = 0x70, 0x71, 0x72, 0x73
APPLICATION_PROPERTIES, DATA, VALUE = 0x74, 0x75, 0x77
MESSAGE_ID, GROUP_ID = 0, 10  # Places in the list of properties.
SCHEDULED_AT = "x-opt-scheduled-enqueue-time"
BATCH_MAX = 10_000


class State(IntEnum):
    """The numbers that x-opt-message-state carries."""

    ACTIVE = 0
    DEFERRED = 1
    SCHEDULED = 2


@dataclass(slots=True)
class Envelope:
    """A message as its sender wrote it."""

    header: list = field(default_factory=list)
    annotations: dict[str, Raw] = field(default_factory=dict)
    bare: bytes = b""
    properties: bytes = b""
    application: bytes = b""
    body: bytes = b""
    message_id: str | None = None
    session_id: str | None = None
    scheduled_at: float | None = None

    @property
    def ttl_seconds(self) -> float | None:
        ttl = self.header[2] if len(self.header) > 2 else None
        return None if ttl is None else ttl / 1000


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
    for code, begin, value, end in sections(raw):
        if code >= PROPERTIES:
            bare_from = min(bare_from, begin)
        if code == HEADER:
            envelope.header = fields(raw, value)
        elif code == ANNOTATIONS:
            envelope.annotations = raw_map(raw, value)
        elif code == PROPERTIES:
            envelope.properties = raw[begin:end]
            read_properties(envelope, fields(raw, value))
        elif code == APPLICATION_PROPERTIES:
            envelope.application = raw[begin:end]
    envelope.bare = raw[bare_from:]
    envelope.body = envelope.bare[len(envelope.properties) + len(envelope.application) :]
    if SCHEDULED_AT in envelope.annotations:
        at, _ = decode(envelope.annotations[SCHEDULED_AT])
        envelope.scheduled_at = at / 1000 if isinstance(at, Stamp) else None
    return envelope


def fields(raw: bytes, at: int) -> list:
    value, _ = decode(raw, at)
    if not isinstance(value, list):
        raise Malformed("a section that should be a list")
    return value


def read_properties(envelope: Envelope, properties: list) -> None:
    if properties and properties[MESSAGE_ID] is not None:
        envelope.message_id = str(properties[MESSAGE_ID])
    if len(properties) > GROUP_ID and properties[GROUP_ID] is not None:
        envelope.session_id = str(properties[GROUP_ID])


def raw_map(raw: bytes, at: int) -> dict[str, Raw]:
    """A map whose values stay encoded, so that annotations of any type pass through."""
    begin, end = span(raw, at)
    width = 1 if raw[at] == 0xC1 else 4
    count, at, entries = int.from_bytes(raw[begin : begin + width], "big"), begin + width, {}
    for _ in range(count // 2):
        key, at = decode(raw, at)
        after = skip(raw, at)
        entries[str(key)] = Raw(raw[at:after])
        at = after
    if at > end:
        raise Malformed("a map overruns its size")
    return entries


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


HEADER_TYPES = (bool, lambda priority: Raw(bytes((0x50, priority))), UInt, bool)


def render(message: Message, locked_until: float | None = None) -> bytes:
    """The bytes that a receiver gets: how often delivered, its lock, when and as what enqueued."""
    envelope = message.envelope
    header = [
        None if value is None else kind(value)
        for kind, value in zip(HEADER_TYPES, envelope.header, strict=False)
    ]
    header += [None] * (4 - len(header)) + [UInt(message.deliveries)]
    parts = [described(HEADER, compound(0xD0, [encode(item) for item in header]))]
    if message.token is not None:
        token = {Symbol("x-opt-lock-token"): message.token}
        parts.append(described(DELIVERY_ANNOTATIONS, encode_map(token)))
    own: dict[str, object] = {
        "x-opt-enqueued-time": Stamp(message.enqueued_at * 1000),
        "x-opt-sequence-number": message.seq,
    }
    if locked_until is not None:
        own["x-opt-locked-until"] = Stamp(locked_until * 1000)
    if message.state is not State.ACTIVE:
        own["x-opt-message-state"] = int(message.state)
    annotations = {Symbol(key): value for key, value in {**envelope.annotations, **own}.items()}
    parts += [described(ANNOTATIONS, encode_map(annotations)), envelope.bare]
    return b"".join(parts)


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
