"""What can be wrong with a song, as one small family of errors.

Each class has a ``code`` (chats translate it) and an English sentence that says what to do next.
Anything else that is raised on the way of a song is a bug.
"""

from __future__ import annotations

from typing import ClassVar


class SongError(Exception):
    """A song cannot be classified, for a reason that the person who sent it can understand.

    Parameters
    ----------
    **values
        What fills the placeholders of the sentence, such as ``seconds=3``.
    """

    code: ClassVar[str] = "song-failed"
    sentence: ClassVar[str] = "This song could not be classified. Please try another file."

    def __init__(self, **values: float | str) -> None:
        super().__init__()
        self.values = values

    def __str__(self) -> str:
        return self.sentence.format(**self.values)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.values)


def _rebuild(kind: type[SongError], values: dict[str, float | str]) -> SongError:
    """Unpickle an error that came from a worker process: keyword arguments do not survive by default."""
    return kind(**values)


class EmptyFile(SongError):
    code = "empty-file"
    sentence = "This file is empty. Please send it again."


class NotAudio(SongError):
    code = "not-audio"
    sentence = "This is not a music file that can be read. Please send an mp3, m4a, ogg, opus, flac, wav or a video."


class NoSound(SongError):
    code = "no-sound"
    sentence = "This file has no sound track. Please send one that has."


class Damaged(SongError):
    code = "damaged"
    sentence = "This file is damaged and no music could be read from it. Please send it again or in another format."


class TooShort(SongError):
    """Placeholders: ``minimum``, seconds."""

    code = "too-short"
    sentence = "This is too short to tell. Please send at least {minimum:g} seconds of music."


class TooLong(SongError):
    """Placeholders: ``minutes``, the cap."""

    code = "too-long"
    sentence = "This is longer than {minutes:g} minutes. Please send a shorter excerpt."


class TooLarge(SongError):
    """Placeholders: ``megabytes``, the cap."""

    code = "too-large"
    sentence = "This file is larger than {megabytes:g} MB. Please send a smaller file or a shorter excerpt."


class Silent(SongError):
    code = "silent"
    sentence = "This recording is silent. Please send one in which music can be heard."


class TookTooLong(SongError):
    """Placeholders: ``seconds``, the limit."""

    code = "took-too-long"
    sentence = "Reading this file took longer than {seconds:g} seconds, so it was stopped. Please try another format."


class WorkerLost(SongError):
    code = "worker-lost"
    sentence = "Reading this file failed badly, so it was stopped. Please try another file or format."
