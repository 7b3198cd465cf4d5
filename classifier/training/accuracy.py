"""Measured figures: how many answers were right, under which protocol, and how sure that number itself is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Figure:
    """Right answers of one system under one protocol.

    Attributes
    ----------
    split
        Protocol by which tracks were held out.
    system
        Who answered: an expert's name, ``ensemble`` …
    condition
        What was done to the music, or ``clean``.
    right, of
        Number of right answers, and of all.
    grouped_error
        Standard error of the share where answers to songs of one artist are not taken for independent; None where
        nobody told who is whose.
    """

    split: str
    system: str
    condition: str
    right: int
    of: int
    grouped_error: float | None = None

    @classmethod
    def count(
        cls, split: str, system: str, condition: str, right: ArrayLike, groups: Sequence[str] | None = None
    ) -> Figure:
        """Count right answers, given as booleans, and the artist or recording of each where they are known."""
        marks = np.asarray(right, dtype=bool)
        error = None if groups is None or not marks.size else _grouped_error(marks, np.asarray(groups))
        return cls(split, system, condition, int(marks.sum()), marks.size, error)

    @property
    def share(self) -> float:
        """Right answers as a share of all; not a number where nothing was asked."""
        return self.right / self.of if self.of else math.nan

    @property
    def standard_error(self) -> float:
        """Of the share: by groups where they are known, else as a binomial proportion."""
        if self.grouped_error is not None:
            return self.grouped_error
        return math.sqrt(self.share * (1 - self.share) / self.of) if self.of else math.nan

    def as_dict(self) -> dict[str, Any]:
        """Return the figure as plain JSON data; the two shares are None where nothing was asked."""
        return {
            "split": self.split,
            "system": self.system,
            "condition": self.condition,
            "right": self.right,
            "of": self.of,
            "accuracy": round(self.share, 4) if self.of else None,
            "standard_error": round(self.standard_error, 4) if self.of else None,
        }


def _grouped_error(right: NDArray[np.bool_], groups: NDArray[np.str_]) -> float:
    """Return the standard error of a ratio of sums over groups (W. G. Cochran, Sampling Techniques, 1977, 2.46)."""
    _, place = np.unique(groups, return_inverse=True)
    sizes, hits = np.bincount(place), np.bincount(place, weights=right)
    if len(sizes) < 2:
        return math.nan
    residuals = hits - right.mean() * sizes
    return float(np.sqrt(np.square(residuals).sum() * len(sizes) / (len(sizes) - 1)) / right.size)
