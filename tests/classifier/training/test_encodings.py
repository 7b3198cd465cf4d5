"""One recording that people sent in several encodings is one song: to measure by, to count, and to hold out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from classifier.audio.decoding import decode, segments
from classifier.features.families import families
from classifier.features.musicnn import MusiCNN
from classifier.inference.artifact_file import read_artifact
from classifier.training import base_dataset, experts, musicnn_weights, training_set
from classifier.training.candidate import Split
from classifier.training.feedback_reader import Song, recordings_of
from classifier.training.training_set import Criteria
from tests.conftest import REPOSITORY
from tests.synthesis import STYLES, song, write

if TYPE_CHECKING:
    from pathlib import Path

NEW = "bolero"


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[Song]:
    """Some songs as mp3, then the same as opus."""
    folder = tmp_path_factory.mktemp("encodings")
    played = {style: song(style, 12) for style in sorted(STYLES)[:6]}
    return [
        _heard(write(sound, folder / f"{style}{suffix}"), style)
        for suffix in (".mp3", ".opus")
        for style, sound in played.items()
    ]


def _heard(path: Path, style: str) -> Song:
    parts = segments(decode(path, max_seconds=60))
    weights = musicnn_weights.load(None)
    assert weights is not None
    rows = [families(part.samples, MusiCNN(weights)) for part in parts]
    wide = {name: np.stack([row[name] for row in rows]).astype(np.float16) for name in rows[0] if name != "gtzan57"}
    seconds = np.array([part.end - part.start for part in parts])
    name = f"{style} {path.suffix}"
    return Song(name, NEW, 1.0, True, 2, False, 0, seconds, wide)


def test_songs_that_differ_by_their_encoding_have_the_same_number(twice: list[Song]) -> None:
    half = len(twice) // 2
    assert recordings_of(twice).tolist() == [*range(half), *range(half)]
    bare = [replace(song, families={}) for song in twice]
    assert recordings_of(bare).tolist() == [*range(len(twice))]
    assert recordings_of([]).tolist() == []


def test_who_is_learnt_from_in_another_encoding_judges_nothing(twice: list[Song]) -> None:
    half = len(twice) // 2
    again = [replace(song, may_train=False) for song in twice[half : half + 2]]
    others = [replace(song, may_train=False) for song in (twice[3], twice[half + 3])]
    split = Split.of([*twice[:2], *again, *others])
    assert split.train == tuple(twice[:2])
    assert split.aside == tuple(again)
    assert split.judge == tuple(others)
    assert split.counts == {NEW: 2}


def test_a_new_genre_needs_so_many_recordings_and_a_trial_holds_out_all_encodings_of_one(twice: list[Song]) -> None:
    models = REPOSITORY / "models"
    _, content = base_dataset.find(models)
    material, artifact = base_dataset.unpack(content), read_artifact(next(models.glob("*.joblib")).read_bytes())
    half = len(twice) // 2
    for least, is_enough in ((half, True), (half + 1, False)):
        assert (NEW in training_set.classes(material, twice, Criteria(least_songs=least))) is is_enough
    assembled = training_set.assemble(material, twice, experts.spaces_of(artifact.experts), Criteria(least_songs=half))
    for trial in assembled.trials:
        held = [group for group in assembled.rows.groups[trial.test].tolist() if group.startswith("song")]
        styles = {group.rpartition(" ")[0] for group in held}
        assert len(set(held)) == 2 * len(styles)
