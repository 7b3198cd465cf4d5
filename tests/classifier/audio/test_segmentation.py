from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.audio.segmentation import (
    MIN_REMAINDER_SECONDS,
    MIN_SONG_SECONDS,
    SEGMENT_SECONDS,
    all_segments,
    segments,
)
from classifier.errors import Silent, TooShort
from classifier.features.spectrum import SAMPLE_RATE
from tests.classifier.synthesis import song

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_SECONDS = 200
MUSIC = np.tile(song(1, seconds=20), LONGEST_SECONDS // 20)


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)


def music(seconds: float) -> NDArray[np.float32]:
    return MUSIC[: round(seconds * SAMPLE_RATE)]


@given(st.integers(0, LONGEST_SECONDS * SAMPLE_RATE))
def test_segments_follow_one_another_and_leave_out_only_a_short_rest(count: int) -> None:
    samples = MUSIC[:count]
    if count < MIN_SONG_SECONDS * SAMPLE_RATE:
        with pytest.raises(TooShort):
            segments(samples)
        return
    cut = segments(samples)
    assert cut[0].start == 0
    assert [segment.end for segment in cut[:-1]] == [segment.start for segment in cut[1:]]
    for segment in cut:
        assert segment.samples.size == round((segment.end - segment.start) * SAMPLE_RATE)
        assert segment.sounding == ((segment.start, segment.end),)
    assert all(segment.end - segment.start == SEGMENT_SECONDS for segment in cut[:-1])
    assert len(cut) == 1 or cut[-1].end - cut[-1].start >= MIN_REMAINDER_SECONDS
    rest = count / SAMPLE_RATE - cut[-1].end
    assert 0 <= rest < MIN_REMAINDER_SECONDS
    assert rest == 0 or cut[-1].end - cut[-1].start == SEGMENT_SECONDS


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (3, [(0, 3)]),
        (29, [(0, 29)]),
        (30, [(0, 30)]),
        (39.9, [(0, 30)]),
        (40, [(0, 30), (30, 40)]),
        (95, [(0, 30), (30, 60), (60, 90)]),
    ],
)
def test_segments_of_songs_of_some_lengths(seconds: float, expected: list[tuple[float, float]]) -> None:
    assert [(segment.start, segment.end) for segment in segments(music(seconds))] == expected


def test_segments_share_the_songs_memory() -> None:
    samples = song(1, seconds=65)
    assert all(np.shares_memory(segment.samples, samples) for segment in segments(samples))


@pytest.mark.parametrize("offset", [0, 0.25])
def test_a_partly_silent_segment_holds_only_what_sounds(offset: float) -> None:
    samples = np.concatenate([music(12), silence(18)]) + np.float32(offset)
    [segment] = segments(samples)
    assert (segment.start, segment.end) == (0, 30)
    assert segment.sounding == ((0, 12),)
    assert segment.sounding_seconds == 12
    np.testing.assert_array_equal(segment.samples, samples[: 12 * SAMPLE_RATE])


def test_sound_before_and_after_a_silence_is_joined() -> None:
    samples = np.concatenate([silence(2), music(8), silence(10), music(10)])
    [segment] = segments(samples)
    assert segment.sounding == ((2, 10), (20, 30))
    np.testing.assert_array_equal(segment.samples, np.concatenate([music(8), music(10)]))


def test_a_segment_with_hardly_any_sound_is_silent() -> None:
    samples = np.concatenate([music(32), silence(40), music(30)])
    first, second, third, fourth = all_segments(samples)
    assert [part.silent for part in (first, second, third, fourth)] == [False, True, False, False]
    assert second.sounding == ()
    assert second.sounding_seconds == 0
    assert [part.start for part in segments(samples)] == [0, 60, 90]


def test_a_short_remainder_counts_where_there_was_only_silence_before() -> None:
    samples = np.concatenate([silence(25), music(14)])
    assert [(part.start, part.sounding_seconds) for part in segments(samples)] == [(0, 5), (30, 9)]


def test_a_silent_remainder_is_left_out() -> None:
    samples = np.concatenate([music(5), silence(32)])
    assert [(part.start, part.silent) for part in all_segments(samples)] == [(0, False)]


def test_scattered_sound_is_one_segment() -> None:
    samples = np.concatenate([music(2), silence(28)] * 3)
    [segment] = all_segments(samples)
    assert (segment.start, segment.end) == (0, 90)
    assert segment.sounding == ((0, 2), (30, 32), (60, 62))
    assert segment.sounding_seconds == 6


def test_a_song_without_sound_is_silent() -> None:
    with pytest.raises(Silent):
        segments(silence(40))


def test_a_song_with_little_sound_is_too_short() -> None:
    with pytest.raises(TooShort):
        segments(np.concatenate([silence(20), music(2.5), silence(20)]))
