"""Find the links of a chained Ogg file: recordings one after another in one file, as radio stations and jingles make.

FFmpeg's demuxer gives up where a link has another sample rate or other channels than the one before; each link on its
own is a file like any other. See RFC 3533, sections 4 and 6, for chains and pages.
"""

from __future__ import annotations

import io
from typing import BinaryIO, Final

CAPTURE_PATTERN: Final = b"OggS"
MOST_LINKS: Final = 1_000
"""What comes after so many links belongs to the last one."""
_HEADER_BYTES: Final = 27
_FLAGS_AT: Final = 5
_SEGMENTS_AT: Final = 26
_BEGINNING_OF_STREAM: Final = 2


def links(file: BinaryIO) -> list[int]:
    """Return at which byte each link begins; none if the file is no Ogg file.

    A link begins with a page that begins a stream and does not follow another such page: the streams of one link, sound
    and pictures, all begin before the first goes on.
    """
    file.seek(0)
    if file.read(len(CAPTURE_PATTERN)) != CAPTURE_PATTERN:
        return []
    starts: list[int] = []
    at: int | None = 0
    grouped = False
    while at is not None and len(starts) < MOST_LINKS:
        file.seek(at)
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            break
        if not header.startswith(CAPTURE_PATTERN):
            at = _next_page(file, at + 1)
            continue
        begins = bool(header[_FLAGS_AT] & _BEGINNING_OF_STREAM)
        if begins and not grouped:
            starts.append(at)
        grouped = begins
        lengths = file.read(header[_SEGMENTS_AT])
        at += _HEADER_BYTES + len(lengths) + sum(lengths)
    return starts


def _next_page(file: BinaryIO, start: int) -> int | None:
    """Return where the next page begins, after a damaged one."""
    overlap = len(CAPTURE_PATTERN) - 1
    file.seek(start)
    while content := file.read(io.DEFAULT_BUFFER_SIZE * 8):
        found = content.find(CAPTURE_PATTERN)
        if found >= 0:
            return start + found
        if len(content) <= overlap:
            return None
        start += len(content) - overlap
        file.seek(start)
    return None


class FileSection(io.RawIOBase):
    """A part of a file that reads as a file of its own.

    Parameters
    ----------
    file
        The whole file.
    start, end
        The first byte of the part, and the one after its last.
    """

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        super().__init__()
        self._file, self._start, self._size = file, start, end - start
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if origin + offset < 0:
            raise ValueError("a position before the start")
        self._at = origin + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._at)
        self._file.seek(self._start + self._at)
        content = self._file.read(left if size < 0 else min(size, left))
        self._at += len(content)
        return content
