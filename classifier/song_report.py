"""What a classification says of a song: frozen data that crosses the walls between the rooms.

The JSON form is a face that other people's programs rely on: ``SongReport.as_dict``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """One segment of a song.

    Attributes
    ----------
    start, end
        Seconds from the start of the song.
    genre, confidence
        The ensemble's answer for this segment and its probability.
    probabilities
        Probability of every genre that the release knows; they sum to 1.
    votes
        What each expert (``knn``, ``svm``, ``texture``, …) would have said on its own.
    """

    start: float
    end: float
    genre: str
    confidence: float
    probabilities: Mapping[str, float]
    votes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SongReport:
    """The answer for a whole song.

    Attributes
    ----------
    genre, confidence
        The answer and its calibrated probability.
    sure
        False when the evidence is thin; such an answer is to be told as a guess.
    model
        Name of the release that answered.
    duration
        Seconds of decoded audio.
    probabilities
        Probability of every genre over the whole song, most probable first.
    segments
        In the order of time; at least one.
    """

    genre: str
    confidence: float
    sure: bool
    model: str
    duration: float
    probabilities: Mapping[str, float]
    segments: tuple[SegmentReport, ...]

    def runners_up(self, count: int = 2) -> list[tuple[str, float]]:
        """Return the most probable genres after the answer itself."""
        ranked = sorted(self.probabilities.items(), key=lambda item: -item[1])
        return [(genre, p) for genre, p in ranked if genre != self.genre][:count]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON data."""
        return {
            "genre": self.genre,
            "confidence": self.confidence,
            "sure": self.sure,
            "model": self.model,
            "duration": self.duration,
            "probabilities": dict(self.probabilities),
            "segments": [
                {
                    "start": s.start,
                    "end": s.end,
                    "genre": s.genre,
                    "confidence": s.confidence,
                    "probabilities": dict(s.probabilities),
                    "votes": dict(s.votes),
                }
                for s in self.segments
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SongReport:
        """Rebuild a report from ``as_dict``; unknown keys are ignored."""
        return cls(
            genre=data["genre"],
            confidence=data["confidence"],
            sure=data["sure"],
            model=data["model"],
            duration=data["duration"],
            probabilities=data["probabilities"],
            segments=tuple(
                SegmentReport(s["start"], s["end"], s["genre"], s["confidence"], s["probabilities"], s["votes"])
                for s in data["segments"]
            ),
        )


@dataclass(frozen=True, slots=True)
class SegmentFeatures:
    """The numbers that a segment was judged by, kept so that a corrected song can train the next model.

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
class Classification:
    """A report together with the features it was made from."""

    report: SongReport
    features: tuple[SegmentFeatures, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a song has come: ``decoding``, then ``listening`` to segment ``segment`` of ``segments`` (from 1).

    On a cluster also ``waiting``, at any time: no machine that listens can be reached, or has the time.
    """

    stage: str
    segment: int = 0
    segments: int = 0
