"""Putting a tagged copy in a file's place, and taking it back: at any moment the old file is there or the new one.

Before a file is swapped, the way back is written down and has been tried.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from classifier.library import tags
from classifier.library.collection import LEFTOVER_PREFIX, State
from classifier.library.state_db import Change
from classifier.library.tag_delta import BadPatch, Patch, between, rebuilt
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from classifier.library.state_db import Notebook

WRITE_BITS: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class ReadOnly(SongError):
    code = "read-only"
    sentence = "This file is read-only. It was left as it is."


class IsLink(SongError):
    code = "is-link"
    sentence = "This is a link to a file that lies elsewhere. It was left as it is."


class Changed(SongError):
    code = "changed"
    sentence = "This file has changed in the meantime. It was left as it is."


class NoWayBack(SongError):
    code = "no-way-back"
    sentence = "This file could not be written in a way that can be undone. It was left as it is."


def digest(path: Path) -> bytes:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def check_writable(path: Path) -> None:
    """Make sure that a file may be written.

    Raises
    ------
    SongError
        ``IsLink`` or ``ReadOnly``.
    """
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise IsLink
    # The administrator may write anything, but a file without a write bit was not meant to be.
    if not mode & WRITE_BITS or not os.access(path, os.W_OK):
        raise ReadOnly


def write_genre(path: Path, genre: str, content: bytes, notebook: Notebook) -> None:
    """Write a genre into a file's tags, so that it can be undone to the byte.

    Parameters
    ----------
    genre
        As people are to read it.
    content
        SHA-256 of the file that was listened to.

    Raises
    ------
    SongError
        ``IsLink``, ``ReadOnly``, ``Changed``, ``NoWayBack``, or ``NoTags``.
    OSError
        If the disk is full, or the folder may not be written.
    """
    check_writable(path)
    before = State.now(path)
    with _copy_beside(path) as copy:
        shutil.copyfile(path, copy)
        if digest(copy) != content:
            raise Changed
        tags.write_genre(copy, genre)
        patch = between(path, copy)
        tagged = digest(copy)
        if _digest_rebuilt(patch, copy) != content:
            raise NoWayBack
        shutil.copystat(path, copy)
        os.utime(copy, ns=(time.time_ns(), time.time_ns()))  # players look for what is new by this
        _keep_owner(path, copy)
        _settle(copy)
        change = notebook.write_down(Change(0, path, content, tagged, before.modified_ns), patch.packed())
        try:
            if State.now(path) != before:
                raise Changed
            copy.replace(path)
        except (OSError, Changed):
            notebook.strike_out(change)
            raise
    _settle(path.parent)
    notebook.remember_tags(tagged, tags.read(path))
    notebook.remember_files([(path, State.now(path), tagged)])


def restore(change: Change, path: Path, notebook: Notebook) -> None:
    """Undo a change.

    Parameters
    ----------
    path
        Where the tagged file is now.

    Raises
    ------
    SongError
        ``IsLink``, ``ReadOnly``; ``Changed`` if it is no longer the file that was written; ``NoWayBack``.
    OSError
        If the disk is full, or the folder may not be written.
    """
    check_writable(path)
    before = State.now(path)
    now = digest(path)
    if now != change.original:
        if now != change.tagged:
            raise Changed
        with _copy_beside(path) as copy:
            try:
                patch = Patch.unpacked(notebook.patch(change))
                with path.open("rb") as tagged, copy.open("wb") as file:
                    file.writelines(rebuilt(patch, tagged))
            except BadPatch as error:
                raise NoWayBack from error
            if digest(copy) != change.original:
                raise NoWayBack
            shutil.copystat(path, copy)
            os.utime(copy, ns=(path.stat().st_atime_ns, change.modified_ns))
            _keep_owner(path, copy)
            _settle(copy)
            if State.now(path) != before:
                raise Changed
            copy.replace(path)
        _settle(path.parent)
    notebook.strike_out(change)


@contextmanager
def _copy_beside(path: Path) -> Iterator[Path]:
    """Give the name of a new file in the same folder, short whatever the name of the first; gone if not used."""
    number, name = tempfile.mkstemp(prefix=LEFTOVER_PREFIX, suffix=path.suffix, dir=path.parent)
    os.close(number)
    copy = path.with_name(os.path.basename(name))  # noqa: PTH119 - a name of any bytes stays as it is
    try:
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _digest_rebuilt(patch: Patch, tagged: Path) -> bytes:
    found = hashlib.sha256()
    with tagged.open("rb") as file:
        for piece in rebuilt(patch, file):
            found.update(piece)
    return found.digest()


def _keep_owner(path: Path, copy: Path) -> None:
    """Leave a file to whom it belongs, where that is allowed."""
    owner = path.stat()
    mine = copy.stat()
    if (owner.st_uid, owner.st_gid) != (mine.st_uid, mine.st_gid):
        try:
            os.chown(copy, owner.st_uid, owner.st_gid)
            copy.chmod(stat.S_IMODE(owner.st_mode))
        except PermissionError as error:
            raise ReadOnly from error


def _settle(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
