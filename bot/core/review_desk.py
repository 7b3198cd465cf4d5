"""What the moderators' page shows and does: songs with all opinions on them, rulings in bulk, and the releases."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from bot.core import messages, retraining_state, review_message
from bot.core.errors import ReleaseNotChanged
from bot.core.identity import Person
from bot.core.localization import percent
from classifier.inference.manifest import BadRelease
from classifier.inference.releases import CannotPromote, ReleaseEvent, ReleaseStore
from classifier.song_report import SongReport
from storage import ReviewStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bot.core.genre_names import GenreNames
    from bot.core.identity import IdHasher
    from bot.core.localization import Localizer
    from bot.settings import Settings
    from classifier.inference.releases import StoredRelease
    from storage import Correction, Storage

OPINIONS_SHOWN: Final = 500
RULED_AT_ONCE: Final = 500
SOMEBODY: Final = Person("local", "the moderators' page")
REASON: Final = "On the moderators' page."


class ReviewDesk:
    """Whoever calls this has checked that a moderator asks.

    Parameters
    ----------
    storage, hasher, settings, names
        As the conversation's.
    """

    def __init__(self, storage: Storage, hasher: IdHasher, settings: Settings, names: GenreNames) -> None:
        self._storage = storage
        self._hasher = hasher
        self._settings = settings
        self._names = names

    async def show(self, words: Localizer, *, pending: bool = True) -> dict[str, Any]:
        """Return everything that the page shows, worded, as JSON data.

        Parameters
        ----------
        pending
            Whether to show only songs with an opinion that waits for a ruling.
        """
        status = ReviewStatus.PENDING if pending else None
        opinions = await self._storage.feedback.review(status=status, limit=OPINIONS_SHOWN)
        songs: dict[str, list[Correction]] = {}
        for opinion in opinions:
            songs.setdefault(opinion.content_hash, []).append(opinion)
        genres, releases = await asyncio.to_thread(_releases, self._settings.release_dir)
        table = await retraining_state.readiness(self._storage, self._settings)
        state = await retraining_state.load_state(self._storage)
        return {
            "songs": [self._song(mine, words) for mine in songs.values()],
            "readiness": [
                retraining_state.genre_line(genre, words, known=genre.label in genres)
                for genre in table[: retraining_state.GENRES_SHOWN]
            ],
            "run": retraining_state.run_line(state, self._settings, words),
            "releases": [
                {**release, "figure": words.translate("desk-figure", percent=release["base"])}
                if release["base"] is not None
                else {**release, "figure": ""}
                for release in releases
            ],
            "names": {genre: words.genre_title(genre) for release in releases for genre in release["genres"]},
        }

    async def rule(self, numbers: Sequence[int], status: ReviewStatus, label: str | None, words: Localizer) -> str:
        """Rule on several corrections at once, and return a sentence on how many it were.

        Raises
        ------
        BadLabel
            If the text cannot be a genre's name.
        """
        moderator = self._hasher.person(SOMEBODY)
        chosen = None if label is None else (await self._storage.labels.propose(label, moderator)).id
        ruling = await self._storage.reviews.rule(numbers[:RULED_AT_ONCE], status, moderator=moderator, label=chosen)
        lines = [words.translate(f"desk-{status}", count=len(ruling.numbers))]
        return "\n".join([*lines, *review_message.overruled_by_me(ruling.overruled, words)])

    async def report(self, answer_id: int) -> SongReport | None:
        """Return the report of an answer, for its timeline; None if it is no longer stored."""
        answer = await self._storage.songs.answer(answer_id)
        return None if answer is None else SongReport.from_dict(answer.report)

    async def promote(self, name: str | None, words: Localizer) -> str:
        """Let a kept release serve, or without a name the one before; return a sentence.

        Raises
        ------
        ReleaseNotChanged
            With the reason.
        """
        try:
            serving = await asyncio.to_thread(_promote, self._settings.release_dir, name)
        except (BadRelease, CannotPromote, OSError) as reason:
            raise ReleaseNotChanged(reason=str(reason)) from reason
        return words.translate("desk-serves", name=serving)

    def _song(self, opinions: Sequence[Correction], words: Localizer) -> dict[str, Any]:
        first = opinions[0]
        labels = sorted({opinion.verdict for opinion in opinions})
        said = words.genre(first.predicted) if first.predicted else words.translate("review-said-not-music")
        return {
            "song": first.content_hash,
            "answer": first.answer_id,
            "title": messages.clean_title(first.title) or words.translate("desk-untitled"),
            "said": words.translate("desk-said", genre=said, confidence=percent(first.confidence)),
            "disputed": len(labels) > 1,
            "labels": labels,
            "opinions": [
                {
                    "id": opinion.id,
                    "label": opinion.verdict,
                    "name": words.genre_title(opinion.verdict),
                    "status": opinion.status,
                    "person": opinion.person[:6],
                }
                for opinion in opinions
            ],
        }


def _releases(folder: Path) -> tuple[set[str], list[dict[str, Any]]]:
    """Return the genres of the serving release, and all releases, oldest first."""
    store = ReleaseStore(folder)
    found = store.all()
    genres = {str(genre) for release in found if release.serving for genre in release.manifest.get("genres", ())}
    return genres, [_release(release) for release in found]


def _release(release: StoredRelease) -> dict[str, Any]:
    gate: Mapping[str, Any] = release.manifest.get("gate") or {}
    base = (release.manifest.get("figures") or {}).get("base")
    return {
        "name": release.name,
        "made": release.made[:10],
        "serving": release.serving,
        "base": None if base is None else percent(float(base)),
        "reasons": list(map(str, gate.get("reasons", ()))),
        "genres": _by_genre(release),
    }


def _by_genre(release: StoredRelease) -> dict[str, float]:
    """Return what share of each genre's songs a release was measured to recognise: of the base, else of feedback."""
    found: dict[str, float] = {}
    with suppress(OSError, KeyError, TypeError, ValueError):
        text = (release.directory / str(release.manifest["evaluation"])).read_text(encoding="utf-8")
        for each in json.loads(text)["differences"]:
            genre, comma, kind = str(each["what"]).rpartition(", ")
            if comma and kind in {"base", "feedback"} and each["songs"] and (kind == "base" or genre not in found):
                found[genre] = float(each["after"])
    return found


def _promote(folder: Path, name: str | None) -> str:
    store = ReleaseStore(folder)
    with store.exclusive():
        chosen = store.previous_name() if name is None else name
        store.promote(chosen, ReleaseEvent.ROLLED_BACK if name is None else store.choice(name), REASON)
    return chosen
