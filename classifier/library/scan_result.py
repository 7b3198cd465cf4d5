"""The result of scanning a collection, which playlists, tags and the report are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from classifier.library.grouping import ClassifiedSong
    from classifier.library.state_db import ScanFailure


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The songs of a collection with their genres.

    Attributes
    ----------
    folder
        The collection's folder.
    release, genres
        Name of the release that classified the songs, and the genres it knows.
    songs
        All classified songs, sorted by path.
    failures
        Files that could not be classified, and why.
    newly_classified, songs_per_minute
        Number of songs that were not in the state database yet, and how fast they were classified.
    name
        Name of the collection to show; by default the folder's name.
    """

    folder: Path
    release: str
    genres: tuple[str, ...]
    songs: Sequence[ClassifiedSong]
    failures: Sequence[tuple[Path, ScanFailure]]
    newly_classified: int = 0
    songs_per_minute: float = 0
    name: str = ""

    @property
    def title(self) -> str:
        """Name of the collection to show; bytes that are not valid UTF-8 are kept as surrogates."""
        return self.name or self.folder.name or str(self.folder)
