"""Errors that a person can cause and can do something about.

Each class has a ``code``, under which the chats find its translation, and an English sentence that says what to do.
Each package defines its own below ``UserError``; here are the base and those that several packages raise. Anything
else that is raised while a request is handled is a bug, or concerns the operator.
"""

from __future__ import annotations

import errno
from typing import ClassVar, Final

_DISK_ERRNOS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})


class UserError(Exception):
    """A request cannot be fulfilled, for a reason that the person who made it can understand.

    Parameters
    ----------
    **values
        The values of the sentence's placeholders, such as ``limit=60``.
    """

    code: ClassVar[str] = "not-possible"
    sentence: ClassVar[str] = "That isn't possible."

    def __init__(self, **values: float | str) -> None:
        super().__init__()
        self.values = values

    def __str__(self) -> str:
        return self.sentence.format(**self.values)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.values)


def _rebuild(kind: type[UserError], values: dict[str, float | str]) -> UserError:
    """Unpickle an error that a worker process raised; pickle alone would lose its keyword arguments."""
    return kind(**values)


class StorageUnavailable(UserError):
    """Nothing can be saved for now: the disk is full, or the database is locked, gone or restarting."""

    code = "storage-unavailable"
    sentence = "I can't save anything at the moment. Please try again in a few minutes."


def is_disk_fault(error: BaseException) -> bool:
    """Return whether an error means that files cannot be written for now: a full, read-only or failing disk."""
    return isinstance(error, OSError) and error.errno in _DISK_ERRNOS


class SongError(UserError):
    """A song cannot be classified."""

    code = "song-failed"
    sentence = "This song could not be classified. Please try another file."


class EmptyFile(SongError):
    code = "empty-file"
    sentence = "This file is empty."


class TooLarge(SongError):
    """Placeholders: ``megabytes``, the largest size allowed."""

    code = "too-large"
    sentence = "This file is larger than {megabytes:g} MB. Try a smaller file or a shorter excerpt."


class TooLong(SongError):
    """Placeholders: ``minutes``, the longest song allowed."""

    code = "too-long"
    sentence = "This is longer than {minutes:g} minutes. Try a shorter excerpt."
