"""Measured figures: how many answers were right, under which protocol, and how sure that number itself is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


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
    """

    split: str
    system: str
    condition: str
    right: int
    of: int

    @classmethod
    def count(cls, split: str, system: str, condition: str, right: ArrayLike) -> Figure:
        """Count right answers, given as booleans."""
        marks = np.asarray(right, dtype=bool)
        return cls(split, system, condition, int(marks.sum()), marks.size)

    @property
    def share(self) -> float:
        """Right answers as a share of all; not a number where nothing was asked."""
        return self.right / self.of if self.of else math.nan

    @property
    def standard_error(self) -> float:
        """Of the share, as a binomial proportion."""
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
