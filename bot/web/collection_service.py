"""Folders that are dropped on the page: their songs come one by one, are heard beside the queue, and are deleted.

How songs are put in order is the matter of ``classifier.library``; how a folder is shown, of ``collection_view``.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.errors import ButtonExpired, FileUnreadable, FolderInProgress, OurFault
from bot.core.messages import clean_title
from bot.web.collection_corrections import KeepingClassifier
from bot.web.collection_results import CollectionResults
from bot.web.collection_run import CollectionRun
from bot.web.collection_store import CollectedSongState, CollectionState
from common.errors import EmptyFile, SongError, TooLarge
from storage import means_outage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

    from bot.core.conversation import Conversation
    from bot.core.localization import Localizer
    from bot.core.upload_store import UploadStore
    from bot.web.collection_store import CollectedSong, ListedFile, StoredCollection
    from bot.web.history_store import HistoryEntry, HistoryStore
    from classifier.inference.worker_pool import WorkerPool
    from classifier.library.scan_result import ScanResult
    from classifier.library.tags import FileTags

MOST_SONGS = 200
# Besides those that are heard: the next song is here when its turn comes.
SONGS_WAITING = 1
# A page that waits for room is told after so many looks, before a proxy on the way gives up.
ROOM_LOOKS = 15
LOOK_SECONDS = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """A folder as it stands now.

    Attributes
    ----------
    collection
        What is remembered of it.
    findings
        What its songs sound like, once it is done or stopped; else None.
    busy
        Whether its songs are coming or being heard.
    per_minute, minutes_left
        While they are: how fast that goes, and how long it will take, as far as anybody can tell.
    """

    collection: StoredCollection
    findings: ScanResult | None
    busy: bool
    per_minute: float = 0
    minutes_left: int | None = None


class Collections:
    """The folders of everybody.

    Parameters
    ----------
    conversation
        Whose queue the songs are heard beside.
    memory, spool
        The page's.
    folder
        Holds a folder for each collection, named by its entry's token.
    tell
        Tells open pages of an entry, by its number.
    """

    def __init__(
        self,
        conversation: Conversation,
        memory: HistoryStore,
        spool: UploadStore,
        folder: Path,
        tell: Callable[[int], Awaitable[None]],
    ) -> None:
        self._conversation = conversation
        self._history = memory
        self._uploads = spool
        self._folder = folder
        self._tell = tell
        self._results = CollectionResults(conversation, folder)
        self._folder_runs: dict[int, CollectionRun] = {}
        self._reader: WorkerPool[str, FileTags] | None = None
        self._reader_lock = asyncio.Lock()
        self._errands: set[asyncio.Task[None]] = set()

    async def sweep(self) -> None:
        """Delete what is left of folders that are no longer remembered."""
        self._folder.mkdir(parents=True, exist_ok=True)
        known = {entry.token for entry in await self._history.all_collections()}
        for path in self._folder.iterdir():
            if path.name not in known:
                await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)

    async def close(self) -> None:
        """End all work; songs that were here have to be sent again."""
        tasks = [task for folder_run in self._folder_runs.values() for task in folder_run.tasks.values()]
        for folder_run in self._folder_runs.values():
            folder_run.end()
        await asyncio.gather(*tasks, *self._errands, return_exceptions=True)
        for folder_run in self._folder_runs.values():
            folder_run.state_db.close()
        self._folder_runs.clear()
        await self._rest()

    # What people do

    async def begin(
        self, person: str, name: str, files: Sequence[ListedFile]
    ) -> tuple[HistoryEntry, list[CollectedSong]]:
        """Take a folder, or go on with it if it was dropped before; return which songs are still to be sent.

        Parameters
        ----------
        person
            Keyed hash.
        files
            At most ``MOST_SONGS``.

        Raises
        ------
        FolderInProgress
            If another folder of theirs is just being heard.
        """
        self._conversation.queue.check_open()
        title = clean_title(name)
        entry = await self._history.latest_collection(person, title)
        before = None if entry is None else await self._history.collections.get(entry.id)
        if before is None or {song.file for song in before.songs}.isdisjoint(files):
            entry = None
        for other, folder_run in list(self._folder_runs.items()):
            theirs = await self._history.get(other)
            if folder_run.busy and theirs is not None and theirs.person == person and theirs != entry:
                raise FolderInProgress()
        if entry is None:
            entry = await self._history.add_collection(person, title, secrets.token_hex(16))
        await self._history.collections.list_songs(entry.id, files)
        await self._history.collections.become(entry.id, CollectionState.OPEN)
        await self._turn_away(entry)
        missing = await self.missing(entry)
        if missing:
            with (await self._open(entry)).visited():
                pass
        else:
            await self._finish(entry)
        return entry, missing

    async def missing(self, entry: HistoryEntry) -> list[CollectedSong]:
        """Return the songs whose bytes are still to come."""
        collection = await self._get(entry)
        here = self._folder_runs[entry.id].here() if entry.id in self._folder_runs else set()
        return [song for song in collection.having(CollectedSongState.MISSING) if song.number not in here]

    async def receive(self, entry: HistoryEntry, number: int, chunks: AsyncIterator[bytes]) -> bool:
        """Take a song's bytes, to be heard as soon as may be; return whether there is room for another.

        Bytes that nobody asked for (any more) are not read.
        """
        folder_run = await self._asked_for(entry, number)
        if folder_run is None:
            return entry.id not in self._folder_runs or self._folder_runs[entry.id].room
        with folder_run.visited():
            folder_run.arriving.add(number)
            try:
                file = await self._uploads.receive(chunks, entry.person)
            except SongError as error:
                await self._history.collections.failed(entry.id, number, error.code, error.values)
                await self._after_song(entry)
            else:
                if self._folder_runs.get(entry.id) is not folder_run:  # stopped while it came
                    self._uploads.delete(file)
                    return False
                task = asyncio.create_task(
                    self._classify(entry, number, file, folder_run), name=f"folder-song-{number}"
                )
                folder_run.tasks[number] = task
            finally:
                folder_run.arriving.discard(number)
            return folder_run.room

    async def unreadable(self, entry: HistoryEntry, number: int) -> None:
        """Note that a browser could not read a file of the folder."""
        if await self._asked_for(entry, number) is not None:
            error = FileUnreadable()
            await self._history.collections.failed(entry.id, number, error.code, error.values)
            await self._after_song(entry)

    async def wait_for_room(self, entry: HistoryEntry, gone: Callable[[], bool]) -> bool:
        """Wait until another song may be sent, but not for ever and not for a page that has gone; return whether."""
        collection = await self._get(entry)
        if collection.state is not CollectionState.OPEN:
            return False
        folder_run = await self._open(entry)
        with folder_run.visited():
            for _ in range(ROOM_LOOKS):
                if folder_run.room or gone():
                    break
                await folder_run.change(LOOK_SECONDS)
            return folder_run.room and entry.id in self._folder_runs

    async def stop(self, entry: HistoryEntry) -> None:
        """Hear no more of a folder; what was heard stays."""
        collection = await self._get(entry)
        if collection.state is CollectionState.OPEN:
            await self._history.collections.become(entry.id, CollectionState.STOPPED)
            await self._let_go(entry.id)

    async def rely_from(self, entry: HistoryEntry, minimum: float | None) -> None:
        """Choose the least confidence of an answer that is relied on; None for what the release calls sure."""
        await self._history.collections.rely_from(entry.id, minimum)

    async def kept(self, entry: HistoryEntry) -> dict[str, list[str]]:
        """Return what is kept of the songs of an entry, as JSON data; nothing for one that is no folder."""
        collection = await self._history.collections.get(entry.id)
        return {} if collection is None else {"songs": [song.file.path for song in collection.songs]}

    async def forget(self, entry: HistoryEntry) -> None:
        """Delete what is kept of a folder beside its entry."""
        await self._let_go(entry.id)
        await asyncio.to_thread(shutil.rmtree, self._folder / entry.token, ignore_errors=True)

    # What people see

    async def look(self, entry: HistoryEntry, words: Localizer) -> Look:
        """Return a folder as it stands now."""
        collection = await self._get(entry)
        if collection.state is not CollectionState.OPEN:
            findings = await asyncio.to_thread(self._results.findings, entry, collection, words)
            return Look(collection, findings, busy=False)
        folder_run = self._folder_runs.get(entry.id)
        if folder_run is None:
            return Look(collection, None, busy=False)
        left = len(collection.having(CollectedSongState.MISSING))
        speed, minutes = folder_run.per_minute(), folder_run.minutes_left(left)
        return Look(collection, None, busy=True, per_minute=speed, minutes_left=minutes)

    async def report(self, entry: HistoryEntry, words: Localizer) -> tuple[str, str]:
        """Return the report page, and the content security policy that it needs."""
        collection = await self._get(entry)
        return await asyncio.to_thread(self._results.report, entry, collection, words)

    async def playlists(self, entry: HistoryEntry, words: Localizer) -> bytes:
        """Return a zip file of the playlists and the report, to be unpacked in the folder."""
        collection = await self._get(entry)
        return await asyncio.to_thread(self._results.playlists, entry, collection, words)

    # The work

    async def _get(self, entry: HistoryEntry) -> StoredCollection:
        collection = await self._history.collections.get(entry.id)
        if collection is None:
            raise ButtonExpired()
        return collection

    async def _asked_for(self, entry: HistoryEntry, number: int) -> CollectionRun | None:
        """Return the folder under way if a song's bytes are to come now, else None."""
        self._conversation.queue.check_open()
        collection = await self._get(entry)
        missing = {song.number for song in collection.having(CollectedSongState.MISSING)}
        if collection.state is not CollectionState.OPEN or number not in missing:
            return None
        folder_run = await self._open(entry)
        return folder_run if number not in folder_run.here() and folder_run.room else None

    async def _turn_away(self, entry: HistoryEntry) -> None:
        """Note which songs need not be sent, by their sizes."""
        for song in (await self._get(entry)).having(CollectedSongState.MISSING):
            error: SongError | None = None
            if song.file.size == 0:
                error = EmptyFile()
            elif song.file.size > self._uploads.max_bytes:
                error = TooLarge(megabytes=self._uploads.max_megabytes)
            if error is not None:
                await self._history.collections.failed(entry.id, song.number, error.code, error.values)

    async def _open(self, entry: HistoryEntry) -> CollectionRun:
        if entry.id not in self._folder_runs:
            state_db = await asyncio.to_thread(self._results.state_db, entry)
            if entry.id in self._folder_runs:  # two songs came at once
                state_db.close()
            else:
                ahead = self._conversation.queue.background.at_once + SONGS_WAITING
                self._folder_runs[entry.id] = CollectionRun(state_db, ahead, lambda: self._run(self._pause(entry.id)))
        return self._folder_runs[entry.id]

    async def _classify(self, entry: HistoryEntry, number: int, file: str, folder_run: CollectionRun) -> None:
        """Hear one song and delete it."""
        from classifier.library.atomic_replace import file_sha256
        from classifier.library.scan import classify_song
        from classifier.library.state_db import StoredAnswer

        state_db, path = folder_run.state_db, self._uploads.path(file)
        try:
            content = await asyncio.to_thread(file_sha256, path)
            classifier = KeepingClassifier(self._conversation, content, (await self._get(entry)).path_of(number))
            if state_db.tags(content) is None:
                await asyncio.to_thread(state_db.save_tags, content, await self._tags(path))
            release = classifier.release
            async with folder_run.turns[content]:
                if not isinstance(state_db.outcome(content, release), StoredAnswer):
                    await classify_song(content, path, classifier, state_db)
                    if not isinstance(state_db.outcome(content, release), StoredAnswer):
                        release = classifier.release  # another one took its place while the song was heard
            await self._history.collections.heard(entry.id, number, content, release)
        except SongError as error:
            await self._history.collections.failed(entry.id, number, error.code, error.values)
        except Exception as error:
            if means_outage(error):
                log.warning("a song of a folder is asked for again: nothing can be saved at the moment")
                return
            log.exception("a song of a folder failed through a bug")
            await self._history.collections.failed(entry.id, number, OurFault.code, {})
        finally:
            self._uploads.delete(file)
            folder_run.song_ended(number)
        await self._after_song(entry)

    async def _tags(self, path: Path) -> FileTags:
        from classifier.inference.worker_pool import WorkerPool
        from classifier.inference.worker_process import WorkerError
        from classifier.library.tag_reader import LIMITS, TagReader
        from classifier.library.tags import FileTags

        async with self._reader_lock:
            if self._reader is None:
                reader = WorkerPool(TagReader, workers=1, limits=LIMITS)
                await reader.start()
                self._reader = reader
        try:
            return await self._reader.run(path)
        except (SongError, WorkerError):
            log.warning("the tags of a song cannot be read", exc_info=True)
            return FileTags()

    async def _after_song(self, entry: HistoryEntry) -> None:
        collection = await self._history.collections.get(entry.id)
        if collection is None:  # forgotten meanwhile
            return
        if not collection.having(CollectedSongState.MISSING):
            await self._finish(entry)
        await self._tell(entry.id)

    async def _finish(self, entry: HistoryEntry) -> None:
        await self._history.collections.become(entry.id, CollectionState.DONE)
        # Not here: the song that was the last one is not to cancel itself.
        self._run(self._let_go(entry.id))

    async def _pause(self, entry_id: int) -> None:
        """Nobody sends any more: say so, and hold nothing open for it."""
        folder_run = self._folder_runs.get(entry_id)
        if folder_run is not None and not folder_run.busy:
            await self._let_go(entry_id)
            await self._tell(entry_id)

    async def _let_go(self, entry_id: int) -> None:
        folder_run = self._folder_runs.pop(entry_id, None)
        if folder_run is None:
            return
        tasks = list(folder_run.tasks.values())
        folder_run.end()
        await asyncio.gather(*tasks, return_exceptions=True)
        folder_run.state_db.close()
        if not self._folder_runs:
            await self._rest()

    async def _rest(self) -> None:
        """End the process that reads tags until there is a folder again."""
        async with self._reader_lock:
            reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()

    def _run(self, errand: Awaitable[None]) -> None:
        task = asyncio.ensure_future(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
