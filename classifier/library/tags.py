"""Reads a file's tags, and writes the genre: ID3 (mp3, wav, aiff, dsf, tta), APE, MP4, Vorbis comments, ASF.

Writing changes the genre in every tag that a file has, and nothing else. It is only done to a copy, which
``classifier.library.atomic_replace`` puts in the original's place.
"""

from __future__ import annotations

import io
import re
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import mutagen
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2, APEv2File
from mutagen.asf import ASF, ASFTags
from mutagen.dsf import DSF
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TCON, ID3NoHeaderError
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4Tags
from mutagen.ogg import OggFileType
from mutagen.trueaudio import TrueAudio
from mutagen.wave import WAVE

from classifier.library import ape_genre, chunk_genre, id3_genre
from classifier.library.byte_range import replace_range
from classifier.library.id3_genre import UnsupportedTag
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_CHARACTERS: Final = 300
"""Maximum length of a tag that is shown."""
_VORBIS: Final = {"genre": "genre", "artist": "artist", "title": "title"}
_NAMES: Final[dict[type, dict[str, str]]] = {
    ID3: {"genre": "TCON", "artist": "TPE1", "title": "TIT2"},
    MP4Tags: {"genre": "\xa9gen", "artist": "\xa9ART", "title": "\xa9nam"},
    APEv2: {"genre": "Genre", "artist": "Artist", "title": "Title"},
    ASFTags: {"genre": "WM/Genre", "artist": "Author", "title": "Title"},
}
_INFO_FIELDS: Final = {b"IGNR": "genre", b"IART": "artist", b"INAM": "title"}
_CHUNK_HEAD: Final = struct.Struct("<4sI")
_RIFF_HEADER_BYTES: Final = 12
_MAX_CHUNKS: Final = 1000
_MAX_INFO_BYTES: Final = 65_536
_ID3V1_COMMENT: Final = "ID3v1 Comment"
"""mutagen's description of a comment from ID3v1."""
_NUMBER: Final = re.compile(r"\(?\s*(\d{1,3})\s*\)?")
_MEANINGLESS: Final = frozenset(
    {
        "other", "others", "unknown", "unknowngenre", "genre", "none", "nogenre", "nil", "null", "undefined",
        "unspecified", "unclassified", "unclassifiable", "uncategorized", "misc", "miscellaneous", "various",
        "default", "nan", "na", "notavailable", "tba", "tbd", "untagged",
        "khác", "thểloạikhác", "khôngrõ", "khôngxácđịnh", "chưarõ", "chưaxácđịnh", "chưaphânloại",
    }
)  # fmt: skip
"""Genres that say nothing, as letters without spaces and punctuation."""


class NoTags(SongError):
    code = "no-tags"
    sentence = "This kind of file cannot hold a genre, or its tags are damaged. It was left unchanged."


class TagsNotKept(SongError):
    code = "tags-not-kept"
    sentence = "The genre could not be written without changing other tags. The file was left unchanged."


@dataclass(frozen=True, slots=True)
class FileTags:
    """The tags of a file; empty where it has none, or where the genre says nothing."""

    genre: str = ""
    artist: str = ""
    title: str = ""


def read(path: Path) -> FileTags:
    """Read a file's tags; they are empty if the file has none or they are damaged."""
    try:
        file = mutagen.File(path)
        found = _texts(file.tags, _names(file)) if file is not None and file.tags is not None else {}
        if isinstance(file, WAVE):
            # Older programs write INFO fields instead of ID3, and mutagen does not read them.
            found = _combined(found, _riff_info(path))
        if isinstance(file, MP3 | TrueAudio):
            with suppress(mutagen.MutagenError):
                found = _combined(found, _texts(_ape_tags(path), _NAMES[APEv2]))
        return FileTags(**found)
    except Exception:  # broken files make parsers raise other exceptions than their own
        return FileTags()


def _combined(first: dict[str, str], second: dict[str, str]) -> dict[str, str]:
    return second | {field: text for field, text in first.items() if text}


def _ape_tags(path: Path) -> Any:
    return APEv2(path)  # type: ignore[no-untyped-call]


def _names(file: Any) -> dict[str, str]:
    """Return the names of the genre, artist and title in a file's tags; empty if they are of an unknown kind."""
    if isinstance(file, FLAC | OggFileType):
        return _VORBIS
    return next((names for kind, names in _NAMES.items() if isinstance(file.tags, kind)), {})


def _riff_info(path: Path) -> dict[str, str]:
    """Read the LIST INFO chunk of a WAV file (Multimedia Programming Interface and Data Specifications 1.0, 1991)."""
    with path.open("rb") as file:
        file.seek(_RIFF_HEADER_BYTES)
        for _ in range(_MAX_CHUNKS):
            head = file.read(_CHUNK_HEAD.size)
            if len(head) < _CHUNK_HEAD.size:
                break
            name, size = _CHUNK_HEAD.unpack(head)
            position = file.tell()
            if name == b"LIST" and size <= _MAX_INFO_BYTES and (info := file.read(size)).startswith(b"INFO"):
                return dict(_riff_fields(info[4:]))
            file.seek(position + size + size % 2)
    return {}


def _riff_fields(info: bytes) -> Iterator[tuple[str, str]]:
    start = 0
    while start + _CHUNK_HEAD.size <= len(info):
        name, size = _CHUNK_HEAD.unpack_from(info, start)
        start += _CHUNK_HEAD.size
        if field := _INFO_FIELDS.get(name):
            text = info[start : start + size].split(b"\0")[0].decode("utf-8", "replace")
            yield field, _joined([text], genre=field == "genre")
        start += size + size % 2


def _texts(tags: Any, names: dict[str, str]) -> dict[str, str]:
    return {field: _text(tags, name, genre=field == "genre") for field, name in names.items()}


def _text(tags: Any, name: str, *, genre: bool) -> str:
    try:
        values = tags[name]
    except (KeyError, ValueError):
        return ""
    if isinstance(values, TCON):
        values = values.genres  # mutagen translates numbers to names
    elif hasattr(values, "text"):
        values = values.text
    return _joined([str(value) for value in values], genre=genre)


def _joined(values: Iterable[str], *, genre: bool) -> str:
    texts = [" ".join(value.split()) for value in values]
    if genre:
        texts = [meaningful_genre(text) for text in texts]
    return " / ".join(text for text in texts if text)[:MAX_CHARACTERS]


def meaningful_genre(text: str) -> str:
    """Return the text of a genre tag, with a number of ID3v1 replaced by its name; empty if it says nothing.

    ``(255)``, ``Unknown``, ``Other`` and ``(12)``, which is the number of ``Other``, say nothing.
    """
    if number := _NUMBER.fullmatch(text.strip()):
        index = int(number[1])
        text = TCON.GENRES[index] if index < len(TCON.GENRES) else ""
    return "" if re.sub(r"[\W_]", "", text.casefold()) in {"", *_MEANINGLESS} else text


def write_genre(path: Path, genre: str) -> None:
    """Write a genre into a file's tags in place of any other; nothing else is changed.

    A file gets the genre in each kind of tag that it has, so that no program shows another one.

    Raises
    ------
    NoTags
        If the file cannot hold a genre, or is damaged.
    TagsNotKept
        If another tag would change.
    OSError
        If the file cannot be read or written.
    """
    try:
        file = mutagen.File(path)
        if file is None:
            raise NoTags
        before = _other_tags(path)
        _write(path, file, genre)
        if _other_tags(path) != before:
            raise TagsNotKept
    except SongError:
        raise
    except Exception as error:
        cause = error.args[0] if isinstance(error, mutagen.MutagenError) and error.args else error
        if isinstance(cause, OSError) and cause.errno is not None:  # a problem of the disk, not of the file
            raise cause from error
        raise NoTags from error


def _write(path: Path, file: Any, genre: str) -> None:
    if isinstance(file, FLAC | OggFileType | MP4 | ASF):
        _write_with_mutagen(file, genre)
        return
    with path.open("r+b") as content:
        if isinstance(file, MP3 | TrueAudio):
            _write_leading_id3(content, path, genre)
        elif isinstance(file, WAVE):
            chunk_genre.write_wav(content, genre)
        elif isinstance(file, AIFF):
            chunk_genre.write_aiff(content, genre)
        elif isinstance(file, DSF):
            chunk_genre.write_dsf(content, genre)
        elif isinstance(file, APEv2File):
            _write_ape(content, ape_genre.find(content), genre)
        else:
            raise NoTags


def _write_with_mutagen(file: Any, genre: str) -> None:
    if file.tags is None:
        file.add_tags()
    file.tags[_names(file)["genre"]] = [genre]
    file.save()


def _write_leading_id3(file: BinaryIO, path: Path, genre: str) -> None:
    """Set the genre of a file that may have an ID3v2 tag at its start, and APE and ID3v1 tags at its end."""
    file.seek(0)
    length = id3_genre.tag_size(file.read(id3_genre.HEADER_BYTES))
    ape = ape_genre.find(file)
    end = ape_genre.tag_end(file)
    has_id3v1 = end < file.seek(0, 2)
    # From the end, so that the positions of earlier tags stay valid.
    if has_id3v1:
        file.seek(end)
        replace_range(file, end, id3_genre.ID3V1_BYTES, id3_genre.id3v1_with_genre(file.read(), genre))
    if ape is not None:
        _write_ape(file, ape, genre)
    if length:
        file.seek(0)
        replace_range(file, 0, length, id3_genre.with_genre(file.read(length), genre))
    elif ape is None and not has_id3v1:
        replace_range(file, 0, 0, id3_genre.new_tag(genre))
    elif ape is None and id3_genre.id3v1_number(genre) is None:
        # Programs ignore ID3v1 where there is ID3v2, so its fields are copied.
        replace_range(file, 0, 0, _id3v2_from_id3v1(path, genre))


def _write_ape(file: BinaryIO, tag: ape_genre.ApeTag | None, genre: str) -> None:
    start = tag.start if tag else ape_genre.tag_end(file)
    replace_range(file, start, tag.length if tag else 0, ape_genre.with_genre(tag, genre))


def _id3v2_from_id3v1(path: Path, genre: str) -> bytes:
    tag: Any = ID3(path)  # type: ignore[no-untyped-call]
    tag.delall("TCON")
    comments = tag.getall("COMM")
    tag.delall("COMM")
    for comment in comments:
        comment.desc = ""  # with mutagen's description, some programs would not show it as the comment
        tag.add(comment)
    rendered = io.BytesIO()
    tag.save(rendered, v1=0)
    return id3_genre.with_genre(rendered.getvalue(), genre)


def _other_tags(path: Path) -> dict[str, str]:
    """Return all tags of a file except the genre, to compare them before and after writing."""
    file: Any = mutagen.File(path)
    genre_names = {name.casefold() for names in (_VORBIS, *_NAMES.values()) for name in [names["genre"]]}
    found = {}
    if not isinstance(file, MP3 | TrueAudio):
        found = {name: repr(value) for name, value in _all_items(file.tags) if name.casefold() not in genre_names}
    found["pictures"] = repr([picture.write() for picture in getattr(file, "pictures", [])])
    if isinstance(file, MP3 | TrueAudio):
        for kind in (APEv2, ID3):
            with suppress(mutagen.apev2.APENoHeaderError, ID3NoHeaderError):
                tags = kind(path)
                for name, value in _all_items(tags):
                    if name.casefold() not in genre_names:
                        key = f"{kind.__name__} {name}".replace(_ID3V1_COMMENT, "")
                        found[key] = repr(value).replace(_ID3V1_COMMENT, "")
    return found


def _all_items(tags: Any) -> list[tuple[str, object]]:
    if tags is None:
        return []
    collected: dict[str, list[object]] = {}
    for name in tags.keys():  # noqa: SIM118 - iterating over Vorbis comments gives pairs
        collected[str(name)] = [tags[name]]
    return list(collected.items())


__all__ = ["FileTags", "NoTags", "TagsNotKept", "UnsupportedTag", "meaningful_genre", "read", "write_genre"]
