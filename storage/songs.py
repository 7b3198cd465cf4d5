"""Songs that were heard and what was answered; knows a report only as JSON and features only as vectors.

A song is known by the SHA-256 of its bytes, so the same file sent again is answered from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from storage.database import Database


class SegmentLike(Protocol):
    """What is kept of a segment; the classifier's own ``SegmentFeatures`` fits as it is."""

    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def families(self) -> Mapping[str, NDArray[np.float32]]: ...


@dataclass(frozen=True, slots=True)
class SegmentVectors:
    """The numbers that one segment was judged by.

    Attributes
    ----------
    start, end
        Seconds from the start of the song.
    families
        Feature family → vector, float32, shape (width of the family,).
    """

    start: float
    end: float
    families: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one release said of one song.

    Attributes
    ----------
    id
        Number of the answer in this database.
    content_hash
        SHA-256 of the song's bytes, 64 lower-case hexadecimal digits.
    model
        Name of the release that answered.
    genre, confidence, sure
        The answer, its probability, and whether the evidence is solid.
    duration
        Seconds.
    title
        Cleaned, at most ``TITLE_CHARACTERS``; None where the chat gave none.
    report
        The whole report as it was given, key order included.
    has_features
        False once house-keeping has dropped the features; classify the song again to have them back.
    created
        When it was first answered (UTC).
    """

    id: int
    content_hash: str
    model: str
    genre: str
    confidence: float
    sure: bool
    duration: float
    title: str | None
    report: Mapping[str, Any]
    has_features: bool
    created: datetime


@dataclass(frozen=True, slots=True)
class ChatStats:
    """What one chat has heard.

    Attributes
    ----------
    answers
        How often a song was answered, repetitions included.
    songs
        Different songs.
    seconds
        Music in those different songs.
    genres
        Genre → different songs last answered with it, most frequent first.
    corrections, agreeing
        Opinions that people gave here, and how many of them said "right".
    first, last
        When the first and the latest song was answered; None before the first.
    """

    answers: int
    songs: int
    seconds: float
    genres: Mapping[str, int]
    corrections: int
    agreeing: int
    first: datetime | None
    last: datetime | None


class Songs:
    """Answers by song and release; reached as ``storage.songs``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_answer(self, content_hash: str, model: str) -> Answer | None:
        """Return what this release already said of these bytes, if it did."""
        raise NotImplementedError

    async def answer(self, answer_id: int) -> Answer | None:
        """Return an answer by its number (as replies and corrections hold it)."""
        raise NotImplementedError

    async def keep_answer(
        self,
        content_hash: str,
        report: Mapping[str, Any],
        features: Sequence[SegmentLike],
        *,
        platform: str,
        title: str | None = None,
    ) -> Answer:
        """Keep an answer and the features it was made from; keeping it twice changes nothing but missing features.

        Parameters
        ----------
        content_hash
            SHA-256 of the song's bytes, 64 lower-case hexadecimal digits.
        report
            Plain JSON with at least ``genre``, ``confidence``, ``sure``, ``model`` and ``duration`` (seconds).
        features
            One per segment; a family has the same width in every segment.
        platform
            Chat platform on which the song is heard, kept only for the first time.
        title
            As the chat gave it; it is cleaned and cut here.

        Raises
        ------
        ValueError
            If the hash, the report or the features do not have this form.
        """
        raise NotImplementedError

    async def features(self, answer_id: int) -> tuple[SegmentVectors, ...]:
        """Return the features behind an answer, in the order of time; empty where none are kept."""
        raise NotImplementedError

    async def chat_stats(self, platform: str, chat: str) -> ChatStats:
        """Count what one chat has heard (``chat`` is its keyed hash)."""
        raise NotImplementedError
