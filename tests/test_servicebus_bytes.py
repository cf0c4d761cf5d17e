"""A message's bytes: taken apart, put together again, and never changed where they are not ours."""

from hypothesis import given
from hypothesis import strategies as st

from rehearsal.servicebus.amqp import (
    Malformed,
    Raw,
    Symbol,
    UInt,
    compound,
    decode,
    described,
    encode,
)
from rehearsal.servicebus.message import (
    Message,
    parse,
    render,
    request_of,
    sections,
    split_batch,
    with_reason,
)

NOW = 1_800_000_000.0


def test_a_reason_joins_the_properties_that_are_there() -> None:
    own = described(0x74, compound(0xD1, [encode("a"), encode(1)]))
    raw = described(0x73, encode(["x"])) + own + described(0x75, encode(b"body"))
    _, application, _ = request_of(with_reason(raw, "why", "because"))
    assert application == {
        "DeadLetterReason": "why",
        "DeadLetterErrorDescription": "because",
        "a": 1,
    }


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_batch_gives_back_what_was_put_into_it(bodies: list[bytes]) -> None:
    batch = b"".join(described(0x75, encode(body)) for body in bodies)
    assert split_batch(batch) == bodies


@given(st.binary(max_size=60))
def test_foreign_bytes_are_refused_as_malformed_or_read_whole(raw: bytes) -> None:
    try:
        envelope = parse(raw)
    except Malformed:
        envelope = None
    assert envelope is None or raw.endswith(envelope.bare)


@given(st.text(max_size=20), st.dictionaries(st.text(max_size=9), st.integers(0, 9), max_size=5))
def test_what_the_service_does_not_own_passes_through(message_id: str, own: dict) -> None:
    entries = [encode(Symbol("x-own")), encode(own)]
    bare = described(0x73, encode([message_id])) + described(0x75, encode(b"body"))
    raw = described(0x72, compound(0xD1, entries)) + bare
    envelope = parse(raw)
    again = parse(render(Message(1, raw, envelope, NOW)))
    assert again.bare == bare and again.annotations["x-own"] == encode(own)


def test_a_header_keeps_what_its_sender_wrote_and_gains_the_count() -> None:
    durable_and_priority = encode([True, Raw(b"\x50\x07")])
    raw = described(0x70, durable_and_priority) + described(0x75, encode(b"body"))
    message = Message(1, raw, parse(raw), NOW, deliveries=3)
    _, begin, value, _ = sections(render(message))[0]
    header, _ = decode(render(message), value)
    assert begin == 0 and header == [True, 7, None, None, 3]


@given(st.integers(0, 2**32 - 1))
def test_the_lifetime_is_read_from_the_header(ttl_ms: int) -> None:
    raw = described(0x70, encode([None, None, UInt(ttl_ms)]))
    assert parse(raw).ttl_seconds == ttl_ms / 1000
