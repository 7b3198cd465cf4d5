"""Which protocols apply to which music, shared by ``train`` and ``evaluate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from classifier.training.bench import Bench
    from classifier.training.figures import Figure
    from classifier.training.material import Track

SPLITS: Final = ("fault_filtered", "artist_fold", "random", "rows", "vietnamese", "recordings", "folds")
ROW_TABLE: Final = "gtzan/features_10_sec.csv"


def splits_of(data: Path, tracks: Sequence[Track]) -> list[str]:
    """Name the protocols that music in a folder allows, honest ones first."""
    if not any("artist_fold" in track.splits for track in tracks):
        return ["folds"]
    has_blocks = any(track.block is not None for track in tracks)
    allowed = {
        "vietnamese": has_blocks,
        "recordings": has_blocks and (data / "other" / "audio").is_dir(),
        "rows": (data / ROW_TABLE).is_file(),
        "folds": False,
    }
    return [split for split in SPLITS if allowed.get(split, True)]


def measure(bench: Bench, split: str, data: Path) -> list[Figure]:
    """Measure every system under one protocol other than ``recordings``."""
    from classifier.training import classic

    return classic.leaky(data / ROW_TABLE) if split == "rows" else bench.figures(split)
