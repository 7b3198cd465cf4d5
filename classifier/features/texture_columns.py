"""The columns of a texture: what reads stored ones needs to know, without loading what computes them."""

from __future__ import annotations

from typing import Final

FAMILY: Final = "texture"

LEVELS: Final = 5  # of the 13 sorted levels of a block, every third
FLUCTUATION_BINS: Final = 30  # 0.17 to 5 Hz
CONTRAST_GROUPS: Final = 8
BANDS: Final = 64
WIDE_BANDS: Final = 32
GROUP_WIDTHS: Final[tuple[int, ...]] = (
    BANDS * LEVELS,
    BANDS * LEVELS,
    BANDS,
    WIDE_BANDS * FLUCTUATION_BINS,
    WIDE_BANDS * (WIDE_BANDS - 1) // 2,
    4 * CONTRAST_GROUPS,
)
"""Columns of each group: spectral pattern, its rise, its unrest, fluctuation, correlation, contrast."""
WIDTH: Final = sum(GROUP_WIDTHS)
