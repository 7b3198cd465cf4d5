"""The training matrix: every family's features of every track, as it is and changed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from joblib import Parallel, delayed

from classifier.features.families import (
    DERIVED_FAMILIES,
    GTZAN57,
    MEL_FAMILIES,
    NETWORK_FAMILIES,
    TEXTURE,
    TEXTURE40,
)
from classifier.features.texture import FULL_RANGE, NARROW_RANGE
from classifier.training.augmentation import DAMAGE, changed, normalised
from classifier.training.classes import class_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from classifier.training.data_loading import Track

COPIES: Final = {TEXTURE: 12, TEXTURE40: 5}
"""Changed copies of a track that a family's experts see beside the track itself."""
COPIES_OF_NARROW: Final = 2
"""Of a track whose picture is too narrow for other families: its genres have several times as many tracks."""
_BATCH: Final = 24


@dataclass(frozen=True, eq=False)
class Rows:
    """Features of n tracks.

    Attributes
    ----------
    names, genres, groups
        Of the tracks, shape (n,). A genre here is what the experts tell apart: a family, or a style where a family's
        styles were learnt from pictures of their own (``classifier.training.classes``).
    families
        Family → features, shape (all rows of the family, width), float32.
    starts
        Family → first row of each track, shape (n + 1,): a track's rows are the one of the track itself, then its
        copies; none where the track lacks the family.
    labels
        The most specific genre of each track, shape (n,); None where it is the same as ``genres``.
    """

    names: NDArray[np.str_]
    genres: NDArray[np.str_]
    groups: NDArray[np.str_]
    families: Mapping[str, NDArray[np.float32]]
    starts: Mapping[str, NDArray[np.int64]]
    labels: NDArray[np.str_] | None = None

    @property
    def styles(self) -> NDArray[np.str_]:
        """The most specific genre of each track, shape (n,)."""
        return self.genres if self.labels is None else self.labels

    def counts(self, family: str) -> NDArray[np.int64]:
        """Return how many rows each track has in a family, shape (n,); a derived one has as many as its first part."""
        if family in self.starts:
            return np.diff(self.starts[family])
        first, *others = (self.counts(part) for part in DERIVED_FAMILIES[family])
        return np.where(np.all([count > 0 for count in others], axis=0), first, 0)

    def having(self, family: str) -> NDArray[np.bool_]:
        """Tell which tracks have a family, shape (n,)."""
        if family not in self.starts and not set(DERIVED_FAMILIES.get(family, (family,))) <= set(self.starts):
            return np.zeros(len(self.names), dtype=bool)
        return self.counts(family) > 0

    def even_weights(self, family: str, tracks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how much each row of ``matrix`` counts, so that every track counts the same."""
        counts = self.counts(family)[tracks]
        return np.repeat(1 / counts, counts)

    def _rows(self, family: str, tracks: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return one row of each track: its ``places``-th, counted round where a part has fewer."""
        if family in self.starts:
            counts = np.diff(self.starts[family])[tracks]
            return self.families[family][self.starts[family][tracks] + places % counts]
        return np.concatenate([self._rows(part, tracks, places) for part in DERIVED_FAMILIES[family]], axis=1)

    def matrix(self, family: str, tracks: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
        """Return all rows of those of the tracks that have the family, and their genres."""
        counts = self.counts(family)[tracks]
        owners = np.repeat(tracks, counts)
        places = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
        return self._rows(family, owners, places), self.genres[owners]

    def single(self, family: str, tracks: NDArray[np.int64], *, copy: int = 0) -> NDArray[np.float32]:
        """Return one row of each track, shape (tracks, width): itself, or one of its copies, counted from 1.

        Where a track has fewer copies they are counted round.

        Raises
        ------
        ValueError
            If a track lacks the family.
        """
        if not self.having(family)[tracks].all():
            raise ValueError(f"some of the tracks have no {family}")
        return self._rows(family, tracks, np.full(len(tracks), copy))


def build(tracks: Sequence[Track], *, seed: int = 0, jobs: int = -1, copies: bool = True) -> Rows:
    """Compute the training matrix.

    Parameters
    ----------
    seed
        The same seed and the same track give the same copies, whatever stands beside them.
    jobs
        Processes, as in joblib.
    copies
        Whether changed copies of the tracks stand beside them.
    """
    batches = [range(start, min(start + _BATCH, len(tracks))) for start in range(0, len(tracks), _BATCH)]
    results = Parallel(n_jobs=jobs)(
        delayed(_batch)([tracks[place] for place in batch], seed, copies) for batch in batches
    )
    each = [features for batch in results for features in batch]
    families, starts = {}, {}
    for family in (GTZAN57, *MEL_FAMILIES, *NETWORK_FAMILIES):
        parts = [features[family] for features in each if family in features]
        if parts:
            families[family] = np.concatenate(parts)
            counts = [len(features[family]) if family in features else 0 for features in each]
            starts[family] = np.concatenate([[0], np.cumsum(counts)])
    return Rows(
        names=np.array([track.name for track in tracks]),
        genres=np.array([class_of(track.genre) for track in tracks]),
        groups=np.array([track.group for track in tracks]),
        families=families,
        starts=starts,
        labels=np.array([track.genre for track in tracks]),
    )


def views(
    tracks: Sequence[Track], view: Callable[[Track], NDArray[np.float32]], *, jobs: int = -1
) -> Mapping[str, NDArray[np.float32]]:
    """Compute the mel families of tracks looked at in some way, each of shape (tracks, width).

    Parameters
    ----------
    view
        Gives the picture of a track to be looked at: a part of it, or what damage leaves of it.
    """
    results = Parallel(n_jobs=jobs, batch_size=_BATCH)(delayed(_view)(view, track) for track in tracks)
    return {family: np.stack([result[family] for result in results]) for family in MEL_FAMILIES}


def damaged(track: Track, *, kind: str, seed: int = 1) -> NDArray[np.float32]:
    """Return what one kind of damage leaves of a track's picture."""
    return DAMAGE[kind](track.decibels, _chance(track, seed))


def third(track: Track, *, number: int) -> NDArray[np.float32]:
    """Return the first, second or last third (0, 1, 2) of a track's picture."""
    return np.array_split(track.decibels, 3, axis=1)[number]


def _view(view: Callable[[Track], NDArray[np.float32]], track: Track) -> Mapping[str, NDArray[np.float32]]:
    picture = view(track)
    return {family: compute(picture) for family, compute in MEL_FAMILIES.items()}


def _batch(tracks: Sequence[Track], seed: int, copies: bool) -> list[Mapping[str, NDArray[np.float32]]]:
    return [_rows(track, seed, copies=copies) for track in tracks]


def _rows(track: Track, seed: int, *, copies: bool) -> Mapping[str, NDArray[np.float32]]:
    draw = _chance(track, seed)
    narrow = TEXTURE not in track.families
    table = np.empty((0, 57), dtype=np.float32) if track.gtzan57 is None else track.gtzan57[None, :].astype(np.float32)
    rows = {GTZAN57: table}
    rows |= track.network
    for family, compute in MEL_FAMILIES.items():
        if family not in track.families:
            rows[family] = np.empty((0, compute(track.decibels).size), dtype=np.float32)
            continue
        # Pictures of either width lose the same before they are changed, or the experts would tell the sources apart.
        width = NARROW_RANGE if family == TEXTURE40 else FULL_RANGE
        picture = normalised(track.decibels, width)
        count = (COPIES_OF_NARROW if narrow else COPIES[family]) if copies else 0
        pictures = [picture, *(changed(picture, draw, range_decibels=width) for _ in range(count))]
        rows[family] = np.stack([compute(each) for each in pictures])
    return rows


def _chance(track: Track, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(track.name.encode())])
