"""Between the socket and proton: what the client sends that proton would not have.

The service accepts deliveries whose ids are out of order, as the client sends them when several
threads share a link; proton ends the connection. So they are numbered anew on the way in, and
dispositions carry the client's own ids on the way out. On the way through, the filter notes each
delivery's message format, which proton's Python binding hides, and drops frames after an end.
"""

import struct
from collections import defaultdict, deque

from rehearsal.servicebus.amqp import Malformed, compound, decode, raw_items

FRAME_MAX_BYTES = 1 << 20
BEGIN, ATTACH, TRANSFER, DISPOSITION, DETACH, END = 0x11, 0x12, 0x14, 0x15, 0x16, 0x17
HANDLE, DELIVERY_ID, FORMAT, MORE = 0, 1, 3, 5  # Places in a transfer.


def split(buffer: bytearray) -> list[bytes]:
    """Take the whole frames (and protocol headers) off the front of the buffer."""
    at, whole = 0, []
    while len(buffer) - at >= 8:  # Bounded: every turn moves forward, or leaves.
        head = buffer[at : at + 4]
        size = 8 if head == b"AMQP" else int.from_bytes(head, "big")
        if size < 8 or size > FRAME_MAX_BYTES:
            raise Malformed(f"a frame of {size} bytes")
        if len(buffer) - at < size:
            break
        whole.append(bytes(buffer[at : at + size]))
        at += size
    del buffer[:at]
    return whole


def performative(frame: bytes) -> int | None:
    """The code of an AMQP frame's performative; None for SASL, heartbeats and headers."""
    if frame[:4] == b"AMQP" or frame[5] != 0:
        return None
    at = frame[4] * 4
    return frame[at + 2] if frame[at : at + 2] == b"\x00\x53" else None


def raw_fields(frame: bytes) -> tuple[list[bytes], int]:
    """The performative's fields, each still encoded, and where the payload begins."""
    return raw_items(frame, frame[4] * 4 + 3)


def rebuilt(frame: bytes, fields: list[bytes], payload_at: int) -> bytes:
    """The same frame with other fields."""
    at = frame[4] * 4
    body = frame[at : at + 3] + compound(0xD0, fields) + frame[payload_at:]
    return struct.pack(">I", at + len(body)) + frame[4:at] + body


def uint(number: int) -> bytes:
    return b"\x70" + struct.pack(">I", number & 0xFFFFFFFF)


def number(raw: bytes) -> int | None:
    value, _ = decode(raw)
    return value if isinstance(value, int) else None


def truth(raw: bytes) -> bool:
    return decode(raw)[0] is True


class Numbering:
    """The delivery ids of one channel: those proton sees, and those the client gave."""

    def __init__(self) -> None:
        self.next: int | None = None
        self.given: dict[int, int] = {}  # Ours -> the client's, where they differ.
        self.underway: dict[int, int] = {}  # Handle -> our id, while a delivery has more frames.


class FrameFilter:
    """One connection's bytes, both ways."""

    def __init__(self) -> None:
        self.inward, self.outward = bytearray(), bytearray()
        self.numberings: dict[int, Numbering] = defaultdict(Numbering)
        self.senders: dict[tuple[int, int], str] = {}
        self.formats: dict[str, deque[int]] = defaultdict(deque)
        self.ended: set[int] = set()
        self.peers: dict[int, int] = {}  # Our channel -> the client's.

    def inbound(self, data: bytes) -> bytes:
        """What proton should see of these bytes from the client."""
        self.inward += data
        return b"".join([self._inbound(frame) for frame in split(self.inward)])

    def _inbound(self, frame: bytes) -> bytes:
        code = performative(frame)
        if code is None:
            return frame
        channel = frame[6] << 8 | frame[7]
        if code == BEGIN:
            self.ended.discard(channel)
            self.numberings.pop(channel, None)
        elif channel in self.ended:
            return b""
        elif code == TRANSFER:
            return self._transfer(channel, frame)
        elif code == ATTACH:
            fields, _ = raw_fields(frame)
            handle = number(fields[1])
            if not truth(fields[2]) and handle is not None:  # Role false: the client sends.
                name, _ = decode(fields[0])
                self.senders[channel, handle] = str(name)
        elif code == DETACH:
            self._detached(channel, number(raw_fields(frame)[0][0]))
        elif code == END:
            self.ended.add(channel)
        return frame

    def _detached(self, channel: int, handle: int | None) -> None:
        name = self.senders.pop((channel, handle or 0), None)
        if name is not None:
            self.formats.pop(name, None)
        self.numberings[channel].underway.pop(handle or 0, None)

    def _transfer(self, channel: int, frame: bytes) -> bytes:
        fields, payload_at = raw_fields(frame)
        numbering = self.numberings[channel]
        handle = number(fields[HANDLE]) or 0
        given = number(fields[DELIVERY_ID]) if len(fields) > DELIVERY_ID else None
        ours = numbering.underway.get(handle)
        if ours is None:
            if given is None:
                raise Malformed("a delivery without an id")
            ours = given if numbering.next is None else numbering.next
            numbering.next = (ours + 1) & 0xFFFFFFFF
            if ours != given:
                numbering.given[ours] = given
            code = number(fields[FORMAT]) if len(fields) > FORMAT else None
            self.formats[self.senders.get((channel, handle), "")].append(code or 0)
        numbering.underway.pop(handle, None)
        if len(fields) > MORE and truth(fields[MORE]):
            numbering.underway[handle] = ours
        if given is None or given == ours:
            return frame
        fields[DELIVERY_ID] = uint(ours)
        return rebuilt(frame, fields, payload_at)

    def format_of(self, link_name: str) -> int:
        """The message format of the delivery that link completed next."""
        waiting = self.formats.get(link_name)
        return waiting.popleft() if waiting else 0

    def outbound(self, data: bytes) -> bytes:
        """What the client should see of these bytes from proton."""
        self.outward += data
        return b"".join([self._outbound(frame) for frame in split(self.outward)])

    def _outbound(self, frame: bytes) -> bytes:
        code = performative(frame)
        channel = frame[6] << 8 | frame[7]
        if code == BEGIN:
            fields, _ = raw_fields(frame)
            peer = number(fields[0]) if fields else None
            self.peers[channel] = channel if peer is None else peer
        if code != DISPOSITION:
            return frame
        given = self.numberings[self.peers.get(channel, channel)].given
        return self._disposition(frame, given) if given else frame

    def _disposition(self, frame: bytes, given: dict[int, int]) -> bytes:
        """One frame per delivery, each with the id that the client knows."""
        fields, payload_at = raw_fields(frame)
        if not truth(fields[0]):  # Only as a receiver do we speak of the client's deliveries.
            return frame
        first = number(fields[1]) or 0
        last = number(fields[2]) if len(fields) > 2 else None
        frames = []
        for ours in range(first, (first if last is None else last) + 1):
            theirs = uint(given.pop(ours, ours))
            one = [fields[0], theirs, theirs, *fields[3:]]
            frames.append(rebuilt(frame, one, payload_at))
        return b"".join(frames)
