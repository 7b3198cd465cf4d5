"""Units of size. ``MEGABYTE`` is what people read in texts and settings, ``MEBIBYTE`` is what memory is measured in."""

from __future__ import annotations

from typing import Final

KIBIBYTE: Final = 1024
MEBIBYTE: Final = 1024 * KIBIBYTE
GIBIBYTE: Final = 1024 * MEBIBYTE
MEGABYTE: Final = 1_000_000
