"""What MusiCNN looks at: a segment at the usual loudness, resampled to 16 kHz and cut into patches of mel spectrum.

The network itself is in ``musicnn.py``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import fft

from classifier.features.spectrum import SAMPLE_RATE, hertz_to_mel, mel_to_hertz

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

RATE: Final = 16_000
"""Samples per second of what the network hears."""
FRAME_SAMPLES: Final = 512
HOP_SAMPLES: Final = 256
BANDS: Final = 96
PATCH_FRAMES: Final = 187
"""Frames that the network looks at together: 3 s."""
_PATCH_SAMPLES: Final = (PATCH_FRAMES - 1) * HOP_SAMPLES + FRAME_SAMPLES
PATCHES: Final = 5
"""Of a segment of 30 s: 28 overlapping ones tell hardly more."""

USUAL_RMS: Final = 0.13
"""What every segment is brought to: the network hears another genre in the same music played softly."""
MOST_GAIN: Final = 1_000.0
"""60 dB: what is softer than that is the noise of a silence, and stays soft."""
_LOUDNESS_BLOCK_SAMPLES: Final = SAMPLE_RATE * 2 // 5
_GATE: Final = 0.1
"""Blocks of 0.4 s, and those more than 10 dB below the mean power do not count, as in ITU-R BS.1770."""
_BLOCK_BEFORE: Final = 441
_BLOCK_AFTER: Final = 320
"""20 ms at 22,050 and at 16,000 Hz."""
_ZERO_CROSSINGS: Final = 64
_ROLL_OFF: Final = 0.9475937167399596
_KAISER_BETA: Final = 14.769656459379492
"""resampy's ``kaiser_best``."""
_MARGIN: Final = -(-_ZERO_CROSSINGS * SAMPLE_RATE // RATE)
_COMPRESSION: Final = np.float32(10_000)


def normalise_loudness(samples: Floats) -> Floats:
    """Bring a segment to the usual loudness; silence stays silent.

    Only what sounds counts: pauses do not make the rest louder.

    Parameters
    ----------
    samples
        Mono, 22,050 Hz, shape (n,), n >= 1.
    """
    size = min(_LOUDNESS_BLOCK_SAMPLES, samples.size)
    blocks = samples[: samples.size // size * size].reshape(-1, size)
    power = np.einsum("ij,ij->i", blocks, blocks, dtype=np.float64) / size
    loud = power[power >= _GATE * power.mean()]
    gain = min(USUAL_RMS / max(np.sqrt(loud.mean()), np.finfo(np.float32).tiny), MOST_GAIN)
    return samples * np.float32(gain)


def patches(samples: Floats, *, count: int = PATCHES) -> Floats:
    """Cut a segment into patches for the network, spread evenly over it.

    Parameters
    ----------
    samples
        Mono, 22,050 Hz, shape (n,).
    count
        How many at most; there are fewer where they would overlap, but at least one. What is shorter than a patch is
        repeated from its start, frame by frame, as when the network was trained.

    Returns
    -------
    Compressed mel power, ``log10(10000 x + 1)``, shape (patches, 187, 96).
    """
    length = -(-samples.size * RATE // SAMPLE_RATE)
    wanted = min(count, max(1, length // _PATCH_SAMPLES))
    blocks = -(-min(length, _PATCH_SAMPLES) // _BLOCK_AFTER)
    # The middle of a patch lies in the middle of its share of the segment, and its start at that of a block.
    middles = (np.arange(wanted) + 0.5) * length / wanted
    starts = np.maximum(middles - _PATCH_SAMPLES / 2, 0).astype(int) // _BLOCK_AFTER
    pieces = resampled(samples, [range(start, start + blocks) for start in starts.tolist()])[
        :, : min(length, _PATCH_SAMPLES)
    ]
    if length < FRAME_SAMPLES:
        pieces = np.pad(pieces, ((0, 0), (0, FRAME_SAMPLES - length)))
    framed = np.lib.stride_tricks.sliding_window_view(pieces, FRAME_SAMPLES, axis=1)[:, ::HOP_SAMPLES]
    mel = compressed_mel(framed)
    return mel[:, np.arange(PATCH_FRAMES) % mel.shape[1]]


def resampled(samples: Floats, blocks: Sequence[Sequence[int]]) -> Floats:
    """Bring pieces of a signal to 16 kHz, as ``resampy.resample`` does with its filter ``kaiser_best``.

    The network was trained on music resampled so, and what it has said of the public recordings was computed so. That
    filter begins to fall at 7.3 kHz; soxr's keep more of the treble and move the tags by 0.002 on average.

    Parameters
    ----------
    samples
        Mono, 22,050 Hz, shape (n,).
    blocks
        For every piece its blocks, as many in each: block i is the 320 samples from 20 ms · i on.

    Returns
    -------
    Shape (pieces, 320 · blocks).
    """
    filters = _resampling_filters()
    last = max(piece[-1] for piece in blocks)
    padded = np.zeros(max(last * _BLOCK_BEFORE + len(filters), samples.size + _MARGIN), dtype=np.float32)
    padded[_MARGIN : _MARGIN + samples.size] = samples
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(filters))[::_BLOCK_BEFORE]
    products = np.concatenate([windows[list(piece)] for piece in blocks]) @ filters
    return products.reshape(len(blocks), -1)


def compressed_mel(frames: Floats) -> Floats:
    """Compute what the network sees of frames of 512 samples at 16 kHz, shape (…, 512): shape (…, 96)."""
    spectrum = fft.rfft(frames * _window(), axis=-1, overwrite_x=True)
    power = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    mel: Floats = power @ _mel_filters()
    mel *= _COMPRESSION
    mel += 1
    return np.log10(mel, out=mel)


@lru_cache(maxsize=1)
def _resampling_filters() -> Floats:
    """Return what every sample of a block takes from 441 samples and 89 on either side, shape (619, 320).

    J. O. Smith's band-limited interpolation with a windowed sinc, in resampy's setting ``kaiser_best``.
    """
    ratio = RATE / SAMPLE_RATE
    wanted = np.arange(_BLOCK_AFTER) / ratio
    given = np.arange(-_MARGIN, _BLOCK_BEFORE + _MARGIN)[:, None]
    time = ratio * (wanted - given)  # in samples at 16 kHz
    window = np.i0(_KAISER_BETA * np.sqrt(np.maximum(0, 1 - np.square(time / _ZERO_CROSSINGS)))) / np.i0(_KAISER_BETA)
    filters = ratio * _ROLL_OFF * np.sinc(_ROLL_OFF * time) * window
    return np.where(np.abs(time) < _ZERO_CROSSINGS, filters, 0).astype(np.float32)


@lru_cache(maxsize=1)
def _window() -> Floats:
    """Periodic Hann window, shape (512,)."""
    phase = 2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


@lru_cache(maxsize=1)
def _mel_filters() -> Floats:
    """Triangular mel filters of equal area up to 8 kHz, shape (257, 96), as ``librosa.filters.mel``'s transposed."""
    corners = mel_to_hertz(np.linspace(0, float(hertz_to_mel(np.float64(RATE / 2))), BANDS + 2))
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    hertz = np.arange(FRAME_SAMPLES // 2 + 1)[:, None] * (RATE / FRAME_SAMPLES)
    triangles = np.maximum(0, np.minimum((hertz - left) / (centre - left), (right - hertz) / (right - centre)))
    return (triangles * (2 / (right - left))).astype(np.float32)
