from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from classifier.audio.decoding import decode, segments
from classifier.features.families import EMBEDDING, GTZAN57, TAGS, TEXTURE, TEXTURE40, families
from classifier.features.musicnn import MusiCNN
from classifier.features.texture import FULL_RANGE, NARROW_RANGE, texture
from classifier.training import data_loading, feature_matrix, musicnn_weights
from classifier.training.data_loading import Track
from tests.synthesis import song, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(song("disco", 42), tmp_path_factory.mktemp("song") / "song.ogg")


def test_a_song_gives_a_track_for_every_segment(file: Path) -> None:
    first, second = data_loading.song(file, genre="disco", group="disco/song.ogg")
    assert (first.name, second.name) == ("disco/song.ogg@0", "disco/song.ogg@30")
    assert first.group == second.group == "disco/song.ogg"
    assert first.families == {GTZAN57, TEXTURE, TEXTURE40}
    assert first.level.shape == (128, 387)
    assert second.level.shape[1] < 387


def test_what_is_learnt_from_is_what_is_served_from(file: Path) -> None:
    [track, _] = data_loading.song(file, genre="disco", group="song")
    served = families(segments(decode(file, max_seconds=60))[0].samples)
    learnt = feature_matrix.build([track], jobs=1)
    np.testing.assert_allclose(learnt.single(GTZAN57, np.array([0]))[0], served[GTZAN57], rtol=1e-5)
    for family in (TEXTURE, TEXTURE40):
        # The picture holds a level in 256 steps.
        difference = learnt.single(family, np.array([0]))[0] - served[family]
        assert np.abs(difference).mean() < 0.02


def test_a_narrow_picture_is_heard_as_a_wide_one_cut() -> None:
    draw = np.random.default_rng(0)
    wide = draw.uniform(-FULL_RANGE, 0, (128, 100))
    wide[0, 0] = 0
    tracks = [
        Track("song", "a", "g", np.round((np.maximum(wide, -width) / width + 1) * 255).astype(np.uint8), width, narrow)
        for width, narrow in ((FULL_RANGE, frozenset({TEXTURE, TEXTURE40})), (NARROW_RANGE, frozenset({TEXTURE40})))
    ]
    of_wide, of_narrow = (feature_matrix.build([track], jobs=1) for track in tracks)
    assert of_narrow.having(TEXTURE40).all()
    assert not of_narrow.having(TEXTURE).any()
    difference = of_wide.families[TEXTURE40][0] - of_narrow.families[TEXTURE40][0]
    assert np.abs(difference).mean() < 0.02


def test_levels_come_back_in_decibels() -> None:
    level = np.array([[0, 255]] * 128, dtype=np.uint8)
    for width in (NARROW_RANGE, 63.0, FULL_RANGE):
        track = Track("t", "rock", "g", level, width, frozenset())
        np.testing.assert_allclose(track.decibels[0], [-width, 0], atol=1e-5)


def test_rows_belong_to_their_tracks() -> None:
    level = np.random.default_rng(0).integers(0, 256, (128, 40)).astype(np.uint8)
    able = Track("able", "rock", "a", level, 80.0, frozenset({GTZAN57, TEXTURE, TEXTURE40}), np.arange(57.0))
    narrow = Track("narrow", "cheo", "b", level, 40.0, frozenset({TEXTURE40}))
    built = feature_matrix.build([able, narrow, able], jobs=1)
    assert [list(built.having(family)) for family in (GTZAN57, TEXTURE, TEXTURE40)] == [
        [True, False, True],
        [True, False, True],
        [True, True, True],
    ]
    X, y = built.matrix(TEXTURE40, np.array([1, 2]))
    assert Counter(y) == {"cheo": 1 + feature_matrix.COPIES_OF_NARROW, "rock": 1 + feature_matrix.COPIES[TEXTURE40]}
    assert len(X) == len(y)
    np.testing.assert_array_equal(built.single(GTZAN57, np.array([2])), [np.arange(57)])
    np.testing.assert_array_equal(built.single(TEXTURE, np.array([0]))[0], texture(able.decibels))
    np.testing.assert_array_equal(
        built.single(GTZAN57, np.array([0]), copy=1), built.single(GTZAN57, np.array([0])), "copies are counted round"
    )
    with pytest.raises(ValueError, match="have no texture"):
        built.single(TEXTURE, np.array([1]))


def test_the_published_sets_are_read_whole(shared_data: Path) -> None:
    tracks = data_loading.load(shared_data, today=False)
    assert len({track.name for track in tracks}) == len(tracks) == 999 + 1999
    counts = Counter(track.genre for track in tracks)
    assert len(counts) == 15
    assert counts["jazz"] == 99
    assert counts["cailuong"] == 399
    assert {track.range_decibels for track in tracks if track.block is not None} == {NARROW_RANGE}
    assert all(track.gtzan57 is not None and track.gtzan57.shape == (57,) for track in tracks if track.block is None)


def test_songs_of_today_have_every_family_and_their_artist(shared_data: Path, tmp_path: Path) -> None:
    for name in ("gtzan", "modern"):
        (tmp_path / name).mkdir()
    for file in ("mel.npz", "features_30_sec.csv", "splits.csv"):
        (tmp_path / "gtzan" / file).symlink_to(shared_data / "gtzan" / file)
    lines = (shared_data / "modern" / "clips.csv").read_text("utf-8").splitlines()
    few = [lines[0], *[line for line in lines if line.startswith(("vpop.008", "zouk.001"))][:3]]
    (tmp_path / "modern" / "clips.csv").write_text("\n".join(few) + "\n", "utf-8")
    for label in ("vpop", "zouk"):
        (tmp_path / "modern" / label).symlink_to(shared_data / "modern" / label)
    network = MusiCNN(weights) if (weights := musicnn_weights.load(None)) is not None else None
    today = [t for t in data_loading.load(tmp_path, network=network, jobs=1) if t.collection == data_loading.TODAY]
    assert len(today) == len(few) - 1
    assert len({track.name for track in today}) == len(today)
    for track in today:
        assert track.families == {GTZAN57, TEXTURE, TEXTURE40}
        assert track.splits["song"] == track.name.rstrip("ab")
        assert track.network[TAGS].shape[1] == 150
        assert len(track.network[EMBEDDING]) == 1
