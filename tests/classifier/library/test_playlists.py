"""Playlists list every song by a valid relative path, and replace no file of another program."""

from __future__ import annotations

import errno
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.library.collection import CollectionFile, FileState
from classifier.library.grouping import ClassifiedSong, CollectionSong
from classifier.library.playlists import ForeignFile, check_folder, file_name, file_names, relative_path, write
from classifier.library.state_db import StoredAnswer
from classifier.library.tags import FileTags


def classified(path: Path, tags: FileTags | None = None) -> ClassifiedSong:
    return ClassifiedSong(
        CollectionSong(CollectionFile(path, FileState(1, 2, 3, 4)), b"x", tags or FileTags()),
        StoredAnswer("rock", 0.9, sure=True, duration=61.6),
        "rock",
    )


def entries(playlist: Path) -> list[Path]:
    lines = playlist.read_bytes().split(b"\n")
    return [Path(os.fsdecode(line)) for line in lines if line and not line.startswith(b"#")]


def test_a_playlist_is_unicode_with_titles_and_relative_paths(tmp_path: Path) -> None:
    songs = [
        classified(tmp_path / "music" / "Đĩa 1" / "bài hát.mp3", FileTags(artist="Ai  đó", title="Bài\nhát")),
        classified(tmp_path / "lists" / "#1.mp3"),
    ]
    assert write(tmp_path / "lists", {"rock": songs}) == []
    assert (tmp_path / "lists" / "Rock.m3u8").read_text("utf-8").splitlines() == [
        "#EXTM3U",
        "#GENRE-BOT:organize",
        "#PLAYLIST:Rock",
        "#EXTINF:62,Ai đó – Bài hát",
        "../music/Đĩa 1/bài hát.mp3",
        "#EXTINF:62,#1",
        "./#1.mp3",
    ]


def test_a_path_with_a_line_break_is_reported(tmp_path: Path) -> None:
    odd = classified(tmp_path / "two\nlines.mp3")
    assert write(tmp_path, {"rock": [odd, classified(tmp_path / "song.mp3")]}) == [odd.song]
    assert entries(tmp_path / "Rock.m3u8") == [Path("song.mp3")]


def test_playlists_without_songs_are_removed_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "Mine.m3u8").write_text("#EXTM3U\nmine.mp3\n")
    write(tmp_path, {"rock": [classified(tmp_path / "a.mp3")]})
    write(tmp_path, {"pop": [classified(tmp_path / "a.mp3")]})
    assert {path.name for path in tmp_path.iterdir()} == {"Mine.m3u8", "Pop.m3u8"}


def test_a_playlist_of_another_program_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "Rock.m3u8").write_text("#EXTM3U\nmine.mp3\n")
    check_folder(tmp_path, ["pop"])
    with pytest.raises(ForeignFile, match=r"Rock\.m3u8"):
        check_folder(tmp_path, ["pop", "rock"])


@given(st.text(min_size=1))
def test_any_genre_gives_a_valid_file_name(genre: str) -> None:
    name = file_name(genre)
    assert name.endswith(".m3u8")
    assert not set(name) & set('/\\:*?"<>|\n\0')
    assert not name.startswith((" ", "."))


NAMES = st.binary(min_size=1, max_size=50).filter(lambda name: not {0, 47} & set(name) and name not in (b".", b".."))


@given(st.lists(NAMES, min_size=1, max_size=4), st.lists(NAMES, max_size=3))
def test_a_relative_path_leads_to_the_file(file: list[bytes], folder: list[bytes]) -> None:
    path = Path("/", *map(os.fsdecode, file))
    start = Path("/", *map(os.fsdecode, folder))
    relative = relative_path(path, start)
    assert not relative.startswith(("#", "/"))
    assert Path(os.path.normpath(start / relative)) == path


@pytest.mark.parametrize(
    "genres",
    [
        ["pop", "Pop", "POP"],
        ["Rock/Pop", "rock:pop", "rock?pop"],
        ["Ca tru\N{COMBINING GRAVE ACCENT}", "Ca trù"],
        ["x" * 60 + "a", "x" * 60 + "b"],
        ["ĐĨA", "đĩa"],
        ["straße", "STRASSE"],
    ],
)
def test_genres_that_differ_only_in_case_have_playlists_of_their_own(tmp_path: Path, genres: list[str]) -> None:
    names = file_names(genres)
    assert len({unicodedata.normalize("NFC", name).casefold() for name in names.values()}) == len(genres)
    write(tmp_path, {genre: [classified(tmp_path / f"{number}.mp3")] for number, genre in enumerate(genres)})
    assert {entries(tmp_path / names[genre])[0].name for genre in genres} == {f"{n}.mp3" for n in range(len(genres))}
    assert file_names(reversed(genres)) == names


def test_a_playlist_that_the_file_system_shows_under_another_name_is_not_removed(tmp_path: Path) -> None:
    write(tmp_path, {"rock": [classified(tmp_path / "a.mp3")]})
    (tmp_path / "ROCK.m3u8").symlink_to("Rock.m3u8")  # stands for the name in another case
    write(tmp_path, {"rock": [classified(tmp_path / "b.mp3")]})
    assert entries(tmp_path / "Rock.m3u8") == [Path("b.mp3")]
    assert entries(tmp_path / "ROCK.m3u8") == [Path("b.mp3")]


def test_playlists_are_written_where_permissions_cannot_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    write(tmp_path, {"rock": [classified(tmp_path / "a.mp3")]})
    assert entries(tmp_path / "Rock.m3u8") == [Path("a.mp3")]
