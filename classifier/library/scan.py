"""Hearing a collection: every content once, through the same executor as any other song.

What was heard before is taken from the notebook; what came of it now is written there at once.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import numpy as np

from classifier.commands.batch import say
from classifier.commands.file_arguments import CannotRead
from classifier.errors import Damaged, NoSound, NotAudio, Silent, TooShort
from classifier.features.families import TEXTURE
from classifier.inference.worker_process import WorkFailed
from classifier.library import tags
from classifier.library.atomic_replace import Changed, digest
from classifier.library.collection import State
from classifier.library.findings import Findings
from classifier.library.grouping import Heard, Song, shelf_of
from classifier.library.progress import SECONDS_PER_MINUTE, bar
from classifier.library.state_db import Answer, Failure
from common.errors import EmptyFile, SongError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from classifier.inference.executor import Release, SongExecutor
    from classifier.library.collection import Found
    from classifier.library.state_db import Notebook
    from classifier.song_report import Classification

FAULTS_OF_THE_CONTENT: Final = frozenset(
    kind.code for kind in (Damaged, EmptyFile, NoSound, NotAudio, Silent, TooShort)
)
"""They will be the same next time; others, such as a worker that was lost, may not."""
READ_AT_ONCE: Final = 2
FILES_PER_TRANSACTION: Final = 50

Item = TypeVar("Item")


class Ear(Protocol):
    """What ``hear_song`` needs of an executor."""

    @property
    def release(self) -> str: ...

    async def classify(self, path: Path) -> Classification: ...


async def hear(
    folder: Path,
    files: Sequence[Found],
    executor: SongExecutor,
    release: Release,
    notebook: Notebook,
    *,
    minimum_confidence: float | None,
    at_once: int,
) -> Findings:
    """Find out what every file of a collection sounds like.

    Parameters
    ----------
    executor
        Not started: it is if there is anything to hear.
    release
        Which it will load.
    minimum_confidence
        As in ``classifier.library.grouping.shelf_of``.
    at_once
        How many songs the executor is given.
    """
    with bar("Reading", "files", len(files)) as step:
        songs, unreadable = await recognise(files, notebook, step)
    outcomes: dict[bytes, Answer | Failure] = {}
    unheard: dict[bytes, Path] = {}
    for song in songs:
        known = notebook.outcome(song.content, release.name)
        if known is None:
            unheard.setdefault(song.content, song.path)
        else:
            outcomes[song.content] = known
    minutes = 1.0
    if unheard:
        await executor.start()
        begun = time.monotonic()
        with bar("Listening", "songs", len(unheard)) as step:
            outcomes |= await listen(unheard, executor, notebook, step, at_once=at_once)
        minutes = (time.monotonic() - begun) / SECONDS_PER_MINUTE
    heard: list[Heard] = []
    failures = list(unreadable.items())
    for song in songs:
        outcome = outcomes[song.content]
        if isinstance(outcome, Answer):
            heard.append(Heard(song, outcome, shelf_of(outcome, minimum_confidence)))
        else:
            failures.append((song.path, outcome))
    return Findings(folder, release.name, release.genres, heard, failures, len(unheard), len(unheard) / minutes)


async def recognise(
    files: Sequence[Found], notebook: Notebook, step: Callable[[], None]
) -> tuple[list[Song], dict[Path, Failure]]:
    """Find out which content each file has, reading only what is new or has changed.

    Parameters
    ----------
    step
        Called as each file is done.

    Returns
    -------
    The songs in the order of the files, and what is wrong with files that could not be read.
    """
    songs: dict[Path, Song] = {}
    unreadable: dict[Path, Failure] = {}
    fresh: list[tuple[Path, State, bytes]] = []

    async def look(file: Found) -> None:
        content = notebook.content_of(file.path, file.state)
        try:
            if content is None:
                content = await asyncio.to_thread(digest, file.path)
                fresh.append((file.path, file.state, content))
            said = notebook.tags(content)
            if said is None:
                said = await asyncio.to_thread(tags.read, file.path)
                notebook.remember_tags(content, said)
            songs[file.path] = Song(file, content, said)
        except OSError:
            unreadable[file.path] = _failure(CannotRead())
        if len(fresh) >= FILES_PER_TRANSACTION:
            notebook.remember_files(fresh)
            fresh.clear()
        step()

    try:
        await _each(files, look, at_once=READ_AT_ONCE)
    finally:
        notebook.remember_files(fresh)
    return [songs[file.path] for file in files if file.path in songs], unreadable


async def listen(
    paths: Mapping[bytes, Path],
    executor: SongExecutor,
    notebook: Notebook,
    step: Callable[[], None],
    *,
    at_once: int,
) -> dict[bytes, Answer | Failure]:
    """Have contents classified that the release was not asked about before.

    Parameters
    ----------
    paths
        Content → one of the files that hold it.
    step
        Called as each song is done.
    at_once
        How many songs the executor is given.

    Returns
    -------
    Content → what came of it. One failure, even a bug, ends that song only.
    """
    outcomes: dict[bytes, Answer | Failure] = {}

    async def hear(item: tuple[bytes, Path]) -> None:
        content, path = item
        try:
            outcomes[content] = await hear_song(content, path, executor, notebook)
        except OSError:
            outcomes[content] = _failure(CannotRead())
        except SongError as error:
            outcomes[content] = _failure(error)
        except WorkFailed as bug:
            say("".join(traceback.format_exception(bug)).rstrip())
            outcomes[content] = _failure(SongError())
        step()

    await _each(paths.items(), hear, at_once=at_once)
    return outcomes


async def hear_song(content: bytes, path: Path, ear: Ear, notebook: Notebook) -> Answer:
    """Have a content classified, and write down what came of it.

    Parameters
    ----------
    content
        SHA-256 of the file.
    path
        Of one of the files that hold it.

    Raises
    ------
    SongError
        What is wrong with it; written down, too, if it will be the same next time.
    OSError
        If the file cannot be read any more.
    WorkFailed
        For a bug.
    """
    before = State.now(path)
    try:
        classification = await ear.classify(path)
    except SongError as error:
        if error.code in FAULTS_OF_THE_CONTENT:
            await asyncio.to_thread(notebook.remember_failure, content, ear.release, _failure(error))
        raise
    if State.now(path) != before:
        raise Changed
    answer, texture = _answer(classification), mean_texture(classification)
    await asyncio.to_thread(notebook.remember_answer, content, classification.report.model, answer, texture)
    return answer


def mean_texture(classification: Classification) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Average the texture of a song's segments by their lengths, shape (2192,)."""
    segments = classification.features
    lengths = [segment.end - segment.start for segment in segments]
    mean = np.average([segment.families[TEXTURE] for segment in segments], axis=0, weights=lengths)
    return mean.astype(np.float32)


def _answer(classification: Classification) -> Answer:
    report = classification.report
    second = next((genre for genre, _ in report.runners_up(1)), "")
    return Answer(report.genre, report.confidence, report.sure, report.duration, second)


def _failure(error: SongError) -> Failure:
    return Failure(error.code, str(error))


async def _each(items: Iterable[Item], work: Callable[[Item], Awaitable[None]], *, at_once: int) -> None:
    """Do work on items, some at a time, never more of them in memory than that."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())
