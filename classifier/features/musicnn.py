"""MSD_musicnn, a network that tags music, run forward in NumPy.

J. Pons and X. Serra, musicnn: pre-trained convolutional neural networks for music audio tagging (late-breaking demo,
ISMIR 2019), trained on the Million Song Dataset and Last.fm's tags; the architecture is that of J. Pons et al.,
End-to-end learning for music audio tagging at scale (ISMIR 2018). The weights are those of PyPI's ``musicnn`` 0.1.0,
under the ISC licence; ``classifier.training.musicnn_weights`` prepares them.

The front end looks at 3 s of mel spectrum with filters that are tall (timbre) or long (rhythm) and keeps the maximum of
each over frequency. Three convolutions over time with residual connections follow, then pooling over time and two dense
layers. Weight decay has silenced 497 of the front end's 561 filters for good: they give a constant, whatever comes in.
These are not computed, which leaves a tenth of the published network's multiplications and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from scipy import fft

from classifier.features.spectrum import SAMPLE_RATE, hertz_to_mel, mel_to_hertz

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
TAGS: Final[tuple[str, ...]] = (
    "rock",
    "pop",
    "alternative",
    "indie",
    "electronic",
    "female vocalists",
    "dance",
    "00s",
    "alternative rock",
    "jazz",
    "beautiful",
    "metal",
    "chillout",
    "male vocalists",
    "classic rock",
    "soul",
    "indie rock",
    "Mellow",
    "electronica",
    "80s",
    "folk",
    "90s",
    "chill",
    "instrumental",
    "punk",
    "oldies",
    "blues",
    "hard rock",
    "ambient",
    "acoustic",
    "experimental",
    "female vocalist",
    "guitar",
    "Hip-Hop",
    "70s",
    "party",
    "country",
    "easy listening",
    "sexy",
    "catchy",
    "funk",
    "electro",
    "heavy metal",
    "Progressive rock",
    "60s",
    "rnb",
    "indie pop",
    "sad",
    "House",
    "happy",
)
"""In the order of the network's outputs."""

TIMBRAL_FRAMES: Final = 7
TIMBRAL_BANDS: Final = (38, 67)
TEMPORAL_FRAMES: Final = (128, 64, 32)
MIDDLE_FRAMES: Final = 7
FRONT_CHANNELS: Final = 561
MIDDLE_CHANNELS: Final = 64
MIDDLE_LAYERS: Final = 3
CHANNELS: Final = FRONT_CHANNELS + MIDDLE_LAYERS * MIDDLE_CHANNELS
"""What the published network pools over time: 753 channels, of which those that ever change are computed."""
PENULTIMATE: Final = 200

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
LEAST_TAG: Final = np.float32(1e-4)
"""Added to a tag before its logarithm is taken: how far a tag is below this says nothing about music."""

_PATCHES_AT_ONCE: Final = 5
_PLACES: Final = 6
"""Neighbouring places on the frequency axis where tall filters are applied in one product."""
_PHASES: Final = 11
"""Neighbouring times at which long filters are applied in one product; 187 frames are 17 times as many."""

# What layers are called in the arrays of weights.
_TIMBRAL: Final = tuple(f"timbral{bands}" for bands in TIMBRAL_BANDS)
_TEMPORAL: Final = tuple(f"temporal{frames}" for frames in TEMPORAL_FRAMES)
_MIDDLE: Final = tuple(f"middle{number}" for number in range(1, MIDDLE_LAYERS + 1))


class NetworkOutput(NamedTuple):
    """What the network says of n patches; all float32.

    Attributes
    ----------
    tags
        Probability of every tag of ``TAGS``, shape (n, 50).
    pooled
        Mean over time of every channel of the front and middle layers that is not constant, shape (n, channels).
    penultimate
        What the tags are made from, shape (n, 200).
    """

    tags: Floats
    pooled: Floats
    penultimate: Floats


class MusiCNN:
    """The network.

    Parameters
    ----------
    weights
        Arrays by name, of any floating-point type. f is the number of filters of the front end in all, c that of the
        channels that are pooled:

        ``input`` (2,)
            Scale and shift of the compressed mel spectrum.
        ``timbral38`` (·, 38, 7), ``timbral67`` (·, 67, 7), ``temporal128`` (·, 128), ``temporal64`` (·, 64),
        ``temporal32`` (·, 32)
            Filters of the front end by (filter, band, frame).
        ``middle1`` (64, f + 1, 7), ``middle2`` (64, 64, 7), ``middle3`` (64, 64, 7)
            By (filter, channel, frame). The last channel of the first is always 1: it stands for all constant ones.
        ``penultimate`` (200, 2c), ``tags`` (50, 200), ``tags.bias`` (50,)
            Dense layers; the first takes all maxima, then all means.
        ``front.low``, ``front.high``, ``front.offset`` (f,), the same of ``middle1`` to ``middle3`` and ``penultimate``
            What follows the products, see ``_Rectifier``.
        ``channels`` (c,)
            Which of the published network's 753 pooled channels are not constant, in order; integers.

    Attributes
    ----------
    channels
        The last of these.
    """

    def __init__(self, weights: Mapping[str, NDArray[Any]]) -> None:
        arrays = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in weights.items()}
        self._scale, self._shift = arrays["input"]
        self._timbral = [_tall(arrays[name]) for name in _TIMBRAL]
        self._temporal = [_long(arrays[name]) for name in _TEMPORAL]
        self._middle = [_over_time(arrays[name]) for name in _MIDDLE]
        self._rectifiers = {name: _Rectifier.of(arrays, name) for name in ("front", *_MIDDLE, "penultimate")}
        self._penultimate = arrays["penultimate"].T
        self._tags, self._bias = arrays["tags"].T, arrays["tags.bias"]
        self.channels = weights["channels"].astype(np.intp)
        filters = len(arrays["front.offset"])
        middle = self.channels[self.channels >= FRONT_CHANNELS]
        # Places among what the layers give one after another: the front end's filters, the constant, the middle.
        self._pooled = np.concatenate((np.arange(filters), middle - FRONT_CHANNELS + filters + 1))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the numbers that ``features`` returns."""
        return (
            *(f"{tag} {statistic}" for statistic in ("mean", "deviation", "logarithm") for tag in TAGS),
            *(f"channel {number}" for number in self.channels.tolist()),
            *(f"penultimate {number}" for number in range(PENULTIMATE)),
        )

    def __call__(self, patches: Floats) -> NetworkOutput:
        """Listen to patches, each on its own.

        Parameters
        ----------
        patches
            Compressed mel spectra as ``patches`` makes them, shape (n, 187, 96), n >= 1.
        """
        some = range(0, len(patches), _PATCHES_AT_ONCE)
        output = [self._forward(patches[first : first + _PATCHES_AT_ONCE]) for first in some]
        return NetworkOutput(*map(np.concatenate, zip(*output, strict=True)))

    def _forward(self, patches: Floats) -> NetworkOutput:
        rectified = self._rectifiers
        layers = [self._front_end(patches)]
        for name, kernel in zip(_MIDDLE, self._middle, strict=True):
            layer = rectified[name](_convolved(kernel, layers[-1]))
            layers.append(layer if name == _MIDDLE[0] else layer + layers[-1])
        largest, mean = (
            np.concatenate([pool(layer, axis=2) for layer in layers])[self._pooled].T for pool in (np.max, np.mean)
        )
        penultimate = rectified["penultimate"]((np.concatenate((largest, mean), axis=1) @ self._penultimate).T).T
        logits = penultimate @ self._tags + self._bias
        # The logistic function, free of overflow and exact for the smallest probabilities.
        return NetworkOutput(np.exp(-np.logaddexp(np.float32(0), -logits)), mean, penultimate)

    def _front_end(self, patches: Floats) -> Floats:
        """Return the filters' outputs and, last, the constant channel; shape (f + 1, n, 187)."""
        level = patches * self._scale + self._shift
        rectifier = self._rectifiers["front"]
        channels = np.ones((len(rectifier.offset) + 1, *level.shape[:2]), dtype=np.float32)
        row = 0
        for outputs in (*_timbres(self._timbral, level), *_rhythms(self._temporal, level)):
            channels[row : row + len(outputs)] = outputs
            row += len(outputs)
        channels[:-1] = rectifier(channels[:-1])
        return channels


@dataclass(frozen=True, slots=True, eq=False)
class _Rectifier:
    """Bias, rectification and batch normalisation in one: ``clip(x, low, high) + offset``.

    With gain g and shift s of the normalisation, ``g · max(x + b, 0) + s`` is ``max(g · x, -g · b) + g · b + s`` if g
    is positive, and ``min(g · x, -g · b) + g · b + s`` if it is negative. The products already hold g, so that the
    largest over frequency of ``g · x`` gives the largest of all this; one of the bounds is infinite.

    Attributes
    ----------
    low, high, offset
        Shape (channels, 1, …): broadcast against what follows the channels.
    """

    low: Floats
    high: Floats
    offset: Floats

    @classmethod
    def of(cls, arrays: Mapping[str, Floats], layer: str) -> _Rectifier:
        axes = (-1, 1) if layer == "penultimate" else (-1, 1, 1)
        return cls(*(arrays[f"{layer}.{field}"].reshape(axes) for field in ("low", "high", "offset")))

    def __call__(self, products: Floats) -> Floats:
        return np.clip(products, self.low, self.high) + self.offset


@dataclass(frozen=True, slots=True, eq=False)
class _Toeplitz:
    """Filters at several neighbouring places as one matrix, so that a product is worth its call.

    Attributes
    ----------
    filters
        Number of filters.
    taps
        Length of a filter.
    matrix
        Of tall filters shape (places · filters, (taps + places - 1) · 7), of long ones (taps + 10, 11 · filters).
    """

    filters: int
    taps: int
    matrix: Floats


def _tall(kernel: Floats) -> _Toeplitz:
    """Prepare filters by (filter, band, frame) for ``_timbres``."""
    filters, bands, frames = kernel.shape
    matrix = np.zeros((_PLACES, filters, bands + _PLACES - 1, frames), dtype=np.float32)
    for place in range(_PLACES):
        matrix[place, :, place : place + bands] = kernel
    return _Toeplitz(filters, bands, matrix.reshape(_PLACES * filters, -1))


def _timbres(kernels: Sequence[_Toeplitz], level: Floats) -> Iterator[Floats]:
    """Yield the largest output over frequency of tall filters, zeros lying before and after the patch.

    Parameters
    ----------
    kernels
        From ``_tall``.
    level
        Shape (n, 187, 96).

    Yields
    ------
    Shape (filters, n, 187).
    """
    count, frames, bands = level.shape
    margin = TIMBRAL_FRAMES // 2
    padded = np.zeros((bands, count, frames + 2 * margin), dtype=np.float32)
    padded[:, :, margin:-margin] = level.transpose(2, 0, 1)
    # Every band seven times, shifted: whatever bands a filter covers, their rows lie together.
    shifted = np.stack([padded[:, :, delay : delay + frames] for delay in range(TIMBRAL_FRAMES)], axis=1)
    rows = shifted.reshape(bands * TIMBRAL_FRAMES, -1)
    for kernel in kernels:
        products = np.empty((len(kernel.matrix), rows.shape[1]), dtype=np.float32)
        places = products.reshape(_PLACES, kernel.filters, -1)
        largest = np.full_like(places[0], -np.inf)
        last = bands - kernel.taps + 1 - _PLACES
        for first in (*range(0, last, _PLACES), last):
            covered = rows[first * TIMBRAL_FRAMES : (first + kernel.taps + _PLACES - 1) * TIMBRAL_FRAMES]
            np.matmul(kernel.matrix, covered, out=products)
            for place in places:
                np.maximum(largest, place, out=largest)
        yield largest.reshape(-1, count, frames)


def _long(kernel: Floats) -> _Toeplitz:
    """Prepare filters by (filter, frame) for ``_rhythms``."""
    filters, taps = kernel.shape
    matrix = np.zeros((taps + _PHASES - 1, _PHASES, filters), dtype=np.float32)
    for phase in range(_PHASES):
        matrix[phase : phase + taps, phase] = kernel.T
    return _Toeplitz(filters, taps, matrix.reshape(taps + _PHASES - 1, -1))


def _rhythms(kernels: Sequence[_Toeplitz], level: Floats) -> Iterator[Floats]:
    """Yield the largest output over frequency of long filters, zeros lying before and after the patch.

    Parameters
    ----------
    kernels
        From ``_long``, the longest first.
    level
        Shape (n, 187, 96).

    Yields
    ------
    Shape (filters, n, 187).
    """
    count, frames, bands = level.shape
    longest = kernels[0].taps
    before = (longest - 1) // 2
    padded = np.zeros((count, bands, frames + longest - 1), dtype=np.float32)
    padded[:, :, before : before + frames] = level.transpose(0, 2, 1)
    largest = [np.empty((count, frames, kernel.filters), dtype=np.float32) for kernel in kernels]
    for number, patch in enumerate(padded):
        windows = np.lib.stride_tricks.sliding_window_view(patch, longest + _PHASES - 1, axis=1)[:, ::_PHASES]
        rows = windows.reshape(-1, windows.shape[-1])
        for kernel, outputs in zip(kernels, largest, strict=True):
            start = before - (kernel.taps - 1) // 2
            products = rows[:, start : start + len(kernel.matrix)] @ kernel.matrix
            products.reshape(bands, -1).max(axis=0, out=outputs[number].reshape(-1))
    for outputs in largest:
        yield outputs.transpose(2, 0, 1)


def _over_time(kernel: Floats) -> Floats:
    """Order a kernel by (filter, channel, frame) for ``_convolved``: shape (7 · filters, channels)."""
    return np.ascontiguousarray(kernel.transpose(2, 0, 1)).reshape(-1, kernel.shape[1])


def _convolved(kernel: Floats, channels: Floats) -> Floats:
    """Filter over time, zeros lying before and after the patch.

    Parameters
    ----------
    kernel
        From ``_over_time``.
    channels
        Shape (channels, n, 187).

    Returns
    -------
    Shape (filters, n, 187).
    """
    # One product for all delays; what each gives is then shifted, which is less to move than the channels are.
    products = (kernel @ channels.reshape(len(channels), -1)).reshape(MIDDLE_FRAMES, -1, *channels.shape[1:])
    margin = MIDDLE_FRAMES // 2
    total: Floats = products[margin]
    for delay in range(1, margin + 1):
        total[:, :, delay:] += products[margin - delay][:, :, :-delay]
        total[:, :, :-delay] += products[margin + delay][:, :, delay:]
    return total


def features(samples: Floats, network: MusiCNN, *, count: int = PATCHES) -> Floats:
    """Compute what the network gives for a segment, whatever its level.

    Parameters
    ----------
    samples
        Mono, 22,050 Hz, shape (n,), at most 30 s.
    network
        The network.
    count
        Patches to listen to at most.

    Returns
    -------
    Named by ``network.columns``: over the patches the mean, the standard deviation and the mean logarithm of each of
    the 50 tags, the mean of the pooled channels, the mean of the 200 numbers before the tags.
    """
    return summary(network(patches(normalise_loudness(samples), count=count)))


def summary(output: NetworkOutput) -> Floats:
    """Put together what the network gives for patches, as ``features`` returns it."""
    tags = output.tags
    statistics = (tags.mean(axis=0), tags.std(axis=0), np.log(tags + LEAST_TAG).mean(axis=0))
    return np.concatenate((*statistics, output.pooled.mean(axis=0), output.penultimate.mean(axis=0)))


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
