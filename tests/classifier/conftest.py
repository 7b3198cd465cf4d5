"""Fixtures of the tests that train: a collection of audio files, and training that is quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.synthesis import song, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STYLES = {"Nhạc cổ điển": "classical", "blues": "blues", "disco": "disco"}
"""Genre → what is played for it."""
SONGS = 4


@pytest.fixture(scope="session")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of short songs per genre, with what else is found in such folders."""
    folder = tmp_path_factory.mktemp("collection")
    for genre, style in STYLES.items():
        (folder / genre / "album").mkdir(parents=True)
        for number in range(SONGS):
            write(song(style, 3 + 2 * (number % 2), number), folder / genre / "album" / f"{number}.ogg")
    (folder / "blues" / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "blues" / ".DS_Store").write_bytes(b"\0")
    (folder / "covers").mkdir()
    (folder / "covers" / "notes.txt").write_text("No music here.")
    (folder / ".cache").mkdir()
    write(song("jazz", 3, 0), folder / ".cache" / "hidden.ogg")
    (folder / "readme.txt").write_text("My music.")
    return folder


@pytest.fixture(scope="module")
def quick_training() -> Iterator[None]:
    """Let the network be small, the grids narrow, and the changed copies few."""
    from classifier.features.families import TEXTURE, TEXTURE40
    from classifier.training import experts, feature_matrix
    from classifier.training.keras_network import KerasNetwork

    with pytest.MonkeyPatch.context() as patch:
        small = {**(KerasNetwork.__init__.__kwdefaults__ or {}), "layers": 1, "units": 8, "epochs": 2}
        patch.setattr(KerasNetwork.__init__, "__kwdefaults__", small)
        for family in (TEXTURE, TEXTURE40):
            patch.setitem(feature_matrix.COPIES, family, 2)
        patch.setitem(experts.KNN_GRID, "expert__p", [2])
        patch.setitem(experts.SVM_GRID, "expert__C", [10])
        yield
