"""Replaces a file by its tagged copy in one step, and undoes that: at any moment the old or the new file is there.

Before a file is replaced, the patch that restores the original has been computed, tested and saved. What a network
share does not support, such as syncing a folder or changing permissions, is either not needed or the file is left
unchanged; the error says which.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sqlite3
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from classifier.library import tags
from classifier.library.collection import TEMPORARY_PREFIX, FileState
from classifier.library.state_db import Change
from classifier.library.tag_delta import BadPatch, Patch, apply_patch, make_patch
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from classifier.library.state_db import StateDatabase

WRITE_BITS: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_NOT_SUPPORTED: Final = frozenset(
    {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EPERM, errno.EACCES, errno.EISDIR}
)
"""Errors with which file systems refuse to sync; others mean that data may be lost."""


class FileReadOnly(SongError):
    code = "read-only"
    sentence = "This file is read-only. It was left unchanged."


class FileIsLink(SongError):
    code = "is-link"
    sentence = "This is a link to a file elsewhere. It was left unchanged."


class FileChanged(SongError):
    code = "changed"
    sentence = "This file has changed in the meantime. It was left unchanged."


class CannotUndo(SongError):
    code = "no-way-back"
    sentence = "This file could not be written in a way that can be undone. It was left unchanged."


class OwnerNotKept(SongError):
    code = "owner-not-kept"
    sentence = "This file belongs to somebody else, which the tagged file would not. It was left unchanged."


class PermissionsNotKept(SongError):
    code = "permissions-not-kept"
    sentence = "The permissions of this file cannot be kept on this file system. It was left unchanged."


class CannotWrite(SongError):
    """The file could not be replaced; ``reason`` is the system's."""

    code = "cannot-write"
    sentence = "This file could not be written: {reason}. It was left unchanged."


class ReplacedWithProblem(SongError):
    """The file was replaced, but something failed after that; ``reason`` is the system's."""

    code = "replaced-with-problem"
    sentence = "This file was written and can be undone, but something failed after that: {reason}."


class RestoredWithProblem(SongError):
    """The file was restored, but something failed after that; ``reason`` is the system's."""

    code = "restored-with-problem"
    sentence = "This file was restored, but something failed after that: {reason}."


class ReplaceUncertain(SongError):
    """The system reported an error while replacing the file, and it is not known whether it was replaced."""

    code = "replace-uncertain"
    sentence = "The system reported an error while replacing this file: {reason}. Please check whether it is complete."


def file_sha256(path: Path) -> bytes:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def check_writable(path: Path) -> None:
    """Check whether a file may be written.

    Raises
    ------
    SongError
        ``FileIsLink`` or ``FileReadOnly``.
    """
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise FileIsLink
    # The superuser can write any file, but one without a write bit is meant to be read-only.
    if not mode & WRITE_BITS or not os.access(path, os.W_OK):
        raise FileReadOnly


def write_genre(path: Path, genre: str, content: bytes, state_db: StateDatabase) -> None:
    """Write a genre into a file's tags so that it can be undone byte for byte.

    Parameters
    ----------
    genre
        Name of the genre as shown to people.
    content
        SHA-256 of the file that was classified.

    Raises
    ------
    SongError
        ``ReplacedWithProblem`` and ``ReplaceUncertain`` after the file was replaced; with any other error the file is
        unchanged.
    """
    with _errors_as(CannotWrite):
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
            _keep_metadata(path, copy, modified_ns=time.time_ns())  # players look for files with a new time
            sync_file(copy)
            change = state_db.record_change(Change(0, path, content, tagged, before.modified_ns), patch.packed())
            try:
                if FileState.read(path) != before:
                    raise FileChanged
                _replace(copy, path, old=content, new=tagged)
            except (OSError, FileChanged):
                state_db.delete_change(change)
                raise
    with _errors_as(ReplacedWithProblem):
        sync_folder(path.parent)
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
        ``RestoredWithProblem`` and ``ReplaceUncertain`` after the file was replaced; with any other error the file is
        unchanged. ``FileChanged`` if it is no longer the file that was written.
    """
    with _errors_as(CannotWrite):
        check_writable(path)
        before = FileState.read(path)
        current = file_sha256(path)
        if current not in (change.original, change.tagged):
            raise FileChanged
        if current != change.original:
            with _temporary_copy(path) as copy:
                try:
                    patch = Patch.unpacked(state_db.patch(change))
                    with path.open("rb") as tagged, copy.open("wb") as file:
                        file.writelines(apply_patch(patch, tagged))
                except BadPatch as error:
                    raise CannotUndo from error
                if file_sha256(copy) != change.original:
                    raise CannotUndo
                _keep_metadata(path, copy, modified_ns=change.modified_ns)
                sync_file(copy)
                if FileState.read(path) != before:
                    raise FileChanged
                _replace(copy, path, old=change.tagged, new=change.original)
    with _errors_as(RestoredWithProblem):
        sync_folder(path.parent)
        state_db.delete_change(change)


@contextmanager
def _errors_as(kind: type[SongError]) -> Iterator[None]:
    """Convert errors of the system and of the state database."""
    try:
        yield
    except OSError as error:
        raise kind(reason=error.strerror or str(error)) from error
    except sqlite3.Error as error:
        raise kind(reason=f"the state database failed ({error})") from error


@contextmanager
def _temporary_copy(path: Path) -> Iterator[Path]:
    """Provide a new file in the same folder with a short name; it is removed if it was not moved."""
    descriptor, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, suffix=path.suffix, dir=path.parent)
    os.close(descriptor)
    copy = path.with_name(os.path.basename(name))  # noqa: PTH119 - keeps names that are not valid UTF-8
    try:
        yield copy
    finally:
        with suppress(OSError):
            copy.unlink(missing_ok=True)


def _replace(copy: Path, path: Path, *, old: bytes, new: bytes) -> None:
    """Rename the copy over the file.

    Network file systems may report an error for a rename that was done (for example when a request is repeated), so
    the content decides.

    Raises
    ------
    OSError
        If the file was not replaced.
    ReplaceUncertain
        If that cannot be determined.
    """
    try:
        copy.replace(path)
    except OSError as error:
        try:
            current = file_sha256(path)
        except OSError:
            raise ReplaceUncertain(reason=error.strerror or str(error)) from error
        if current == old:
            raise
        if current != new:
            raise ReplaceUncertain(reason=error.strerror or str(error)) from error


def _sha256_of_rebuilt(patch: Patch, tagged: Path) -> bytes:
    digest = hashlib.sha256()
    with tagged.open("rb") as file:
        for block in apply_patch(patch, file):
            digest.update(block)
    return digest.digest()


def _keep_metadata(path: Path, copy: Path, *, modified_ns: int) -> None:
    """Give the copy the owner, permissions and extended attributes of the original.

    Raises
    ------
    SongError
        ``OwnerNotKept`` or ``PermissionsNotKept`` if the file system refuses, and they differ.
    """
    original = path.stat()
    # A refused owner or mode is found below; times and extended attributes are not essential.
    with suppress(OSError):
        shutil.copystat(path, copy)
    if (original.st_uid, original.st_gid) != (copy.stat().st_uid, copy.stat().st_gid):
        try:
            os.chown(copy, original.st_uid, original.st_gid)
        except OSError as error:
            raise OwnerNotKept from error
    mode = stat.S_IMODE(original.st_mode)
    if stat.S_IMODE(copy.stat().st_mode) != mode:
        with suppress(OSError):
            copy.chmod(mode)
        if stat.S_IMODE(copy.stat().st_mode) != mode:
            raise PermissionsNotKept
    with suppress(OSError):
        os.utime(copy, ns=(original.st_atime_ns, modified_ns))


def sync_file(path: Path) -> None:
    """Wait until a file is on the disk, if the file system can tell.

    Raises
    ------
    OSError
        If it could not be written.
    """
    _sync(path)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk, if the file system can tell."""
    with suppress(OSError):
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise
    finally:
        os.close(descriptor)
