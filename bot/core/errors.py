"""Errors that a person can cause in a chat, and the two by which a chat reports its platform's faults to the queue.

Like those of ``classifier.errors`` and ``storage.errors``, each has a ``code`` by which ``messages.sentence`` finds its
translation.
"""

from __future__ import annotations

from common.errors import SongError


class Closing(SongError):
    code = "closing"
    sentence = "I'm shutting down right now. Please send the song again in a minute."


class FileUnreadable(SongError):
    code = "file-unreadable"
    sentence = "Your browser could not read this file. It may have been moved, or its permissions forbid it."


class FolderTooFull(SongError):
    """Placeholders: ``count``, songs in it, and ``limit``, songs that are taken."""

    code = "folder-too-full"
    sentence = (
        "There are {count} songs in this folder, and this page takes up to {limit} at a time. Drop a smaller folder, "
        "or put it in order from the command line: python -m classifier organize FOLDER --playlists OUT"
    )


class FolderWithoutMusic(SongError):
    code = "folder-without-music"
    sentence = "I can't find any music in this folder. Please choose another one."


class FolderInProgress(SongError):
    code = "folder-under-way"
    sentence = "I'm still listening to another folder of yours. Please wait until it's done, or stop it."


class FileGone(SongError):
    code = "file-gone"
    sentence = "The file was no longer there when its turn came. Please send it again."


class TransferTooSlow(SongError):
    code = "transfer-too-slow"
    sentence = "This file was arriving too slowly, so I stopped. Please send it again over a better connection."


class DownloadTooSlow(SongError):
    code = "download-too-slow"
    sentence = "This app is handing me the file too slowly, so I stopped. Please send it again later."


class BodyUnreadable(SongError):
    code = "body-unreadable"
    sentence = "What arrived here is damaged. Please send it again."


class OurFault(SongError):
    code = "our-fault"
    sentence = "Something went wrong on my side, and it has been noted. Please try again."


class ButtonExpired(SongError):
    code = "button-expired"
    sentence = "I no longer have this song, so this button has expired. Please send the song again."


class NotYours(SongError):
    code = "not-yours"
    sentence = "Only the person who sent this song can do that."


class OwnLesson(SongError):
    code = "own-lesson"
    sentence = "You taught these songs yourself. Somebody else has to agree."


class LessonEmpty(SongError):
    code = "lesson-empty"
    sentence = "No song of this lesson is noted at the moment. If some are still in the queue, press again later."


class NotAModerator(SongError):
    code = "not-a-moderator"
    sentence = "Only moderators can do that."


class GenreUnknown(SongError):
    code = "genre-unknown"
    sentence = "I don't know a genre of that name. Please write it again."


class GenreUnclear(SongError):
    """Placeholders: ``genres``, the names that a typed text resembles."""

    code = "genre-unclear"
    sentence = "Did you mean {genres}? Choose it from the list, or add what you typed as a new genre."


class TypedGenreGone(SongError):
    code = "typed-genre-gone"
    sentence = "I no longer know what you typed. Please type the genre again."


class FormatMissing(SongError):
    code = "format-missing"
    sentence = "This format cannot be written here. Please choose another."


class LinksNotSupported(SongError):
    code = "links-not-taken"
    sentence = "I can't follow links yet. Please send me the song itself, as a file."


class PlaylistTaken(SongError):
    """The outcome of a playlist question, though no error. Placeholders: ``count``."""

    code = "list-taken"
    sentence = "I take {count:g} songs of this list; each gets its own answer."


class PlaylistCutShort(SongError):
    """Placeholders: ``count`` of those ``wanted``."""

    code = "list-cut-short"
    sentence = (
        "I could take only {count:g} of {wanted:g} songs: there is no room for more of yours right now. "
        "Please send the others later."
    )


class PlaylistDeclined(SongError):
    code = "list-declined"
    sentence = "All right, I'll leave this list alone."


class PlaylistUnanswered(SongError):
    code = "list-unanswered"
    sentence = "You didn't say whether I should listen to this list. Please send the link again."


class TooManyAtOnce(SongError):
    """Placeholders: ``limit``, songs that can be answered at once."""

    code = "too-many-here"
    sentence = "Here I can answer only {limit} songs at a time, so I took the first ones. Please send me the others."


class NoSongThere(SongError):
    code = "no-song-there"
    sentence = "I can't find a song in that. Please choose a message with a music file or a link."


class NothingToCorrect(SongError):
    code = "nothing-to-correct"
    sentence = "I can't see an answer of mine here. Please press “Wrong” below the answer instead."


class DateUnclear(SongError):
    code = "date-unclear"
    sentence = "Please write a date like 2026-11-30."


class ExportOptionUnknown(SongError):
    """Placeholders: ``option``, what was asked for, and ``formats``, those that there are."""

    code = "export-option-unknown"
    sentence = "“{option}” is neither a format nor a genre that I know. The formats are {formats}."


class ExportTooLarge(SongError):
    """Placeholders: ``megabytes``, the largest file that the chat takes."""

    code = "export-too-large"
    sentence = "The file would be larger than {megabytes:g} MB. Please choose a shorter period or one genre."


class ReleaseNotChanged(SongError):
    """Placeholders: ``reason``, why another release does not serve now, in English."""

    code = "release-not-changed"
    sentence = "The release was not changed: {reason}"


class Undeliverable(Exception):
    """An answer can never reach its chat: the message was deleted, the bot was blocked or removed."""


class TryLater(Exception):
    """A chat's platform cannot be reached just now; ``seconds`` says after how long to try again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"try again in {seconds:g} s")
        self.seconds = seconds


class FetchLater(TryLater):
    """The bytes of a song cannot be fetched from its chat's platform just now."""
