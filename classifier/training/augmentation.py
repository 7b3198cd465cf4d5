"""Music changed as singers, chats and phones change it, in the mel picture: cheap, and the largest gain there is.

Everything works on the level in dB relative to the peak, shape (128, n), and gives the same again. What is changed for
training lives here together with the three fixed kinds of damage that the evaluation does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.features.spectrum import MEL_BANDS, SAMPLE_RATE, hertz_to_mel, mel_to_hertz
from classifier.features.texture import FRAMES_PER_SEGMENT, FULL_RANGE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    Picture = NDArray[np.float32]

STRETCH: Final = 0.18  # largest change of the logarithm of the tempo
TRANSPOSE_BANDS: Final = 2.5  # largest shift; below 1 kHz a band is 26 Hz wide, above 7 %
EQUALISER_DECIBELS: Final = 4.0
EQUALISER_POINTS: Final = (4, 9)
LOW_PASS_HERTZ: Final = (3_000, 11_000)
LOW_PASS_SLOPES: Final = (12, 120)  # dB per octave
LOW_PASS_SHARE: Final = 0.5
HIGH_PASS_HERTZ: Final = (60, 400)
HIGH_PASS_SLOPES: Final = (6, 36)
HIGH_PASS_SHARE: Final = 0.3
NOISE_BELOW_DECIBELS: Final = (12, 45)
NOISE_SHARE: Final = 0.5
_NOISE_SMOOTHNESS: Final = 3.0  # noise power in a band of a frame is that of some three bins: a gamma distribution
_LEAST_POWER: Final = 1e-12

DAMAGE_LOW_PASS_HERTZ: Final = 8_000
DAMAGE_LOW_PASS_SLOPE: Final = 60
DAMAGE_NOISE_DECIBELS: Final = 20


def band_centres() -> NDArray[np.float64]:
    """Return the centre of every mel band in Hz, shape (128,)."""
    return mel_to_hertz(np.linspace(0, float(hertz_to_mel(np.float64(SAMPLE_RATE / 2))), MEL_BANDS + 2))[1:-1]


_CENTRES: Final = band_centres()
_OCTAVES: Final = np.log2(_CENTRES)
_WIDTHS: Final = np.gradient(_CENTRES)


def changed(picture: Picture, draw: Generator, *, range_decibels: float = FULL_RANGE) -> Picture:
    """Return the same music played faster or slower, higher or lower, and recorded badly.

    Parameters
    ----------
    picture
        Level relative to the peak in dB, shape (128, n).
    draw
        Where chance comes from.
    range_decibels
        What lies further below the new peak is raised to it.

    Returns
    -------
    Shape (128, m), m at most 387.
    """
    music = equalised(transposed(stretched(picture, draw), draw), draw)
    if draw.random() < LOW_PASS_SHARE:
        music = low_passed(music, _between(draw, LOW_PASS_HERTZ), draw.uniform(*LOW_PASS_SLOPES))
    if draw.random() < HIGH_PASS_SHARE:
        corner, slope = _between(draw, HIGH_PASS_HERTZ), draw.uniform(*HIGH_PASS_SLOPES)
        music = music - _column(slope * np.maximum(np.log2(corner) - _OCTAVES, 0))
    if draw.random() < NOISE_SHARE:
        music = noisy(music, draw, draw.uniform(*NOISE_BELOW_DECIBELS), tilt=draw.uniform(0, 1))
    return normalised(music, range_decibels)


def stretched(picture: Picture, draw: Generator) -> Picture:
    """Change the tempo, keep the pitch."""
    factor = np.exp(draw.uniform(-STRETCH, STRETCH))
    frames = picture.shape[1]
    taken = (np.arange(int(frames / factor)) * factor).astype(int)
    return picture[:, np.minimum(taken, frames - 1)][:, :FRAMES_PER_SEGMENT]


def transposed(picture: Picture, draw: Generator) -> Picture:
    """Shift along the mel axis, between bands too."""
    source = np.clip(np.arange(MEL_BANDS) - draw.uniform(-TRANSPOSE_BANDS, TRANSPOSE_BANDS), 0, MEL_BANDS - 1)
    lower = source.astype(int)
    share = _column(source - lower)
    return picture[lower] * (1 - share) + picture[np.minimum(lower + 1, MEL_BANDS - 1)] * share


def equalised(picture: Picture, draw: Generator) -> Picture:
    """Turn the knobs of a smooth equaliser at random."""
    knobs = draw.normal(0, EQUALISER_DECIBELS, draw.integers(*EQUALISER_POINTS))
    curve = np.interp(np.linspace(0, 1, MEL_BANDS), np.linspace(0, 1, knobs.size), knobs)
    return picture + _column(curve)


def low_passed(picture: Picture, corner: float, slope: float) -> Picture:
    """Take away what lies above ``corner`` Hz by ``slope`` dB per octave."""
    return picture - _column(slope * np.maximum(_OCTAVES - np.log2(corner), 0))


def noisy(picture: Picture, draw: Generator, below: float, *, tilt: float = 0.0) -> Picture:
    """Add noise whose whole power lies ``below`` dB under the music's; ``tilt`` 0 is white, 1 pink."""
    power = 10 ** (picture / 10)
    colour = (_CENTRES / 1000) ** -tilt
    # The mel filters have equal area, so a band's power counts by its width.
    colour *= (power.mean(axis=1) * _WIDTHS).sum() / (colour * _WIDTHS).sum() * 10 ** (-below / 10)
    noise = draw.gamma(_NOISE_SMOOTHNESS, 1 / _NOISE_SMOOTHNESS, size=power.shape) * colour[:, None]
    return (10 * np.log10(power + noise + _LEAST_POWER)).astype(np.float32)


def normalised(picture: Picture, range_decibels: float = FULL_RANGE) -> Picture:
    """Measure again from the loudest point, no deeper than the range."""
    return np.maximum(picture - picture.max(), -range_decibels).astype(np.float32)


def _all_three(picture: Picture, draw: Generator) -> Picture:
    return _noise(_low_pass(_equaliser(picture, draw), draw), draw)


def _equaliser(picture: Picture, draw: Generator) -> Picture:
    return normalised(equalised(picture, draw))


def _low_pass(picture: Picture, _: Generator) -> Picture:
    return normalised(low_passed(picture, DAMAGE_LOW_PASS_HERTZ, DAMAGE_LOW_PASS_SLOPE))


def _noise(picture: Picture, draw: Generator) -> Picture:
    return normalised(noisy(picture, draw, DAMAGE_NOISE_DECIBELS))


DAMAGE: Final[Mapping[str, Callable[[Picture, Generator], Picture]]] = {
    "equaliser": _equaliser,
    "low-pass 8 kHz": _low_pass,
    "noise 20 dB below": _noise,
    "all three at once": _all_three,
}
"""What the evaluation does to songs: a random equaliser of 4 dB, a low-pass, white noise, and all of them together."""


def _between(draw: Generator, bounds: tuple[float, float]) -> float:
    return float(np.exp(draw.uniform(*np.log(bounds))))


def _column(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return values.astype(np.float32)[:, None]
