"""What came of a folder that was dropped on the page: playlists and a report, made of its notebook when asked for.

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

from bot.web.collection_store import SongState

if TYPE_CHECKING:
    from bot.core.conversation import Conversation
    from bot.core.localization import Localizer
    from bot.web.collection_store import CollectedSong, StoredCollection
    from bot.web.history_store import HistoryEntry
    from classifier.library.findings import Findings
    from classifier.library.grouping import Heard
    from classifier.library.state_db import Notebook

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

    def notebook(self, entry: HistoryEntry) -> Notebook:
        """Open what a folder's songs sound like; to be closed again."""
        from classifier.library.state_db import Notebook

        return Notebook(self._folder / entry.token)

    def findings(
        self, entry: HistoryEntry, collection: StoredCollection, words: Localizer, root: Path = NOWHERE
    ) -> Findings:
        """Put together what a folder's songs sound like, as though it lay in ``root``."""
        from classifier.library.findings import Findings
        from classifier.library.state_db import Failure

        with closing(self.notebook(entry)) as notebook:
            heard = [
                found
                for song in collection.having(SongState.HEARD)
                if (found := _heard(song, notebook, collection.minimum, root)) is not None
            ]
        failures = [
            (root / song.file.path, Failure(str(song.error), words.say(f"error-{song.error}", **song.error_values)))
            for song in collection.having(SongState.FAILED)
        ]
        aside = self._conversation.queue.background
        releases = {song.release for song in collection.songs if song.release} or {aside.release}
        return Findings(root, ", ".join(sorted(releases)), aside.genres, heard, failures, name=entry.title or "…")

    def report(self, entry: HistoryEntry, collection: StoredCollection, words: Localizer) -> tuple[str, str]:
        """Return the report page, and the content security policy that it needs."""
        from classifier.library import report

        findings = self.findings(entry, collection, words)
        with closing(self.notebook(entry)) as notebook:
            # What is served here has no way to the songs: they are where they were dropped from.
            return report.page(report.contents(findings, None, notebook), words.language), report.policy()

    def playlists(self, entry: HistoryEntry, collection: StoredCollection, words: Localizer) -> bytes:
        """Return a zip file of the playlists and the report."""
        from classifier.library import grouping, playlists, report

        packed = io.BytesIO()
        with tempfile.TemporaryDirectory(prefix="genre-bot-") as name:
            folder = Path(name).resolve()
            findings = self.findings(entry, collection, words, folder)
            playlists.write(folder, grouping.shelves(findings.heard))
            with closing(self.notebook(entry)) as notebook:
                report.write(folder / "report.html", findings, notebook, words.language)
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(folder.iterdir()):
                    archive.write(path, path.name)
        return packed.getvalue()


def _heard(song: CollectedSong, notebook: Notebook, minimum: float | None, root: Path) -> Heard | None:
    """Return a song on its shelf, None if its answer was lost."""
    from classifier.library import grouping
    from classifier.library.collection import Found, State
    from classifier.library.state_db import Answer
    from classifier.library.tags import Tags

    content, release = song.content or b"", song.release or ""
    answer = notebook.outcome(content, release)
    if not isinstance(answer, Answer):
        return None
    found = Found(root / song.file.path, State(song.file.size, 0, 0, 0))
    known = grouping.Song(found, content, notebook.tags(content) or Tags())
    return grouping.Heard(known, answer, grouping.shelf_of(answer, minimum))
