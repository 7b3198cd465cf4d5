"""Which files the chats, the page and the command line take for music."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier.audio.formats import DEMUXERS
from common.media_types import (
    FILE_PICKER_ACCEPT,
    MUSIC_SUFFIXES,
    SUFFIXES_BY_DEMUXER,
    VIDEO_SUFFIXES,
    has_music_suffix,
    is_music,
    is_surely_audio,
)


@pytest.mark.parametrize("name", ["song.mp3", "Song.FLAC", "a.b.opus", "clip.webm", "video.MP4"])
def test_a_file_is_music_by_its_ending(name: str) -> None:
    assert has_music_suffix(name)
    assert has_music_suffix(Path("folder.d") / name)
    assert is_music(name, None)
    assert is_music(name, "application/octet-stream")


@pytest.mark.parametrize("name", ["", "mp3", ".mp3", "cover.jpg", "song.mp3.txt", "list.m3u"])
def test_a_file_of_another_ending_is_not(name: str) -> None:
    assert not has_music_suffix(name)
    assert not is_music(name, None)
    assert not is_music(name, "application/octet-stream")


@pytest.mark.parametrize("mime_type", ["audio/mpeg", "Video/MP4", "application/ogg", "audio/ogg; codecs=opus"])
def test_a_file_is_music_by_its_mime_type(mime_type: str) -> None:
    assert is_music(None, mime_type)
    assert is_music("file", mime_type)


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("a.mp3", None),
        ("a.FLAC", "application/octet-stream"),
        (None, "audio/mpeg"),
        ("a.mp4", "audio/mp4"),
        ("a.ogg", "application/ogg"),
        ("voice-message.ogg", "audio/ogg; codecs=opus"),
    ],
)
def test_what_nobody_asked_about_is_taken_where_it_is_surely_audio(name: str | None, mime_type: str | None) -> None:
    assert is_surely_audio(name, mime_type)


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("film.mp4", None),
        ("party.gif.mp4", "video/mp4"),
        ("a.mp3", "application/pdf"),
        ("a.mp3", "image/png"),
        ("film.ogv", "application/ogg"),
        (None, None),
        ("track", None),
        ("track", "application/octet-stream"),
    ],
)
def test_films_gifs_and_whatever_else_are_left_alone(name: str | None, mime_type: str | None) -> None:
    assert not is_surely_audio(name, mime_type)


def test_each_ending_stands_once_and_in_lower_case() -> None:
    suffixes = [suffix for each in SUFFIXES_BY_DEMUXER.values() for suffix in each]
    assert len(suffixes) == len(MUSIC_SUFFIXES)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)
    assert VIDEO_SUFFIXES < MUSIC_SUFFIXES


def test_every_format_that_is_offered_can_be_decoded() -> None:
    assert SUFFIXES_BY_DEMUXER.keys() <= set(DEMUXERS.split(","))


def test_the_file_picker_offers_every_ending() -> None:
    assert set(FILE_PICKER_ACCEPT.split(",")) == {"audio/*", "video/*", *MUSIC_SUFFIXES}
