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
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from classifier.features.musicnn_convolutions import (
    long_filters,
    middle_filters,
    over_time,
    rhythms,
    tall_filters,
    timbres,
)
from classifier.features.musicnn_input import PATCHES, normalise_loudness, patches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

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

TIMBRAL_BANDS: Final = (38, 67)
TEMPORAL_FRAMES: Final = (128, 64, 32)
FRONT_CHANNELS: Final = 561
MIDDLE_CHANNELS: Final = 64
MIDDLE_LAYERS: Final = 3
CHANNELS: Final = FRONT_CHANNELS + MIDDLE_LAYERS * MIDDLE_CHANNELS
"""What the published network pools over time: 753 channels, of which those that ever change are computed."""
PENULTIMATE: Final = 200

LEAST_TAG: Final = np.float32(1e-4)
"""Added to a tag before its logarithm is taken: how far a tag is below this says nothing about music."""

_PATCHES_AT_ONCE: Final = 5

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
        self._timbral = [tall_filters(arrays[name]) for name in _TIMBRAL]
        self._temporal = [long_filters(arrays[name]) for name in _TEMPORAL]
        self._middle = [middle_filters(arrays[name]) for name in _MIDDLE]
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
            layer = rectified[name](over_time(kernel, layers[-1]))
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
        for outputs in (*timbres(self._timbral, level), *rhythms(self._temporal, level)):
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
