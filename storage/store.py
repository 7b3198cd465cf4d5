"""The entry point to storage, and the deletion of old rows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from storage.asking import Asking
from storage.chat_settings import ChatSettingsStore
from storage.database import Database, database_url, insert_into, lock
from storage.feedback import Feedback
from storage.jobs import Jobs
from storage.label_aggregation import LabelAggregation
from storage.label_aliases import FEEDBACK_LOCK, delete_unheld
from storage.labels import Labels
from storage.migrate import migrate
from storage.people import People
from storage.readiness import Readiness
from storage.replies import Replies
from storage.song_reviews import SongReviews
from storage.songs import Songs
from storage.tables import AnswerRow, CorrectionRow, FeatureRow, JobRow, KeyValueRow, LabelRow, ReplyRow
from storage.uncancellable import uncancellable

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from sqlalchemy import Delete

    from common.genres import Genres

REPLY_DAYS = 180
JOB_DAYS = 7
UNUSED_FEATURE_DAYS = 180
KEY_NOTE = "key"
"""The name under which a fingerprint of the key for hashing people is stored, to recognise the key."""
WRITE_NOTE = "checked"
"""The name under which the moment of the last check that something can be stored is kept."""
WRITTEN_SECONDS = 5.0
"""For how long a stored change shows that the next one can be stored."""
TIDIED_NOTE = "tidied"
"""The name under which the time up to which rows were last tidied is stored."""
MOST_TIDIED_AT_ONCE = timedelta(days=7)
UNHELD_LABEL_DAYS = 1
"""How long a proposed label without any correction is kept."""


@dataclass(frozen=True, slots=True)
class CleanupSummary:
    """Numbers of deleted rows: replies, ended jobs, unused features, unused proposed labels."""

    replies: int
    jobs: int
    features: int
    labels: int


def utc_now() -> datetime:
    """Return the current time, aware and in UTC."""
    return datetime.now(UTC)


@uncancellable
class Storage:
    """Access to all stored data, by subject.

    Attributes
    ----------
    songs, replies, feedback, labels, label_aggregation, readiness, reviews, asking, jobs, people,
    chat_settings
        See each of them.

    Examples
    --------
    >>> async with await Storage.open("sqlite:///data/genre.sqlite3") as storage:  # doctest: +SKIP
    ...     answer = await storage.songs.find_answer(content_hash, model)
    """

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.database = database
        self.songs = Songs(database)
        self.replies = Replies(database)
        self.feedback = Feedback(database)
        self.labels = Labels(database)
        self.label_aggregation = LabelAggregation(database)
        self.readiness = Readiness(database)
        self.reviews = SongReviews(database)
        self.asking = Asking(database)
        self.jobs = Jobs(database, monotonic)
        self.people = People(database)
        self.chat_settings = ChatSettingsStore(database)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        genres: Genres | None = None,
    ) -> Storage:
        """Connect, bring the tables up to date (safe when several processes do so at once), seed the labels.

        Parameters
        ----------
        url
            ``sqlite:///relative/path``, ``sqlite:////absolute/path``, ``postgresql://user:password@host/name``, with
            or without the driver's name (``+aiosqlite``, ``+asyncpg``). Missing folders are made.
        clock
            Returns the current time (UTC, aware), for what is dated.
        monotonic
            Returns seconds that only ever grow, for durations.
        genres
            The genres whose labels every database has; by default those that come with the project.

        Raises
        ------
        BadDatabaseUrl
            If the URL cannot be used.
        DatabaseUnusable
            If it cannot be reached, read or written, or is damaged.
        DatabaseTooNew
            If a newer release has already changed the tables.
        """
        where = database_url(url)
        await migrate(where, genres)
        return cls(Database(where, clock), monotonic)

    async def close(self) -> None:
        """Close every connection; leases that are still held expire by themselves."""
        await self.database.close()

    async def __aenter__(self) -> Storage:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def ping(self) -> None:
        """Check that the database responds; raises the driver's error if not."""
        async with self.database.reading() as connection:
            await connection.execute(select(1))

    async def check_writable(self) -> None:
        """Check that something can be stored, unless something just was; raises ``StorageUnavailable`` if not."""
        wrote_at = self.database.wrote_at
        if wrote_at is not None and time.monotonic() - wrote_at < WRITTEN_SECONDS:
            return
        async with self.database.transaction() as connection:
            note = insert_into(connection, KeyValueRow).values(name=WRITE_NOTE, value=self.database.now().isoformat())
            again = {"value": note.excluded.value}
            await connection.execute(note.on_conflict_do_update(index_elements=["name"], set_=again))

    async def get_or_set(self, name: str, value: str) -> str:
        """Store a value under a name unless there is one; return the stored value, the same for concurrent callers."""
        async with self.database.transaction() as connection:
            note = insert_into(connection, KeyValueRow).values(name=name, value=value)
            await connection.execute(note.on_conflict_do_nothing())
            noted = await connection.execute(select(KeyValueRow.value).where(KeyValueRow.name == name))
            return str(noted.scalar_one())

    async def put(self, name: str, value: str) -> None:
        """Store a value under a name, in place of the one before."""
        note = insert_into(self.database, KeyValueRow).values(name=name, value=value)
        async with self.database.transaction() as connection:
            await connection.execute(note.on_conflict_do_update(index_elements=["name"], set_={"value": value}))

    async def value(self, name: str) -> str | None:
        """Return the value under a name; None if there is none."""
        async with self.database.reading() as connection:
            found: str | None = (
                await connection.execute(select(KeyValueRow.value).where(KeyValueRow.name == name))
            ).scalar()
            return found

    async def unset(self, name: str) -> bool:
        """Delete the value under a name; return whether there was one."""
        async with self.database.transaction() as connection:
            return (await connection.execute(delete(KeyValueRow).where(KeyValueRow.name == name))).rowcount > 0

    async def _time_to_tidy(self) -> datetime:
        """Return the time as of which rows are tidied, and note it for the next call."""
        now, noted = self.database.now(), await self.value(TIDIED_NOTE)
        if noted is not None:
            now = min(now, datetime.fromisoformat(noted) + MOST_TIDIED_AT_ONCE)
        await self.put(TIDIED_NOTE, now.isoformat())
        return now

    async def delete_expired(
        self,
        *,
        replies: timedelta = timedelta(days=REPLY_DAYS),
        jobs: timedelta = timedelta(days=JOB_DAYS),
        features: timedelta = timedelta(days=UNUSED_FEATURE_DAYS),
    ) -> CleanupSummary:
        """Delete what is older than these periods: replies (their buttons expire), ended jobs, unused features.

        Features are deleted only if no reply or correction refers to the answer; the answer itself stays.
        Ended jobs must outlive the platforms' redeliveries (a day) and the daily limit's 24 hours.
        A clock that is suddenly months ahead is followed by ``MOST_TIDIED_AT_ONCE`` with every call, so that one that
        was set wrongly for a while does not delete what is young.
        """
        now = await self._time_to_tidy()
        has_reply = select(ReplyRow.id).where(ReplyRow.answer_id == AnswerRow.id).exists()
        has_correction = select(CorrectionRow.id).where(CorrectionRow.answer_id == AnswerRow.id).exists()
        unused = select(AnswerRow.id).where(AnswerRow.created < now - features, ~has_reply, ~has_correction)
        async with self.database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)

            async def count(statement: Delete) -> int:
                return (await connection.execute(statement)).rowcount

            ended = delete(JobRow).where(JobRow.finished < now - jobs)
            return CleanupSummary(
                jobs=await count(ended),
                replies=await count(delete(ReplyRow).where(ReplyRow.created < now - replies)),
                features=await count(delete(FeatureRow).where(FeatureRow.answer_id.in_(unused))),
                labels=await delete_unheld(connection, LabelRow.created < now - timedelta(days=UNHELD_LABEL_DAYS)),
            )
