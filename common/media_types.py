"""Which files may be songs, by their names and MIME types.

The chats, the page and the command line decide with this list whether a file is music at all. Whether it can really
be decoded is up to ``classifier.audio``, which has its own list of the FFmpeg demuxers that it trusts; a music file
of another format is answered with an error that names the formats to send instead.
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

_OTHER_MIME_TYPES: Final = frozenset({"application/ogg"})

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
    kind = (mime_type or "").partition(";")[0].strip().lower()
    return kind.startswith(("audio/", "video/")) or kind in _OTHER_MIME_TYPES or has_music_suffix(name or "")
