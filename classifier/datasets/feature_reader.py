"""Computes the features of a song's segments in a confined worker process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from classifier.song_report import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from classifier.audio.segmentation import Segment


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """The features of a segment.

    Attributes
    ----------
    start, end
        Seconds from the start of the song.
    length
        Number of samples at 22,050 Hz.
    features
        The 57 features of the public GTZAN table, in its order.
    texture
        See ``classifier.features.texture``; empty if it was not requested.
    """

    start: float
    end: float
    length: int
    features: tuple[float, ...]
    texture: tuple[float, ...] = ()


class SegmentReader:
    """The file processor that computes the features of every segment of a song.

    Parameters
    ----------
    max_seconds
        Longer songs are refused.
    texture
        Whether to compute the texture features too.
    """

    def __init__(self, max_seconds: float, *, texture: bool = False) -> None:
        # Imported here, because modules that are loaded later count against the memory limit of a song.
        from classifier.audio import decoding  # noqa: F401
        from classifier.features import gtzan57

        if texture:
            from classifier.features import texture as _  # noqa: F401

        self._max_seconds = max_seconds
        self._texture = texture
        self.info = gtzan57.COLUMNS

    def __call__(self, path: Path, report: Callable[[Progress], None]) -> list[SegmentRow]:
        from classifier.audio.decoding import decode
        from classifier.audio.segmentation import one_segment, segments

        report(Progress("decoding"))
        samples = decode(path, max_seconds=self._max_seconds)
        parts = segments(samples)
        if len(parts) == 1:
            # The tracks of the public table are some samples longer than 30 s, and all samples are used.
            parts = [one_segment(samples)]
        rows = []
        for number, part in enumerate(parts, start=1):
            report(Progress("listening", number, len(parts)))
            rows.append(self._row(part))
        return rows

    def _row(self, segment: Segment) -> SegmentRow:
        from classifier.features.gtzan57 import gtzan57
        from classifier.features.spectrum import Spectrum
        from classifier.features.texture import sampled_mel, texture

        spectrum = Spectrum(segment.samples)
        features = tuple(gtzan57(spectrum).tolist())
        extra = tuple(texture(sampled_mel(spectrum)).tolist()) if self._texture else ()
        return SegmentRow(segment.start, segment.end, segment.samples.size, features, extra)
