"""Songs with silence before, between and after their pieces, and what a model answers for them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import soxr

from classifier.features.spectrum import SAMPLE_RATE
from tests.synthesis import SAMPLE_RATE as PLAYED_RATE
from tests.synthesis import STYLES, song

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from classifier.inference.model import Model

SONGS = 20
MAX_PIECES = 4
MIN_PIECE_SECONDS = 3


@dataclass(frozen=True, slots=True)
class MixtureAnswer:
    """What a model answers for the music alone and for the same music among silence."""

    song: int
    alone: str | None
    mixed: str | None
    sure: bool
    confidence: float

    @property
    def wrong(self) -> bool:
        """Whether silence made the model sure of a genre that the music alone does not get."""
        return self.sure and self.mixed != self.alone


def mixture_answers(model: Model, count: int) -> Iterator[MixtureAnswer]:
    """Classify so many mixtures, always the same ones."""
    generator = np.random.default_rng(14)
    alone: dict[int, str | None] = {}
    for number in range(count):
        chosen = number % SONGS
        if chosen not in alone:
            alone[chosen] = model.classify(music(chosen)).report.genre
        report = model.classify(mixture(chosen, generator)).report
        yield MixtureAnswer(chosen, alone[chosen], report.genre, report.sure, report.confidence)


@cache
def music(number: int) -> NDArray[np.float32]:
    """Return 12 to 24 seconds of music, mono, 22,050 Hz."""
    style = sorted(STYLES)[number % len(STYLES)]
    played = song(style, 12 + 2 * (number % 7), number)
    resampled: NDArray[np.float32] = soxr.resample(played, PLAYED_RATE, SAMPLE_RATE)
    return resampled


def mixture(number: int, generator: np.random.Generator) -> NDArray[np.float32]:
    """Take a song apart and put silence before, between and after its pieces, at times with a constant offset."""
    samples = music(number)
    pieces = int(generator.integers(1, MAX_PIECES + 1))
    least = MIN_PIECE_SECONDS * SAMPLE_RATE
    spare = samples.size - pieces * least
    cuts = np.sort(generator.integers(0, spare + 1, pieces - 1)) + least * np.arange(1, pieces)
    parts = [silence(generator)] if generator.random() < 0.5 else []
    for piece in np.split(samples, cuts):
        parts += [piece, silence(generator)]
    offset = generator.choice([0, 0, 0.05])
    mixed: NDArray[np.float32] = np.concatenate(parts) + np.float32(offset)
    return mixed


def silence(generator: np.random.Generator) -> NDArray[np.float32]:
    """Return 2 to 40 seconds without sound: zeros, dither, or the noise of a sound card."""
    count = int(generator.uniform(2, 40) * SAMPLE_RATE)
    level = generator.choice([0, 1 / 65_536, 2e-5])
    return np.asarray(level * generator.standard_normal(count), dtype=np.float32)
