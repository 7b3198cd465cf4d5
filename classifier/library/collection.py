"""What lies in a folder of music: each file once, however links lead around.

What the files hold is not looked at here.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from common.media_types import has_music_suffix

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFTOVER_PREFIX: Final = ".genre-bot-"
"""Begins the name of a copy that is being tagged; one that a killed run left behind is known by it."""


@dataclass(frozen=True, slots=True)
class State:
    """What the file system tells of a file; where all of it is unchanged, so is the content."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> State:
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)

    @classmethod
    def now(cls, path: Path) -> State:
        """Look at a file, through a link if it is one."""
        return cls.of(path.stat())


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the collection; ``link`` if its name is a symbolic link."""

    path: Path
    state: State
    link: bool = False


@dataclass(slots=True)
class Collection:
    """What a walk through a folder came upon.

    Attributes
    ----------
    files
        Whose names end like those of music or videos, in the order of their paths.
    links_left
        Links to folders, links that lead nowhere or in a circle, links to files that are there anyway.
    closed
        Folders that may not be read.
    leftovers
        Half-made copies of a run that was killed.
    """

    files: list[Found] = field(default_factory=list)
    links_left: list[Path] = field(default_factory=list)
    closed: list[Path] = field(default_factory=list)
    leftovers: list[Path] = field(default_factory=list)


def walk(folder: Path) -> Collection:
    """Find the music in a folder and below.

    Links to folders are not followed, so no loop can be. A link to a file stands for that file, unless the file itself
    or another link to it is in the collection already. Hidden files are left out.
    """
    collection = Collection()
    links: list[Path] = []
    seen: set[tuple[int, int]] = set()
    for path in _names(folder, collection):
        try:
            found = path.lstat()
        except OSError:  # gone since its folder was read
            continue
        if stat.S_ISLNK(found.st_mode):
            links.append(path)
        elif stat.S_ISREG(found.st_mode):
            seen.add((found.st_dev, found.st_ino))
            collection.files.append(Found(path, State.of(found)))
    for path in links:
        try:
            found = path.stat()
        except OSError:  # leads nowhere, or in a circle
            collection.links_left.append(path)
            continue
        if stat.S_ISREG(found.st_mode) and (found.st_dev, found.st_ino) not in seen:
            seen.add((found.st_dev, found.st_ino))
            collection.files.append(Found(path, State.of(found), link=True))
        else:
            collection.links_left.append(path)
    collection.files.sort(key=lambda file: os.fsencode(file.path))
    return collection


def _names(folder: Path, collection: Collection) -> Iterator[Path]:
    """Yield what is called like music; note on the way what is passed by."""

    def closed(error: OSError) -> None:
        collection.closed.append(Path(error.filename))

    for parent, folders, names in os.walk(folder, onerror=closed):
        collection.links_left += [path for name in folders if (path := Path(parent, name)).is_symlink()]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if name.startswith(LEFTOVER_PREFIX):
                collection.leftovers.append(path)
            elif not name.startswith(".") and has_music_suffix(path):
                yield path
