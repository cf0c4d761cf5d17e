"""Append blobs: documents that only grow, a block at a time, by compare-and-swap on their size.

Whoever appends names the size that was read; of two at once one is told to look again. A block is
written whole or not at all, so that no reader ever sees half of one.
"""

from dataclasses import dataclass
from typing import cast

from shared.blobs import Place

BLOCKS_MAX = 50_000  # learn.microsoft.com, Understanding block blobs, append blobs and page blobs.
# What SDK and service call a condition on the position that did not hold.
MOVED = ("AppendPositionConditionNotMet", "ConditionNotMet")


@dataclass(frozen=True)
class Grown:
    """How far an append blob has come."""

    bytes: int
    blocks: int


class Growing(Place):
    """A container's append blobs."""

    def grown(self, name: str) -> Grown | None:
        """The blob's size, or None where there is none."""

        def work() -> Grown:
            known = self._blob(name).get_blob_properties()
            return Grown(known.size, known.append_blob_committed_block_count or 0)

        # A HEAD has no body, so the SDK knows only the header's code.
        return self._asked(work, name, absent=("BlobNotFound",))

    def part(self, name: str, offset: int, length: int) -> bytes:
        """So many bytes of the blob, fewer where it ends, none where there is nothing."""

        def work() -> bytes:
            return cast(bytes, self._blob(name).download_blob(offset, length).readall())

        return self._asked(work, name, absent=("BlobNotFound", "InvalidRange")) or b""

    def begin(self, name: str) -> None:
        """Make an empty append blob; one that is there already is left as it is."""
        from azure.core import MatchConditions

        def work() -> dict:
            return self._blob(name).create_append_blob(match_condition=MatchConditions.IfMissing)

        self._asked(work, name, absent=("ConditionNotMet", "BlobAlreadyExists"))

    def append(self, name: str, data: bytes, at: int) -> bool:
        """Append one block if the blob has `at` bytes still; False when it has grown meanwhile."""

        def work() -> bool:
            self._blob(name).append_block(data, appendpos_condition=at)
            return True

        return bool(self._asked(work, name, absent=MOVED))
