"""What a row of an export holds, and its columns: those of the public GTZAN table, a label, then the bookkeeping."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

TABLE_FAMILY = "gtzan57"
"""The feature family with the 57 features of the public table, in its order."""
_SPECTRAL = ("chroma_stft", "rms", "spectral_centroid", "spectral_bandwidth", "rolloff", "zero_crossing_rate")
_PARTS = (*_SPECTRAL, "harmony", "perceptr")
_MFCC = tuple(f"mfcc{number}" for number in range(1, 21))
TABLE_COLUMNS = (
    *(f"{name}_{statistic}" for name in _PARTS for statistic in ("mean", "var")),
    "tempo",
    *(f"{name}_{statistic}" for name in _MFCC for statistic in ("mean", "var")),
)
BOOKKEEPING_COLUMNS: Mapping[str, type] = {
    "song": str,
    "start": float,
    "end": float,
    "model": str,
    "said": str,
    "confidence": float,
    "sure": int,
    "status": str,
    "platform": str,
    "votes": int,
    "may_train": int,
    "created": datetime,
    "numbers": str,
}
"""The bookkeeping columns of other files; ``numbers`` are those under which moderators see the corrections."""
TRAINING_COLUMNS: Mapping[str, type] = {
    "song": str,
    "segment": int,
    "weight": float,
    "use": str,
    "source": str,
    "people": int,
    "reviewed": bool,
    "model": str,
    "heard_as": str,
    "label_people": int,
    "start": float,
    "end": float,
    "updated": datetime,
    "giver": int,
    "last": bool,
}
"""The bookkeeping columns of training files."""
LAST = "last"
"""The column that is true in the last row alone, so that a reader notices a file that was cut short."""


@dataclass(frozen=True, slots=True)
class Row:
    """One segment of a song, with the label that people gave it.

    Attributes
    ----------
    filename, length
        As in the public table; length in samples.
    table
        The 57 features, float32, in the order of ``TABLE_COLUMNS``.
    families
        Further feature families, float32, shape (width of the family,).
    label
        Id of the label.
    facts
        The bookkeeping values, in the layout's order.
    """

    filename: str
    length: int
    table: NDArray[np.float32]
    families: Mapping[str, NDArray[np.float32]]
    label: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a file.

    Attributes
    ----------
    families
        Feature families between the 57 columns and the label.
    facts
        Name of each bookkeeping column → its type.
    wide
        Whether each feature has its own column (``texture_0``, ``texture_1``, …) in every format, not only in CSV.
        The first row then sets a family's width, and rows of another width are left out.
    """

    families: tuple[str, ...] = ()
    facts: Mapping[str, type] = field(default_factory=lambda: BOOKKEEPING_COLUMNS)
    wide: bool = False

    def widths(self, row: Row) -> dict[str, int]:
        """Return the width of each family in a row."""
        return {name: len(row.families[name]) for name in self.families}

    def columns(self, widths: Mapping[str, int]) -> list[str]:
        """Return the names of all columns of a file whose families have these widths."""
        further = [f"{name}_{index}" for name, width in widths.items() for index in range(width)]
        return ["filename", "length", *TABLE_COLUMNS, *further, "label", *self.facts]
