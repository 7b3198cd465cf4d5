"""Tells music from speech, noises, tones and silence, segment by segment, and decides which segments answer for a song.

How a detector is trained is in ``classifier.training.music_detection``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import expit, logsumexp

from classifier.features.families import GTZAN57
from classifier.features.gtzan57 import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

SILENT_RMS: Final = 10 ** (-60 / 20)
"""A segment that is softer than -60 dB of full scale is silence."""
QUIET_RMS: Final = 10 ** (-45 / 20)
"""A segment that is softer than -45 dB of full scale, and not music, is silence too: the noise of a quiet room."""
LEAST_MUSIC_SHARE: Final = 0.5
LEAST_MUSIC_SECONDS: Final = 45.0
"""A recording is music if music fills half of it, or this many seconds on end: two segments."""
_RMS_COLUMN: Final = COLUMNS.index("rms_mean")


class SoundKind(StrEnum):
    """What a recording holds."""

    MUSIC = "music"
    SPEECH = "speech"
    ENVIRONMENT = "environment"
    TONE = "tone"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class SegmentSound:
    """What one segment holds.

    Attributes
    ----------
    kind
        The most probable kind; music in cases of doubt.
    music
        Probability that it is music.
    """

    kind: SoundKind
    music: float


@dataclass(frozen=True, slots=True)
class SongSound:
    """What a whole recording holds.

    Attributes
    ----------
    kind
        Music if music fills half of the recording or lasts for ``LEAST_MUSIC_SECONDS`` on end, otherwise the kind that
        fills most of it.
    music
        Probability that it is music: the mean over the segments that answer, or over all if none is music.
    doubtful
        Whether it may not be music although ``kind`` says so.
    answering
        For every segment, whether its genre counts for the song; all False where it is not music.
    """

    kind: SoundKind
    music: float
    doubtful: bool
    answering: tuple[bool, ...]


@dataclass(frozen=True)
class MusicDetector:
    """A linear model over feature families, with the probabilities from which it believes in music.

    Attributes
    ----------
    families
        Feature families that the estimator reads, side by side.
    estimator
        Fitted, with ``classes_`` and ``predict_proba``. Several of its classes can be one kind.
    kinds
        Kind of every class of the estimator.
    slope, offset
        Calibrate the estimator's log odds of music: the probability is ``expit(slope * log_odds + offset)``.
    not_music_below
        A segment that is less probably music is not music.
    music_from
        A segment that is at least this probably music is certainly music; between the two it is doubtful.
    """

    families: tuple[str, ...]
    estimator: Any
    kinds: tuple[SoundKind, ...]
    slope: float
    offset: float
    not_music_below: float
    music_from: float

    def judge(self, families: Mapping[str, NDArray[np.float32]]) -> list[SegmentSound]:
        """Tell what each of n segments holds.

        Parameters
        ----------
        families
            Feature family → shape (n, width of the family): those of ``self.families``, and ``gtzan57``, which knows
            how loud a segment is.
        """
        logarithms = self.log_probabilities(families)
        music = self.probability(music_log_odds(logarithms))
        others = [kind for kind in logarithms if kind is not SoundKind.MUSIC]
        likeliest = np.stack([logarithms[kind] for kind in others]).argmax(axis=0)
        loudness = families[GTZAN57][:, _RMS_COLUMN]
        return [
            SegmentSound(*self._decided(float(probability), float(rms), others[other]))
            for probability, rms, other in zip(music, loudness, likeliest, strict=True)
        ]

    def _decided(self, music: float, rms: float, other: SoundKind) -> tuple[SoundKind, float]:
        if rms < SILENT_RMS:
            return SoundKind.SILENCE, 0.0
        if music >= self.not_music_below:
            return SoundKind.MUSIC, music
        return SoundKind.SILENCE if rms < QUIET_RMS else other, music

    def log_probabilities(self, families: Mapping[str, NDArray[np.float32]]) -> dict[SoundKind, NDArray[np.float64]]:
        """Return the uncalibrated log-probability of every kind that the estimator knows, each of shape (n,)."""
        features = np.concatenate([families[family] for family in self.families], axis=1)
        return log_probabilities(self.estimator, self.kinds, features)

    def probability(self, odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrate log odds of music."""
        calibrated: NDArray[np.float64] = expit(self.slope * odds + self.offset)
        return calibrated

    def judge_song(self, segments: Sequence[SegmentSound], seconds: Sequence[float]) -> SongSound:
        """Combine the segments of a song.

        If music fills half of the recording, all its segments that are music answer. Otherwise only stretches of
        ``LEAST_MUSIC_SECONDS`` that are certainly music do.

        Parameters
        ----------
        segments
            In the order of time, at least one.
        seconds
            Length of each.
        """
        weights = np.asarray(seconds, dtype=np.float64)
        probabilities = np.array([segment.music for segment in segments])
        music = np.array([segment.kind is SoundKind.MUSIC for segment in segments])
        if weights[music].sum() < LEAST_MUSIC_SHARE * weights.sum():
            # A talk in which a song is played; what is doubtful in a talk is talk.
            music = _lasting(music & (probabilities >= self.music_from), weights, LEAST_MUSIC_SECONDS)
        if not music.any():
            probability = float(np.average(probabilities, weights=weights))
            return SongSound(_prevailing(segments, weights), probability, False, (False,) * len(segments))
        probability = float(np.average(probabilities[music], weights=weights[music]))
        return SongSound(SoundKind.MUSIC, probability, probability < self.music_from, tuple(music.tolist()))


def kinds_of(classes: Iterable[str]) -> tuple[SoundKind, ...]:
    """Return the kind of every class of an estimator: ``music voice`` is music."""
    return tuple(SoundKind(str(name).split()[0]) for name in classes)


def log_probabilities(
    estimator: Any, kinds: Sequence[SoundKind], features: NDArray[np.float32]
) -> dict[SoundKind, NDArray[np.float64]]:
    """Sum an estimator's probabilities over the classes of every kind, as logarithms of shape (n,)."""
    logarithms = np.log(np.asarray(estimator.predict_proba(features), dtype=np.float64) + np.finfo(np.float32).tiny)
    return {
        kind: logsumexp(logarithms[:, [number for number, other in enumerate(kinds) if other is kind]], axis=1)
        for kind in dict.fromkeys(kinds)
    }


def music_log_odds(logarithms: Mapping[SoundKind, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the log odds of music, shape (n,), from the log-probability of every kind."""
    others = [logarithm for kind, logarithm in logarithms.items() if kind is not SoundKind.MUSIC]
    odds: NDArray[np.float64] = logarithms[SoundKind.MUSIC] - logsumexp(np.stack(others), axis=0)
    return odds


def _lasting(marks: NDArray[np.bool_], weights: NDArray[np.float64], least: float) -> NDArray[np.bool_]:
    """Keep the marks whose run of neighbouring marks weighs at least ``least``."""
    run = np.cumsum(~marks)
    totals = np.bincount(run[marks], weights=weights[marks], minlength=int(run[-1]) + 1)
    return marks & (totals[run] >= least)


def _prevailing(segments: Sequence[SegmentSound], weights: NDArray[np.float64]) -> SoundKind:
    """Return the kind other than music that fills most of a recording."""
    totals: dict[SoundKind, float] = {}
    for segment, weight in zip(segments, weights.tolist(), strict=True):
        if segment.kind is not SoundKind.MUSIC:
            totals[segment.kind] = totals.get(segment.kind, 0.0) + weight
    return max(totals, key=lambda kind: totals[kind])
