"""Playlists, one for each shelf: M3U8 with paths relative to the playlist, so that a collection can be carried about.

A playlist that this program did not write is never overwritten.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from classifier.library.grouping import title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classifier.library.grouping import Heard, Song

SUFFIX: Final = ".m3u8"
HEADER: Final = "#EXTM3U"
OURS: Final = "#GENRE-BOT:organize"
"""The second line of a playlist that may be replaced."""
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_LONGEST_NAME: Final = 60  # letters; a file system counts up to four bytes each, and stops at 255


class NotOurs(Exception):
    """A file is in the way; the text says which."""


def check_folder(folder: Path, genres: Sequence[str]) -> None:
    """Make sure, before any work is done, that playlists of these genres can be written.

    Raises
    ------
    NotOurs
        If one of them would replace a file of another origin.
    OSError
        If the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for genre in genres:
        path = folder / file_name(genre)
        if os.path.lexists(path) and not _is_ours(path):
            raise NotOurs(f"{path} was not written by this program. Choose another folder for the playlists.")


def file_name(genre: str) -> str:
    """Name the playlist of a genre as any file system allows it."""
    name = _FORBIDDEN.sub("_", title(genre))[:_LONGEST_NAME].strip(" .")
    return f"{name or '_'}{SUFFIX}"


def write(folder: Path, shelves: Mapping[str, Sequence[Heard]]) -> list[Song]:
    """Write a playlist for each shelf, and remove those that an earlier run wrote and this one has no songs for.

    Returns
    -------
    Songs that no playlist can hold, because there is a line break in their paths.
    """
    folder.mkdir(parents=True, exist_ok=True)
    left_out: list[Song] = []
    written = set()
    for genre, songs in shelves.items():
        lines = [HEADER, OURS, f"#PLAYLIST:{title(genre)}"]
        for heard in songs:
            way = relative(heard.song.path, folder)
            if "\n" in way or "\r" in way:
                left_out.append(heard.song)
            else:
                lines += [f"#EXTINF:{round(heard.answer.duration)},{_one_line(heard.song.title)}", way]
        name = file_name(genre)
        written.add(name)
        # A name that is not UTF-8 stays the bytes that it is: any others would name no file.
        replace(folder / name, "\n".join([*lines, ""]).encode("utf-8", "surrogateescape"))
    for path in folder.glob(f"*{SUFFIX}"):
        if path.name not in written and _is_ours(path):
            path.unlink()
    return left_out


def relative(path: Path, folder: Path) -> str:
    """Return the path from a folder to a file, both without links on the way."""
    way = os.path.relpath(path, folder)
    return os.path.join(".", way) if way.startswith("#") else way  # noqa: PTH118 - Path would drop the dot again


def replace(path: Path, content: bytes) -> None:
    """Write a file in one step: a reader finds the old one or the new one."""
    number, name = tempfile.mkstemp(prefix=".genre-bot-", dir=path.parent)
    copy = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        copy.chmod(0o666 & ~_umask())
        copy.replace(path)
    finally:
        copy.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(len(HEADER) + len(OURS) + 1)
    except OSError:
        return False
    return start == f"{HEADER}\n{OURS}".encode()


def _one_line(text: str) -> str:
    return " ".join(text.split())
