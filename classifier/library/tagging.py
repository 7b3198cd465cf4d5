"""Which files get which genre as a tag, and which get back what they had.

How a single file is written and restored is the matter of ``classifier.library.atomic_replace``.
"""

from __future__ import annotations

import fcntl
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from classifier.errors import SongError
from classifier.library import atomic_replace
from classifier.library.grouping import NOT_SURE, genre_name
from classifier.library.scan import identify_songs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from classifier.library.collection import CollectionFile
    from classifier.library.grouping import ClassifiedSong, CollectionSong
    from classifier.library.state_db import Change, StateDatabase

LOCK_NAME: Final = "tagging.lock"


class TaggingInProgress(Exception):
    """Another run is writing tags."""


class CannotWrite(SongError):
    """Placeholders: ``reason``, the system's."""

    code = "cannot-write"
    sentence = "This file could not be written: {reason}. It was left as it is."


@dataclass(frozen=True, slots=True)
class TagChange:
    """A genre that a song is to be tagged with, as people are to read it."""

    song: CollectionSong
    genre: str


@contextmanager
def exclusive_tagging(folder: Path) -> Iterator[None]:
    """Keep other runs from writing at the same time.

    Raises
    ------
    Busy
        If one is writing.
    """
    with (folder / LOCK_NAME).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TaggingInProgress("Another run is writing tags. Wait until it is done.") from error
        yield


def plan(heard: Iterable[ClassifiedSong], *, overwrite: bool) -> list[TagChange]:
    """Choose the songs to tag: sure of their genre, and without one in their tags or, to overwrite, with another."""
    changes = [TagChange(song.song, genre_name(song.group)) for song in heard if song.group != NOT_SURE]
    return [
        change
        for change in changes
        if not change.song.tags.genre or (overwrite and change.song.tags.genre != change.genre)
    ]


def apply_change(change: TagChange, state_db: StateDatabase, *, dry_run: bool) -> SongError | None:
    """Tag a song, or with ``dry_run`` look only whether it may be written; return what is wrong."""
    try:
        if dry_run:
            atomic_replace.check_writable(change.song.path)
        else:
            atomic_replace.write_genre(change.song.path, change.genre, change.song.content, state_db)
    except SongError as error:
        return error
    except OSError as error:
        return CannotWrite(reason=error.strerror or str(error))
    return None


async def changes_to_undo(
    folder: Path, files: Sequence[CollectionFile], state_db: StateDatabase
) -> list[tuple[Change, Path]]:
    """Find the changes that can be undone in a folder, the latest first, and where their files are now.

    A file that is no longer where it was tagged is known by its content.
    """
    songs, _ = await identify_songs(files, state_db, lambda: None)
    here = {song.path for song in songs}
    by_content: dict[bytes, list[Path]] = {}
    for song in songs:
        by_content.setdefault(song.content, []).append(song.path)
    found: list[tuple[Change, Path]] = []
    moved: dict[Path, Path] = {}
    for change in state_db.changes():
        path = change.path
        if path not in here:
            if path.is_relative_to(folder) or not path.exists():
                now = moved.get(path) or next(iter(by_content.get(change.tagged, ())), None)
                if now is not None:
                    moved[path] = now
                    found.append((change, now))
            continue
        found.append((change, path))
    return found


def undo_change(change: Change, path: Path, state_db: StateDatabase, *, dry_run: bool) -> SongError | None:
    """Undo a change, or with ``dry_run`` look only whether the file may be written; return what is wrong."""
    try:
        if dry_run:
            atomic_replace.check_writable(path)
        else:
            atomic_replace.restore(change, path, state_db)
    except SongError as error:
        return error
    except OSError as error:
        return CannotWrite(reason=error.strerror or str(error))
    return None


def remove_leftovers(leftovers: Iterable[Path]) -> None:
    """Remove half-made copies that a killed run left behind; nobody else is making any."""
    for path in leftovers:
        with suppress(OSError):
            path.unlink()
