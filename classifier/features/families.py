"""The feature families by name: what a release's experts look at, and what is kept of a song."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from classifier.features import musicnn, musicnn_input
from classifier.features.gtzan57 import gtzan57
from classifier.features.spectrum import Spectrum
from classifier.features.texture import FULL_RANGE, NARROW_RANGE, sampled_mel, texture
from classifier.features.texture_columns import FAMILY, GROUP_WIDTHS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    Vectors = Mapping[str, NDArray[np.float32]]

GTZAN57: Final = "gtzan57"
TEXTURE: Final = FAMILY
TEXTURE40: Final = "texture40"
"""Texture of the loudest 40 dB alone."""
TAGS: Final = "musicnn_tags"
"""Mean, standard deviation and mean logarithm of MusiCNN's 50 tags over a segment's patches, shape (150,)."""
EMBEDDING: Final = "musicnn_embedding"
"""What MusiCNN's tags are made from: its pooled channels that are not constant, and its 200 last hidden units."""
FUSION: Final = "fusion"
"""``texture`` and ``musicnn_tags`` side by side. It is put together when it is needed and never stored."""
TAGS_WIDTH: Final = 3 * len(musicnn.TAGS)

MEL_FAMILIES: Final = {
    TEXTURE: partial(texture, range_decibels=FULL_RANGE),
    TEXTURE40: partial(texture, range_decibels=NARROW_RANGE),
}
"""Families that need only the sampled mel spectrum: they can be learnt from pictures, and from damaged ones."""
NETWORK_FAMILIES: Final = (TAGS, EMBEDDING)
DERIVED_FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {FUSION: (TEXTURE, TAGS)}
"""Family → the stored families that it is made of."""
LEARNT_FAMILIES: Final = (*MEL_FAMILIES, *NETWORK_FAMILIES, *DERIVED_FAMILIES)
"""Families that experts with a weight look at."""
GROUPS: Final[Mapping[str, tuple[int, ...]]] = {
    TEXTURE: tuple(GROUP_WIDTHS),
    TEXTURE40: tuple(GROUP_WIDTHS),
    FUSION: (*GROUP_WIDTHS, TAGS_WIDTH),
}
"""Widths of the groups of columns that count the same (``classifier.inference.estimators.GroupScaler``)."""


def families(
    samples: NDArray[np.float32], network: musicnn.MusiCNN | None = None, *, patches: int = musicnn_input.PATCHES
) -> Vectors:
    """Compute every feature family of one segment.

    Parameters
    ----------
    samples
        Mono signal at 22,050 Hz, shape (n,), 3 to 30 s long.
    network
        Of the release; without it the two MusiCNN families are left out.
    patches
        Patches of three seconds that the network listens to at most.

    Returns
    -------
    Family → vector, float32: ``gtzan57`` (57,), ``texture`` (2192,), ``texture40`` (2192,), ``musicnn_tags`` (150,),
    ``musicnn_embedding`` (412,).
    """
    spectrum = Spectrum(samples)
    mel = sampled_mel(spectrum)
    vectors = {
        GTZAN57: gtzan57(spectrum).astype(np.float32),
        **{name: compute(mel) for name, compute in MEL_FAMILIES.items()},
    }
    return (
        vectors
        if network is None
        else {**vectors, **network_families(musicnn.features(samples, network, count=patches))}
    )


def network_families(numbers: NDArray[np.float32]) -> Vectors:
    """Divide what ``musicnn.features`` returns into the families that are stored; shape (…, columns)."""
    return {TAGS: numbers[..., :TAGS_WIDTH], EMBEDDING: numbers[..., TAGS_WIDTH:]}


def has_family(family: str, stored: Collection[str]) -> bool:
    """Tell whether a family is stored, or can be made of those that are."""
    return all(part in stored for part in DERIVED_FAMILIES.get(family, (family,)))


def columns_of(family: str, stored: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return a family's features, shape (n, width), made of the stored ones where it is derived."""
    if family not in DERIVED_FAMILIES:
        return stored[family]
    return np.concatenate([stored[part] for part in DERIVED_FAMILIES[family]], axis=-1)
