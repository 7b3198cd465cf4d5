"""Decides which files get which genre as a tag, and which changes are undone.

How a single file is written and restored is in ``classifier.library.atomic_replace``.
"""

from __future__ import annotations

import fcntl
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from classifier.library import atomic_replace
from classifier.library.grouping import WITHOUT_GENRE, genre_name, genres_named_in, same_genre
from classifier.library.scan import identify_songs
from common.errors import SongError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from classifier.library.collection import CollectionFile
    from classifier.library.grouping import ClassifiedSong, CollectionSong
    from classifier.library.state_db import Change, StateDatabase

LOCK_NAME: Final = "tagging.lock"


class TaggingInProgress(Exception):
    """Tags cannot be written now, because another run is writing them, or because the lock cannot be taken."""


@dataclass(frozen=True, slots=True)
class TagChange:
    """A genre to write into a song's tags, as shown to people."""

    song: CollectionSong
    genre: str


@dataclass(frozen=True, slots=True)
class TagPlan:
    """The changes to make, and the songs whose genre is kept because the release does not know it."""

    changes: list[TagChange]
    kept_unknown: list[CollectionSong]


@contextmanager
def exclusive_tagging(folder: Path) -> Iterator[None]:
    """Keep other runs with the same state folder from writing tags at the same time.

    Raises
    ------
    TaggingInProgress
        If another run is writing, or the folder does not support locks.
    """
    with (folder / LOCK_NAME).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TaggingInProgress("Another run is writing tags. Wait until it is done.") from error
        except OSError as error:
            raise TaggingInProgress(
                f"{folder} cannot be locked ({error.strerror}). Use --state with a folder on a local disk."
            ) from error
        yield


def plan(
    songs: Iterable[ClassifiedSong], genres: Sequence[str], *, overwrite: bool, overwrite_unknown: bool = False
) -> TagPlan:
    """Choose the songs to tag.

    Parameters
    ----------
    genres
        The genres of the release.
    overwrite
        Whether to replace another genre, if the release knows it.
    overwrite_unknown
        Whether to replace genres that the release does not know as well.
    """
    changes, kept_unknown = [], []
    for song in songs:
        change = TagChange(song.song, genre_name(song.group))
        tagged = song.song.tags.genre
        if song.group in WITHOUT_GENRE or same_genre(tagged, change.genre):
            continue
        if not tagged or overwrite_unknown or (overwrite and genres_named_in(tagged, genres)):
            changes.append(change)
        elif overwrite:
            kept_unknown.append(song.song)
    return TagPlan(changes, kept_unknown)


def apply_change(change: TagChange, state_db: StateDatabase, *, dry_run: bool) -> SongError | None:
    """Tag a song, or with ``dry_run`` only check whether its file may be written; return the problem, if any."""
    try:
        if dry_run:
            _check_writable(change.song.path)
        else:
            atomic_replace.write_genre(change.song.path, change.genre, change.song.content, state_db)
    except SongError as error:
        return error
    return None


async def changes_to_undo(
    folder: Path, files: Sequence[CollectionFile], state_db: StateDatabase
) -> list[tuple[Change, Path]]:
    """Return the changes that can be undone in a folder, the latest first, and where their files are now.

    A file that is no longer at its recorded path is recognized by its content.
    """
    songs, _ = await identify_songs(files, state_db, lambda: None)
    current_paths = {song.path for song in songs}
    by_content: dict[bytes, list[Path]] = {}
    for song in songs:
        by_content.setdefault(song.content, []).append(song.path)
    found: list[tuple[Change, Path]] = []
    moved: dict[Path, Path] = {}
    for change in state_db.changes():
        path = change.path
        if path in current_paths:
            found.append((change, path))
        elif path.is_relative_to(folder) or not path.exists():
            now = moved.get(path) or next(iter(by_content.get(change.tagged, ())), None)
            if now is not None:
                moved[path] = now
                found.append((change, now))
    return found


def undo_change(change: Change, path: Path, state_db: StateDatabase, *, dry_run: bool) -> SongError | None:
    """Undo a change, or with ``dry_run`` only check whether the file may be written; return the problem, if any."""
    try:
        if dry_run:
            _check_writable(path)
        else:
            atomic_replace.restore(change, path, state_db)
    except SongError as error:
        return error
    return None


def _check_writable(path: Path) -> None:
    try:
        atomic_replace.check_writable(path)
    except OSError as error:
        raise atomic_replace.CannotWrite(reason=error.strerror or str(error)) from error


def remove_leftovers(leftovers: Iterable[Path]) -> None:
    """Remove temporary copies of a killed run. The lock must be held, so that no other run is using them."""
    for path in leftovers:
        with suppress(OSError):
            path.unlink()
