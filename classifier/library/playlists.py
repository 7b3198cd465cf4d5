"""Writes one M3U8 playlist per genre, with relative paths so that the collection can be moved.

A playlist that this program did not write is never overwritten.
"""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classifier.library.grouping import genre_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from classifier.library.grouping import ClassifiedSong, CollectionSong

SUFFIX: Final = ".m3u8"
HEADER: Final = "#EXTM3U"
PLAYLIST_MARKER: Final = "#GENRE-BOT:organize"
"""The second line of the playlists of this program, which may be replaced."""
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_MAX_NAME_CHARACTERS: Final = 60  # up to four bytes each; file systems allow 255 bytes


class ForeignFile(Exception):
    """A playlist would replace a file that this program did not write; the message names it."""


def check_folder(folder: Path, genres: Sequence[str]) -> None:
    """Check in advance that playlists of these genres can be written.

    Raises
    ------
    ForeignFile
        If a playlist would replace a file that this program did not write.
    OSError
        If the folder cannot be created.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in file_names(genres).values():
        path = folder / name
        if os.path.lexists(path) and not _is_generated(path):
            raise ForeignFile(f"{path} was not written by this program. Choose another folder for the playlists.")


def file_name(genre: str, language: str = "en") -> str:
    """Return the file name of a genre's playlist, valid on any file system."""
    name = _FORBIDDEN.sub("_", genre_name(genre, language))[:_MAX_NAME_CHARACTERS].strip(" .")
    return f"{name or '_'}{SUFFIX}"


def file_names(genres: Iterable[str], language: str = "en") -> dict[str, str]:
    """Return genre → file name of its playlist.

    The names differ even on file systems that ignore case or normalize Unicode.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for genre in sorted(genres):
        name, number = file_name(genre, language), 1
        while (key := unicodedata.normalize("NFC", name).casefold()) in taken:
            number += 1
            name = f"{file_name(genre, language).removesuffix(SUFFIX)} ({number}){SUFFIX}"
        taken.add(key)
        names[genre] = name
    return names


def write(folder: Path, groups: Mapping[str, Sequence[ClassifiedSong]], language: str = "en") -> list[CollectionSong]:
    """Write a playlist for each group of songs, and remove playlists of earlier runs that have no songs any more.

    Parameters
    ----------
    language
        Of the playlists' names.

    Returns
    -------
    Songs that cannot be in a playlist because their path contains a line break.
    """
    folder.mkdir(parents=True, exist_ok=True)
    left_out: list[CollectionSong] = []
    names = file_names(groups, language)
    for genre, songs in groups.items():
        lines = [HEADER, PLAYLIST_MARKER, f"#PLAYLIST:{genre_name(genre, language)}"]
        for song in songs:
            path = relative_path(song.song.path, folder)
            if "\n" in path or "\r" in path:
                left_out.append(song.song)
            else:
                lines += [f"#EXTINF:{round(song.answer.duration)},{_one_line(song.song.title)}", path]
        # A path that is not valid UTF-8 is written as its original bytes, or it would not lead to the file.
        write_atomically(folder / names[genre], "\n".join([*lines, ""]).encode("utf-8", "surrogateescape"))
    # Compared as files, because a file system may show a name in another case or Unicode form than it was written in.
    written = [folder / name for name in names.values()]
    for existing in folder.glob(f"*{SUFFIX}"):
        if _is_generated(existing) and not any(existing.samefile(path) for path in written):
            existing.unlink()
    return left_out


def relative_path(path: Path, folder: Path) -> str:
    """Return the path from a folder to a file; neither may contain symbolic links."""
    relative = os.path.relpath(path, folder)
    return os.path.join(".", relative) if relative.startswith("#") else relative  # noqa: PTH118 - Path would drop the dot again


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file in one step: readers see the old content or the new one."""
    number, name = tempfile.mkstemp(prefix=".genre-bot-", dir=path.parent)
    copy = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        with suppress(OSError):  # some network shares do not support permissions
            copy.chmod(0o666 & ~_umask())
        copy.replace(path)
    finally:
        copy.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _is_generated(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(len(HEADER) + len(PLAYLIST_MARKER) + 1)
    except OSError:
        return False
    return start == f"{HEADER}\n{PLAYLIST_MARKER}".encode()


def _one_line(text: str) -> str:
    return " ".join(text.split())
