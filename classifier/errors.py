"""Errors of a song that was sent and cannot be classified. What else a song can fail on is in ``common.errors``."""

from __future__ import annotations

from common.errors import SongError


class NotAudio(SongError):
    code = "not-audio"
    sentence = "This is not a music file that can be read. Try an mp3, m4a, ogg, opus, flac, wav or video file."


class NoSound(SongError):
    code = "no-sound"
    sentence = "This file has no sound track."


class Damaged(SongError):
    code = "damaged"
    sentence = "This file is damaged, and no music could be read from it. Try another copy or format."


class CopyProtected(SongError):
    code = "copy-protected"
    sentence = "This file is copy-protected and cannot be played here. Try a copy without protection."


class TooShort(SongError):
    """Placeholders: ``minimum``, seconds."""

    code = "too-short"
    sentence = "This is too short to tell: at least {minimum:g} seconds of music are needed."


class Silent(SongError):
    code = "silent"
    sentence = "This recording is silent."


class TookTooLong(SongError):
    """Placeholders: ``seconds``, the limit."""

    code = "took-too-long"
    sentence = "Reading this file took longer than {seconds:g} seconds, so it was stopped. Please try another format."


class WorkerFrozen(SongError):
    code = "worker-frozen"
    sentence = "Reading this file stopped half-way, twice, so it was given up. Please try later, or another format."


class WorkerLost(SongError):
    code = "worker-lost"
    sentence = "Reading this file failed badly, so it was stopped. Please try another file or format."
