"""The feature families by name: what a release's experts look at, and what is kept of a song."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from classifier.features.gtzan57 import gtzan57
from classifier.features.spectrum import Spectrum
from classifier.features.texture import FULL_RANGE, NARROW_RANGE, sampled_mel, texture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

GTZAN57: Final = "gtzan57"
TEXTURE: Final = "texture"
TEXTURE40: Final = "texture40"
"""Texture of the loudest 40 dB alone."""
MEL_FAMILIES: Final = {
    TEXTURE: partial(texture, range_decibels=FULL_RANGE),
    TEXTURE40: partial(texture, range_decibels=NARROW_RANGE),
}
"""Families that need only the sampled mel spectrum: they can be learnt from pictures, and from damaged ones."""


def families(samples: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
    """Compute every feature family of one segment from one shared spectrum.

    Parameters
    ----------
    samples
        Mono signal at 22,050 Hz, shape (n,), 3 to 30 s long.

    Returns
    -------
    Family → vector: ``gtzan57`` (57,), ``texture`` (2192,), ``texture40`` (2192,).
    """
    spectrum = Spectrum(samples)
    mel = sampled_mel(spectrum)
    return {
        GTZAN57: gtzan57(spectrum).astype(np.float32),
        **{name: compute(mel) for name, compute in MEL_FAMILIES.items()},
    }
