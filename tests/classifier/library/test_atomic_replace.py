"""A tag is written so that nothing else changes, and taken back to the byte; in doubt a file is left alone."""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from typing import TYPE_CHECKING, Any

import av
import mutagen
import numpy as np
import pytest

from classifier.library import atomic_replace, tags
from common.errors import SongError
from tests.classifier.library.making import TAGGABLE, sound_of

if TYPE_CHECKING:
    from pathlib import Path

    from classifier.library.state_db import StateDatabase

id3: Any = import_module("mutagen.id3")  # its types are not told


@pytest.fixture
def song(tmp_path: Path, songs: list[Path], request: pytest.FixtureRequest) -> Path:
    suffix = getattr(request, "param", ".mp3")
    source = next(path for path in songs if path.suffix == suffix)
    return shutil.copyfile(source, tmp_path / f"bài hát{suffix}")


def tag(path: Path, state_db: StateDatabase, genre: str = "Ca trù") -> None:
    atomic_replace.write_genre(path, genre, atomic_replace.file_sha256(path), state_db)


def undo_all(path: Path, state_db: StateDatabase) -> None:
    for change in state_db.changes():
        atomic_replace.restore(change, path, state_db)


@pytest.mark.parametrize("song", sorted(TAGGABLE), indirect=True)
class TestEveryFormat:
    def test_the_genre_is_written_and_nothing_else_changes(self, song: Path, state_db: StateDatabase) -> None:
        sound, found_tags = sound_of(song), tags.read(song)
        song.chmod(0o640)
        tag(song, state_db)
        assert tags.read(song) == tags.FileTags("Ca trù", found_tags.artist, found_tags.title)
        assert sound_of(song) == sound
        assert song.stat().st_mode & 0o777 == 0o640
        assert [path.name for path in song.parent.iterdir() if path.is_file()] == [song.name]

    def test_undoing_restores_every_byte_however_often_it_was_tagged(self, song: Path, state_db: StateDatabase) -> None:
        os.utime(song, ns=(10**18, 10**18 + 1))
        original = song.read_bytes()
        for genre in ("Rock", "Hip-Hop " * 300, "Rock", "Ca trù"):
            tag(song, state_db, genre)
        undo_all(song, state_db)
        assert song.read_bytes() == original
        assert song.stat().st_mtime_ns == 10**18 + 1
        assert state_db.changes() == []

    def test_little_is_kept_to_undo_it(self, song: Path, state_db: StateDatabase) -> None:
        tag(song, state_db)
        (change,) = state_db.changes()
        assert len(state_db.patch(change)) < song.stat().st_size / 4 + 6000


@pytest.mark.parametrize("song", [".aac", ".webm", ".mkv"], indirect=True)
def test_a_format_without_tags_is_left_unchanged(song: Path, state_db: StateDatabase) -> None:
    original = song.read_bytes()
    with pytest.raises(tags.NoTags):
        tag(song, state_db)
    assert song.read_bytes() == original
    assert state_db.changes() == []
    assert [path.name for path in song.parent.iterdir() if path.is_file()] == [song.name]


@pytest.mark.parametrize("song", [".ogg", ".opus"], indirect=True)
def test_undo_is_exact_where_every_page_of_an_ogg_file_had_to_move(song: Path, state_db: StateDatabase) -> None:
    original = song.read_bytes()
    tag(song, state_db, "x" * 200_000)
    assert song.stat().st_size > len(original) + 150_000
    undo_all(song, state_db)
    assert song.read_bytes() == original


def test_covers_and_other_tags_stay(song: Path, state_db: StateDatabase) -> None:
    file: Any = mutagen.File(song)
    file.tags.add(id3.APIC(encoding=3, mime="image/png", type=3, desc="", data=b"\x89PNG" * 5000))
    file.save(v2_version=3)
    before = {name: frame for name, frame in id3.ID3(song).items() if name != "TCON"}
    tag(song, state_db)
    after = id3.ID3(song)
    assert after.version == (2, 3, 0)
    assert {name: frame for name, frame in after.items() if name != "TCON"} == before


def test_a_read_only_file_and_a_link_are_left_alone(song: Path, state_db: StateDatabase) -> None:
    link = song.with_name("link.mp3")
    link.symlink_to(song)
    with pytest.raises(atomic_replace.FileIsLink):
        tag(link, state_db)
    song.chmod(0o444)
    with pytest.raises(atomic_replace.FileReadOnly):
        tag(song, state_db)
    assert state_db.changes() == []


def test_a_file_that_is_not_the_one_that_was_heard_is_left_alone(song: Path, state_db: StateDatabase) -> None:
    heard = atomic_replace.file_sha256(song)
    song.write_bytes(song.read_bytes() + b"\0")
    with pytest.raises(atomic_replace.FileChanged):
        atomic_replace.write_genre(song, "Rock", heard, state_db)


def test_a_file_that_its_owner_has_changed_since_is_not_undone(song: Path, state_db: StateDatabase) -> None:
    tag(song, state_db)
    tags.write_genre(song, "My own")
    with pytest.raises(atomic_replace.FileChanged):
        undo_all(song, state_db)
    assert tags.read(song).genre == "My own"
    assert len(state_db.changes()) == 1


def test_a_run_killed_before_the_swap_has_nothing_to_undo(song: Path, state_db: StateDatabase) -> None:
    original = song.read_bytes()
    tag(song, state_db)
    song.write_bytes(original)
    undo_all(song, state_db)
    assert song.read_bytes() == original
    assert state_db.changes() == []


def test_a_way_back_that_was_damaged_is_not_taken(song: Path, state_db: StateDatabase, tmp_path: Path) -> None:
    tag(song, state_db)
    (change,) = state_db.changes()
    state_db.delete_change(change)
    state_db.record_change(change, b"damaged")
    tagged = song.read_bytes()
    with pytest.raises(atomic_replace.CannotUndo):
        undo_all(song, state_db)
    assert song.read_bytes() == tagged


@pytest.mark.parametrize("song", [".flac", ".ogg"], indirect=True)
def test_several_genres_in_a_file_are_read_as_one_text(song: Path) -> None:
    file: Any = mutagen.File(song)
    file["genre"] = ["Pop", "Rock"]
    file.save()
    assert tags.read(song).genre == "Pop / Rock"


def test_the_older_tags_of_wav_files_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "old.wav"
    with av.open(str(path), "w") as container:
        container.metadata.update({"genre": "Cải lương", "artist": "Ai đó", "title": "odd"})
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        container.mux(stream.encode(silence()))
    assert tags.read(path) == tags.FileTags("Cải lương", "Ai đó", "odd")
    tags.write_genre(path, "Rock")
    assert tags.read(path) == tags.FileTags("Rock", "Ai đó", "odd")


def silence() -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 801), dtype=np.int16), format="s16", layout="mono")
    frame.sample_rate = 8000
    return frame


@pytest.mark.parametrize("content", [b"", b"ID3", b"fLaC" + bytes(99), b"OggS" * 40, b"RIFF\xff\xff\xff\xffWAVE"])
@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".ogg", ".wav", ".m4a"])
def test_broken_files_have_no_tags_and_get_none(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    assert tags.read(path) == tags.FileTags()
    if content[:3] != b"ID3":
        with pytest.raises(SongError):
            tags.write_genre(path, "Rock")
