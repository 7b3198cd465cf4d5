"""Which files may be songs, by their names and MIME types.

A name or a type is a hint: it decides which files of many are taken, in a folder or in a chat where every song is
answered. A file that somebody asks about is tried whatever it is called; ``classifier.audio`` tells from its content
whether it can be decoded.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

SUFFIXES_BY_DEMUXER: Final = {
    "aac": (".aac",),
    "ac3": (".ac3",),
    "aiff": (".aif", ".aifc", ".aiff"),
    "amr": (".amr",),
    "ape": (".ape",),
    "asf": (".wma", ".wmv"),
    "au": (".au", ".snd"),
    "avi": (".avi",),
    "caf": (".caf",),
    "dsf": (".dsf",),
    "dts": (".dts",),
    "eac3": (".eac3",),
    "flac": (".flac",),
    "flv": (".flv",),
    "iff": (".8svx", ".dff"),
    "matroska": (".mka", ".mkv", ".weba", ".webm"),
    "mov": (".3g2", ".3gp", ".alac", ".m4a", ".m4b", ".m4p", ".m4r", ".m4v", ".mov", ".mp4"),
    "mp3": (".mp2", ".mp3"),
    "mpc": (".mpc",),
    "mpeg": (".mpeg", ".mpg", ".vob"),
    "ogg": (".oga", ".ogg", ".ogv", ".opus", ".spx"),
    "oma": (".aa3", ".oma"),
    "rm": (".ra", ".rm"),
    "tak": (".tak",),
    "tta": (".tta",),
    "voc": (".voc",),
    "w64": (".w64",),
    "wav": (".wav", ".wave"),
    "wv": (".wv",),
}
"""The endings of music and video files, lower case, under the name of the FFmpeg demuxer that reads them."""

MUSIC_SUFFIXES: Final = frozenset(suffix for suffixes in SUFFIXES_BY_DEMUXER.values() for suffix in suffixes)
"""The endings that the command line looks for in folders and the page in dropped ones."""

VIDEO_SUFFIXES: Final = frozenset(
    {".3g2", ".3gp", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".rm", ".vob"}
    | {".webm", ".wmv"}
)
"""Those of ``MUSIC_SUFFIXES`` that usually hold a film."""

_OTHER_MIME_TYPES: Final = frozenset({"application/ogg"})
_UNTYPED: Final = frozenset({"", "application/octet-stream"})

FILE_PICKER_ACCEPT: Final = ",".join(("audio/*", "video/*", *sorted(MUSIC_SUFFIXES)))
"""The ``accept`` attribute of the page's file input."""


def has_music_suffix(name: str | PurePath) -> bool:
    """Tell whether a file's name ends like that of a music or video file, in upper or lower case."""
    return PurePath(name).suffix.lower() in MUSIC_SUFFIXES


def is_music(name: str | None, mime_type: str | None) -> bool:
    """Tell whether a file that was sent to a chat may be a song.

    Parameters
    ----------
    name, mime_type
        As the sender's client states them, each None where it states none. One that says music is enough.
    """
    kind = _media_type(mime_type)
    return kind.startswith(("audio/", "video/")) or kind in _OTHER_MIME_TYPES or has_music_suffix(name or "")


def is_surely_audio(name: str | None, mime_type: str | None) -> bool:
    """Tell whether a file that nobody asked about is audio, neither a film nor anything else.

    Parameters
    ----------
    name, mime_type
        As for ``is_music``. The MIME type decides; the name does only where there is no type.
    """
    kind = _media_type(mime_type)
    if kind.startswith("audio/"):
        return True
    is_film = PurePath(name or "").suffix.lower() in VIDEO_SUFFIXES
    return not is_film and (kind in _OTHER_MIME_TYPES or (kind in _UNTYPED and has_music_suffix(name or "")))


def _media_type(mime_type: str | None) -> str:
    """Return a MIME type in lower case, without its parameters; empty for none."""
    return (mime_type or "").partition(";")[0].strip().lower()
