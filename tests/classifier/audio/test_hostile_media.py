"""Broken files, and files made to do harm: each ends in its sentence, within bounded memory, and opens no other."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from classifier.audio.decoding import SAMPLE_RATE, decode
from classifier.errors import Damaged, NoSound, NotAudio, Silent, TooShort
from common.errors import EmptyFile, SongError, TooLong
from common.units import MEBIBYTE
from tests.classifier.media import KINDS, Kind, write, write_pictures_only
from tests.classifier.synthesis import song

if TYPE_CHECKING:
    from collections.abc import Callable

MP3 = Kind("song.mp3", "mp3", "libmp3lame")
FLAC = Kind("song.flac", "flac", "flac", "s16", 8_000, 1)
WAV = Kind("song.wav", "wav", "pcm_s16le", "s16", SAMPLE_RATE, 1)
REPOSITORY = Path(__file__).resolve().parents[3]
FUZZED_FILES = 400
WITH_INDEX_AT_THE_END = {"ipod", "mp4", "mov", "3gp"}


def error_of(source: Path | bytes, max_seconds: float = 60) -> type[Exception]:
    with pytest.raises(SongError) as caught:
        decode(source if isinstance(source, Path) else io.BytesIO(source), max_seconds=max_seconds)
    assert str(caught.value)
    return caught.type


def encoded(kind: Kind, folder: Path, seconds: float = 6) -> bytes:
    return write(folder, kind, song(7, seconds=seconds, rate=kind.rate)).read_bytes()


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.touch()
    assert error_of(path) is EmptyFile


@pytest.mark.parametrize(
    "content",
    [
        b"This is a poem, not a song.\n" * 400,
        b"<!doctype html><title>Sign in</title>" + b"<p>Please sign in." * 200,
        b"%PDF-1.7\n" + bytes(range(256)) * 50,
        b"PK\x03\x04" + bytes(range(256)) * 50,
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 50,
        b"\0" * 50_000,
        b"\xff",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nother.mp3\n#EXT-X-ENDLIST\n",
        b"WEBVTT\n\n00:00.000 --> 01:00.000\nLa la la\n",
    ],
    ids=["text", "page", "pdf", "zip", "picture", "zeros", "one byte", "playlist", "subtitles"],
)
def test_what_is_not_audio_is_called_so_whatever_its_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    assert error_of(path) is NotAudio


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("song.mp3", "ffconcat version 1.0\nfile sibling.flac\n"),
        ("song.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nsibling.mp3\n#EXT-X-ENDLIST\n"),
    ],
    ids=["concat script", "playlist"],
)
def test_a_script_does_not_open_its_sibling(name: str, script: str, tmp_path: Path) -> None:
    encoded(FLAC, tmp_path)
    (tmp_path / "song.flac").rename(tmp_path / "sibling.flac")
    encoded(MP3, tmp_path)
    (tmp_path / "song.mp3").rename(tmp_path / "sibling.mp3")
    path = tmp_path / name
    path.write_text(script)
    # Without our guards FFmpeg falls for it: the trap is real.
    with av.open(str(path)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > SAMPLE_RATE
    assert error_of(path) is NotAudio


def test_a_video_without_sound(tmp_path: Path) -> None:
    assert error_of(write_pictures_only(tmp_path / "video.mp4", 5)) is NoSound


def test_music_that_is_too_short(tmp_path: Path) -> None:
    assert error_of(encoded(MP3, tmp_path, seconds=2.5)) is TooShort


@pytest.mark.parametrize("level", [0, 1 / 32768], ids=["zeros", "dither"])
def test_silence(level: float, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(-level, level, 5 * SAMPLE_RATE).astype(np.float32)
    assert error_of(write(tmp_path, WAV, noise)) is Silent


def test_quiet_music_is_no_silence(tmp_path: Path) -> None:
    quiet = song(1, seconds=4) * np.float32(0.001)
    heard = decode(write(tmp_path, Kind("song.wav", "wav", "pcm_f32le", "flt", SAMPLE_RATE, 1), quiet), max_seconds=60)
    np.testing.assert_allclose(heard, quiet, atol=1e-7)


def test_the_cap_is_kept_to_the_sample(tmp_path: Path) -> None:
    content = encoded(WAV, tmp_path, seconds=6)
    assert decode(io.BytesIO(content), max_seconds=6).size == 6 * SAMPLE_RATE
    assert error_of(content, max_seconds=5.99) is TooLong


def test_an_hour_in_a_small_flac_is_stopped_at_the_cap(tmp_path: Path) -> None:
    path = write(tmp_path, Kind("bomb.flac", "flac", "flac", "s16", 8_000, 1), np.zeros(3600 * 8_000, np.float32))
    assert path.stat().st_size < 0.7 * MEBIBYTE
    tracemalloc.start()
    try:
        assert error_of(path, max_seconds=120) is TooLong
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 120 * SAMPLE_RATE * 4 + 4 * MEBIBYTE


def flac_that_claims(content: bytes, samples: int) -> bytes:
    """Change the total number of samples in the header of a FLAC, 36 bits."""
    changed = bytearray(content)
    # "fLaC", the block's header of 4, then 13 bytes and a half of other fields.
    changed[21] = changed[21] & 0xF0 | samples >> 32
    changed[22:26] = (samples & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(changed)


def wav_that_claims(content: bytes, data_bytes: int) -> bytes:
    """Change the length of a WAV's data in its header."""
    at = content.index(b"data") + 4
    changed = bytearray(content)
    changed[4:8] = changed[at : at + 4] = data_bytes.to_bytes(4, "little")
    return bytes(changed)


def mp4_that_claims(content: bytes, units: int) -> bytes:
    """Change the duration of an MP4, of its track and of its media."""
    changed = bytearray(content)
    for box, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        at = content.index(box) + offset
        changed[at : at + 4] = units.to_bytes(4, "big")
    return bytes(changed)


@pytest.mark.parametrize(
    ("kind", "claim"),
    [
        (FLAC, lambda content: flac_that_claims(content, 100 * 3600 * 8_000)),
        (WAV, lambda content: wav_that_claims(content, 2**32 - 1000)),
        (Kind("song.m4a", "ipod", "aac"), lambda content: mp4_that_claims(content, 2**32 - 2)),
    ],
    ids=["flac", "wav", "m4a"],
)
def test_a_header_that_claims_a_hundred_hours_is_not_believed(
    kind: Kind, claim: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    content = claim(encoded(kind, tmp_path))
    tracemalloc.start()
    try:
        heard = decode(io.BytesIO(content), max_seconds=60)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert heard.size == pytest.approx(6 * SAMPLE_RATE, abs=SAMPLE_RATE / 10)
    assert peak < 60 * SAMPLE_RATE * 4 + 4 * MEBIBYTE


@pytest.mark.parametrize(
    "kind",
    [kind for kind in KINDS if kind.muxer not in WITH_INDEX_AT_THE_END and kind.codec != "alac"],
    ids=lambda kind: kind.name,
)
def test_what_is_left_of_a_truncated_file_is_used(kind: Kind, tmp_path: Path) -> None:
    content = encoded(kind, tmp_path, seconds=8)
    heard = decode(io.BytesIO(content[: len(content) * 3 // 4]), max_seconds=60)
    assert 4.5 * SAMPLE_RATE < heard.size < 7 * SAMPLE_RATE


@pytest.mark.parametrize("name", ["song.mp3", "song.ogg", "song.flac", "stream.aac", "browser.webm"])
def test_a_damaged_stretch_is_left_out(name: str, tmp_path: Path) -> None:
    (kind,) = (kind for kind in KINDS if kind.name == name)
    content = bytearray(encoded(kind, tmp_path, seconds=8))
    middle = len(content) // 2
    content[middle : middle + 3000] = np.random.default_rng(2).bytes(3000)
    heard = decode(io.BytesIO(content), max_seconds=60)
    assert 4.5 * SAMPLE_RATE < heard.size < 9 * SAMPLE_RATE


@pytest.mark.parametrize("kind", [Kind("song.m4a", "ipod", "aac"), MP3, FLAC], ids=lambda kind: kind.name)
def test_a_file_truncated_beyond_use_is_called_damaged(kind: Kind, tmp_path: Path) -> None:
    content = encoded(kind, tmp_path)
    kept = len(content) // 2 if kind.muxer == "ipod" else 200
    assert error_of(content[:kept]) is Damaged


def test_samples_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    kind = Kind("float.wav", "wav", "pcm_f32le", "flt", SAMPLE_RATE, 1)
    original = song(3, seconds=5)
    content = bytearray(encoded(kind, tmp_path, seconds=5))
    at = content.index(b"data") + 8
    samples = original.copy()
    samples[1000:1004] = [np.nan, np.inf, -np.inf, 1e30]
    content[at:] = samples.tobytes()
    heard = decode(io.BytesIO(content), max_seconds=60)
    original[1000:1004] = 0
    np.testing.assert_array_equal(heard, original)


@pytest.mark.parametrize("rate", [1, 3_999, 3_000_000, 2**31])
def test_a_rate_that_no_music_has_is_damage(rate: int, tmp_path: Path) -> None:
    content = encoded(WAV, tmp_path)
    changed = content[:24] + rate.to_bytes(4, "little") + content[28:]
    assert error_of(changed) in {Damaged, NotAudio}


def test_album_art_is_not_looked_at(tmp_path: Path) -> None:
    content = encoded(MP3, tmp_path)
    picture = b"\x89PNG\r\n\x1a\n" + np.random.default_rng(3).bytes(200_000)
    body = b"\0image/png\0\x03\0" + picture
    frame = b"APIC" + len(body).to_bytes(4, "big") + b"\0\0" + body
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    heard = decode(io.BytesIO(b"ID3\x03\0\0" + size + frame + content), max_seconds=60)
    np.testing.assert_array_equal(heard, decode(io.BytesIO(content), max_seconds=60))


def test_tags_in_no_encoding_do_not_matter(tmp_path: Path) -> None:
    content = encoded(MP3, tmp_path)
    tag = b"TAG" + bytes(range(128, 253))
    assert len(tag) == 128
    assert decode(io.BytesIO(content + tag), max_seconds=60).size > 5 * SAMPLE_RATE


def test_streams_that_turn_up_on_the_way_do_no_harm(tmp_path: Path) -> None:
    sound = Kind("sound.ts", "mpegts", "libmp3lame")
    video = Kind("video.ts", "mpegts", "aac", video="mpeg2video")
    joined = encoded(sound, tmp_path) + encoded(video, tmp_path)
    assert decode(io.BytesIO(joined), max_seconds=60).size > 5 * SAMPLE_RATE


def test_a_missing_file_is_the_callers_fault(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        decode(tmp_path / "nothing.mp3", max_seconds=60)


def test_only_song_errors_come_out_of_mutated_files(tmp_path: Path) -> None:
    # In a child process: a crash of FFmpeg would take the tests with it.
    command = [sys.executable, "-m", "tests.classifier.audio.fuzz_decode", str(tmp_path), "1", str(FUZZED_FILES)]
    child = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=100, check=False)
    assert child.returncode == 0, child.stdout[-300:] + child.stderr[-3000:]
    outcomes = json.loads(child.stdout.splitlines()[-1])
    assert sum(outcomes.values()) == FUZZED_FILES
    assert outcomes["decoded"] > 0
    assert outcomes["Damaged"] > 0
