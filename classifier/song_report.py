"""What a classification says of a song: frozen data that crosses the walls between the rooms.

The JSON form is a face that other people's programs rely on: ``SongReport.as_dict``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


MUSIC: Final = "music"
KINDS: Final = (MUSIC, "speech", "environment", "tone", "silence")
"""What a segment can be."""
DECIMALS: Final = 4
"""Digits after the decimal point of what programs are told."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A word that describes a song, such as 'dance' or 'female vocalists', and its probability."""

    tag: str
    probability: float


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """One segment of a song.

    Attributes
    ----------
    start, end
        Seconds from the start of the song.
    genre, confidence
        The answer for this segment and its probability; None and 0 where the segment is not music.
    probabilities
        Probability of every genre that the release knows; they sum to 1. Empty where the segment is not music.
    votes
        What each expert (``texture``, ``musicnn_tags``, …) would have said on its own.
    family
        The family that the genre belongs to: its own id where it is a family.
    kind
        One of ``KINDS``.
    music
        Probability that the segment is music.
    """

    start: float
    end: float
    genre: str | None
    confidence: float
    probabilities: Mapping[str, float]
    votes: Mapping[str, str]
    family: str | None = None
    kind: str = MUSIC
    music: float = 1.0


@dataclass(frozen=True, slots=True)
class SongReport:
    """The answer for a whole song.

    Attributes
    ----------
    genre, confidence
        The most specific answer that the evidence carries and its calibrated probability; None and 0 where the sound
        is not music.
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
    family
        The family that the genre belongs to, such as ``pop`` for ``vpop``; a family is its own.
    kind
        One of ``KINDS``: what most of the song is.
    music
        Probability that the song is music.
    tags
        Words that describe it, most probable first; at most four.
    """

    genre: str | None
    confidence: float
    sure: bool
    model: str
    duration: float
    probabilities: Mapping[str, float]
    segments: tuple[SegmentReport, ...]
    family: str | None = None
    kind: str = MUSIC
    music: float = 1.0
    tags: tuple[Tag, ...] = ()

    def runners_up(self, count: int = 2) -> list[tuple[str, float]]:
        """Return the most probable genres after the answer itself and, if that is a style, its family."""
        ranked = sorted(self.probabilities.items(), key=lambda item: -item[1])
        return [(genre, p) for genre, p in ranked if genre not in (self.genre, self.family)][:count]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON data."""
        return {
            "genre": self.genre,
            "confidence": self.confidence,
            "sure": self.sure,
            "model": self.model,
            "duration": self.duration,
            "probabilities": dict(self.probabilities),
            "family": self.family,
            "music": self.music,
            "kind": self.kind,
            "tags": [{"tag": tag.tag, "probability": tag.probability} for tag in self.tags],
            "segments": [
                {
                    "start": s.start,
                    "end": s.end,
                    "genre": s.genre,
                    "confidence": s.confidence,
                    "probabilities": dict(s.probabilities),
                    "votes": dict(s.votes),
                    "family": s.family,
                    "music": s.music,
                    "kind": s.kind,
                }
                for s in self.segments
            ],
        }

    def as_rounded_dict(self) -> dict[str, Any]:
        """Return ``as_dict`` for programs: all figures with ``DECIMALS`` digits, since more would mean nothing."""
        rounded: dict[str, Any] = _rounded(self.as_dict())
        return rounded

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SongReport:
        """Rebuild a report from ``as_dict``, of this version or of one that knew neither families nor kinds.

        Unknown keys are ignored. In an older report the genre stands for its family too.
        """
        return cls(
            genre=data["genre"],
            confidence=data["confidence"],
            sure=data["sure"],
            model=data["model"],
            duration=data["duration"],
            probabilities=data["probabilities"],
            segments=tuple(_segment(s) for s in data["segments"]),
            family=data.get("family", data["genre"]),
            kind=data.get("kind", MUSIC),
            music=data.get("music", 1.0),
            tags=tuple(Tag(tag["tag"], tag["probability"]) for tag in data.get("tags", ())),
        )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


def _segment(data: Mapping[str, Any]) -> SegmentReport:
    return SegmentReport(
        data["start"],
        data["end"],
        data["genre"],
        data["confidence"],
        data["probabilities"],
        data["votes"],
        data.get("family", data["genre"]),
        data.get("kind", MUSIC),
        data.get("music", 1.0),
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
