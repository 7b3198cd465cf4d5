"""Cut a song into segments of 30 seconds, the unit of which features are computed.

Silence is no evidence of a genre: a segment's samples are those that sound, and a segment without sound has none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.audio.silence import sounding_stretches
from classifier.errors import Silent, TooShort
from classifier.features.spectrum import SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SEGMENT_SECONDS: Final = 30
MIN_REMAINDER_SECONDS: Final = 10
"""What is left after the last whole segment is a segment of its own from this length on."""
MIN_SONG_SECONDS: Final = 3
"""Less sound than this, in a song or in a segment, is too little to tell a genre."""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A part of a song.

    Attributes
    ----------
    start, end
        Seconds from the start of the song.
    samples
        What sounds in it, pauses of a second or more left out: mono, 22,050 Hz, float32, shape (n,). A view into the
        song's samples where everything sounds; empty where the segment is silent.
    sounding
        Start and end of every stretch in ``samples``, in seconds from the start of the song.
    """

    start: float
    end: float
    samples: NDArray[np.float32]
    sounding: tuple[tuple[float, float], ...]

    @property
    def silent(self) -> bool:
        """Whether there is so little sound that the segment says nothing about the song."""
        return not self.samples.size

    @property
    def sounding_seconds(self) -> float:
        """Seconds of sound: how much the segment counts in the answer."""
        return self.samples.size / SAMPLE_RATE


def segments(samples: NDArray[np.float32]) -> list[Segment]:
    """Return the segments of a song that sound: those that features are computed of.

    Parameters
    ----------
    samples
        Mono, 22,050 Hz, shape (n,).

    Returns
    -------
    At least one segment, each with 3 to 30 seconds of sound.

    Raises
    ------
    Silent
        If nothing sounds.
    TooShort
        If less than 3 seconds sound.
    """
    return [segment for segment in all_segments(samples) if not segment.silent]


def all_segments(samples: NDArray[np.float32]) -> list[Segment]:
    """Cut a song into segments of 30 seconds from its start, silent ones included.

    A remainder of 10 seconds or more is a segment of its own. A shorter one is left out, unless there is a lot of
    silence before it: then it counts as soon as it has 3 seconds of sound. A song shorter than a segment is one
    segment. Where no segment has 3 seconds of sound, but all together have, the song is one segment of
    at most 30 seconds of sound.

    Parameters
    ----------
    samples
        Mono, 22,050 Hz, shape (n,).

    Returns
    -------
    In the order of time; at least one sounds.

    Raises
    ------
    Silent
        If nothing sounds.
    TooShort
        If less than 3 seconds sound.
    """
    stretches = _stretches(samples)
    parts: list[Segment] = []
    for start in range(0, samples.size, SEGMENT_SECONDS * SAMPLE_RATE):
        end = min(start + SEGMENT_SECONDS * SAMPLE_RATE, samples.size)
        part = _segment(samples, start, end, stretches)
        before = sum(earlier.sounding_seconds for earlier in parts)
        long_enough = end - start >= MIN_REMAINDER_SECONDS * SAMPLE_RATE
        if not parts or long_enough or (before < MIN_REMAINDER_SECONDS and not part.silent):
            parts.append(part)
    if all(part.silent for part in parts):
        joined = _joined(samples, stretches)
        return [replace(joined, samples=joined.samples[: SEGMENT_SECONDS * SAMPLE_RATE])]
    return parts


def one_segment(samples: NDArray[np.float32]) -> Segment:
    """Return a song of any length as a single segment; raises as ``segments`` does."""
    return _joined(samples, _stretches(samples))


def _stretches(samples: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Return what sounds of a song, if it is enough."""
    least = MIN_SONG_SECONDS * SAMPLE_RATE
    if samples.size < least:
        raise TooShort(minimum=MIN_SONG_SECONDS)
    stretches = sounding_stretches(samples)
    if not stretches:
        raise Silent
    if _length(stretches) < least:
        raise TooShort(minimum=MIN_SONG_SECONDS)
    return stretches


def _segment(samples: NDArray[np.float32], start: int, end: int, stretches: Sequence[tuple[int, int]]) -> Segment:
    """Return the segment between two samples, with what sounds in it."""
    inside = [(max(first, start), min(last, end)) for first, last in stretches if first < end and last > start]
    if _length(inside) < MIN_SONG_SECONDS * SAMPLE_RATE:
        inside = []
    return Segment(start / SAMPLE_RATE, end / SAMPLE_RATE, _cut(samples, inside), _seconds(inside))


def _joined(samples: NDArray[np.float32], stretches: Sequence[tuple[int, int]]) -> Segment:
    return Segment(0.0, samples.size / SAMPLE_RATE, _cut(samples, stretches), _seconds(stretches))


def _cut(samples: NDArray[np.float32], stretches: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """Return the samples of some stretches, one after the other."""
    if not stretches:
        return samples[:0]
    pieces = [samples[first:last] for first, last in stretches]
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _length(stretches: Sequence[tuple[int, int]]) -> int:
    return sum(last - first for first, last in stretches)


def _seconds(stretches: Sequence[tuple[int, int]]) -> tuple[tuple[float, float], ...]:
    return tuple((first / SAMPLE_RATE, last / SAMPLE_RATE) for first, last in stretches)
