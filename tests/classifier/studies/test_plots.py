from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from classifier.studies import config, plots, table_plots
from classifier.studies.checkpoints import Checkpoints
from classifier.studies.exploration import explore
from classifier.studies.figure_canvas import DARK, LIGHT
from classifier.studies.study_table import load

if TYPE_CHECKING:
    from pathlib import Path

    from classifier.studies.figure_canvas import Picture
    from classifier.studies.study_table import StudyTable

PLAIN_PIXELS = 0.5
"""The least share of a picture that is its background."""


def background(content: bytes) -> tuple[str, float]:
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).reshape(-1, 3)
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    red, green, blue = colours[counts.argmax()]
    return f"#{red:02x}{green:02x}{blue:02x}", float(counts.max() / counts.sum())


def is_readable(picture: Picture) -> None:
    """Check that each look has its page's background, and something on it that stays clear of the edges."""
    for theme, content in ((LIGHT, picture.light), (DARK, picture.dark)):
        colour, share = background(content)
        assert colour == theme.card
        assert PLAIN_PIXELS < share < 0.995
        image = np.asarray(Image.open(io.BytesIO(content)).convert("L"), dtype=int)
        edges = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert np.ptp(edges) < 40


@pytest.fixture(scope="module")
def gaps() -> list[plots.GapRow]:
    return [
        plots.GapRow("A model with a name that is rather long", 0.9, {"rows": 0.93, "songs": 0.7, "artists": 0.4}),
        plots.GapRow("KNN", None, {"rows": 1.0, "songs": 0.0}),
    ]


def test_the_gap_plot_and_its_alternative_text(gaps: list[plots.GapRow]) -> None:
    titles = {"rows": "rows at random", "songs": "songs apart", "artists": "artists apart"}
    content = plots.GapPlot(gaps, titles, {"songs": 0.87}, (0.7, 0.9))
    picture = plots.gap(content, "gap", "The gap")
    is_readable(picture)
    assert "KNN: rows at random 100%, songs apart 0%" in picture.alt
    assert (picture.width, picture.height) == Image.open(io.BytesIO(picture.light)).size


def test_the_exploratory_plots_of_a_table(table_of_songs: StudyTable, study: config.Study, tmp_path: Path) -> None:
    found = explore(study, table_of_songs, Checkpoints(tmp_path, jobs=1))
    assert found.tsne is not None
    assert found.pca is not None
    for picture in (
        table_plots.distributions(table_of_songs),
        table_plots.scatter("tsne", "By likeness", found.tsne, table_of_songs.genres, "t-SNE"),
        table_plots.scatter("pca", "By components", found.pca, table_of_songs.genres, "component"),
        table_plots.variance(found),
        table_plots.counts(found),
    ):
        is_readable(picture)
    assert found.components_for(1.0) <= len(table_of_songs.columns)
    assert np.cumsum(found.explained)[found.components_for(0.9) - 1] >= 0.9


@pytest.fixture
def study(table: Path) -> config.Study:
    return config.for_table(table, "genre", "song", ignore=("piece",), missing="refuse")


@pytest.fixture
def table_of_songs(study: config.Study, table: Path) -> StudyTable:
    return load(study, table.parent)
