"""Features restored from a release's base dataset, which keeps them reduced, for songs that a benchmark makes up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classifier.features.families import DERIVED_FAMILIES
from classifier.training.experts import spaces_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from classifier.inference.model import Artifact
    from classifier.training.experts import FeatureSpace


def stored_spaces(artifact: Artifact) -> Mapping[str, FeatureSpace]:
    """Return the reductions of the families that are stored of a song; others are derived from these."""
    return {name: space for name, space in spaces_of(artifact.experts).items() if name not in DERIVED_FAMILIES}


def restored(space: FeatureSpace, reduced: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return features, shape (n, width), whose reduction is about this, shape (n, components)."""
    scaled = reduced @ space.reduce.components_.astype(np.float32) + space.reduce.mean_
    if hasattr(space.scale, "weight_"):
        scaled = scaled / space.scale.weight_ + space.scale.mean_
    elif hasattr(space.scale, "inverse_transform"):
        scaled = space.scale.inverse_transform(scaled)
    features: NDArray[np.float32] = scaled.astype(np.float32)
    return features
