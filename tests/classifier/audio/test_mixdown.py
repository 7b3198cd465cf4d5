from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest

from classifier.audio.decoding import decode
from classifier.audio.mixdown import mix
from classifier.errors import Silent
from classifier.features.spectrum import SAMPLE_RATE
from tests.classifier.media import Kind, write
from tests.classifier.synthesis import song

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

WAV = Kind("stereo.wav", "wav", "pcm_f32le", "flt", SAMPLE_RATE)
SECONDS = 4.0


def decoded(folder: Path, *channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Write channels into a file of floating-point samples and decode it."""
    kind = Kind("song.wav", "wav", "pcm_f32le", "flt", SAMPLE_RATE, len(channels))
    content = bytearray(write(folder, kind, channels[0]).read_bytes())
    content[content.index(b"data") + 8 :] = np.stack(channels, axis=1).astype("<f4").tobytes()
    return decode(io.BytesIO(content), max_seconds=60)


@pytest.fixture(scope="module")
def tune() -> NDArray[np.float32]:
    return song(4, seconds=SECONDS)


@pytest.fixture(scope="module")
def other() -> NDArray[np.float32]:
    return song(5, seconds=SECONDS)


def test_channels_are_averaged(tmp_path: Path, tune: NDArray[np.float32], other: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(decoded(tmp_path, tune, other), (tune + other) / 2, atol=1e-6)


@pytest.mark.parametrize("channels", [2, 4, 6])
def test_one_sounding_channel_of_several_is_averaged(channels: int, tmp_path: Path, tune: NDArray[np.float32]) -> None:
    silent = [np.zeros_like(tune)] * (channels - 1)
    np.testing.assert_allclose(decoded(tmp_path, *silent, tune), tune / channels, atol=1e-6)


@pytest.mark.parametrize("gain", [-1, -0.95, -1.05])
def test_where_the_mean_cancels_the_louder_channel_is_taken(
    gain: float, tmp_path: Path, tune: NDArray[np.float32]
) -> None:
    louder = max(1, abs(gain))
    np.testing.assert_allclose(np.abs(decoded(tmp_path, tune, gain * tune)), np.abs(louder * tune), atol=1e-6)


def test_a_constant_offset_does_not_hide_that_the_mean_cancels(tmp_path: Path, tune: NDArray[np.float32]) -> None:
    heard = decoded(tmp_path, tune + 0.2, 0.2 - tune)
    np.testing.assert_allclose(np.abs(heard - 0.2), np.abs(tune), atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_channel_without_valid_samples_is_left_out(value: float, tmp_path: Path, tune: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(decoded(tmp_path, np.full_like(tune, value), tune), tune, atol=1e-6)


def test_invalid_samples_of_a_channel_are_left_out_one_by_one(
    tmp_path: Path, tune: NDArray[np.float32], other: NDArray[np.float32]
) -> None:
    damaged = tune.copy()
    damaged[1000:2000] = np.nan
    expected = (tune + other) / 2
    expected[1000:2000] = other[1000:2000]
    np.testing.assert_allclose(decoded(tmp_path, damaged, other), expected, atol=1e-6)


def test_channels_without_any_valid_sample_are_silent(tmp_path: Path, tune: NDArray[np.float32]) -> None:
    with pytest.raises(Silent):
        decoded(tmp_path, np.full_like(tune, np.nan), np.full_like(tune, np.inf))


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("u1", [[0, 128, 255], [0, 128, 255]], [-1, 0, 127 / 128]),
        ("i2", [[-32_768, 0, 16_384], [-32_768, 0, 16_384]], [-1, 0, 0.5]),
        ("i4", [[-(2**31), 0, 2**30], [-(2**31), 0, 0]], [-1, 0, 0.25]),
        ("f8", [[-1, 0, 2], [-1, 0, 2]], [-1, 0, 2]),
        ("i2", [[16_384, 0], [0, 8_192], [0, 0]], [1 / 6, 1 / 12]),
    ],
)
def test_every_type_of_sample_is_scaled_to_one(kind: str, values: list[list[float]], expected: list[float]) -> None:
    np.testing.assert_allclose(mix([np.array(channel, dtype=kind) for channel in values]), expected, atol=1e-6)
