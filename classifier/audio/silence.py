"""Find the stretches of a song in which there is something to hear.

What counts is what changes: a constant offset is silence too. The thresholds rest on a measurement of 562 recordings of
music, 13 of which have stretches of a second or more that are 50 dB below their loudest second. Nine are excerpts with
pauses, which are nearly the same at 60 and 70 dB; the other four are whole songs that fade away, for 1.8 to 4.5 seconds
below 60 dB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.features.spectrum import SAMPLE_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME_SAMPLES: Final = SAMPLE_RATE // 10
"""A tenth of a second: two periods of the lowest audible tone."""
MIN_SILENCE_SECONDS: Final = 1.0
"""A shorter pause is a rest, which belongs to the music: without it, the tempo would be another."""
MIN_SOUND_SECONDS: Final = 0.3
"""A shorter sound with silence around it is a click, such as the step where a constant offset begins or ends."""
SILENT_LEVEL: Final = 3e-5
"""Root mean square of a frame, without its mean, below which it is silent: -90 dB of full scale, one step of 16 bits.

Dither of 16-bit files stays below it.
"""
SILENT_RATIO: Final = 1e-3
"""A frame 60 dB below the song's loudest second is silent, too: the residue of a codec, the noise of a sound card.

The most dynamic orchestral recordings span about 50 dB.
"""
_LOUDNESS_FRAMES: Final = 10
_CANCELLATION: Final = 1e-5
"""Below this ratio, float32 cannot tell the difference of two powers from rounding."""


def sounding_stretches(samples: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Return where a song sounds.

    Parameters
    ----------
    samples
        Mono, 22,050 Hz, shape (n,).

    Returns
    -------
    First sample and the one after the last of every stretch that sounds, in the order of time. Between two of them are
    at least ``MIN_SILENCE_SECONDS`` of silence; before the first and after the last there may be as much.
    """
    power = _changing_power(samples)
    if not power.size:
        return []
    kernel = np.full(min(_LOUDNESS_FRAMES, power.size), 1 / _LOUDNESS_FRAMES)
    loudest = np.convolve(power, kernel, mode="valid").max()
    sounds = power >= max(SILENT_LEVEL**2, SILENT_RATIO**2 * loudest)
    # A change at k means that frame k differs from the one before.
    changes = np.flatnonzero(np.diff(sounds, prepend=False, append=False))
    stretches: list[tuple[int, int]] = []
    for start, end in changes.reshape(-1, 2) * FRAME_SAMPLES:
        if stretches and start - stretches[-1][1] < MIN_SILENCE_SECONDS * SAMPLE_RATE:
            start = stretches.pop()[0]
        stretches.append((int(start), min(int(end), samples.size)))
    stretches = [(start, end) for start, end in stretches if end - start >= MIN_SOUND_SECONDS * SAMPLE_RATE]
    return _without_short_ends(stretches, samples.size)


def _without_short_ends(stretches: list[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """Extend the first and the last stretch over silence that is too short to count."""
    if not stretches:
        return []
    shortest = MIN_SILENCE_SECONDS * SAMPLE_RATE
    if stretches[0][0] < shortest:
        stretches[0] = (0, stretches[0][1])
    if size - stretches[-1][1] < shortest:
        stretches[-1] = (stretches[-1][0], size)
    return stretches


def _changing_power(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the variance of every frame, shape (frames,); the last frame may be shorter."""
    whole = samples.size // FRAME_SAMPLES
    frames = samples[: whole * FRAME_SAMPLES].reshape(whole, FRAME_SAMPLES)
    mean = frames.mean(axis=1).astype(np.float64)
    power = np.einsum("ij,ij->i", frames, frames).astype(np.float64) / FRAME_SAMPLES
    variance = power - np.square(mean)
    doubtful = variance <= _CANCELLATION * power
    if doubtful.any():
        variance[doubtful] = frames[doubtful].var(axis=1, dtype=np.float64)
    rest = samples[whole * FRAME_SAMPLES :]
    return np.append(variance, rest.var(dtype=np.float64)) if rest.size else variance
