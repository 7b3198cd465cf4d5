"""Which protocols apply to which music, shared by ``train`` and ``evaluate``."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classifier.inference.model import Model
    from classifier.training.accuracy import Figure
    from classifier.training.data_loading import Track
    from classifier.training.evaluation import Evaluation

TRAINING_PACKAGES: Final = ("keras", "tensorflow", "matplotlib")
SPLITS: Final = (
    "fault_filtered",
    "artist_fold",
    "modern",
    "notmusic",
    "random",
    "rows",
    "vietnamese",
    "recordings",
    "folds",
)
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
        "modern": any(track.collection == "modern" for track in tracks),
        "notmusic": (data / "notmusic" / "clips.csv").is_file(),
        "vietnamese": has_blocks,
        "recordings": has_blocks and has_recordings(data),
        "rows": (data / ROW_TABLE).is_file(),
        "folds": False,
    }
    return [split for split in SPLITS if allowed.get(split, True)]


def has_recordings(data: Path) -> bool:
    """Tell whether a folder of music has the recordings that only a release is asked about."""
    return (data / "other" / "audio").is_dir()


def add_network_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the borrowed weights."""
    parser.add_argument(
        "--musicnn",
        type=Path,
        metavar="WHEEL",
        help="PyPI's musicnn 0.1.0, as `make musicnn` fetches it (default: the weights in the project's own release)",
    )


def measure(evaluation: Evaluation, split: str, model: Model | None) -> list[Figure]:
    """Measure every system under one protocol.

    Parameters
    ----------
    model
        The release, for ``recordings``.
    """
    from classifier.training import baseline, protocol_figures, recordings_evaluation

    if split == "rows":
        return baseline.leaky(evaluation.directory / ROW_TABLE)
    if split == "recordings" and model is not None:
        return recordings_evaluation.figures(model, evaluation.directory, evaluation.branches[1], jobs=evaluation.jobs)
    return protocol_figures.figures(evaluation, split)
