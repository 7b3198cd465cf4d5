"""Neighbours of files that people had trouble with: what was mended for one of a kind holds for the others."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soxr

from classifier.audio.decoding import SAMPLE_RATE, decode
from classifier.errors import CopyProtected, NoSound, Silent
from common.errors import SongError
from tests.classifier.audio.ffmpeg_reference import likeness
from tests.classifier.media import Kind, write, write_encrypted, write_pictures_only, write_tracks
from tests.classifier.synthesis import song

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECONDS = 3.5

HEARD = [
    # radio
    Kind("mono.mp2", "mp2", "mp2", "s16", 44_100, 1),
    Kind("studio.mp2", "mp2", "mp2", "s16", 48_000, 2),
    Kind("long-wave.mp2", "mp2", "mp2", "s16", 32_000, 1),
    Kind("speech.mp2", "mp2", "mp2", "s16", 24_000, 1, options={"b": "48000"}),
    Kind("narrow.mp2", "mp2", "mp2", "s16", 22_050, 2, options={"b": "64000"}),
    Kind("narrowest.mp2", "mp2", "mp2", "s16", 16_000, 1, options={"b": "32000"}),
    # recordings of broadcasts
    Kind("radio.ts", "mpegts", "mp2", "s16", 48_000, 1),
    Kind("mp3.ts", "mpegts", "libmp3lame"),
    Kind("aac.ts", "mpegts", "aac", video="mpeg2video"),
    Kind("ac3.ts", "mpegts", "ac3", rate=48_000, channels=6, video="mpeg2video"),
    Kind("opus.ts", "mpegts", "libopus", "flt", 48_000),
    # old films
    Kind("mp2.avi", "avi", "mp2", "s16", video="mpeg4"),
    Kind("pcm.avi", "avi", "pcm_s16le", "s16", 22_050, 1, video="mpeg4"),
    Kind("ac3.avi", "avi", "ac3", rate=48_000, video="mpeg4"),
    Kind("ima.avi", "avi", "adpcm_ima_wav", "s16p", 44_100, video="mpeg4"),
    Kind("sound-only.avi", "avi", "libmp3lame", channels=1),
    # films for browsers of long ago
    Kind("aac.flv", "flv", "aac", video="flv"),
    Kind("narrow.flv", "flv", "libmp3lame", "fltp", 22_050, 1, video="flv"),
    Kind("swf.flv", "flv", "adpcm_swf", "s16", 22_050, 1, video="flv"),
    Kind("pcm.flv", "flv", "pcm_s16le", "s16", 44_100, video="flv"),
    Kind("sound-only.flv", "flv", "libmp3lame"),
    # discs
    Kind("mpeg2.mpg", "mpeg", "mp2", "s16", 48_000, video="mpeg2video"),
    Kind("mono.mpg", "mpeg", "mp2", "s16", 32_000, 1, video="mpeg1video"),
    Kind("ac3.mpg", "mpeg", "ac3", rate=48_000, video="mpeg2video"),
    Kind("sound-only.mpg", "mpeg", "mp2", "s16"),
    Kind("svcd.mpg", "svcd", "mp2", "s16", 44_100, video="mpeg2video"),
    # memos
    Kind("big-endian.caf", "caf", "pcm_s16be", "s16", 48_000, 1),
    Kind("studio.caf", "caf", "pcm_s24le", "s32", 96_000),
    Kind("float.caf", "caf", "pcm_f32le", "flt", 22_050, 1),
    Kind("telephone.caf", "caf", "pcm_mulaw", "s16", 16_000, 1),
    Kind("old.caf", "caf", "adpcm_ima_qt", "s16p", 44_100, 1),
    # books
    Kind("lossless.m4b", "ipod", "alac", "s16p", 22_050, 1),
    Kind("narrow.m4b", "ipod", "aac", rate=22_050, channels=1, options={"b": "32000"}),
    Kind("book.mp4", "mp4", "aac", rate=24_000, channels=1),
    Kind("book.mov", "mov", "aac", channels=1),
    Kind("book.3g2", "3g2", "aac", channels=1),
    # voices from browsers
    Kind("stereo.weba", "webm", "libopus", "flt", 48_000, 2),
    Kind("vorbis.weba", "webm", "vorbis", options={"strict": "experimental"}),
    Kind("opus.mka", "matroska", "libopus", "flt", 48_000, 1),
    Kind("aac.mka", "matroska", "aac"),
    Kind("pcm.mkv", "matroska", "pcm_s16le", "s16", 48_000, 1),
]

PROTECTED_SCHEMES = [b"cbcs", b"cens", b"cbc1", b"piff", b"fps "]
"""Ways of encryption besides that which FFmpeg writes (``cenc``)."""
PICTURES = [
    ("matroska", "mpeg4"),
    ("webm", "libvpx"),
    ("mov", "mpeg4"),
    ("avi", "mpeg4"),
    ("flv", "flv"),
    ("mpegts", "mpeg2video"),
]


def error_of(content: bytes) -> type[Exception]:
    with pytest.raises(SongError) as caught:
        decode(io.BytesIO(content), max_seconds=60)
    return caught.type


@pytest.mark.parametrize("kind", HEARD, ids=lambda kind: kind.name)
def test_it_is_heard_whatever_it_is_called(kind: Kind, tmp_path: Path) -> None:
    tune = song(5, seconds=SECONDS, rate=kind.rate)
    heard = decode(write(tmp_path, kind, tune).rename(tmp_path / "file"), max_seconds=60)
    assert heard.size == pytest.approx(SECONDS * SAMPLE_RATE, rel=0.03)
    assert likeness(heard, soxr.resample(tune, kind.rate, SAMPLE_RATE)) > 0.9


@pytest.mark.parametrize("kind", HEARD[:7], ids=lambda kind: kind.name)
def test_a_broadcast_is_heard_from_where_somebody_tuned_in(kind: Kind, tmp_path: Path) -> None:
    content = write(tmp_path, kind, song(5, seconds=6, rate=kind.rate)).read_bytes()
    heard = decode(io.BytesIO(content[len(content) // 4 + 7 :]), max_seconds=60)
    assert heard.size == pytest.approx(0.75 * 6 * SAMPLE_RATE, rel=0.1)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("muxer", ["wav", "caf"])
def test_a_constant_offset_in_every_channel_is_silent(muxer: str, channels: int, tmp_path: Path) -> None:
    kind = Kind("song", muxer, "pcm_f32le", "flt", 44_100, channels)
    content = bytearray(write(tmp_path, kind, np.full(4 * 44_100, 0.5, np.float32)).read_bytes())
    samples = np.frombuffer(content, "<f4", offset=len(content) - 4 * channels * 4 * 44_100).reshape(-1, channels)
    offsets = samples * np.linspace(-1, 1.5, channels, dtype=np.float32)
    content[len(content) - offsets.nbytes :] = offsets.astype("<f4").tobytes()
    assert error_of(bytes(content)) is Silent


@pytest.mark.parametrize(
    ("codec", "sample_format"),
    [("libmp3lame", "fltp"), ("flac", "s16"), ("alac", "s16p"), ("wavpack", "s16p"), ("tta", "s16")],
)
def test_a_constant_offset_is_silent_however_it_is_encoded(codec: str, sample_format: str, tmp_path: Path) -> None:
    kind = Kind("song.mka", "matroska", codec, sample_format, 48_000, 2)
    assert error_of(write(tmp_path, kind, np.full(5 * 48_000, 0.4, np.float32)).read_bytes()) is Silent


@pytest.mark.parametrize("scheme", PROTECTED_SCHEMES, ids=bytes.decode)
def test_every_way_of_encryption_is_told_as_copy_protection(scheme: bytes, tmp_path: Path) -> None:
    content = write_encrypted(tmp_path / "song.m4a", song(3, seconds=4, rate=44_100)).read_bytes()
    at = content.index(b"schm") + 8
    assert content[at : at + 4] == b"cenc"
    assert error_of(content[:at] + scheme + content[at + 4 :]) is CopyProtected


@pytest.mark.parametrize("muxer", ["ipod", "mp4", "mov", "3gp", "3g2"])
def test_a_protected_purchase_is_told_in_every_container_of_its_family(muxer: str, tmp_path: Path) -> None:
    content = write(tmp_path, Kind("song", muxer, "aac"), song(3, seconds=4, rate=44_100)).read_bytes()
    assert error_of(content.replace(b"mp4a", b"drms", 1)) is CopyProtected


@pytest.mark.parametrize(
    ("muxer", "codec", "quiet"),
    [
        ("matroska", "libopus", 0.0),
        ("matroska", "libopus", 1 / 65_536),
        ("matroska", "flac", 0.3),
        ("avi", "libmp3lame", 0.3),
        ("mpegts", "ac3", 0.0),
    ],
)
def test_a_track_in_which_nothing_changes_is_passed_over(muxer: str, codec: str, quiet: float, tmp_path: Path) -> None:
    tune = song(3, seconds=4, rate=48_000)
    path = write_tracks(tmp_path / "file", muxer, codec, [np.full_like(tune, quiet), tune], rate=48_000)
    assert likeness(decode(path, max_seconds=60), soxr.resample(tune, 48_000, SAMPLE_RATE)) > 0.9


@pytest.mark.parametrize(("muxer", "codec"), PICTURES, ids=lambda name: name)
def test_pictures_without_sound_are_told_as_such(muxer: str, codec: str, tmp_path: Path) -> None:
    assert error_of(write_pictures_only(tmp_path / "file", 4, muxer, codec).read_bytes()) is NoSound


@pytest.mark.parametrize(
    "change",
    [
        lambda content: b"ID3\4\0\0\0\0\0\x20" + bytes(32) + content,
        lambda content: content + b"TAG" + bytes(125),
        lambda content: bytes(3000) + content,
        lambda content: content + content[:700],
    ],
    ids=["tag before", "tag after", "zeros before", "cut short behind"],
)
@pytest.mark.parametrize("kind", [HEARD[0], HEARD[1]], ids=lambda kind: kind.name)
def test_what_stands_around_radio_does_no_harm(kind: Kind, change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    content = change(write(tmp_path, kind, song(5, seconds=4, rate=kind.rate)).read_bytes())
    assert decode(io.BytesIO(content), max_seconds=60).size == pytest.approx(4 * SAMPLE_RATE, rel=0.1)
