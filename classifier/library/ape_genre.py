"""Sets the genre of APE tags without changing any other item (http://wiki.hydrogenaud.io/index.php?title=APEv2).

mutagen sorts the items of an APE tag and removes an ID3v1 tag behind it; this module replaces the genre item only.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

from classifier.library.id3_genre import ID3V1_BYTES, UnsupportedTag

_PREAMBLE: Final = b"APETAGEX"
_FOOTER: Final = struct.Struct("<8sIIII8s")
_ITEM: Final = struct.Struct("<II")
_VERSION: Final = 2000
_HAS_HEADER, _IS_HEADER = 1 << 31, 1 << 29
_TYPE_BITS: Final = 0b110
"""Type of an item; 0 is UTF-8 text."""
_LYRICS_END: Final = b"LYRICS200"
_LYRICS_SIZE_DIGITS: Final = 6
MAX_TAG_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ApeTag:
    """The position of an APE tag in a file, and its content.

    Attributes
    ----------
    start, length
        Bytes, including the header and the footer.
    flags
        Flags of the footer.
    items
        The items as bytes.
    """

    start: int
    length: int
    version: int
    flags: int
    items: tuple[bytes, ...]


def find(file: BinaryIO) -> ApeTag | None:
    """Return the APE tag at the end of a file, before ID3v1 and Lyrics3v2 tags; None if there is none.

    Raises
    ------
    UnsupportedTag
        If it is damaged.
    """
    end = tag_end(file)
    for candidate in (end, _before_lyrics(file, end)):
        if candidate < _FOOTER.size:
            continue
        file.seek(candidate - _FOOTER.size)
        preamble, version, size, count, flags, _ = _FOOTER.unpack(file.read(_FOOTER.size))
        if preamble != _PREAMBLE or flags & _IS_HEADER:
            continue
        start = candidate - size - (_FOOTER.size if flags & _HAS_HEADER else 0)
        if not _FOOTER.size <= size <= MAX_TAG_BYTES or start < 0:
            raise UnsupportedTag("an APE tag with a wrong size")
        file.seek(candidate - size)
        return ApeTag(start, candidate - start, version, flags, _items(file.read(size - _FOOTER.size), count))
    return None


def tag_end(file: BinaryIO) -> int:
    """Return where an APE tag ends: at the end of the file, or before its ID3v1 tag."""
    end = file.seek(0, 2)
    if end >= ID3V1_BYTES:
        file.seek(end - ID3V1_BYTES)
        if file.read(3) == b"TAG":
            return end - ID3V1_BYTES
    return end


def _before_lyrics(file: BinaryIO, end: int) -> int:
    length = _LYRICS_SIZE_DIGITS + len(_LYRICS_END)
    if end < length:
        return 0
    file.seek(end - length)
    content = file.read(length)
    digits = content[:_LYRICS_SIZE_DIGITS]
    return end - length - int(digits) if content.endswith(_LYRICS_END) and digits.isdigit() else 0


def _items(content: bytes, count: int) -> tuple[bytes, ...]:
    items, position = [], 0
    for _ in range(count):
        if position + _ITEM.size > len(content):
            raise UnsupportedTag("an APE tag with too few items")
        size, _flags = _ITEM.unpack_from(content, position)
        key_end = content.find(b"\0", position + _ITEM.size)
        end = key_end + 1 + size
        if key_end < 0 or end > len(content):
            raise UnsupportedTag("an APE tag with a damaged item")
        items.append(content[position:end])
        position = end
    if position != len(content):
        raise UnsupportedTag("an APE tag with a damaged item")
    return tuple(items)


def with_genre(tag: ApeTag | None, genre: str) -> bytes:
    """Return the bytes of an APE tag with another genre, or of a new tag."""
    version, flags, items = (tag.version, tag.flags, tag.items) if tag else (_VERSION, _HAS_HEADER, ())
    value = genre.encode()
    new, replaced = [], False
    for item in items:
        if _key(item).lower() != b"genre":
            new.append(item)
        elif not replaced:
            item_flags = _ITEM.unpack_from(item)[1] & ~_TYPE_BITS
            new.append(_ITEM.pack(len(value), item_flags) + _key(item) + b"\0" + value)
            replaced = True
    if not replaced:
        new.append(_ITEM.pack(len(value), 0) + b"Genre\0" + value)
    content = b"".join(new)
    fields = (_PREAMBLE, version, len(content) + _FOOTER.size, len(new))
    header = _FOOTER.pack(*fields, flags | _IS_HEADER, bytes(8)) if flags & _HAS_HEADER else b""
    return header + content + _FOOTER.pack(*fields, flags, bytes(8))


def _key(item: bytes) -> bytes:
    return item[_ITEM.size : item.index(b"\0", _ITEM.size)]
