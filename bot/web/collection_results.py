"""What came of a folder that was dropped on the page: playlists and a report, made from its state database on demand.

All of this reads from the disk, and belongs in threads. The work itself is the matter of ``classifier.library``, which
is imported only when there is a folder: a bot that is sent single songs does without.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from bot.web.collection_store import CollectedSongState

if TYPE_CHECKING:
    from bot.core.conversation import Conversation
    from bot.core.localization import Localizer
    from bot.web.collection_store import CollectedSong, StoredCollection
    from bot.web.history_store import HistoryEntry
    from classifier.library.grouping import ClassifiedSong
    from classifier.library.scan_result import ScanResult
    from classifier.library.state_db import StateDatabase

NOWHERE = Path("/")
"""Where songs are said to lie that have been deleted."""


class CollectionResults:
    """What came of folders.

    Parameters
    ----------
    conversation
        Whose queue the songs were heard beside.
    folder
        Holds a folder for each collection, named by its entry's token.
    """

    def __init__(self, conversation: Conversation, folder: Path) -> None:
        self._conversation = conversation
        self._folder = folder

    def state_db(self, entry: HistoryEntry) -> StateDatabase:
        """Open what a folder's songs sound like; to be closed again."""
        from classifier.library.state_db import StateDatabase

        return StateDatabase(self._folder / entry.token)

    def findings(
        self, entry: HistoryEntry, collection: StoredCollection, words: Localizer, root: Path = NOWHERE
    ) -> ScanResult:
        """Put together what a folder's songs sound like, as though it lay in ``root``."""
        from classifier.library.scan_result import ScanResult
        from classifier.library.state_db import ScanFailure

        with closing(self.state_db(entry)) as state_db:
            heard = [
                found
                for song in collection.having(CollectedSongState.HEARD)
                if (found := _heard(song, state_db, collection.minimum, root)) is not None
            ]
        failures = [
            (
                root / song.file.path,
                ScanFailure(str(song.error), words.translate(f"error-{song.error}", **song.error_values)),
            )
            for song in collection.having(CollectedSongState.FAILED)
        ]
        aside = self._conversation.queue.background
        releases = {song.release for song in collection.songs if song.release} or {aside.release}
        return ScanResult(root, ", ".join(sorted(releases)), aside.genres, heard, failures, name=entry.title or "…")

    def report(self, entry: HistoryEntry, collection: StoredCollection, words: Localizer) -> tuple[str, str]:
        """Return the report page, and the content security policy that it needs."""
        from classifier.library import report

        findings = self.findings(entry, collection, words)
        with closing(self.state_db(entry)) as state_db:
            # What is served here has no way to the songs: they are where they were dropped from.
            page = report.render(report.report_data(findings, None, state_db, words.language), words.language)
            return page, report.content_security_policy()

    def playlists(self, entry: HistoryEntry, collection: StoredCollection, words: Localizer) -> bytes:
        """Return a zip file of the playlists and the report."""
        from classifier.library import grouping, playlists, report

        packed = io.BytesIO()
        with tempfile.TemporaryDirectory(prefix="genre-bot-") as name:
            folder = Path(name).resolve()
            findings = self.findings(entry, collection, words, folder)
            playlists.write(folder, grouping.group_songs(findings.songs), words.language)
            with closing(self.state_db(entry)) as state_db:
                report.write(folder / "report.html", findings, state_db, words.language)
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(folder.iterdir()):
                    archive.write(path, path.name)
        return packed.getvalue()


def _heard(song: CollectedSong, state_db: StateDatabase, minimum: float | None, root: Path) -> ClassifiedSong | None:
    """Return a song on its shelf, None if its answer was lost."""
    from classifier.library import grouping
    from classifier.library.collection import CollectionFile, FileState
    from classifier.library.state_db import StoredAnswer
    from classifier.library.tags import FileTags

    content, release = song.content or b"", song.release or ""
    answer = state_db.outcome(content, release)
    if not isinstance(answer, StoredAnswer):
        return None
    found = CollectionFile(root / song.file.path, FileState(song.file.size, 0, 0, 0))
    known = grouping.CollectionSong(found, content, state_db.tags(content) or FileTags())
    return grouping.ClassifiedSong(known, answer, song.label or grouping.group_of(answer, minimum))
