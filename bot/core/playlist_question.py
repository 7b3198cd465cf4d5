"""The question how many songs of a playlist are wanted, as it is kept in the progress of the link's job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from links import PlaylistItem
from storage import JobState

if TYPE_CHECKING:
    from storage import Job

# As many answers can still be read in a chat. What a host can bear is governed by the limits per person, so this is no
# setting.
PLAYLIST_SONGS = 5
# An unanswered question counts against its sender's limit for this long.
QUESTION_SECONDS = 3600.0
PROGRESS_KEY = "list"


@dataclass(frozen=True, slots=True)
class PlaylistQuestion:
    """The question how many songs of a playlist are wanted.

    Attributes
    ----------
    items
        The first songs, no more than are offered.
    count, complete, newest_first
        As in ``links.Playlist``.
    until
        When it is too late to answer, in seconds since 1970.
    """

    items: tuple[PlaylistItem, ...]
    count: int
    complete: bool
    newest_first: bool
    until: float

    @classmethod
    def of(cls, job: Job) -> PlaylistQuestion | None:
        """Return the question that a job waits for the answer to; None if there is none."""
        kept = job.progress.get(PROGRESS_KEY)
        if job.state is JobState.FINISHED or kept is None:
            return None
        return cls(**{**kept, "items": tuple(PlaylistItem(**item) for item in kept["items"])})
