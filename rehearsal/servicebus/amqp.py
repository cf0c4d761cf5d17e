"""AMQP 1.0 values to and from bytes, with nothing known of messages or of sockets.

After the OASIS standard, part 1: a format code's high nibble says how long the value is, which
lets `skip` step over anything that this player has no interest in. Readers raise `Malformed`.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

DEPTH_MAX = 32  # Deeper nesting than any client sends: a bound on recursion.

FIXED_BYTES = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}


class Malformed(Exception):
    """These bytes are not the AMQP that was expected here."""


class Symbol(str):
    """A symbolic constant: a string of ASCII that is encoded with its own format code."""


class Stamp(int):
    """A timestamp: milliseconds since 1970, UTC."""


class UInt(int):
    """An unsigned integer of 32 bits; a plain int is encoded as a signed one of 64."""


class Raw(bytes):
    """A value that is encoded already."""


class Described(NamedTuple):
    """A value with its descriptor."""

    descriptor: object
    value: object


READERS: dict[int, Callable[[bytes], object]] = {
    0x45: lambda raw: [],
    0x56: lambda raw: raw[0] == 1,
    0x73: lambda raw: raw.decode("utf-32-be"),
    0x83: lambda raw: Stamp(int.from_bytes(raw, "big", signed=True)),
    0x98: lambda raw: UUID(bytes=raw),
    0x72: lambda raw: struct.unpack(">f", raw)[0],
    0x82: lambda raw: struct.unpack(">d", raw)[0],
}
UNSIGNED = {0x50, 0x52, 0x53, 0x60, 0x70, 0x80}
SIGNED = {0x51, 0x54, 0x55, 0x61, 0x71, 0x81}
BINARY, STRING, SYMBOL = {0xA0, 0xB0}, {0xA1, 0xB1}, {0xA3, 0xB3}
LISTS, MAPS, ARRAYS = {0xC0, 0xD0}, {0xC1, 0xD1}, {0xE0, 0xF0}
# Values that are their own format code: most fields of most lists, so they are read without ado.
CONSTANTS: dict[int, object] = {0x40: None, 0x41: True, 0x42: False, 0x43: 0, 0x44: 0}


def span(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of the value at `at` begins and ends; the size prefix is left out."""
    try:
        kind = data[at] >> 4
        if kind in FIXED_BYTES:
            begin, length = at + 1, FIXED_BYTES[kind]
        elif kind in (0xA, 0xC, 0xE):
            begin, length = at + 2, data[at + 1]
        elif kind in (0xB, 0xD, 0xF):
            begin, length = at + 5, int.from_bytes(data[at + 1 : at + 5], "big")
        else:
            raise Malformed(f"format code {data[at]:#x}")
    except IndexError:
        raise Malformed("the value ends early") from None
    if begin + length > len(data):
        raise Malformed("the value ends early")
    return begin, begin + length


def skip(data: bytes, at: int) -> int:
    """The place after the value at `at`."""
    for _ in range(DEPTH_MAX):
        if data[at : at + 1] != b"\x00":
            return span(data, at)[1]
        at = skip(data, at + 1)  # A descriptor is a value, and what it describes is another.
    raise Malformed("descriptors without end")


def decode(data: bytes, at: int = 0, depth: int = 0) -> tuple[object, int]:
    """The value at `at` and the place after it. Lists, maps and arrays become lists and dicts."""
    if depth > DEPTH_MAX:
        raise Malformed("nested too deeply")
    if at >= len(data):
        raise Malformed("the value ends early")
    code = data[at]
    if code in CONSTANTS:
        return CONSTANTS[code], at + 1
    if code == 0:
        descriptor, at = decode(data, at + 1, depth + 1)
        value, at = decode(data, at, depth + 1)
        return Described(descriptor, value), at
    begin, end = span(data, at)
    if code in LISTS or code in MAPS:
        items = decode_items(data, begin, end, code, depth)
        return (items if code in LISTS else pairs(items)), end
    if code in ARRAYS:
        return decode_array(data, begin, end, code, depth), end
    return scalar(code, bytes(data[begin:end])), end


def raw_items(data: bytes, at: int) -> tuple[list[bytes], int]:
    """The items of the list or map at `at`, each still encoded, and the place after it."""
    begin, end = span(data, at)
    code = data[at]
    if code == 0x45:
        return [], end
    if code not in LISTS and code not in MAPS:
        raise Malformed("neither a list nor a map")
    width = 1 if code in (0xC0, 0xC1) else 4
    count, place, found = int.from_bytes(data[begin : begin + width], "big"), begin + width, []
    for _ in range(count):
        after = place + 1 if place < end and data[place] in CONSTANTS else skip(data, place)
        if after > end:
            raise Malformed("a compound value overruns its size")
        found.append(bytes(data[place:after]))
        place = after
    return found, end


def pairs(items: list) -> dict:
    if len(items) % 2:
        raise Malformed("a map with an odd number of items")
    return {key_of(key): value for key, value in zip(items[::2], items[1::2], strict=True)}


def key_of(key: object) -> object:
    """Keys are symbols or plain values in practice; a compound one is told by its looks."""
    return repr(key) if isinstance(key, (list, dict, Described)) else key


def decode_items(data: bytes, begin: int, end: int, code: int, depth: int) -> list:
    width = 1 if code in (0xC0, 0xC1) else 4
    count, at, items = int.from_bytes(data[begin : begin + width], "big"), begin + width, []
    for _ in range(count):
        value, at = decode(data, at, depth + 1)
        if at > end:
            raise Malformed("a compound value overruns its size")
        items.append(value)
    return items


def decode_array(data: bytes, begin: int, end: int, code: int, depth: int) -> list:
    width = 1 if code == 0xE0 else 4
    count, at = int.from_bytes(data[begin : begin + width], "big"), begin + width
    if count > end - begin:
        raise Malformed("an array claims more items than it has bytes")
    element = bytes(data[at : at + 1])
    at, items = at + 1, []
    for _ in range(count):  # One constructor serves every element: put it before each in turn.
        value, size = decode(element + data[at:end], 0, depth + 1)
        at += size - 1
        items.append(value)
    return items


def scalar(code: int, raw: bytes) -> object:
    try:
        if code in READERS:
            return READERS[code](raw)
        if code in UNSIGNED or code in SIGNED:
            return int.from_bytes(raw, "big", signed=code in SIGNED)
        if code in STRING:
            return raw.decode()
        if code in SYMBOL:
            return Symbol(raw.decode("ascii"))
    except UnicodeDecodeError as broken:
        raise Malformed(str(broken)) from None
    if code in BINARY or code >> 4 in (0x7, 0x8, 0x9):  # The last: decimals, kept as they came.
        return raw
    raise Malformed(f"format code {code:#x}")


def variable(short: int, long: int, raw: bytes) -> bytes:
    if len(raw) < 256:
        return bytes((short, len(raw))) + raw
    return bytes((long,)) + struct.pack(">I", len(raw)) + raw


def compound(code: int, items: list[bytes]) -> bytes:
    """A list32 (0xd0) or map32 (0xd1) of values that are encoded already."""
    body = b"".join(items)
    return bytes((code,)) + struct.pack(">II", len(body) + 4, len(items)) + body


def encode_map(entries: dict) -> bytes:
    return compound(0xD1, [encode(part) for entry in entries.items() for part in entry])


WRITERS: dict[type, Callable] = {
    type(None): lambda value: b"\x40",
    bool: lambda value: b"\x41" if value else b"\x42",
    UInt: lambda value: b"\x70" + struct.pack(">I", value),
    Stamp: lambda value: b"\x83" + struct.pack(">q", value),
    int: lambda value: b"\x81" + struct.pack(">q", value),
    float: lambda value: b"\x82" + struct.pack(">d", value),
    UUID: lambda value: b"\x98" + value.bytes,
    Raw: lambda value: bytes(value),
    Symbol: lambda value: variable(0xA3, 0xB3, value.encode("ascii")),
    str: lambda value: variable(0xA1, 0xB1, value.encode()),
    bytes: lambda value: variable(0xA0, 0xB0, value),
    list: lambda value: compound(0xD0, [encode(item) for item in value]),
    dict: encode_map,
}


def encode(value: object) -> bytes:
    """Bytes of a value. The types above choose the AMQP type; a plain int is a long."""
    return WRITERS[type(value)](value)


def described(code: int, value: bytes) -> bytes:
    """A value, encoded already, under a numeric descriptor such as a section's."""
    return bytes((0x00, 0x53, code)) + value
