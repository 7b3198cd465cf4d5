"""Sets the genre in the chunks of WAV, AIFF and DSF files; all other chunks stay as they are."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from classifier.library import id3_genre
from classifier.library.byte_range import replace_range
from classifier.library.id3_genre import UnsupportedTag

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHUNKS: Final = 1000
MAX_TAG_BYTES: Final = 64 * 1024 * 1024
_FORM_HEADER_BYTES: Final = 12
_CHUNK_HEADER_BYTES: Final = 8
_ID3_CHUNKS: Final = (b"ID3 ", b"id3 ")
_LIST, _INFO, _INFO_GENRE = b"LIST", b"INFO", b"IGNR"
_DSF_SIZES: Final = struct.Struct("<QQ")
_DSF_SIZES_AT: Final = 12


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk; ``start`` is the position of its content, ``size`` the length without the padding byte."""

    name: bytes
    start: int
    size: int


def write_wav(file: BinaryIO, genre: str) -> None:
    """Set the genre of a WAV file in its ID3 chunk, which is added if necessary, and in its INFO chunk if it is there.

    INFO has no defined encoding, so a genre that is not ASCII is only in the ID3 chunk.

    Raises
    ------
    UnsupportedTag
        If the file is damaged or larger than 4 GB.
    """
    _write_chunks(file, genre, b"RIFF", "<I", b"id3 ")


def write_aiff(file: BinaryIO, genre: str) -> None:
    """Set the genre of an AIFF file in its ID3 chunk, which is added if necessary.

    Raises
    ------
    UnsupportedTag
        If the file is damaged.
    """
    _write_chunks(file, genre, b"FORM", ">I", b"ID3 ")


def _write_chunks(file: BinaryIO, genre: str, form: bytes, order: str, new_name: bytes) -> None:
    chunks = list(_chunks(file, form, order))
    written = False
    for chunk in reversed(chunks):  # from the end, so that the positions of earlier chunks stay valid
        if chunk.name not in (*_ID3_CHUNKS, _LIST) or chunk.size > MAX_TAG_BYTES:
            continue
        file.seek(chunk.start)
        content = file.read(chunk.size)
        if chunk.name in _ID3_CHUNKS:
            if not content.startswith(b"ID3"):
                raise UnsupportedTag("a damaged ID3 chunk")
            _replace_chunk(file, chunk, id3_genre.with_genre(content[: id3_genre.tag_size(content)], genre), order)
            written = True
        elif content.startswith(_INFO) and _INFO_GENRE in content:
            _replace_chunk(file, chunk, _info_with_genre(content, genre), order)
    if not written:
        end = _form_end(file, order)
        tag = id3_genre.new_tag(genre)
        padding = b"\0" * (end % 2)
        replace_range(file, end, 0, padding + new_name + struct.pack(order, len(tag)) + tag + b"\0" * (len(tag) % 2))
        _set_form_size(file, end + len(padding) + _CHUNK_HEADER_BYTES + len(tag) + len(tag) % 2, order)


def _info_with_genre(content: bytes, genre: str) -> bytes:
    """Return an INFO list with another genre, or without one if it is not ASCII."""
    fields, position = [], len(_INFO)
    while position + _CHUNK_HEADER_BYTES <= len(content):
        name, size = struct.unpack_from("<4sI", content, position)
        end = position + _CHUNK_HEADER_BYTES + size + size % 2
        if name != _INFO_GENRE:
            fields.append(content[position:end])
        position = end
    if genre.isascii():
        value = genre.encode() + b"\0"
        fields.append(struct.pack("<4sI", _INFO_GENRE, len(value)) + value + b"\0" * (len(value) % 2))
    return _INFO + b"".join(fields)


def _chunks(file: BinaryIO, form: bytes, order: str) -> Iterator[_Chunk]:
    file.seek(0)
    end = _form_end(file, order)
    file.seek(0)
    if file.read(4) != form or end > file.seek(0, 2):
        raise UnsupportedTag("the file is damaged or still being written")
    position = _FORM_HEADER_BYTES
    for _ in range(MAX_CHUNKS):
        if position + _CHUNK_HEADER_BYTES > end:
            return
        file.seek(position)
        name, size = struct.unpack(order[0] + "4sI", file.read(_CHUNK_HEADER_BYTES))
        if position + _CHUNK_HEADER_BYTES + size > end:
            raise UnsupportedTag("a chunk is longer than the file")
        yield _Chunk(name, position + _CHUNK_HEADER_BYTES, size)
        position += _CHUNK_HEADER_BYTES + size + size % 2
    raise UnsupportedTag("too many chunks")


def _form_end(file: BinaryIO, order: str) -> int:
    file.seek(4)
    size = file.read(4)
    if len(size) < 4:
        raise UnsupportedTag("the file is too short")
    return _CHUNK_HEADER_BYTES + int(struct.unpack(order, size)[0])


def _replace_chunk(file: BinaryIO, chunk: _Chunk, content: bytes, order: str) -> None:
    end = _form_end(file, order)
    old = min(chunk.size + chunk.size % 2, end - chunk.start)
    new = content + b"\0" * (len(content) % 2)
    replace_range(file, chunk.start, old, new)
    file.seek(chunk.start - 4)
    file.write(struct.pack(order, len(content)))
    _set_form_size(file, end + len(new) - old, order)


def _set_form_size(file: BinaryIO, end: int, order: str) -> None:
    file.seek(4)
    try:
        file.write(struct.pack(order, end - _CHUNK_HEADER_BYTES))
    except struct.error as error:
        raise UnsupportedTag("the file would be larger than 4 GB") from error


def write_dsf(file: BinaryIO, genre: str) -> None:
    """Set the genre of a DSF file in the ID3 tag at its end, which is added if necessary.

    Raises
    ------
    UnsupportedTag
        If the file is damaged.
    """
    file.seek(_DSF_SIZES_AT)
    size, start = _DSF_SIZES.unpack(file.read(_DSF_SIZES.size))
    if size != file.seek(0, 2) or start > size:
        raise UnsupportedTag("the file is damaged")
    start = start or size
    file.seek(start)
    content = file.read(MAX_TAG_BYTES)
    length = id3_genre.tag_size(content)
    if start + length != size:
        raise UnsupportedTag("the file has an unknown tag")
    tag = id3_genre.with_genre(content, genre) if content else id3_genre.new_tag(genre)
    replace_range(file, start, length, tag)
    file.seek(_DSF_SIZES_AT)
    file.write(_DSF_SIZES.pack(start + len(tag), start))
