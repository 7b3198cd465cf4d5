"""Which protocols apply to which music, shared by ``train`` and ``evaluate``."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from classifier.training.accuracy import Figure
    from classifier.training.data_loading import Track
    from classifier.training.evaluation import Bench

TRAINING_PACKAGES: Final = ("keras", "tensorflow", "matplotlib")
SPLITS: Final = ("fault_filtered", "artist_fold", "random", "rows", "vietnamese", "recordings", "folds")
ROW_TABLE: Final = "gtzan/features_10_sec.csv"


def number_of_processes(text: str) -> int:
    """Read how many processes may work at once: a positive number, or -1 for one per core."""
    number = int(text)
    if number < 1 and number != -1:
        raise argparse.ArgumentTypeError(f"{number} processes cannot work")
    return number


def missing_packages() -> str | None:
    """Say what must be installed before anything can be trained; None where nothing is missing."""
    missing = [name for name in TRAINING_PACKAGES if find_spec(name) is None]
    if not missing:
        return None
    return f"Training needs packages that serving does without: {', '.join(missing)}. Install genre-bot[train]."


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
    from classifier.training import baseline

    return baseline.leaky(data / ROW_TABLE) if split == "rows" else bench.figures(split)
