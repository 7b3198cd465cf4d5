"""Songs and the answers to them; a report is opaque JSON here, features are vectors.

A song is identified by the SHA-256 of its bytes, so a file that is sent again is answered from here.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select

from storage.corrections import agrees_with_answer
from storage.database import LARGEST_NUMBER, insert_into, to_json
from storage.feature_codec import FORMAT, SegmentVectors, pack, unpack
from storage.label_aliases import owner_of
from storage.label_text import clean_title
from storage.tables import AnswerLogRow, AnswerRow, CorrectionRow, FeatureRow, SongRow
from storage.uncancellable import uncancellable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.database import Database
    from storage.feature_codec import SegmentLike

TITLE_CHARACTERS = 200

CONTENT_HASH = re.compile(r"[0-9a-f]{64}")
_REPORT_KEYS: dict[str, type | tuple[type, ...]] = {
    "genre": str,
    "model": str,
    "confidence": (int, float),
    "duration": (int, float),
    "sure": bool,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one release to one song.

    Attributes
    ----------
    id
        Number of the answer in this database.
    content_hash
        SHA-256 of the song's bytes, 64 lower-case hexadecimal digits.
    model
        Name of the release that answered.
    genre, confidence, sure
        The answer (empty for what is not music), its probability, and whether the evidence is strong.
    duration
        Seconds.
    title
        Cleaned, at most ``TITLE_CHARACTERS``; None if the chat gave none.
    report
        The complete report, key order included.
    has_features
        False once clean-up has deleted the features; classify the song again to restore them.
    created
        When it was first answered (UTC).
    """

    id: int
    content_hash: str
    model: str
    genre: str
    confidence: float
    sure: bool
    duration: float
    title: str | None
    report: Mapping[str, Any]
    has_features: bool
    created: datetime


@dataclass(frozen=True, slots=True)
class ChatStats:
    """Statistics of one chat.

    Attributes
    ----------
    answers
        How often a song was answered, repetitions included.
    songs
        Different songs.
    seconds
        Total length of those different songs.
    genres
        Genre → different songs last answered with it, most frequent first.
    corrections, agreeing
        Corrections made here, and how many of them confirmed the answer.
    first, last
        When the first and the latest song was answered; None before the first.
    """

    answers: int
    songs: int
    seconds: float
    genres: Mapping[str, int]
    corrections: int
    agreeing: int
    first: datetime | None
    last: datetime | None


@uncancellable
class Songs:
    """Answers by song and release; reached as ``storage.songs``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_answer(self, content_hash: str, model: str) -> Answer | None:
        """Return this release's stored answer for these bytes, if there is one."""
        async with self._database.reading() as connection:
            return await _one(connection, AnswerRow.content_hash == content_hash, AnswerRow.model == model)

    async def answer(self, answer_id: int) -> Answer | None:
        """Return an answer by the number that replies and corrections refer to."""
        if not 0 < answer_id <= LARGEST_NUMBER:
            return None
        async with self._database.reading() as connection:
            return await _one(connection, AnswerRow.id == answer_id)

    async def save_answer(
        self,
        content_hash: str,
        report: Mapping[str, Any],
        features: Sequence[SegmentLike],
        *,
        platform: str,
        title: str | None = None,
    ) -> Answer:
        """Save an answer with its features; saving it again only adds missing features.

        Parameters
        ----------
        content_hash
            SHA-256 of the song's bytes, 64 lower-case hexadecimal digits.
        report
            Plain JSON with at least ``genre``, ``confidence``, ``sure``, ``model`` and ``duration`` (seconds).
        features
            One per segment; a family has the same width in every segment.
        platform
            Platform that the song was sent on; only the first one is stored.
        title
            As the chat gave it; it is cleaned and shortened here.

        Raises
        ------
        ValueError
            If the hash, the report or the features are malformed.
        """
        _check(content_hash, report)
        blob = await asyncio.to_thread(pack, features) if features else None
        now = self._database.now()
        async with self._database.transaction() as connection:
            await _insert_song(connection, content_hash, report["duration"], title, platform, now)
            answer = await _insert_answer(connection, content_hash, report, now)
            if blob is not None:
                kept = insert_into(connection, FeatureRow).values(answer_id=answer, format=FORMAT, data=blob)
                await connection.execute(kept.on_conflict_do_nothing(index_elements=["answer_id"]))
            found = await _one(connection, AnswerRow.id == answer)
        if found is None:
            raise LookupError(f"answer {answer} vanished inside its own transaction")
        return found

    async def features(self, answer_id: int) -> tuple[SegmentVectors, ...]:
        """Return the features of an answer, in order of time; empty if none are stored."""
        query = select(FeatureRow.format, FeatureRow.data).where(FeatureRow.answer_id == answer_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return () if row is None else await asyncio.to_thread(unpack, row.format, row.data)

    async def latest(self, limit: int) -> list[str]:
        """Return the content hashes of the songs that were answered last."""
        query = select(AnswerRow.content_hash).group_by(AnswerRow.content_hash)
        query = query.order_by(func.max(AnswerRow.id).desc()).limit(limit)
        async with self._database.reading() as connection:
            return list((await connection.execute(query)).scalars())

    async def features_of(self, songs: Sequence[str]) -> dict[str, tuple[SegmentVectors, ...]]:
        """Return the features of each song's latest answer that has any, by content hash."""
        query = (
            select(AnswerRow.content_hash, FeatureRow.format, FeatureRow.data)
            .join(FeatureRow, FeatureRow.answer_id == AnswerRow.id)
            .where(AnswerRow.content_hash.in_(songs))
            .order_by(AnswerRow.id)
        )
        async with self._database.reading() as connection:
            latest = {row.content_hash: (row.format, row.data) for row in await connection.execute(query)}
        return await asyncio.to_thread(lambda: {song: unpack(form, data) for song, (form, data) in latest.items()})

    async def chat_stats(self, platform: str, chat: str) -> ChatStats:
        """Compute the statistics of one chat (``chat`` is its keyed hash)."""
        here = (AnswerLogRow.platform == platform, AnswerLogRow.chat == chat)
        times = select(func.count(), func.min(AnswerLogRow.heard), func.max(AnswerLogRow.heard)).where(*here)
        # A song counts once, with the answer of the latest release here.
        latest = (
            select(func.max(AnswerLogRow.answer_id).label("answer_id"))
            .join(AnswerRow, AnswerRow.id == AnswerLogRow.answer_id)
            .where(*here)
            .group_by(AnswerRow.content_hash)
            .subquery()
        )
        genres = (
            select(AnswerRow.genre, func.count(), func.sum(SongRow.duration))
            .join(latest, latest.c.answer_id == AnswerRow.id)
            .join(SongRow, SongRow.content_hash == AnswerRow.content_hash)
            .group_by(AnswerRow.genre)
            .order_by(func.count().desc(), AnswerRow.genre)
        )
        opinions = (
            select(func.count(), func.count().filter(agrees_with_answer()))
            .join(AnswerRow, AnswerRow.id == CorrectionRow.answer_id)
            .where(CorrectionRow.platform == platform, CorrectionRow.chat == chat)
        )
        async with self._database.reading() as connection:
            answers, first, last = (await connection.execute(times)).one()
            rows = (await connection.execute(genres)).all()
            corrections, agreeing = (await connection.execute(opinions)).one()
        return ChatStats(
            answers=answers,
            songs=sum(count for _, count, _ in rows),
            seconds=sum(seconds for *_, seconds in rows),
            genres={genre: count for genre, count, _ in rows},
            corrections=corrections,
            agreeing=agreeing,
            first=first,
            last=last,
        )


async def log_answer(connection: AsyncConnection, answer_id: int, platform: str, chat: str, now: datetime) -> None:
    """Log that a song was answered in a chat, in the transaction that answers it."""
    heard = insert_into(connection, AnswerLogRow).values(platform=platform, chat=chat, answer_id=answer_id, heard=now)
    await connection.execute(heard)


def _check(content_hash: str, report: Mapping[str, Any]) -> None:
    if not CONTENT_HASH.fullmatch(content_hash):
        raise ValueError("the content hash is not 64 lower-case hexadecimal digits")
    found = dict(report)
    if found.get("kind", "music") != "music" and found.get("genre") is None:
        found["genre"] = ""
    wrong = [key for key, kind in _REPORT_KEYS.items() if not isinstance(found.get(key), kind)]
    if wrong:
        raise ValueError(f"the report lacks {', '.join(wrong)}")
    try:
        to_json(dict(report))
    except TypeError as error:
        raise ValueError("the report is not plain JSON data") from error


async def _insert_song(
    connection: AsyncConnection, content_hash: str, duration: float, title: str | None, platform: str, now: datetime
) -> None:
    song = insert_into(connection, SongRow).values(
        content_hash=content_hash,
        duration=duration,
        title=clean_title(title, TITLE_CHARACTERS) if title else None,
        platform=platform,
        first_heard=now,
    )
    # A later title is used only if there was none.
    filled = {"title": func.coalesce(SongRow.title, song.excluded.title)}
    await connection.execute(song.on_conflict_do_update(index_elements=["content_hash"], set_=filled))


async def _insert_answer(
    connection: AsyncConnection, content_hash: str, report: Mapping[str, Any], now: datetime
) -> int:
    """Insert the answer unless it is there, and return its number."""
    # A release may spell a genre differently; store the label's id, so that corrections can be compared with it.
    # What is not music has no genre; the column takes no NULL, and no label has an empty id.
    genre = report["genre"] or ""
    label = await owner_of(connection, genre) if genre else None
    new = insert_into(connection, AnswerRow).values(
        content_hash=content_hash,
        model=report["model"],
        genre=genre if label is None else label.label_id,
        confidence=report["confidence"],
        sure=report["sure"],
        report=dict(report),
        created=now,
    )
    await connection.execute(new.on_conflict_do_nothing(index_elements=["content_hash", "model"]))
    query = select(AnswerRow.id).where(AnswerRow.content_hash == content_hash, AnswerRow.model == report["model"])
    return (await connection.execute(query)).scalar_one()


def _answers() -> Select[*tuple[Any, ...]]:
    return (
        select(
            AnswerRow.id,
            AnswerRow.content_hash,
            AnswerRow.model,
            AnswerRow.genre,
            AnswerRow.confidence,
            AnswerRow.sure,
            SongRow.duration,
            SongRow.title,
            AnswerRow.report,
            FeatureRow.answer_id.is_not(None),
            AnswerRow.created,
        )
        .join(SongRow, SongRow.content_hash == AnswerRow.content_hash)
        .outerjoin(FeatureRow, FeatureRow.answer_id == AnswerRow.id)
    )


async def _one(connection: AsyncConnection, *conditions: Any) -> Answer | None:
    row = (await connection.execute(_answers().where(*conditions))).one_or_none()
    return None if row is None else Answer(*row)
