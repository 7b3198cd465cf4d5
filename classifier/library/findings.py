"""What listening to a collection found out, for whoever tells of it or acts on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from classifier.library.grouping import Heard
    from classifier.library.state_db import Failure


@dataclass(frozen=True, slots=True)
class Findings:
    """What a run found out.

    Attributes
    ----------
    folder
        The collection's.
    release, genres
        Which model listened, and the genres that it knows.
    heard
        All songs, in the order of their paths.
    failures
        Files that could not be classified, and why.
    listened, songs_per_minute
        How many songs had to be heard anew, and how fast that went.
    name
        What to call the collection; by default, as its folder is called.
    """

    folder: Path
    release: str
    genres: tuple[str, ...]
    heard: Sequence[Heard]
    failures: Sequence[tuple[Path, Failure]]
    listened: int = 0
    songs_per_minute: float = 0
    name: str = ""

    @property
    def title(self) -> str:
        """Return what a person would call the collection; bytes that are no text are kept as surrogates."""
        return self.name or self.folder.name or str(self.folder)
