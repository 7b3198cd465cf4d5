"""Folders as the page shows them: plain JSON, worded in the page's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.core.localization import percent
from bot.web.collection_store import CollectedSongState, CollectionState

if TYPE_CHECKING:
    from bot.core.localization import Localizer
    from bot.web.collection_corrections import Lesson
    from bot.web.collection_service import Look
    from bot.web.collection_store import CollectedSong, StoredCollection
    from bot.web.history_store import HistoryEntry
    from classifier.library.scan_result import ScanResult
    from classifier.library.state_db import StoredAnswer

# Least confidences that can be chosen, percent.
MINIMUMS = (50, 60, 70, 80, 90)


def collected(entry: HistoryEntry, look: Look, words: Localizer, lesson: Lesson | None = None) -> dict[str, Any]:
    """Return a folder: how far it is, or what was found in it, and whether its name is the genre of its songs."""
    collection = look.collection
    count = words.translate("page-collection-songs", count=len(collection.songs))
    failed = collection.having(CollectedSongState.FAILED)
    shown: dict[str, Any] = {
        "id": entry.id,
        "state": "collection",
        "title": f"{entry.title or '…'} ({count})",
        "audio": None,
        "going": look.busy,
        "again": None
        if look.busy or collection.state is CollectionState.DONE
        else words.translate("page-collection-again"),
        "text": _told(look, words),
        "share": _done(look) / max(len(collection.songs), 1),
        "failed": words.translate("page-collection-failures", count=len(failed)) if failed else None,
        "failures": [
            {"path": song.file.path, "why": words.translate(f"error-{song.error}", **song.error_values)}
            for song in failed
        ],
        "sorted": None,
        "lesson": None if lesson is None else _lesson(lesson, words),
    }
    if look.findings is not None and look.findings.songs:
        shown["sorted"] = _sorted(entry, collection, look.findings, words)
    return shown


def _lesson(lesson: Lesson, words: Localizer) -> dict[str, str]:
    return {
        "text": words.translate("page-lesson", songs=lesson.songs, genre=words.genre(lesson.label)),
        "yes": words.translate("page-lesson-yes"),
        "no": words.translate("page-lesson-no"),
    }


def _song(song: CollectedSong, answer: StoredAnswer, words: Localizer) -> dict[str, Any]:
    # Without a genre it is no music.
    name = words.genre(answer.genre)
    return {
        "number": song.number,
        "path": song.file.path,
        "answer": f"{name} {percent(answer.confidence)}%" if answer.genre else name,
        "label": None if song.label is None else words.genre(song.label),
    }


def _done(look: Look) -> int:
    return len(look.collection.songs) - len(look.collection.having(CollectedSongState.MISSING))


def _told(look: Look, words: Localizer) -> str:
    done, total = _done(look), len(look.collection.songs)
    if look.collection.state is CollectionState.DONE:
        return words.translate("page-collection-done", songs=len(look.collection.having(CollectedSongState.HEARD)))
    if look.collection.state is CollectionState.STOPPED:
        return words.translate("page-collection-stopped", done=done, total=total)
    if not look.busy:
        return words.translate("page-collection-paused", done=done, total=total)
    if look.minutes_left is None:
        return words.translate("page-collection-progress", done=done, total=total)
    speed = max(1, round(look.per_minute))
    if look.minutes_left == 0:
        return words.translate("page-collection-progress-soon", done=done, total=total, speed=speed)
    return words.translate(
        "page-collection-progress-minutes", done=done, total=total, speed=speed, minutes=look.minutes_left
    )


def _sorted(
    entry: HistoryEntry, collection: StoredCollection, findings: ScanResult, words: Localizer
) -> dict[str, Any]:
    from classifier.library.grouping import NOT_MUSIC, NOT_SURE, WITHOUT_GENRE, group_songs

    found = group_songs(findings.songs)
    without_genre = {
        NOT_SURE: words.translate("page-collection-not-sure"),
        NOT_MUSIC: words.translate("page-collection-not-music"),
    }
    most = max(len(songs) for songs in found.values())
    by_path = {song.file.path: song for song in collection.songs}
    minimum = collection.minimum
    percents = [None if minimum is None else round(100 * minimum)]
    address = f"collections/{entry.id}"
    return {
        "shelves": [
            {
                "name": without_genre.get(shelf) or words.genre_title(shelf),
                "count": len(songs),
                "share": len(songs) / most,
                "sure": shelf not in WITHOUT_GENRE,
                "songs": [
                    _song(by_path[song.song.path.relative_to(findings.folder).as_posix()], song.answer, words)
                    for song in songs
                ],
            }
            for shelf, songs in found.items()
        ],
        "minimums": [
            {
                "percent": least,
                "name": words.translate("page-collection-minimum-sure")
                if least is None
                else words.translate("page-collection-minimum-percent", percent=least),
                "chosen": least in percents,
            }
            for least in (None, *MINIMUMS)
        ],
        "report": f"{address}/report?language={words.language}",
        "playlists": f"{address}/playlists.zip?language={words.language}",
        "unpack": words.translate("page-collection-unpack", name=entry.title or "…"),
    }
