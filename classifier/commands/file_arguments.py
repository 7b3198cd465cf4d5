"""Which files a command line means: files, folders and patterns, each file once and in a fixed order."""

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
    sentence = "This cannot be read: it is not a plain file, or its permissions forbid it."


class NoMusic(SongError):
    code = "no-music"
    sentence = "There is no file in this folder whose name ends like that of music or a video."


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that is meant, or what is wrong with what was named."""

    name: str
    problem: SongError | None = None


def expand(names: Iterable[str]) -> list[Listed]:
    """Find the files that names mean.

    A file is taken whatever it is called. A folder stands for the files in it and below whose names end like those
    of music; links to folders are not followed, hidden files left out. Anything else is taken for a pattern (``*``,
    ``?``, ``[…]``, ``**`` for any depth).
    """
    found = (listed for name in names for listed in _meant(name))
    return list({listed.name: listed for listed in found}.values())


def _meant(name: str) -> Iterator[Listed]:
    if os.path.isdir(name):  # noqa: PTH112 - the empty name is no folder, though Path("") is
        yield from _within(Path(name))
    elif os.path.lexists(name):
        yield _file(name)
    elif matches := _matches(name):
        for match in matches:
            yield from _within(match) if match.is_dir() else (_file(str(match)),)
    else:
        yield Listed(name, NoSuchFile())


def _file(name: str) -> Listed:
    readable = os.path.isfile(name) and os.access(name, os.R_OK)  # noqa: PTH113 - the name is kept as it was given
    return Listed(name, None if readable else CannotRead())


def _matches(pattern: str) -> list[Path]:
    path = Path(pattern)
    inner = pattern[len(path.anchor) :]
    if not any(sign in inner for sign in "*?["):
        return []
    return sorted(Path(path.anchor).glob(inner))


def _within(folder: Path) -> Iterator[Listed]:
    empty = True
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and has_music_suffix(path) and path.is_file():
                yield _file(str(path))
                empty = False
    if empty:
        yield Listed(str(folder), NoMusic())
