"""What a file's tags say, and writing a genre into them: ID3 (mp3, wav, aiff), MP4, Vorbis comments, APE, ASF.

Only a copy is ever written to; ``classifier.library.atomic_replace`` puts it in the original's place.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import mutagen
from mutagen.apev2 import APEv2
from mutagen.asf import ASFTags
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TCON
from mutagen.mp4 import MP4Tags
from mutagen.ogg import OggFileType
from mutagen.wave import WAVE

from classifier.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_CHARACTERS: Final = 300
"""Of a tag that is shown; some hold whole essays."""
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
_MOST_CHUNKS: Final = 1000
_MOST_INFO_BYTES: Final = 65_536
_UTF8: Final = 3  # ID3's number for it
_OLD_VERSION: Final = 3
_LATIN1, _UTF16 = 0, 1


class NoTags(SongError):
    code = "no-tags"
    sentence = "This kind of file cannot hold a genre, or its tags are damaged. It was left as it is."


@dataclass(frozen=True, slots=True)
class FileTags:
    """What a file says of itself; empty where it says nothing."""

    genre: str = ""
    artist: str = ""
    title: str = ""


def read(path: Path) -> FileTags:
    """Read a file's tags; of a file that has none, or damaged ones, they are empty."""
    try:
        file = mutagen.File(path)
        names = _names(file)
        found = {field: _text(file.tags, name) for field, name in names.items()} if names else {}
        if isinstance(file, WAVE):
            # Older programs write these instead of ID3, and mutagen does not know them.
            found = _riff_info(path) | {field: text for field, text in found.items() if text}
        return FileTags(**found)
    except Exception:  # what a broken file does to a parser is not told by the parser's own errors alone
        return FileTags()


def _names(file: Any) -> dict[str, str] | None:
    """Return how a file's tags call what is read here; None if it has none that are known."""
    if file is None or file.tags is None:
        return None
    if isinstance(file, FLAC | OggFileType):
        return _VORBIS
    return next((names for kind, names in _NAMES.items() if isinstance(file.tags, kind)), None)


def _riff_info(path: Path) -> dict[str, str]:
    """Read the LIST INFO chunk of a WAV file (Multimedia Programming Interface and Data Specifications 1.0, 1991)."""
    with path.open("rb") as file:
        file.seek(_RIFF_HEADER_BYTES)
        for _ in range(_MOST_CHUNKS):
            head = file.read(_CHUNK_HEAD.size)
            if len(head) < _CHUNK_HEAD.size:
                break
            name, size = _CHUNK_HEAD.unpack(head)
            if name == b"LIST" and size <= _MOST_INFO_BYTES and (info := file.read(size)).startswith(b"INFO"):
                return dict(_riff_fields(info[4:]))
            file.seek((size if name != b"LIST" or size > _MOST_INFO_BYTES else 0) + size % 2, os.SEEK_CUR)
    return {}


def _riff_fields(info: bytes) -> Iterator[tuple[str, str]]:
    start = 0
    while start + _CHUNK_HEAD.size <= len(info):
        name, size = _CHUNK_HEAD.unpack_from(info, start)
        start += _CHUNK_HEAD.size
        if field := _INFO_FIELDS.get(name):
            text = info[start : start + size].split(b"\0")[0].decode("utf-8", "replace")
            yield field, " ".join(text.split())[:MOST_CHARACTERS]
        start += size + size % 2


def _text(tags: Any, name: str) -> str:
    try:
        values = tags[name]
    except (KeyError, ValueError):
        return ""
    if isinstance(values, TCON):
        values = values.genres  # as words: older files give numbers
    elif hasattr(values, "text"):
        values = values.text
    return " / ".join(" ".join(str(value).split()) for value in values if str(value).strip())[:MOST_CHARACTERS]


def write_genre(path: Path, genre: str) -> None:
    """Write a genre into a file's tags in place of any other; nothing else is changed.

    Raises
    ------
    NoTags
        If the file cannot hold one, or cannot be understood.
    """
    try:
        file = mutagen.File(path)
        if file is None:
            raise NoTags
        if file.tags is None:
            file.add_tags()
        names = _names(file)
        if names is None:
            raise NoTags
        if isinstance(file.tags, ID3):
            _write_id3(file, genre)
        else:
            file.tags[names["genre"]] = [genre]
            file.save()
    except SongError:
        raise
    except Exception as error:
        cause = error.args[0] if isinstance(error, mutagen.MutagenError) and error.args else error
        if isinstance(cause, OSError):  # the disk's fault, not the file's
            raise cause from error
        raise NoTags from error


def _write_id3(file: Any, genre: str) -> None:
    """Write ID3 in the version that the file has, since an older player may know no newer one."""
    if file.tags.version[:2] == (2, _OLD_VERSION):
        file.tags.setall("TCON", [_frame(genre, _LATIN1 if _is_latin1(genre) else _UTF16)])
        file.tags.update_to_v23()
        file.save(v2_version=_OLD_VERSION)
    else:
        file.tags.setall("TCON", [_frame(genre, _UTF8)])
        file.save()


def _frame(genre: str, encoding: int) -> TCON:
    return TCON(encoding=encoding, text=[genre])  # type: ignore[no-untyped-call]


def _is_latin1(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
