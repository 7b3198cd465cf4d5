from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from classifier.features.families import TEXTURE
from classifier.features.spectrum import Spectrum
from classifier.features.texture import FRAMES_PER_SEGMENT, FULL_RANGE, sampled_mel, texture
from classifier.training import augmentation, feature_matrix
from classifier.training.data_loading import Track
from tests.classifier.synthesis import song

Picture = NDArray[np.float32]
PICTURES = st.integers(13, 60).flatmap(
    lambda frames: arrays.arrays(np.int8, (128, frames), elements=st.integers(-80, 0)).map(
        lambda levels: levels.astype(np.float32)
    )
)


@cache
def picture(seed: int = 0, seconds: float = 12) -> Picture:
    made = sampled_mel(Spectrum(song(seed, seconds=seconds)))
    made.flags.writeable = False
    return made


def track(name: str, seed: int = 0) -> Track:
    level = np.round((picture(seed) / FULL_RANGE + 1) * 255).astype(np.uint8)
    return Track(name, "rock", name, level, FULL_RANGE, frozenset((TEXTURE,)))


class TestChanged:
    @given(PICTURES, st.integers(0, 2**32 - 1), st.sampled_from([40.0, 80.0]))
    @settings(max_examples=60, deadline=None)
    def test_what_comes_out_is_a_picture_again(self, levels: Picture, seed: int, width: float) -> None:
        out = augmentation.changed(levels, np.random.default_rng(seed), range_decibels=width)
        assert out.dtype == np.float32
        assert out.shape[0] == 128
        assert out.shape[1] <= FRAMES_PER_SEGMENT
        assert out.max() == 0
        assert out.min() >= -width

    @pytest.mark.parametrize("seed", range(5))
    def test_three_seconds_are_still_enough_for_texture(self, seed: int) -> None:
        out = augmentation.changed(picture(seconds=3), np.random.default_rng(seed))
        assert np.isfinite(texture(out)).all()

    def test_the_same_chance_gives_the_same_change_and_another_another(self) -> None:
        first, again, other = (augmentation.changed(picture(), np.random.default_rng(seed)) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        assert first.shape != other.shape or not np.allclose(first, other)


class TestCopies:
    def test_a_tracks_copies_do_not_depend_on_its_company(self) -> None:
        alone = feature_matrix.build([track("a")], jobs=1)
        beside = feature_matrix.build([track("b", 1), track("a"), track("c", 2)], jobs=1)
        first, last = beside.starts[TEXTURE][1:3]
        assert last - first == 1 + feature_matrix.COPIES[TEXTURE]
        np.testing.assert_array_equal(beside.families[TEXTURE][first:last], alone.families[TEXTURE])

    def test_another_name_or_seed_changes_the_copies_and_not_the_track(self) -> None:
        one, renamed, reseeded = (
            feature_matrix.build([track(name)], seed=seed, jobs=1).families[TEXTURE]
            for name, seed in (("a", 0), ("b", 0), ("a", 1))
        )
        for other in (renamed, reseeded):
            np.testing.assert_array_equal(one[0], other[0])
            assert (np.abs(one[1:] - other[1:]).max(axis=1) > 0.01).all()


class TestParts:
    def test_stretching_keeps_the_bands_and_changes_the_length_a_little(self) -> None:
        lengths = {augmentation.stretched(picture(), np.random.default_rng(seed)).shape[1] for seed in range(20)}
        frames = picture().shape[1]
        assert len(lengths) > 5
        assert min(lengths) >= frames * np.exp(-augmentation.STRETCH) - 1
        assert max(lengths) <= frames * np.exp(augmentation.STRETCH) + 1

    def test_transposing_moves_a_tone_by_a_few_bands_at_most(self) -> None:
        tone = np.full((128, 20), -80, dtype=np.float32)
        tone[60] = 0
        for seed in range(20):
            moved = int(augmentation.transposed(tone, np.random.default_rng(seed))[:, 0].argmax())
            assert abs(moved - 60) <= augmentation.TRANSPOSE_BANDS + 0.5

    def test_a_low_pass_takes_the_treble_and_leaves_the_bass(self) -> None:
        flat = np.zeros((128, 20), dtype=np.float32)
        passed = augmentation.low_passed(flat, 2000, 24)
        centres = augmentation.band_centres()
        assert (passed[centres < 2000] == 0).all()
        octave_above = int(np.abs(centres - 4000).argmin())
        assert passed[octave_above, 0] == pytest.approx(-24, abs=1)

    def test_noise_lies_as_far_below_the_music_as_was_asked(self) -> None:
        music = np.full((128, 400), -200, dtype=np.float32)
        centres = augmentation.band_centres()
        music[centres < 500] = 0
        noised = augmentation.noisy(music, np.random.default_rng(0), 20)
        widths = np.gradient(centres)
        power = (10 ** (noised / 10)).mean(axis=1) * widths
        noise = power[centres >= 500].sum() / widths[centres >= 500].sum() * widths.sum()
        below = 10 * np.log10(widths[centres < 500].sum() / noise)
        assert below == pytest.approx(20, abs=0.5)

    def test_an_equaliser_treats_all_moments_alike(self) -> None:
        change = augmentation.equalised(picture(), np.random.default_rng(3)) - picture()
        assert np.ptp(change, axis=1).max() < 1e-3
        assert np.abs(change).max() > 1


class TestDamage:
    def test_the_evaluation_knows_each_kind_and_all_together(self) -> None:
        assert list(augmentation.DAMAGE) == ["equaliser", "low-pass 8 kHz", "noise 20 dB below", "all three at once"]

    @pytest.mark.parametrize("kind", augmentation.DAMAGE)
    def test_damage_leaves_a_picture_of_the_same_moments(self, kind: str) -> None:
        damaged = augmentation.DAMAGE[kind](picture(), np.random.default_rng(0))
        assert damaged.shape == picture().shape
        assert damaged.max() == 0
        assert damaged.min() >= -FULL_RANGE
        assert np.abs(damaged - picture()).max() > 1

    @pytest.mark.parametrize("kind", augmentation.DAMAGE)
    def test_it_is_the_same_for_the_same_track(self, kind: str) -> None:
        first, again = (feature_matrix.damaged(track("a"), kind=kind) for _ in range(2))
        np.testing.assert_array_equal(first, again)

    def test_a_low_pass_at_8_khz_leaves_nothing_above_it(self) -> None:
        damaged = augmentation.DAMAGE["low-pass 8 kHz"](np.zeros((128, 20), dtype=np.float32), np.random.default_rng(0))
        assert (damaged[augmentation.band_centres() > 10_500] < -20).all()
