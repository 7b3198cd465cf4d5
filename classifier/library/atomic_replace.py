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

from classifier.errors import SongError
from classifier.library import tags
from classifier.library.collection import TEMPORARY_PREFIX, FileState
from classifier.library.state_db import Change
from classifier.library.tag_delta import BadPatch, Patch, apply_patch, make_patch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from classifier.library.state_db import StateDatabase

WRITE_BITS: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class FileReadOnly(SongError):
    code = "read-only"
    sentence = "This file is read-only. It was left as it is."


class FileIsLink(SongError):
    code = "is-link"
    sentence = "This is a link to a file that lies elsewhere. It was left as it is."


class FileChanged(SongError):
    code = "changed"
    sentence = "This file has changed in the meantime. It was left as it is."


class CannotUndo(SongError):
    code = "no-way-back"
    sentence = "This file could not be written in a way that can be undone. It was left as it is."


def file_sha256(path: Path) -> bytes:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def check_writable(path: Path) -> None:
    """Make sure that a file may be written.

    Raises
    ------
    SongError
        ``FileIsLink`` or ``FileReadOnly``.
    """
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise FileIsLink
    # The administrator may write anything, but a file without a write bit was not meant to be.
    if not mode & WRITE_BITS or not os.access(path, os.W_OK):
        raise FileReadOnly


def write_genre(path: Path, genre: str, content: bytes, state_db: StateDatabase) -> None:
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
        ``FileIsLink``, ``FileReadOnly``, ``FileChanged``, ``CannotUndo``, or ``NoTags``.
    OSError
        If the disk is full, or the folder may not be written.
    """
    check_writable(path)
    before = FileState.read(path)
    with _temporary_copy(path) as copy:
        shutil.copyfile(path, copy)
        if file_sha256(copy) != content:
            raise FileChanged
        tags.write_genre(copy, genre)
        patch = make_patch(path, copy)
        tagged = file_sha256(copy)
        if _sha256_of_rebuilt(patch, copy) != content:
            raise CannotUndo
        shutil.copystat(path, copy)
        os.utime(copy, ns=(time.time_ns(), time.time_ns()))  # players look for what is new by this
        _keep_owner(path, copy)
        _sync(copy)
        change = state_db.record_change(Change(0, path, content, tagged, before.modified_ns), patch.packed())
        try:
            if FileState.read(path) != before:
                raise FileChanged
            copy.replace(path)
        except (OSError, FileChanged):
            state_db.delete_change(change)
            raise
    _sync(path.parent)
    state_db.save_tags(tagged, tags.read(path))
    state_db.save_files([(path, FileState.read(path), tagged)])


def restore(change: Change, path: Path, state_db: StateDatabase) -> None:
    """Undo a change.

    Parameters
    ----------
    path
        Where the tagged file is now.

    Raises
    ------
    SongError
        ``FileIsLink``, ``FileReadOnly``; ``FileChanged`` if it is no longer the file that was written; ``CannotUndo``.
    OSError
        If the disk is full, or the folder may not be written.
    """
    check_writable(path)
    before = FileState.read(path)
    now = file_sha256(path)
    if now != change.original:
        if now != change.tagged:
            raise FileChanged
        with _temporary_copy(path) as copy:
            try:
                patch = Patch.unpacked(state_db.patch(change))
                with path.open("rb") as tagged, copy.open("wb") as file:
                    file.writelines(apply_patch(patch, tagged))
            except BadPatch as error:
                raise CannotUndo from error
            if file_sha256(copy) != change.original:
                raise CannotUndo
            shutil.copystat(path, copy)
            os.utime(copy, ns=(path.stat().st_atime_ns, change.modified_ns))
            _keep_owner(path, copy)
            _sync(copy)
            if FileState.read(path) != before:
                raise FileChanged
            copy.replace(path)
        _sync(path.parent)
    state_db.delete_change(change)


@contextmanager
def _temporary_copy(path: Path) -> Iterator[Path]:
    """Give the name of a new file in the same folder, short whatever the name of the first; gone if not used."""
    number, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, suffix=path.suffix, dir=path.parent)
    os.close(number)
    copy = path.with_name(os.path.basename(name))  # noqa: PTH119 - a name of any bytes stays as it is
    try:
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _sha256_of_rebuilt(patch: Patch, tagged: Path) -> bytes:
    found = hashlib.sha256()
    with tagged.open("rb") as file:
        for piece in apply_patch(patch, file):
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
            raise FileReadOnly from error


def _sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
