"""The way back from a tagged file to the original, to the byte, without keeping the original.

Tags lie before or behind the sound, which therefore is in both files: at the same distance from the start or at the
same distance from the end. A patch says where, and keeps only the rest.
"""

from __future__ import annotations

import json
import mmap
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from common.units import MEBIBYTE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK_BYTES: Final = 4096
_COPY_BYTES: Final = MEBIBYTE
_KEPT: Final = -1
"""In place of an offset into the tagged file: the bytes are the patch's own."""


class BadPatch(ValueError):
    """Bytes that are no patch, or one of another file."""


@dataclass(frozen=True, slots=True)
class Patch:
    """How to rebuild an original.

    Attributes
    ----------
    steps
        One after another: where in the tagged file to copy from, or -1 for the kept bytes; and how many bytes.
    kept
        What the tagged file does not hold any more.
    """

    steps: tuple[tuple[int, int], ...]
    kept: bytes

    def packed(self) -> bytes:
        """Return the patch as compressed bytes."""
        return zlib.compress(json.dumps(self.steps).encode() + b"\n" + self.kept)

    @classmethod
    def unpacked(cls, packed: bytes) -> Patch:
        """Read what ``packed`` returned.

        Raises
        ------
        BadPatch
            If it is something else.
        """
        try:
            steps, _, kept = zlib.decompress(packed).partition(b"\n")
            return cls(tuple((int(start), int(length)) for start, length in json.loads(steps)), kept)
        except (zlib.error, ValueError, TypeError) as error:
            raise BadPatch("what was kept to undo this change is damaged") from error


def between(original: Path, tagged: Path) -> Patch:
    """Find out what it takes to rebuild an original from its tagged copy.

    Its size is about that of the tags. Only where the tagging moved every page of the file (an Ogg file whose tags
    grew by a page) is it that of the whole file.
    """
    steps: list[tuple[int, int]] = []
    kept = bytearray()
    with original.open("rb") as old_file, tagged.open("rb") as new_file:
        old, new = _mapped(old_file), _mapped(new_file)
        for start in range(0, len(old), BLOCK_BYTES):
            block = old[start : start + BLOCK_BYTES]
            found = next((at for at in (start, start + len(new) - len(old)) if _holds(new, at, block)), _KEPT)
            if found == _KEPT:
                kept += block
            _add(steps, found, len(block))
    return Patch(tuple(steps), bytes(kept))


def _mapped(file: BinaryIO) -> mmap.mmap | bytes:
    """Map a file, since an empty one cannot be."""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.seek(0, 2) else b""


def _holds(content: mmap.mmap | bytes, start: int, block: bytes) -> bool:
    return start >= 0 and content[start : start + len(block)] == block


def _add(steps: list[tuple[int, int]], start: int, length: int) -> None:
    """Add a step, or lengthen the last one where it goes on there."""
    if steps:
        last, so_far = steps[-1]
        if start == (_KEPT if last == _KEPT else last + so_far):
            steps[-1] = (last, so_far + length)
            return
    steps.append((start, length))


def rebuilt(patch: Patch, tagged: BinaryIO) -> Iterator[bytes]:
    """Yield the original, piece by piece.

    Raises
    ------
    BadPatch
        If the tagged file is too short to be the one that the patch was made for. That the result is the original is
        for the caller to hold against its checksum.
    """
    used = 0
    for start, length in patch.steps:
        if start == _KEPT:
            yield patch.kept[used : used + length]
            used += length
            continue
        tagged.seek(start)
        left = length
        while left:
            piece = tagged.read(min(left, _COPY_BYTES))
            if not piece:
                raise BadPatch("the file is shorter than the one that was tagged")
            yield piece
            left -= len(piece)
