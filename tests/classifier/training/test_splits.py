from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.commands.protocol_selection import splits_of
from classifier.training import data_loading, splits
from classifier.training.data_loading import Track

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from classifier.training.splits import Trial

NOBODY_KNOWS_WHO = "artist "
ARTIST_ON_BOTH_SIDES = {"disco.00049", "disco.00069", "disco.00073"}
"""The published fault-filtered split has this one artist in train and in test."""


def track(name: str, genre: str, group: str, **published: str) -> Track:
    return Track(name, genre, group, np.zeros((128, 20), dtype=np.uint8), 80.0, frozenset(), splits=published)


def clips(genres: int, count: int) -> list[Track]:
    """Make clips as the Vietnamese set has them, neighbours by number, and a few tracks that have no blocks."""
    numbered = [
        track(
            f"{genre}/{number}",
            str(genre),
            f"{genre} {number // data_loading.VIETNAMESE_BLOCK_CLIPS}",
            block=str(number // data_loading.VIETNAMESE_BLOCK_CLIPS),
            number=str(number),
        )
        for genre in range(genres)
        for number in range(count)
    ]
    others = [track(f"rock.{n}", "rock", f"artist {n}", artist_fold=str(n % 3 + 1)) for n in range(9)]
    return [*numbered, *others]


def groups(tracks: Sequence[Track], places: Iterable[int]) -> set[str]:
    return {tracks[place].group for place in places}


def names(tracks: Sequence[Track], places: Iterable[int]) -> set[str]:
    return {tracks[place].name for place in places}


def assert_apart(trial: Trial) -> None:
    assert trial.train.size
    assert trial.test.size
    assert not set(trial.train) & set(trial.test)


@pytest.fixture(scope="module")
def tracks(shared_data: Path) -> list[Track]:
    return splits.usable(data_loading.load(shared_data, today=False))


class TestPublished:
    def test_artist_folds_keep_every_artist_apart(self, tracks: list[Track]) -> None:
        tested: Counter[str] = Counter()
        for trial in splits.artist_folds(tracks):
            assert_apart(trial)
            assert not groups(tracks, trial.train) & groups(tracks, trial.test)
            assert {tracks[place].genre for place in trial.test} == {t.genre for t in tracks if t.gtzan57 is not None}
            tested.update(names(tracks, trial.test))
        assert len(tested) == tested.total() == 947

    def test_the_fault_filtered_split_keeps_artists_apart_but_for_one_and_the_unknown(
        self, tracks: list[Track]
    ) -> None:
        choosing, testing = splits.fault_filtered(tracks)
        for trial in (choosing, testing):
            assert_apart(trial)
        assert not names(tracks, choosing.test) & names(tracks, testing.test)
        both = groups(tracks, testing.train) & groups(tracks, testing.test)
        shared = {
            tracks[place].name
            for place in [*testing.train, *testing.test]
            if tracks[place].group in both - {NOBODY_KNOWS_WHO}
        }
        assert shared == ARTIST_ON_BOTH_SIDES
        assert groups(tracks, choosing.train) & groups(tracks, choosing.test) <= {NOBODY_KNOWS_WHO}
        assert len(choosing.test) == 197
        assert len(testing.test) == 290

    def test_vietnamese_clips_train_in_both_and_are_not_tested_on(self, tracks: list[Track]) -> None:
        clip = {place for place, track in enumerate(tracks) if track.block is not None}
        for trial in [*splits.artist_folds(tracks), *splits.fault_filtered(tracks)]:
            assert clip <= set(trial.train)
            assert not clip & set(trial.test)

    def test_duplicates_and_distorted_tracks_are_left_out(self, shared_data: Path, tracks: list[Track]) -> None:
        left_out = names(everything := data_loading.load(shared_data, today=False), range(len(everything))) - {
            t.name for t in tracks
        }
        assert left_out
        assert all(name.split(".")[0] in {"disco", "jazz", "metal", "pop", "reggae"} for name in left_out)

    def test_every_protocol_is_offered(self, shared_data: Path, tracks: list[Track]) -> None:
        assert splits_of(shared_data, tracks) == [
            "fault_filtered",
            "artist_fold",
            "notmusic",
            "random",
            "rows",
            "vietnamese",
            "recordings",
        ]

    def test_only_the_random_one_has_artists_on_both_sides(self, tracks: list[Track]) -> None:
        trial = splits.random_songs(tracks)
        assert_apart(trial)
        assert len(groups(tracks, trial.train) & groups(tracks, trial.test)) > 50
        assert not any(tracks[place].block is not None for place in trial.test)


class TestBlocks:
    @given(st.integers(1, 3), st.integers(200, 420))
    @settings(max_examples=10, deadline=None)
    def test_no_clip_within_five_of_a_test_block_trains(self, genres: int, count: int) -> None:
        tracks = clips(genres, count)
        tested: Counter[str] = Counter()
        for trial in splits.blocks(tracks):
            assert_apart(trial)
            learnt = {
                (tracks[p].genre, int(tracks[p].splits["number"])) for p in trial.train if tracks[p].block is not None
            }
            for place in trial.test:
                number = int(tracks[place].splits["number"])
                near = {(tracks[place].genre, number + step) for step in range(-5, 6)}
                assert not near & learnt
            tested.update(names(tracks, trial.test))
        # Each clip is tested on once, and what has no blocks never.
        assert set(tested.values()) == {1}
        assert len(tested) == genres * count

    def test_clips_further_away_train(self) -> None:
        tracks = clips(1, 400)
        first = splits.blocks(tracks)[0]
        numbers = {int(tracks[place].splits["number"]) for place in first.train if tracks[place].block is not None}
        assert {45, 46, 100, 194} <= numbers
        assert not numbers & {39, 40, 44, 195, 199, 200}

    def test_what_has_no_blocks_always_trains(self) -> None:
        tracks = clips(2, 200)
        for trial in splits.blocks(tracks):
            assert {f"rock.{n}" for n in range(9)} <= names(tracks, trial.train)


class TestOwnFolds:
    @given(
        st.lists(st.lists(st.integers(1, 5), min_size=3, max_size=7), min_size=2, max_size=4),
        st.integers(0, 5),
    )
    @settings(max_examples=50, deadline=None)
    def test_a_file_is_never_on_both_sides_and_every_genre_on_either(self, sizes: list[list[int]], seed: int) -> None:
        tracks = [
            track(f"{genre}/{song}@{part}", str(genre), f"{genre}/{song}")
            for genre, songs in enumerate(sizes)
            for song, parts in enumerate(songs)
            for part in range(parts)
        ]
        trials = splits.own_folds(tracks, seed=seed)
        assert len(trials) == splits.OWN_FOLDS
        for trial in trials:
            assert_apart(trial)
            assert not groups(tracks, trial.train) & groups(tracks, trial.test)
            assert {tracks[place].genre for place in trial.train} == {t.genre for t in tracks}
        assert sorted(place for trial in trials for place in trial.test) == list(range(len(tracks)))

    def test_a_collection_of_ones_own_is_measured_by_folds_only(self, tmp_path: Path) -> None:
        own = [track(f"{n}", "rock", f"{n}") for n in range(6)]
        assert splits_of(tmp_path, own) == ["folds"]
        assert splits.usable(own) == own
