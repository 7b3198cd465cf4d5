"""Packs the features of a song into one compressed blob and unpacks it; the format's version is stored beside it.

Version 1 is NumPy's own compressed archive, read without pickle: ``start`` and ``end`` (seconds, shape (segments,)),
and per feature family ``rows:NAME`` (the segments that have it) and ``bytes:NAME`` (uint8, shape (4, rows, width): the
first bytes of all the float32 numbers, then the second ones …, which compresses better than number by number).
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

FORMAT = 1
_FLOAT = np.dtype("<f4")
_NAME = re.compile(r"[A-Za-z0-9_-]+")


class SegmentLike(Protocol):
    """A segment with its features; the classifier's ``SegmentFeatures`` satisfies this protocol."""

    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def families(self) -> Mapping[str, NDArray[np.float32]]: ...


@dataclass(frozen=True, slots=True)
class SegmentVectors:
    """The stored features of one segment.

    Attributes
    ----------
    start, end
        Seconds from the start of the song.
    families
        Feature family → vector, float32, shape (width of the family,).
    """

    start: float
    end: float
    families: Mapping[str, NDArray[np.float32]]


def pack(segments: Sequence[SegmentLike]) -> bytes:
    """Compress the features of a song in format version ``FORMAT``.

    Raises
    ------
    ValueError
        If a vector is not one-dimensional and finite, a family's width differs between segments, or its name is not
        of ASCII letters, digits, ``-`` and ``_``.
    """
    arrays: dict[str, NDArray[np.generic]] = {
        "start": np.array([segment.start for segment in segments], dtype=np.float64),
        "end": np.array([segment.end for segment in segments], dtype=np.float64),
    }
    for family in sorted({name for segment in segments for name in segment.families}):
        if not _NAME.fullmatch(family):
            raise ValueError(f"{family!r} is not a valid name of a feature family")
        rows = [index for index, segment in enumerate(segments) if family in segment.families]
        vectors = [np.asarray(segments[row].families[family], dtype=_FLOAT) for row in rows]
        if any(vector.ndim != 1 or vector.size != vectors[0].size for vector in vectors):
            raise ValueError(f"the vectors of {family} differ in width")
        matrix = np.stack(vectors)
        if not np.isfinite(matrix).all():
            raise ValueError(f"a number of {family} is not finite")
        arrays[f"rows:{family}"] = np.array(rows, dtype=np.int32)
        arrays[f"bytes:{family}"] = np.ascontiguousarray(
            matrix.view(np.uint8).reshape(*matrix.shape, _FLOAT.itemsize).transpose(2, 0, 1)
        )
    blob = io.BytesIO()
    np.savez_compressed(blob, allow_pickle=False, **arrays)
    return blob.getvalue()


def unpack(version: int, blob: bytes) -> tuple[SegmentVectors, ...]:
    """Restore the features of a song, bit-exact.

    Raises
    ------
    ValueError
        If this release does not know the format.
    """
    if version != FORMAT:
        raise ValueError(f"features of format {version} cannot be read")
    with np.load(io.BytesIO(blob), allow_pickle=False) as arrays:
        families: list[dict[str, NDArray[np.float32]]] = [{} for _ in arrays["start"]]
        for name in arrays.files:
            if not name.startswith("bytes:"):
                continue
            family = name.removeprefix("bytes:")
            planes: NDArray[np.uint8] = arrays[name]
            matrix = np.ascontiguousarray(planes.transpose(1, 2, 0)).view(_FLOAT)[..., 0]
            for row, vector in zip(arrays[f"rows:{family}"], matrix, strict=True):
                families[row][family] = vector.astype(np.float32, copy=False)
        return tuple(
            SegmentVectors(float(start), float(end), each)
            for start, end, each in zip(arrays["start"], arrays["end"], families, strict=True)
        )
