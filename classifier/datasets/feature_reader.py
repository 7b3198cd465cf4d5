"""The features of a song's segments, computed in a confined worker process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from classifier.song_report import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from classifier.audio.segmentation import Segment


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment of a song.

    Attributes
    ----------
    start, end
        Seconds from the start of the song.
    length
        Number of samples, at 22,050 Hz.
    features
        The 57 of the public table, in its order.
    texture
        As ``classifier.features.texture`` tells it; empty where it was not asked for.
    """

    start: float
    end: float
    length: int
    features: tuple[float, ...]
    texture: tuple[float, ...] = ()


class PieceReader:
    """A worker's work: the features of every segment of a file.

    Parameters
    ----------
    max_seconds
        Longer songs are refused.
    texture
        Whether the texture is asked for, too.
    """

    def __init__(self, max_seconds: float, *, texture: bool) -> None:
        # Here rather than when the first song needs them: what is loaded now does not count against its memory.
        from classifier.audio import decoding  # noqa: F401
        from classifier.features import gtzan57
        from classifier.features import texture as _  # noqa: F401

        self._max_seconds = max_seconds
        self._texture = texture
        self.about = gtzan57.COLUMNS

    def __call__(self, path: Path, report: Callable[[Progress], None]) -> list[Piece]:
        from classifier.audio.decoding import decode
        from classifier.audio.segmentation import one_segment, segments

        report(Progress("decoding"))
        samples = decode(path, max_seconds=self._max_seconds)
        parts = segments(samples)
        if len(parts) == 1:
            # The public table's tracks are some samples longer than 30 s, and it uses them all.
            parts = [one_segment(samples)]
        pieces = []
        for number, part in enumerate(parts, start=1):
            report(Progress("listening", number, len(parts)))
            pieces.append(self._piece(part))
        return pieces

    def _piece(self, part: Segment) -> Piece:
        from classifier.features.gtzan57 import gtzan57
        from classifier.features.spectrum import Spectrum
        from classifier.features.texture import sampled_mel, texture

        spectrum = Spectrum(part.samples)
        features = tuple(gtzan57(spectrum).tolist())
        more = tuple(texture(sampled_mel(spectrum)).tolist()) if self._texture else ()
        return Piece(part.start, part.end, part.samples.size, features, more)
