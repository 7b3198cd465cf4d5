"""Expands the files, folders and patterns of a command line, each file once and in a fixed order."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import SongError
from common.media_types import has_music_suffix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class NoSuchFile(SongError):
    code = "no-such-file"
    sentence = "There is no such file."


class CannotRead(SongError):
    code = "cannot-read"
    sentence = "This file cannot be read: it is not a regular file, or you do not have permission."


class NoMusic(SongError):
    code = "no-music"
    sentence = "There are no music or video files in this folder."


@dataclass(frozen=True, slots=True)
class FileArgument:
    """A file named on the command line, or the problem with it."""

    name: str
    problem: SongError | None = None


def expand_files(names: Iterable[str]) -> list[FileArgument]:
    """Return the files that the arguments of a command line name.

    A file is accepted whatever its suffix is. A folder stands for the files with a music suffix in it and in its
    subfolders; links to folders are not followed, and hidden files are skipped. Anything else is a pattern (``*``,
    ``?``, ``[…]``, ``**`` for any depth).
    """
    found = (listed for name in names for listed in _expand(name))
    return list({listed.name: listed for listed in found}.values())


def _expand(name: str) -> Iterator[FileArgument]:
    if os.path.isdir(name):  # noqa: PTH112 - Path("") would be a folder, but the empty name is not
        yield from _music_files(Path(name))
    elif os.path.lexists(name):
        yield _file(name)
    elif matches := _matches(name):
        for match in matches:
            yield from _music_files(match) if match.is_dir() else (_file(str(match)),)
    else:
        yield FileArgument(name, NoSuchFile())


def _file(name: str) -> FileArgument:
    readable = os.path.isfile(name) and os.access(name, os.R_OK)  # noqa: PTH113 - Path would normalize the name
    return FileArgument(name, None if readable else CannotRead())


def _matches(pattern: str) -> list[Path]:
    path = Path(pattern)
    inner = pattern[len(path.anchor) :]
    if not any(sign in inner for sign in "*?["):
        return []
    return sorted(Path(path.anchor).glob(inner))


def _music_files(folder: Path) -> Iterator[FileArgument]:
    empty = True
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and has_music_suffix(path) and path.is_file():
                yield _file(str(path))
                empty = False
    if empty:
        yield FileArgument(str(folder), NoMusic())
