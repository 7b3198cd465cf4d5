"""Replaces a range of bytes in a file, moving what follows it."""

from __future__ import annotations

from typing import BinaryIO, Final

_COPY_BYTES: Final = 1024 * 1024


def replace_range(file: BinaryIO, start: int, length: int, replacement: bytes) -> None:
    """Replace ``length`` bytes at ``start`` by others, which may be more or fewer."""
    difference = len(replacement) - length
    if difference:
        _move_tail(file, start + length, difference)
    file.seek(start)
    file.write(replacement)


def _move_tail(file: BinaryIO, start: int, difference: int) -> None:
    """Move everything from ``start`` to the end of the file by ``difference`` bytes."""
    size = file.seek(0, 2)
    positions = range(start, size, _COPY_BYTES)
    # Towards the end the last block goes first, so that no block overwrites one that is still to be moved.
    for position in reversed(positions) if difference > 0 else positions:
        file.seek(position)
        block = file.read(min(_COPY_BYTES, size - position))
        file.seek(position + difference)
        file.write(block)
    file.truncate(size + difference)
