"""Classifies the songs of a collection, each content only once, with an executor.

Answers of earlier runs come from the state database; new ones are saved there immediately.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import numpy as np

from classifier.console import print_error
from classifier.errors import Damaged, NoSound, NotAudio, Silent, TooShort
from classifier.features.families import TEXTURE
from classifier.file_arguments import CannotRead
from classifier.inference.worker_process import WorkerError
from classifier.library import tags
from classifier.library.atomic_replace import FileChanged, file_sha256
from classifier.library.collection import FileState
from classifier.library.grouping import ClassifiedSong, CollectionSong, group_of
from classifier.library.progress import SECONDS_PER_MINUTE, progress_bar
from classifier.library.scan_result import ScanResult
from classifier.library.state_db import ScanFailure, StoredAnswer
from common.errors import EmptyFile, SongError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from classifier.inference.executor import Release, SongExecutor
    from classifier.library.collection import CollectionFile
    from classifier.library.state_db import StateDatabase
    from classifier.song_report import Classification

PERMANENT_ERRORS: Final = frozenset(kind.code for kind in (Damaged, EmptyFile, NoSound, NotAudio, Silent, TooShort))
"""Error codes that depend on the file's content alone and are saved; others, such as a lost worker, may pass."""
CONCURRENT_READS: Final = 2
FILES_PER_TRANSACTION: Final = 50

Item = TypeVar("Item")


class Classifier(Protocol):
    """The part of an executor that ``classify_song`` needs."""

    @property
    def release(self) -> str: ...

    async def classify(self, path: Path) -> Classification: ...


async def scan(
    folder: Path,
    files: Sequence[CollectionFile],
    executor: SongExecutor,
    release: Release,
    state_db: StateDatabase,
    *,
    minimum_confidence: float | None,
    concurrency: int,
) -> ScanResult:
    """Classify every file of a collection.

    Parameters
    ----------
    executor
        Not started yet; it is started if there is a song that is not in the state database.
    release
        The release that the executor will load.
    minimum_confidence
        See ``classifier.library.grouping.group_of``.
    concurrency
        Number of songs submitted to the executor at a time.
    """
    with progress_bar("Reading", "files", len(files)) as step:
        songs, unreadable = await identify_songs(files, state_db, step)
    outcomes: dict[bytes, StoredAnswer | ScanFailure] = {}
    unclassified: dict[bytes, Path] = {}
    for song in songs:
        known = state_db.outcome(song.content, release.name)
        if known is None:
            unclassified.setdefault(song.content, song.path)
        else:
            outcomes[song.content] = known
    minutes = 1.0
    if unclassified:
        await executor.start()
        started = time.monotonic()
        with progress_bar("Classifying", "songs", len(unclassified)) as step:
            outcomes |= await classify_contents(unclassified, executor, state_db, step, concurrency=concurrency)
        minutes = (time.monotonic() - started) / SECONDS_PER_MINUTE
    classified: list[ClassifiedSong] = []
    failures = list(unreadable.items())
    for song in songs:
        outcome = outcomes[song.content]
        if isinstance(outcome, StoredAnswer):
            classified.append(ClassifiedSong(song, outcome, group_of(outcome, minimum_confidence)))
        else:
            failures.append((song.path, outcome))
    count = len(unclassified)
    return ScanResult(folder, release.name, release.genres, classified, failures, count, count / minutes)


async def identify_songs(
    files: Sequence[CollectionFile], state_db: StateDatabase, step: Callable[[], None]
) -> tuple[list[CollectionSong], dict[Path, ScanFailure]]:
    """Determine the content hash and tags of every file; only new and changed files are read.

    Parameters
    ----------
    step
        Called when a file is done.

    Returns
    -------
    The songs in the order of the files, and the errors of files that cannot be read.
    """
    songs: dict[Path, CollectionSong] = {}
    unreadable: dict[Path, ScanFailure] = {}
    unsaved: list[tuple[Path, FileState, bytes]] = []

    async def identify(file: CollectionFile) -> None:
        content = state_db.content_hash_of(file.path, file.state)
        try:
            if content is None:
                content = await asyncio.to_thread(file_sha256, file.path)
                unsaved.append((file.path, file.state, content))
            file_tags = state_db.tags(content)
            if file_tags is None:
                file_tags = await asyncio.to_thread(tags.read, file.path)
                state_db.save_tags(content, file_tags)
            songs[file.path] = CollectionSong(file, content, file_tags)
        except OSError:
            unreadable[file.path] = _failure(CannotRead())
        if len(unsaved) >= FILES_PER_TRANSACTION:
            state_db.save_files(unsaved)
            unsaved.clear()
        step()

    try:
        await _for_each(files, identify, concurrency=CONCURRENT_READS)
    finally:
        state_db.save_files(unsaved)
    return [songs[file.path] for file in files if file.path in songs], unreadable


async def classify_contents(
    paths: Mapping[bytes, Path],
    executor: SongExecutor,
    state_db: StateDatabase,
    step: Callable[[], None],
    *,
    concurrency: int,
) -> dict[bytes, StoredAnswer | ScanFailure]:
    """Classify contents for which the release has no saved answer.

    Parameters
    ----------
    paths
        Content hash → one of the files with this content.
    step
        Called when a song is done.
    concurrency
        Number of songs submitted to the executor at a time.

    Returns
    -------
    Content hash → answer or failure. A failure, even a bug, affects that song only.
    """
    outcomes: dict[bytes, StoredAnswer | ScanFailure] = {}

    async def classify(item: tuple[bytes, Path]) -> None:
        content, path = item
        try:
            outcomes[content] = await classify_song(content, path, executor, state_db)
        except OSError:
            outcomes[content] = _failure(CannotRead())
        except SongError as error:
            outcomes[content] = _failure(error)
        except WorkerError as bug:
            print_error("".join(traceback.format_exception(bug)).rstrip())
            outcomes[content] = _failure(SongError())
        step()

    await _for_each(paths.items(), classify, concurrency=concurrency)
    return outcomes


async def classify_song(content: bytes, path: Path, classifier: Classifier, state_db: StateDatabase) -> StoredAnswer:
    """Classify a file and save the answer.

    Parameters
    ----------
    content
        SHA-256 of the file.
    path
        One of the files with this content.

    Raises
    ------
    SongError
        If the file cannot be classified; permanent errors are saved too.
    OSError
        If the file can no longer be read.
    WorkerError
        For a bug.
    """
    before = FileState.read(path)
    try:
        classification = await classifier.classify(path)
    except SongError as error:
        if error.code in PERMANENT_ERRORS:
            await asyncio.to_thread(state_db.save_failure, content, classifier.release, _failure(error))
        raise
    if FileState.read(path) != before:
        raise FileChanged
    answer, texture = _answer(classification), mean_texture(classification)
    await asyncio.to_thread(state_db.save_answer, content, classification.report.model, answer, texture)
    return answer


def mean_texture(classification: Classification) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return the mean of the segments' texture features, weighted by their durations, shape (2192,)."""
    segments = classification.features
    durations = [segment.end - segment.start for segment in segments]
    mean = np.average([segment.families[TEXTURE] for segment in segments], axis=0, weights=durations)
    return mean.astype(np.float32)


def _answer(classification: Classification) -> StoredAnswer:
    report = classification.report
    second = next((genre for genre, _ in report.runners_up(1)), "")
    return StoredAnswer(report.genre or "", report.confidence, report.sure, report.duration, second)


def _failure(error: SongError) -> ScanFailure:
    return ScanFailure(error.code, str(error))


async def _for_each(items: Iterable[Item], work: Callable[[Item], Awaitable[None]], *, concurrency: int) -> None:
    """Await ``work`` for every item, a limited number at a time; the items are consumed lazily."""
    remaining = iter(items)

    async def consume() -> None:
        for item in remaining:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(consume())
