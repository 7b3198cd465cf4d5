"""A music file in, its genre out. Knows nothing of chats or databases.

``load_model`` is the way in for other people's programs; nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classifier.genre_model import GenreModel, load_model
    from classifier.song_report import SegmentReport, SongReport
    from common.errors import SongError

__all__ = ["GenreModel", "SegmentReport", "SongError", "SongReport", "load_model"]

_MODULES = {
    "GenreModel": "classifier.genre_model",
    "load_model": "classifier.genre_model",
    "SegmentReport": "classifier.song_report",
    "SongReport": "classifier.song_report",
    "SongError": "common.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
