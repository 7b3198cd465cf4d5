"""What can go wrong with storage.

Errors that a person can cause derive from ``common.errors.UserError``; ``StorageError`` and its kind concern whoever
runs or programs the bot.
"""

from __future__ import annotations

from common.errors import UserError


class StorageError(Exception):
    """Anything that storage itself raises; the message is a sentence for the operator."""


class BadDatabaseUrl(StorageError):
    """The database URL cannot be used."""


class DatabaseTooNew(StorageError):
    """A newer release of the bot has already changed the tables."""


class FormatUnavailable(StorageError):
    """An export format needs a package that is not installed."""


class BadFile(StorageError):
    """A file that should be taken in is damaged, or something else.

    Parameters
    ----------
    path
        The file.
    reason
        What is wrong with it, without a capital or a full stop.
    """

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"Nothing was taken in from {path}: {reason}.")


class LeaseLost(StorageError):
    """The job is no longer this worker's: its lease ran out, or the job ended. Drop the work, say nothing."""


class JobCancelled(StorageError):
    """The person cancelled the job before its answer was written down."""


class UnknownRow(StorageError):
    """An id that the caller gave names no row (any more), or one outside the moderator's own place."""


class BadLabel(UserError):
    """A text cannot be the name of a genre."""


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
