"""Finds the music files in a folder. What the files contain is read elsewhere (``classifier.library.scan``)."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from common.media_types import has_music_suffix

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPORARY_PREFIX: Final = ".genre-bot-"
"""File name prefix of a copy that is being tagged, so that copies left behind by a killed run can be removed."""


@dataclass(frozen=True, slots=True)
class FileState:
    """File system metadata of a file; if none of it has changed, the content is assumed to be unchanged."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int

    @classmethod
    def from_stat(cls, status: os.stat_result) -> FileState:
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)

    @classmethod
    def read(cls, path: Path) -> FileState:
        """Return the current state of a file, following symbolic links."""
        return cls.from_stat(path.stat())


@dataclass(frozen=True, slots=True)
class CollectionFile:
    """A file of the collection; ``link`` if its path is a symbolic link."""

    path: Path
    state: FileState
    link: bool = False


@dataclass(slots=True)
class FolderContents:
    """The result of walking through a folder.

    Attributes
    ----------
    files
        Files with the suffix of a music or video format, sorted by path.
    skipped_links
        Links to folders, broken or circular links, and links to files that are in the collection anyway.
    unreadable_folders
        Folders that cannot be listed.
    leftovers
        Temporary copies left behind by a killed run.
    """

    files: list[CollectionFile] = field(default_factory=list)
    skipped_links: list[Path] = field(default_factory=list)
    unreadable_folders: list[Path] = field(default_factory=list)
    leftovers: list[Path] = field(default_factory=list)


def walk(folder: Path) -> FolderContents:
    """Find the music files in a folder and its subfolders.

    Links to folders are not followed, so there are no loops. A link to a file is listed unless the file itself, or
    another link to it, is in the collection already. Hidden files and folders are skipped.
    """
    contents = FolderContents()
    links: list[Path] = []
    seen: set[tuple[int, int]] = set()
    for path in _music_paths(folder, contents):
        try:
            status = path.lstat()
        except OSError:  # deleted since its folder was listed
            continue
        if stat.S_ISLNK(status.st_mode):
            links.append(path)
        elif stat.S_ISREG(status.st_mode):
            seen.add((status.st_dev, status.st_ino))
            contents.files.append(CollectionFile(path, FileState.from_stat(status)))
    for path in links:
        try:
            status = path.stat()
        except OSError:  # a broken or circular link
            contents.skipped_links.append(path)
            continue
        if stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            contents.files.append(CollectionFile(path, FileState.from_stat(status), link=True))
        else:
            contents.skipped_links.append(path)
    contents.files.sort(key=lambda file: os.fsencode(file.path))
    return contents


def _music_paths(folder: Path, contents: FolderContents) -> Iterator[Path]:
    """Yield paths with a music suffix; record skipped links, unreadable folders and leftovers in ``contents``."""

    def on_error(error: OSError) -> None:
        contents.unreadable_folders.append(Path(error.filename))

    for parent, folders, names in os.walk(folder, onerror=on_error):
        contents.skipped_links += [path for name in folders if (path := Path(parent, name)).is_symlink()]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if name.startswith(TEMPORARY_PREFIX):
                contents.leftovers.append(path)
            elif not name.startswith(".") and has_music_suffix(path):
                yield path
