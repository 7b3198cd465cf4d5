from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soxr

from classifier.audio.decoding import SAMPLE_RATE, decode
from tests.classifier.audio.ffmpeg_reference import likeness
from tests.classifier.features.librosa_reference import load
from tests.classifier.media import KINDS, Kind, write
from tests.classifier.synthesis import song

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 5.0
LIBROSA_READS = {".mp3", ".ogg", ".opus", ".flac", ".wav", ".aiff", ".caf"}
LIKENESS_OF_SPEECH_CODECS = 0.7
LIKENESS = 0.95
RECORDINGS = ["gtzan", "vietnamese", "other"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_of_file_is_heard(kind: Kind, tmp_path: Path) -> None:
    original = song(2, seconds=SECONDS, rate=kind.rate)
    heard = decode(write(tmp_path, kind, original), max_seconds=60)
    assert heard.dtype == np.float32
    assert heard.size == pytest.approx(SECONDS * SAMPLE_RATE, abs=SAMPLE_RATE / 10)
    least = LIKENESS_OF_SPEECH_CODECS if kind.codec == "libopencore_amrnb" else LIKENESS
    assert likeness(heard, soxr.resample(original, kind.rate, SAMPLE_RATE)) > least


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.name[kind.name.index(".") :] in LIBROSA_READS], ids=lambda kind: kind.name
)
def test_samples_are_those_of_librosa(kind: Kind, tmp_path: Path) -> None:
    path = write(tmp_path, kind, song(3, seconds=4.321, rate=kind.rate))
    np.testing.assert_allclose(decode(path, max_seconds=60), load(path), atol=1e-5)


@pytest.mark.parametrize("folder", RECORDINGS)
def test_samples_of_recordings_are_those_of_librosa(folder: str, shared_data: Path) -> None:
    paths = sorted((shared_data / folder / "audio").iterdir())
    assert paths
    for path in paths:
        np.testing.assert_allclose(decode(path, max_seconds=600), load(path), atol=1e-5, err_msg=path.name)


def test_channels_are_averaged(tmp_path: Path) -> None:
    kind = Kind("stereo.wav", "wav", "pcm_f32le", "flt", SAMPLE_RATE)
    left = song(4, seconds=SECONDS)
    path = write(tmp_path, kind, left)
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 8
    stereo = np.frombuffer(content[at:], dtype="<f4").reshape(-1, 2).copy()
    stereo[:, 1] *= -0.5
    content[at:] = stereo.tobytes()
    np.testing.assert_allclose(decode(io.BytesIO(content), max_seconds=60), left / 4, atol=1e-6)


def test_eight_channels_are_averaged(tmp_path: Path) -> None:
    kind = Kind("cinema.m4a", "ipod", "aac", rate=48_000, channels=8)
    original = song(4, seconds=SECONDS, rate=48_000)
    heard = decode(write(tmp_path, kind, original), max_seconds=60)
    assert likeness(heard, soxr.resample(original, 48_000, SAMPLE_RATE)) > 0.9


def test_a_stream_may_change_its_rate_on_the_way(tmp_path: Path) -> None:
    first = Kind("first.mp3", "mp3", "libmp3lame", rate=44_100)
    second = Kind("second.mp3", "mp3", "libmp3lame", rate=32_000, channels=1)
    parts = {kind: song(6, seconds=4, rate=kind.rate) for kind in (first, second)}
    joined = b"".join(write(tmp_path, kind, part).read_bytes() for kind, part in parts.items())
    heard = decode(io.BytesIO(joined), max_seconds=60)
    assert heard.size == pytest.approx(8 * SAMPLE_RATE, abs=SAMPLE_RATE / 5)
    before, after = (soxr.resample(part, kind.rate, SAMPLE_RATE) for kind, part in parts.items())
    assert likeness(heard[: before.size], before) > LIKENESS
    assert likeness(heard[-after.size :], after) > LIKENESS


def test_the_name_does_not_matter_only_the_content(tmp_path: Path) -> None:
    original = song(5, seconds=SECONDS, rate=44_100)
    path = write(tmp_path, Kind("song.mp3", "mp3", "libmp3lame"), original)
    expected = decode(path, max_seconds=60)
    for name in ("song.flac", "concat:song", "http:", "名前 \u202e.txt", "x" * 250, "%s%n"):
        renamed = path.rename(tmp_path / name)
        np.testing.assert_array_equal(decode(renamed, max_seconds=60), expected)
        path = renamed


def test_bytes_are_decoded_as_the_file_is(tmp_path: Path) -> None:
    path = write(tmp_path, Kind("song.flac", "flac", "flac", "s16"), song(5, seconds=SECONDS, rate=44_100))
    np.testing.assert_array_equal(decode(io.BytesIO(path.read_bytes()), max_seconds=60), decode(path, max_seconds=60))
