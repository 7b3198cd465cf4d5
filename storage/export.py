"""Corrections as data for the next model: CSV, JSON lines or Parquet, one row per segment and label.

Only what people consented to leaves; the CSV continues the public GTZAN table's columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from storage.corrections import Place, Status
    from storage.store import Storage


class Format(StrEnum):
    """The forms in which corrections leave."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which corrections to export; every part that is None (or empty) selects all.

    Attributes
    ----------
    since, until
        First given in this period (UTC; ``until`` excluded).
    genre
        Id of the label that counts.
    statuses
        Where the review stands; None leaves out only the rejected.
    place
        Only what was given there (an administrator's own rows).
    families
        Feature families that go out beside the 57 columns (``CSV``: ``texture_0``, ``texture_1``, …).
    """

    since: datetime | None = None
    until: datetime | None = None
    genre: str | None = None
    statuses: Sequence[Status] | None = None
    place: Place | None = None
    families: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """How much an export holds."""

    songs: int
    rows: int


async def export_feedback(storage: Storage, target: Path, form: Format, selection: Selection | None = None) -> Exported:
    """Write corrections to a file, which is whole or not there at all.

    Raises
    ------
    FormatUnavailable
        For Parquet where pyarrow is not installed.
    """
    raise NotImplementedError
