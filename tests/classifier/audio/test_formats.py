"""The lists of containers and codecs against what this build of FFmpeg has, and files against Debian's ffmpeg."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from av.codec import Codec
from av.format import ContainerFormat

from classifier.audio.container import open_container, sound_tracks
from classifier.audio.decoding import SAMPLE_RATE, decode
from classifier.audio.formats import DECODERS, DEMUXERS
from tests.classifier.audio.ffmpeg_reference import decoded_by_ffmpeg, likeness
from tests.classifier.media import KINDS, Kind, write, write_dsf
from tests.classifier.synthesis import song

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 5.0
UNUSED_TWINS = {"aac_fixed", "ac3_fixed", "libopencore_amrnb", "libopencore_amrwb", "libopus", "mp1", "mp2float", "mp3"}
"""Decoders of a codec for which FFmpeg prefers another."""
OPEN_OTHERS = {"concat", "concatf", "dash", "hls", "imf", "rtsp", "sdp", "image2", "lavfi", "webm_dash_manifest"}


@pytest.mark.parametrize("name", DEMUXERS.split(","))
def test_every_demuxer_of_the_list_is_in_the_build(name: str) -> None:
    assert ContainerFormat(name, "r").is_input


@pytest.mark.parametrize("name", DECODERS.split(","))
def test_every_decoder_of_the_list_is_in_the_build_and_of_sound(name: str) -> None:
    assert Codec(name, "r").type == "audio"


def test_the_lists_name_each_once_and_none_that_is_never_used_or_opens_other_files() -> None:
    for names in (DEMUXERS.split(","), DECODERS.split(",")):
        assert len(names) == len(set(names))
    assert not UNUSED_TWINS & set(DECODERS.split(","))
    assert not OPEN_OTHERS & set(DEMUXERS.split(","))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_is_as_long_and_sounds_as_ffmpeg_decodes_it(kind: Kind, tmp_path: Path) -> None:
    path = write(tmp_path, kind, song(2, seconds=SECONDS, rate=kind.rate)).rename(tmp_path / "file")
    ours, theirs = decode(path, max_seconds=60), decoded_by_ffmpeg(path)
    assert ours.size == pytest.approx(theirs.size, rel=0.01)
    assert likeness(ours, theirs) > 0.98
    with path.open("rb") as file, open_container(file) as container:
        assert container.streams[sound_tracks(container)[0]].codec_context.codec.name in DECODERS.split(",")


def test_dsd_is_as_long_and_sounds_as_ffmpeg_decodes_it(tmp_path: Path) -> None:
    path = write_dsf(tmp_path / "file", song(2, seconds=4, rate=44_100))
    ours, theirs = decode(path, max_seconds=60), decoded_by_ffmpeg(path)
    assert ours.size == pytest.approx(theirs.size, rel=0.01) == pytest.approx(4 * SAMPLE_RATE, rel=0.01)
    assert likeness(ours, theirs) > 0.99
