"""On file systems that refuse operations a file is written or left unchanged, and the sentence says which.

The refusals are those of network shares (SMB, NFS) and FAT. They cannot be mounted in a test, so the system calls fail
here as they fail there.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from classifier.library import atomic_replace, tags
from classifier.library.collection import CollectionFile, FileState
from classifier.library.grouping import NOT_SURE, ClassifiedSong, CollectionSong
from classifier.library.state_db import StateDatabase, StateDatabaseError, StoredAnswer
from classifier.library.tagging import TaggingInProgress, TagPlan, exclusive_tagging, plan
from common.errors import SongError
from tests.needs import lacking

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def song(tmp_path: Path, songs: list[Path]) -> Path:
    source = next(path for path in songs if path.suffix == ".mp3")
    folder = tmp_path / "share"
    folder.mkdir()
    return shutil.copyfile(source, folder / "song.mp3")


def tag(path: Path, state_db: StateDatabase) -> None:
    atomic_replace.write_genre(path, "Rock", atomic_replace.file_sha256(path), state_db)


def fails_with(number: int, *, unless: Callable[..., bool] = lambda *_: False) -> Any:
    def call(*arguments: Any, **_: Any) -> None:
        if not unless(*arguments):
            raise OSError(number, os.strerror(number))

    return call


def names(song: Path) -> list[str]:
    return [path.name for path in song.parent.iterdir()]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EACCES, errno.EBADF])
def test_a_share_that_cannot_sync_is_written(
    song: Path, state_db: StateDatabase, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    original = song.read_bytes()
    monkeypatch.setattr(os, "fsync", fails_with(number))
    tag(song, state_db)
    assert tags.read(song).genre == "Rock"
    [change] = state_db.changes()
    atomic_replace.restore(change, song, state_db)
    assert song.read_bytes() == original


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.ESTALE, errno.EROFS])
def test_a_copy_that_did_not_reach_the_disk_is_not_used(
    song: Path, state_db: StateDatabase, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    original = song.read_bytes()
    monkeypatch.setattr(os, "fsync", fails_with(number))
    with pytest.raises(atomic_replace.CannotWrite, match="It was left unchanged"):
        tag(song, state_db)
    assert (song.read_bytes(), names(song), state_db.changes()) == (original, ["song.mp3"], [])


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS, errno.EACCES])
def test_without_chmod_a_file_is_written_if_its_permissions_are_the_same(
    song: Path, state_db: StateDatabase, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    song.chmod(0o600)  # as the temporary copy
    monkeypatch.setattr(os, "chmod", fails_with(number))
    tag(song, state_db)
    assert tags.read(song).genre == "Rock"


@pytest.mark.parametrize("mode", [0o644, 0o664, 0o640, 0o755, 0o200])
def test_without_chmod_a_file_with_other_permissions_is_left_unchanged(
    song: Path, state_db: StateDatabase, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    song.chmod(mode)
    original = song.read_bytes()
    monkeypatch.setattr(os, "chmod", fails_with(errno.EPERM))
    with pytest.raises(atomic_replace.PermissionsNotKept, match=r"permissions .* It was left unchanged"):
        tag(song, state_db)
    assert (song.read_bytes(), names(song), state_db.changes()) == (original, ["song.mp3"], [])


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS, errno.EACCES])
def test_a_file_of_somebody_else_is_left_unchanged_if_its_owner_cannot_be_kept(
    song: Path, state_db: StateDatabase, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    if os.geteuid() != 0:
        lacking("to run as root: nobody else may give a file to somebody else")
    os.chown(song, 12345, 12345)
    original = song.read_bytes()
    monkeypatch.setattr(os, "chown", fails_with(number))
    with pytest.raises(atomic_replace.OwnerNotKept, match=r"somebody else.*It was left unchanged"):
        tag(song, state_db)
    assert song.read_bytes() == original


@pytest.mark.parametrize("number", [errno.EACCES, errno.EBUSY, errno.ETXTBSY, errno.ENOENT, errno.EIO])
def test_a_refused_rename_leaves_the_file_unchanged(
    song: Path, state_db: StateDatabase, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    original = song.read_bytes()
    monkeypatch.setattr(Path, "replace", fails_with(number))
    with pytest.raises(atomic_replace.CannotWrite, match="It was left unchanged"):
        tag(song, state_db)
    assert (song.read_bytes(), names(song), state_db.changes()) == (original, ["song.mp3"], [])


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ESTALE, errno.EIO, errno.ETIMEDOUT, errno.EINTR])
def test_a_rename_that_was_done_in_spite_of_an_error_counts(
    song: Path, state_db: StateDatabase, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    original, replace = song.read_bytes(), Path.replace

    def repeated(self: Path, target: Path) -> None:
        replace(self, target)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "replace", repeated)
    tag(song, state_db)
    assert tags.read(song).genre == "Rock"
    monkeypatch.undo()
    [change] = state_db.changes()
    atomic_replace.restore(change, song, state_db)
    assert song.read_bytes() == original


def test_an_unknown_outcome_of_a_rename_is_not_called_unchanged(
    song: Path, state_db: StateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(self: Path, target: Path) -> None:
        target.unlink()
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "replace", lost)
    with pytest.raises(atomic_replace.ReplaceUncertain) as error:
        tag(song, state_db)
    assert "unchanged" not in str(error.value)
    assert "check whether it is complete" in str(error.value)
    assert len(state_db.changes()) == 1


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("save_tags", sqlite3.OperationalError("database or disk is full")),
        ("save_tags", sqlite3.OperationalError("database is locked")),
        ("save_files", sqlite3.DatabaseError("database disk image is malformed")),
        ("save_files", OSError(errno.EIO, "Input/output error")),
        ("save_files", OSError(errno.ENOSPC, "No space left on device")),
    ],
)
def test_an_error_after_the_replacement_never_says_unchanged(
    song: Path, state_db: StateDatabase, monkeypatch: pytest.MonkeyPatch, method: str, error: Exception
) -> None:
    original = song.read_bytes()

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(state_db, method, fail)
    with pytest.raises(atomic_replace.ReplacedWithProblem) as raised:
        tag(song, state_db)
    assert "unchanged" not in str(raised.value)
    assert "was written and can be undone" in str(raised.value)
    monkeypatch.undo()
    [change] = state_db.changes()
    atomic_replace.restore(change, song, state_db)
    assert song.read_bytes() == original


def test_an_error_after_the_restoration_says_restored(
    song: Path, state_db: StateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = song.read_bytes()
    tag(song, state_db)
    [change] = state_db.changes()
    monkeypatch.setattr(state_db, "delete_change", fails_with(errno.EIO))
    with pytest.raises(atomic_replace.RestoredWithProblem, match="was restored"):
        atomic_replace.restore(change, song, state_db)
    assert song.read_bytes() == original


@pytest.mark.parametrize("message", ["database or disk is full", "database is locked", "disk I/O error"])
def test_a_change_that_cannot_be_recorded_is_not_made(
    song: Path, state_db: StateDatabase, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    original = song.read_bytes()

    def fail(*_: Any) -> None:
        raise sqlite3.OperationalError(message)

    monkeypatch.setattr(state_db, "record_change", fail)
    with pytest.raises(atomic_replace.CannotWrite, match=r"the state database failed .* It was left unchanged"):
        tag(song, state_db)
    assert (song.read_bytes(), names(song)) == (original, ["song.mp3"])


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, errno.EIO])
def test_a_state_folder_without_locks_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(fcntl, "flock", fails_with(number))
    with pytest.raises(TaggingInProgress, match="--state with a folder on a local disk"), exclusive_tagging(tmp_path):
        pytest.fail("this must not be reached")


def test_every_sentence_says_what_happened_to_the_file() -> None:
    kinds: list[type[SongError]] = [
        kind for kind in SongError.__subclasses__() if kind.__module__ == atomic_replace.__name__
    ]
    after = {atomic_replace.ReplacedWithProblem, atomic_replace.RestoredWithProblem, atomic_replace.ReplaceUncertain}
    kinds += [tags.NoTags, tags.TagsNotKept]
    for kind in kinds:
        assert ("left unchanged" in kind.sentence) is (kind not in after)


GENRES = ("rock", "jazz", "hiphop", "catru")


def planned(tagged: str, *, group: str = "rock", overwrite: bool = False, overwrite_unknown: bool = False) -> TagPlan:
    song = CollectionSong(
        CollectionFile(Path("song.mp3"), FileState(1, 2, 3, 4)), b"content", tags.FileTags(genre=tagged)
    )
    classified = ClassifiedSong(song, StoredAnswer("rock", 0.9, sure=True, duration=200), group)
    return plan([classified], GENRES, overwrite=overwrite, overwrite_unknown=overwrite_unknown)


@pytest.mark.parametrize("tagged", ["Shoegaze", "Soundtrack", "Nhạc phim", "Podcast", "Krautrock", "My favourites"])
def test_a_genre_that_the_release_does_not_know_is_replaced_only_on_request(tagged: str) -> None:
    assert planned(tagged).changes == []
    kept = planned(tagged, overwrite=True)
    assert (kept.changes, len(kept.kept_unknown)) == ([], 1)
    assert [change.genre for change in planned(tagged, overwrite_unknown=True).changes] == ["Rock"]


@pytest.mark.parametrize("tagged", ["Jazz", "hip hop", "Ca Trù", "Hip-Hop/Rap", "Pop Jazz"])
def test_a_genre_that_the_release_knows_is_replaced_with_overwrite(tagged: str) -> None:
    assert planned(tagged).changes == []
    assert [change.genre for change in planned(tagged, overwrite=True).changes] == ["Rock"]


@pytest.mark.parametrize(("overwrite", "unknown"), [(False, False), (True, False), (False, True), (True, True)])
def test_a_song_without_a_genre_is_tagged_only_if_the_model_is_sure(overwrite: bool, unknown: bool) -> None:
    def changes(tagged: str, group: str = "rock") -> list[str]:
        found = planned(tagged, group=group, overwrite=overwrite, overwrite_unknown=unknown)
        return [change.genre for change in found.changes]

    assert changes("") == ["Rock"]
    assert changes("", NOT_SURE) == []
    assert changes("Rock") == []


def test_a_state_database_of_the_version_before_is_read(tmp_path: Path) -> None:
    state_db = StateDatabase(tmp_path)
    state_db.save_tags(b"content", tags.FileTags("Other"))
    state_db.close()
    with sqlite3.connect(tmp_path / "organize.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    state_db = StateDatabase(tmp_path)
    assert state_db.tags(b"content") is None  # read again, since that version saved genres that say nothing
    state_db.close()
    with sqlite3.connect(tmp_path / "organize.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 3")
    connection.close()
    with pytest.raises(StateDatabaseError, match="another version"):
        StateDatabase(tmp_path)
