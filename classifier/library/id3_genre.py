"""Sets the genre of ID3 tags without changing any other byte of their frames.

mutagen converts ID3v2.3 tags to 2.4 and back, which loses frames such as sort names, and rewrites ID3v1. This module
replaces the genre frame only; version, order, flags and content of all other frames stay (ID3v2.2, 2.3 and 2.4 at
https://id3.org).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mutagen.id3 import TCON

HEADER_BYTES: Final = 10
ID3V1_BYTES: Final = 128
ID3V1_NO_GENRE: Final = 255
PADDING_BYTES: Final = 1024
_UNSYNCHRONIZED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10
_CRC_IN_V23, _CRC_IN_V24 = 0x80, 0x20
_LATIN1, _UTF16, _UTF8 = b"\0", b"\1", b"\3"
_FRAME_ID: Final = {2: re.compile(rb"[A-Z0-9]{3}"), 3: re.compile(rb"[A-Z0-9]{4}"), 4: re.compile(rb"[A-Z0-9]{4}")}
_GENRE_FRAME: Final = {2: b"TCO", 3: b"TCON", 4: b"TCON"}
_FRAME_HEADER_BYTES: Final = {2: 6, 3: 10, 4: 10}


class UnsupportedTag(ValueError):
    """The tag is damaged, or has a feature that cannot be preserved."""


@dataclass(frozen=True, slots=True)
class _Frames:
    """The frames of a tag as bytes including their headers, and what follows them.

    Attributes
    ----------
    bits
        Bits per byte in frame sizes: 7 in ID3v2.4, 8 in other versions and in tags of old iTunes versions.
    rest
        Padding, or bytes that are not a frame.
    """

    frames: tuple[bytes, ...]
    bits: int
    rest: bytes

    @property
    def complete(self) -> bool:
        return not self.rest.strip(b"\0")


def tag_size(header: bytes) -> int:
    """Return the size of an ID3v2 tag in bytes, given its header; 0 if there is no tag."""
    if len(header) < HEADER_BYTES or header[:3] != b"ID3":
        return 0
    footer = HEADER_BYTES if header[5] & _FOOTER else 0
    return HEADER_BYTES + _integer(header[6:10], 7) + footer


def new_tag(genre: str) -> bytes:
    """Return an ID3v2.4 tag that has only a genre."""
    body = _genre_frame(genre, 4, 7) + bytes(PADDING_BYTES)
    return b"ID3\4\0\0" + _bytes(len(body), 7) + body


def with_genre(tag: bytes, genre: str) -> bytes:
    """Return an ID3v2 tag with another genre; it keeps its size if there is enough padding.

    Raises
    ------
    UnsupportedTag
        If the tag is damaged, or has an appended footer, compression or a checksum.
    """
    version, flags = tag[3], tag[5]
    if version not in _FRAME_ID or flags & _FOOTER or (version == 2 and flags & _EXTENDED):
        raise UnsupportedTag(f"ID3v2.{version} with flags {flags:#x}")
    unsynchronized = version < 4 and bool(flags & _UNSYNCHRONIZED)
    body = tag[HEADER_BYTES:]
    if unsynchronized:
        body = body.replace(b"\xff\0", b"\xff")
    extended = _extended_header(body, version) if flags & _EXTENDED else b""
    found = _split(body[len(extended) :], version)
    frame = _genre_frame(genre, version, found.bits)
    # Many programs misread what follows an unsynchronized or wrongly sized frame. Therefore the genre goes to the
    # front, where they find it, unless it would be such a frame itself.
    readable = not (unsynchronized and b"\xff" in frame) and (version < 4 or found.bits == 7 or len(frame) < 128)
    frames = b"".join(_replaced(found.frames, frame, _GENRE_FRAME[version], to_front=readable))
    if found.complete:
        space = len(body) - len(extended) - len(frames)
        padding = bytes(space if space >= 0 and not unsynchronized else PADDING_BYTES)
    else:
        padding = found.rest
    if extended and version == 3:
        extended = extended[:6] + _bytes(len(padding), 8)
    new_body = extended + frames + padding
    if unsynchronized:
        new_body = re.sub(rb"\xff(?=[\0\xe0-\xff]|\Z)", b"\xff\0", new_body)
    return tag[:6] + _bytes(len(new_body), 7) + new_body


def id3v1_with_genre(tag: bytes, genre: str) -> bytes:
    """Return an ID3v1 tag with another genre, or with none if ID3v1 has no number for it."""
    number = id3v1_number(genre)
    return tag[:-1] + bytes([ID3V1_NO_GENRE if number is None else number])


def id3v1_number(genre: str) -> int | None:
    """Return the number of a genre in ID3v1."""
    names = [name.casefold() for name in TCON.GENRES]
    return names.index(genre.casefold()) if genre.casefold() in names else None


def _extended_header(body: bytes, version: int) -> bytes:
    size = 4 + _integer(body[:4], 8) if version == 3 else _integer(body[:4], 7)
    header = body[:size]
    if len(header) < 6 or header[4 if version == 3 else 5] & (_CRC_IN_V23 if version == 3 else _CRC_IN_V24):
        raise UnsupportedTag("extended header with a checksum")
    return header


def _split(body: bytes, version: int) -> _Frames:
    """Split a tag's body into frames, recognizing iTunes' wrong sizes in ID3v2.4 by the frames that follow."""
    found = _split_with(body, version, 7 if version == 4 else 8)
    if version == 4 and not found.complete:
        other = _split_with(body, version, 8)
        if other.complete:
            return other
    return found


def _split_with(body: bytes, version: int, bits: int) -> _Frames:
    header_bytes, id_bytes = _FRAME_HEADER_BYTES[version], len(_GENRE_FRAME[version])
    frames: list[bytes] = []
    position = 0
    while position + header_bytes <= len(body) and _FRAME_ID[version].match(body, position):
        size_at = position + id_bytes
        end = position + header_bytes + _integer(body[size_at : size_at + (3 if version == 2 else 4)], bits)
        if end > len(body):
            break
        frames.append(body[position:end])
        position = end
    return _Frames(tuple(frames), bits, body[position:])


def _replaced(frames: tuple[bytes, ...], genre: bytes, name: bytes, *, to_front: bool) -> list[bytes]:
    """Put the genre frame in the place of the first existing one, or at an end; other genre frames are removed."""
    new_place = 0 if to_front else len(frames)
    first = next((index for index, frame in enumerate(frames) if frame.startswith(name)), new_place)
    kept = [frame for frame in frames if not frame.startswith(name)]
    return [*kept[:first], genre, *kept[first:]]


def _genre_frame(genre: str, version: int, bits: int) -> bytes:
    if version == 4:
        content = _UTF8 + genre.encode()
    else:
        try:
            content = _LATIN1 + genre.encode("latin-1")
        except UnicodeEncodeError:
            content = _UTF16 + genre.encode("utf-16")
    size = _bytes(len(content), bits)
    return _GENRE_FRAME[version] + (size[1:] if version == 2 else size + b"\0\0") + content


def _integer(content: bytes, bits: int) -> int:
    value = 0
    for byte in content:
        value = value << bits | byte
    return value


def _bytes(value: int, bits: int) -> bytes:
    return bytes(value >> bits * place & (1 << bits) - 1 for place in (3, 2, 1, 0))
