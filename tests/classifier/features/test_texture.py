from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from classifier.audio.decoding import SAMPLE_RATE, decode
from classifier.features.spectrum import Spectrum
from classifier.features.texture import (
    BLOCK_FRAMES,
    FRAMES_PER_SEGMENT,
    FULL_RANGE,
    NARROW_RANGE,
    sampled_mel,
    texture,
)
from classifier.features.texture_columns import GROUP_WIDTHS, WIDTH
from tests.classifier.synthesis import song

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MEAN_ERROR_DECIBELS = 1.5
LARGEST_ERROR_DECIBELS = 2.2
"""Of a recording on average: the pictures are rounded, and were made of another decoder's samples."""
PATTERN, RISE, UNREST, FLUCTUATION, CORRELATION, CONTRAST = (
    slice(end - width, end) for width, end in zip(GROUP_WIDTHS, np.cumsum(GROUP_WIDTHS), strict=True)
)
# Whole decibels: their sums are exact, so that a shift cannot round anything.
PICTURES = st.integers(BLOCK_FRAMES, 120).flatmap(
    lambda frames: arrays.arrays(np.int8, (128, frames), elements=st.integers(-90, 0)).map(
        lambda levels: levels.astype(np.float32)
    )
)


def picture(seed: int = 0, seconds: float = 12) -> NDArray[np.float32]:
    return sampled_mel(Spectrum(song(seed, seconds=seconds)))


class TestSampledMel:
    @pytest.mark.parametrize(("seconds", "columns"), [(30, 387), (15, 194), (10, 129), (3, 39)])
    def test_there_are_387_columns_in_thirty_seconds_and_as_many_fewer_in_less(
        self, seconds: float, columns: int
    ) -> None:
        assert picture(seconds=seconds).shape == (128, columns)

    @pytest.mark.parametrize("more", [-2, -1, 1, 2])
    def test_a_few_samples_more_or_less_do_not_shift_the_grid(self, more: int) -> None:
        whole = np.resize(song(1), 30 * SAMPLE_RATE + 2)
        columns = sampled_mel(Spectrum(whole[: 30 * SAMPLE_RATE + more])).shape[1]
        assert columns == FRAMES_PER_SEGMENT

    def test_levels_lie_between_the_peak_and_80_decibels_below(self) -> None:
        levels = picture()
        assert levels.dtype == np.float32
        assert levels.min() >= -FULL_RANGE
        # The loudest frame itself may not be among those that are looked at.
        assert -3 < levels.max() <= 0

    @pytest.mark.parametrize("gain", [0.01, 0.05, 0.5])
    def test_the_level_of_a_recording_does_not_matter(self, gain: float) -> None:
        samples = song(2)
        quiet = sampled_mel(Spectrum(samples * np.float32(gain)))
        np.testing.assert_allclose(quiet, sampled_mel(Spectrum(samples)), atol=0.01)

    def test_it_equals_the_published_pictures(self, shared_data: Path) -> None:
        with np.load(shared_data / "gtzan" / "mel.npz") as content:
            places = {str(name): place for place, name in enumerate(content["track"])}
            levels, floors = content["level"], content["floor_db"]
        recordings = sorted((shared_data / "gtzan" / "audio").glob("*.flac"))
        errors = {}
        for path in recordings:
            ours = sampled_mel(Spectrum(decode(path, max_seconds=60)))
            place = places[path.stem]
            theirs = (levels[place] / 255 - 1) * floors[place]
            errors[path.stem] = float(np.abs(ours - theirs).mean())
        assert len(errors) == 30
        assert np.mean(list(errors.values())) < MEAN_ERROR_DECIBELS
        assert {name: error for name, error in errors.items() if error > LARGEST_ERROR_DECIBELS} == {}


class TestTexture:
    def test_its_width_is_that_of_its_six_groups(self) -> None:
        vector = texture(picture())
        assert GROUP_WIDTHS == (320, 320, 64, 960, 496, 32)
        assert vector.shape == (WIDTH,) == (2192,)
        assert vector.dtype == np.float32

    @given(PICTURES)
    @settings(max_examples=40, deadline=None)
    def test_any_picture_has_finite_features_in_range(self, levels: NDArray[np.float32]) -> None:
        vector = texture(levels)
        assert np.isfinite(vector).all()
        assert (vector[PATTERN] >= 0).all()
        assert (vector[PATTERN] <= 8).all()
        assert (vector[RISE] >= 0).all()
        assert (vector[RISE] <= 8).all()
        assert (vector[UNREST] >= 0).all()
        assert (vector[FLUCTUATION] >= 0).all()
        assert (np.abs(vector[CORRELATION]) <= 1 + 1e-4).all()
        assert (vector[CONTRAST] >= 0).all()

    @given(PICTURES)
    @settings(max_examples=25, deadline=None)
    def test_what_lies_below_the_range_is_not_heard(self, levels: NDArray[np.float32]) -> None:
        cut = np.maximum(levels, -np.float32(NARROW_RANGE))
        narrow = texture(levels, range_decibels=NARROW_RANGE)
        np.testing.assert_array_equal(narrow, texture(cut, range_decibels=NARROW_RANGE))

    @pytest.mark.parametrize("seconds", [3, 3.7, 10, 30])
    def test_short_songs_have_texture_too(self, seconds: float) -> None:
        vector = texture(picture(seconds=seconds))
        assert np.isfinite(vector).all()
        assert all(vector[group].any() for group in (PATTERN, RISE, UNREST, FLUCTUATION, CORRELATION, CONTRAST))

    def test_a_steady_sound_neither_rises_nor_moves(self) -> None:
        steady = np.repeat(np.linspace(-60, 0, 128, dtype=np.float32)[:, None], 100, axis=1)
        vector = texture(steady)
        for group in (RISE, UNREST, FLUCTUATION, CORRELATION):
            np.testing.assert_allclose(vector[group], 0, atol=1e-3)
        assert vector[PATTERN].reshape(64, 5)[-1].min() > vector[PATTERN].reshape(64, 5)[0].max()

    def test_silence_has_features_all_the_same(self) -> None:
        silence = sampled_mel(Spectrum(np.zeros(5 * SAMPLE_RATE, dtype=np.float32)))
        assert np.isfinite(texture(silence)).all()

    def test_a_pulse_shows_at_its_own_rate(self) -> None:
        beats_per_second, frames_per_second = 2, FRAMES_PER_SEGMENT / 30
        time = np.arange(FRAMES_PER_SEGMENT) / frames_per_second
        pulse = -30 + 20 * np.cos(2 * np.pi * beats_per_second * time)
        vector = texture(np.tile(pulse.astype(np.float32), (128, 1)))
        modulation = vector[FLUCTUATION].reshape(32, 30)
        width = frames_per_second / 77  # Hz of a bin, of which the one that never changes is left out
        np.testing.assert_allclose((modulation.argmax(axis=1) + 1) * width, beats_per_second, atol=width)

    def test_bands_that_move_together_correlate(self) -> None:
        draw = np.random.default_rng(0)
        levels = draw.uniform(-60, 0, (128, 200)).astype(np.float32)
        levels[64:] = np.tile(levels[64], (64, 1))
        matrix = np.zeros((32, 32))
        matrix[np.triu_indices(32, 1)] = texture(levels)[CORRELATION]
        assert matrix[16:, 16:][np.triu_indices(16, 1)].min() > 0.95
        assert np.abs(matrix[:16]).max() < 0.5

    def test_tones_contrast_more_than_noise(self) -> None:
        noise = np.full((128, 50), -20, dtype=np.float32)
        tones = np.full((128, 50), -60, dtype=np.float32)
        tones[::8] = 0
        assert (texture(tones)[CONTRAST][:8] > texture(noise)[CONTRAST][:8]).all()

    @pytest.mark.parametrize("shape", [(128, BLOCK_FRAMES - 1), (64, 100), (128,)])
    def test_what_is_no_picture_is_refused(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match="texture needs 128 bands"):
            texture(np.zeros(shape, dtype=np.float32))
