"""Files that were once refused for the wrong reason, or judged by the wrong sound."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soxr

from classifier.audio.decoding import SAMPLE_RATE, decode
from classifier.errors import CopyProtected, Damaged, NotAudio, Silent
from common.errors import SongError, TooLong
from tests.classifier.audio.ffmpeg_reference import decoded_by_ffmpeg, likeness
from tests.classifier.media import Kind, write, write_encrypted, write_tracks
from tests.classifier.synthesis import song

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

VORBIS = {"strict": "experimental"}
LINKS = [
    [Kind("a.ogg", "ogg", "vorbis", rate=22_050, options=VORBIS), Kind("b.ogg", "ogg", "vorbis", options=VORBIS)],
    [Kind("a.opus", "ogg", "libopus", "flt", 48_000, 1), Kind("b.opus", "ogg", "libopus", "flt", 48_000, 2)],
    [Kind("a.oga", "ogg", "flac", "s16", 32_000, 1), Kind("b.oga", "ogg", "flac", "s16", 44_100, 2)],
    [Kind("a.opus", "ogg", "libopus", "flt", 48_000, 2), Kind("b.ogg", "ogg", "vorbis", options=VORBIS)],
    [
        Kind(f"{number}.ogg", "ogg", "vorbis", rate=rate, options=VORBIS)
        for number, rate in enumerate((44_100, 48_000, 44_100))
    ],
]


def error_of(content: bytes) -> type[Exception]:
    with pytest.raises(SongError) as caught:
        decode(io.BytesIO(content), max_seconds=60)
    return caught.type


def encoded(folder: Path, kind: Kind, seconds: float = 6) -> bytes:
    return write(folder, kind, song(7, seconds=seconds, rate=kind.rate)).read_bytes()


@pytest.mark.parametrize("kinds", LINKS, ids=lambda kinds: ", ".join(f"{kind.codec} {kind.rate}" for kind in kinds))
class TestChains:
    def test_every_link_is_decoded(self, kinds: list[Kind], tmp_path: Path) -> None:
        tunes = [song(number, seconds=5, rate=kind.rate) for number, kind in enumerate(kinds)]
        content = b"".join(write(tmp_path, kind, tune).read_bytes() for kind, tune in zip(kinds, tunes, strict=True))
        heard = decode(io.BytesIO(content), max_seconds=60)
        assert heard.size == pytest.approx(5 * len(kinds) * SAMPLE_RATE, rel=0.01)
        for number, (kind, tune) in enumerate(zip(kinds, tunes, strict=True)):
            part = heard[number * 5 * SAMPLE_RATE : (number + 1) * 5 * SAMPLE_RATE]
            assert likeness(part, soxr.resample(tune, kind.rate, SAMPLE_RATE)) > 0.9

    def test_the_longest_song_counts_for_the_whole_chain(self, kinds: list[Kind], tmp_path: Path) -> None:
        content = b"".join(encoded(tmp_path, kind) for kind in kinds)
        with pytest.raises(TooLong):
            decode(io.BytesIO(content), max_seconds=10)

    def test_a_damaged_link_costs_only_itself(self, kinds: list[Kind], tmp_path: Path) -> None:
        first, *others = [encoded(tmp_path, kind) for kind in kinds]
        broken = first[:28] + b"\xff" * 600 + first[628:]
        heard = decode(io.BytesIO(broken + b"".join(others)), max_seconds=60)
        assert heard.size >= 6 * len(others) * SAMPLE_RATE * 0.99


class TestTracks:
    @pytest.mark.parametrize(
        ("muxer", "codec"), [("mp4", "aac"), ("matroska", "flac"), ("mpegts", "mp2"), ("mov", "alac")]
    )
    @pytest.mark.parametrize("before", [1, 2])
    def test_the_first_track_that_sounds_is_taken(self, muxer: str, codec: str, before: int, tmp_path: Path) -> None:
        tune = song(3, seconds=5, rate=44_100)
        tracks = [*[np.zeros_like(tune)] * before, tune, song(4, seconds=5, rate=44_100)]
        path = write_tracks(tmp_path / "file", muxer, codec, tracks)
        heard = decode(path, max_seconds=60)
        assert likeness(heard, soxr.resample(tune, 44_100, SAMPLE_RATE)) > 0.95
        theirs = decoded_by_ffmpeg(path, track=before)
        assert heard.size == pytest.approx(theirs.size, rel=0.01)

    def test_a_file_whose_tracks_are_all_silent_is_silent(self, tmp_path: Path) -> None:
        nothing = np.zeros(5 * 44_100, np.float32)
        assert error_of(write_tracks(tmp_path / "file", "mp4", "aac", [nothing] * 3).read_bytes()) is Silent

    def test_the_default_track_is_taken_where_it_sounds(self, tmp_path: Path) -> None:
        tunes: list[NDArray[np.float32]] = [song(seed, seconds=5, rate=44_100) for seed in (3, 4)]
        heard = decode(write_tracks(tmp_path / "file", "mp4", "aac", tunes), max_seconds=60)
        assert likeness(heard, soxr.resample(tunes[0], 44_100, SAMPLE_RATE)) > 0.95


class TestCopyProtection:
    @pytest.mark.parametrize("tag", [b"drms", b"enca", b"drmi", b"aavd"])
    def test_a_protected_sample_description(self, tag: bytes, tmp_path: Path) -> None:
        content = encoded(tmp_path, Kind("song.m4a", "ipod", "aac"))
        assert error_of(content.replace(b"mp4a", tag, 1)) is CopyProtected

    def test_common_encryption(self, tmp_path: Path) -> None:
        path = write_encrypted(tmp_path / "song.m4a", song(3, seconds=6, rate=44_100))
        assert error_of(path.read_bytes()) is CopyProtected

    @pytest.mark.parametrize("object_id", ["fbb3112223bdd211b4b700a0c955fc6e", "14e68a292226174cb935dae07ee9289c"])
    def test_windows_media(self, object_id: str, tmp_path: Path) -> None:
        content = encoded(tmp_path, Kind("song.wma", "asf", "wmav2", options={"b": "128000"}))
        codec_list = bytes.fromhex("4052d1861d31d011a3a400a0c90348f6")
        assert codec_list in content
        assert error_of(content.replace(codec_list, bytes.fromhex(object_id))) is CopyProtected

    def test_audible(self) -> None:
        assert error_of(b"\0\0\x10\0\x57\x90\x75\x36" + bytes(1000)) is CopyProtected

    def test_an_unprotected_file_beside_is_decoded(self, tmp_path: Path) -> None:
        assert decode(io.BytesIO(encoded(tmp_path, Kind("song.m4a", "ipod", "aac"))), max_seconds=60).size


class TestDamage:
    @pytest.mark.parametrize(
        "start",
        [
            b"RIFF\x24\x10\0\0WEBPVP8 ",
            b"\0\0\0\x18ftypheic",
            b"\0\0\0\x20ftypavif",
            b"FORM\0\0\x10\0ILBM",
            b"BM\x36\x10",
        ],
        ids=["webp", "heic", "avif", "ilbm", "bmp"],
    )
    def test_a_picture_is_no_damaged_music(self, start: bytes) -> None:
        assert error_of(start + bytes(4000)) is NotAudio

    @pytest.mark.parametrize(
        "kind",
        [
            Kind("song.mp3", "mp3", "libmp3lame"),
            Kind("song.aac", "adts", "aac"),
            Kind("song.ogg", "ogg", "vorbis", options=VORBIS),
            Kind("song.flac", "flac", "flac", "s16"),
            Kind("song.ts", "mpegts", "mp2", "s16"),
            Kind("song.mp4", "mp4", "aac"),
        ],
        ids=lambda kind: kind.name,
    )
    def test_a_long_damaged_end_is_one_error(self, kind: Kind, tmp_path: Path) -> None:
        content = encoded(tmp_path, kind, seconds=20)
        quarter = len(content) // 4
        if kind.muxer == "mp4":  # its index is at the end
            damaged = content[:quarter] + b"\0" * quarter + content[2 * quarter :]
        else:
            damaged = content[:quarter] + b"\0" * (len(content) - quarter)
        assert decode(io.BytesIO(damaged), max_seconds=60).size > 4 * SAMPLE_RATE

    def test_noise_in_place_of_all_sound_is_damage(self, tmp_path: Path) -> None:
        content = encoded(tmp_path, Kind("song.m4a", "mp4", "aac"))
        start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
        noise = np.random.default_rng(3).bytes(end - start)
        assert error_of(content[:start] + noise + content[end:]) is Damaged


@pytest.mark.parametrize("offset", [0.2, -0.9, 1e-3])
def test_a_constant_offset_is_silent(offset: float, tmp_path: Path) -> None:
    kind = Kind("song.wav", "wav", "pcm_s16le", "s16")
    assert error_of(write(tmp_path, kind, np.full(5 * 44_100, offset, np.float32)).read_bytes()) is Silent
