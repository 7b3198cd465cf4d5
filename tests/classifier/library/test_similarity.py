"""One recording in several formats is recognized as the same; different recordings are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from classifier.audio.decoding import decode
from classifier.features.families import TEXTURE, families
from classifier.features.recording_identity import groups
from classifier.library.similarity import near_duplicates, positions
from classifier.library.state_db import StoredAnswer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from classifier.library.state_db import StateDatabase

FORMATS = (".mp3", ".opus", ".wav", ".m4a")
LENGTH = 4.0


@pytest.fixture(scope="module")
def textures(songs: list[Path]) -> dict[Path, NDArray[np.float32]]:
    return {path: families(decode(path, max_seconds=60))[TEXTURE] for path in songs if path.suffix in FORMATS}


@pytest.fixture
def saved(textures: dict[Path, NDArray[np.float32]], state_db: StateDatabase) -> list[tuple[str, bytes]]:
    """Let the state database know the texture of some songs; give their titles and contents."""
    answer = StoredAnswer("rock", 1, sure=True, duration=LENGTH)
    for path, texture in textures.items():
        state_db.save_answer(path.name.encode(), "release", answer, texture)
    return [(path.stem, path.name.encode()) for path in textures]


def test_the_same_recording_is_found_in_every_format_and_no_other(
    saved: list[tuple[str, bytes]], state_db: StateDatabase
) -> None:
    contents = [content for _, content in saved]
    found = groups(near_duplicates(contents, [LENGTH] * len(contents), state_db))
    assert [{saved[place][0] for place in group} for group in found] == [
        {title} for title in dict.fromkeys(title for title, _ in saved)
    ]
    assert [len(group) for group in found] == [len(FORMATS)] * len(found)


def test_songs_of_different_lengths_are_not_duplicates(saved: list[tuple[str, bytes]], state_db: StateDatabase) -> None:
    contents = [content for _, content in saved]
    assert near_duplicates(contents, [3.0 * place for place in range(len(contents))], state_db) == []


def test_copies_of_a_recording_are_close_on_the_map(saved: list[tuple[str, bytes]], state_db: StateDatabase) -> None:
    placed = positions([content for _, content in saved], state_db)
    assert placed.min() >= 0
    assert placed.max() <= 1
    titles = [title for title, _ in saved]
    for place, title in enumerate(titles):
        distance = np.linalg.norm(placed - placed[place], axis=1)
        same = np.array([other == title for other in titles])
        assert distance[same].max() < distance[~same].min()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_collections_of_few_songs_have_a_map(
    saved: list[tuple[str, bytes]], state_db: StateDatabase, count: int
) -> None:
    assert positions([content for _, content in saved[:count]], state_db).shape == (count, 2)


def test_pairs_that_share_a_song_form_one_group() -> None:
    assert groups([(0, 3), (1, 2), (3, 5), (2, 4), (5, 6)]) == [[0, 3, 5, 6], [1, 2, 4]]
