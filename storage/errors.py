"""The errors of storage.

Errors that a person can cause derive from ``common.errors.UserError``; ``StorageError`` and its subclasses concern the
operator or the programmer.
"""

from __future__ import annotations

from common.errors import UserError


class StorageError(Exception):
    """The base of storage's own errors; the message is a sentence for the operator."""


class BadDatabaseUrl(StorageError):
    """The database URL cannot be used."""


class DatabaseUnusable(StorageError):
    """The database cannot be opened; the message says why, and the way back."""


class DatabaseTooNew(StorageError):
    """A newer release of the bot has already changed the tables."""


class FormatUnavailable(StorageError):
    """An export format needs a package that is not installed."""


class BadImportFile(StorageError):
    """A file to import is damaged or has another format.

    Parameters
    ----------
    path
        The file.
    reason
        What is wrong with it, without a capital or a full stop.
    """

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"Nothing was imported from {path}: {reason}.")


class LeaseLost(StorageError):
    """The worker no longer holds the job: its lease expired or the job ended. Drop the work silently."""


class JobCancelled(StorageError):
    """The person cancelled the job before its answer was saved."""


class RowNotFound(StorageError):
    """No row has this id (any more), or it belongs to another chat than the moderator's."""


class BadLabel(UserError):
    """A text cannot be used as the name of a genre."""


class LabelEmpty(BadLabel):
    code = "label-empty"
    sentence = "Please write the name of a genre."


class LabelTooLong(BadLabel):
    """Placeholders: ``limit``, characters."""

    code = "label-too-long"
    sentence = "A genre's name may have up to {limit} characters. Please write a shorter one."


class LabelUnprintable(BadLabel):
    code = "label-unprintable"
    sentence = "A genre's name is one line of ordinary text, without invisible characters. Please write it again."


class LabelWithoutLetter(BadLabel):
    code = "label-without-letter"
    sentence = "A genre's name needs at least one letter. Please write it again."


class MergeRefused(UserError):
    code = "merge-refused"
    sentence = "Only a proposed genre can be merged, and only into a known one. Please choose others."


class TooManyQueued(UserError):
    """Placeholders: ``limit``, songs."""

    code = "too-many-queued"
    sentence = "You already have {limit} songs waiting. Please send more when they are answered."


class TooManyToday(UserError):
    """Placeholders: ``limit``, songs."""

    code = "too-many-today"
    sentence = "That would be more than {limit} songs within 24 hours. Please send more tomorrow."
