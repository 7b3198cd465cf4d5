"""A small table whose songs are easily recognised and whose genres are not: where a leak shows at once."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

GENRES = ("blues", "metal", "pop")
SONGS = 8
PIECES = 3
FEATURES = 6
SMALL = """
name = "small"
title = "A small study"
about = "Two models and one plot."
plots = ["pca"]

[data]
table = "mine.csv"
label = "genre"
ignore = ["piece"]
group = { column = "song" }

[[models]]
name = "KNN"
kind = "knn"
grid = { n_neighbors = [1, 3, 5] }

[[models]]
name = "Tree"
kind = "decision_tree"
"""


def rows() -> list[dict[str, str]]:
    """Make three pieces of each of eight songs a genre: far apart by song, hardly by genre."""
    draw = np.random.default_rng(5)
    made = []
    for place, genre in enumerate(GENRES):
        for song in range(SONGS):
            sound = draw.normal(0, 3, FEATURES) + (place if song % 2 else 0)
            for piece in range(PIECES):
                heard = sound + draw.normal(0, 0.2, FEATURES)
                numbers = {f"f{number}": f"{value:.5f}" for number, value in enumerate(heard)}
                made.append({"song": f"{genre}.{song:05}", **numbers, "genre": genre, "piece": str(piece)})
    return made


def write(path: Path, content: list[dict[str, str]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(content[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(content)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path / "mine.csv", rows())


@pytest.fixture
def small(table: Path) -> Path:
    """Write a study of the table that is soon done."""
    path = table.with_name("small.toml")
    path.write_text(SMALL, "utf-8")
    return path
