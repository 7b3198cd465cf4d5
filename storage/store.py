"""The whole of storage in one object, and its house-keeping."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from storage.chats import Chats
    from storage.feedback import Feedback
    from storage.jobs import Jobs
    from storage.labels import Labels
    from storage.people import People
    from storage.replies import Replies
    from storage.songs import Songs

REPLY_DAYS = 180
JOB_DAYS = 7
UNUSED_FEATURE_DAYS = 180


@dataclass(frozen=True, slots=True)
class Tidied:
    """What house-keeping deleted: replies, ended jobs, features that nothing hangs on."""

    replies: int
    jobs: int
    features: int


def utc_now() -> datetime:
    """Return the time, as every row is stamped with it."""
    return datetime.now(UTC)


class Storage:
    """Everything that is kept, by what it is about.

    Attributes
    ----------
    songs, replies, feedback, labels, jobs, people, chats
        See there.

    Examples
    --------
    >>> async with await Storage.open("sqlite:///data/genre.sqlite3") as storage:  # doctest: +SKIP
    ...     answer = await storage.songs.find_answer(content_hash, model)
    """

    songs: Songs
    replies: Replies
    feedback: Feedback
    labels: Labels
    jobs: Jobs
    people: People
    chats: Chats

    @classmethod
    async def open(cls, url: str, *, clock: Callable[[], datetime] = utc_now) -> Storage:
        """Connect, bring the tables up to date (safe when several processes do so at once), seed the labels.

        Parameters
        ----------
        url
            ``sqlite:///relative/path``, ``sqlite:////absolute/path``, ``postgresql://user:password@host/name``, with
            or without the driver's name (``+aiosqlite``, ``+asyncpg``). Missing folders are made.
        clock
            What time it is (UTC, aware). On several machines, keep their clocks within seconds of each other.

        Raises
        ------
        BadDatabaseUrl
            If the URL cannot be used.
        DatabaseTooNew
            If a newer release has already changed the tables.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Close every connection; leases that are still held simply run out."""
        raise NotImplementedError

    async def __aenter__(self) -> Storage:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def ping(self) -> None:
        """Ask the database for a sign of life; raises whatever the driver raises."""
        raise NotImplementedError

    async def tidy(
        self,
        *,
        replies: timedelta = timedelta(days=REPLY_DAYS),
        jobs: timedelta = timedelta(days=JOB_DAYS),
        features: timedelta = timedelta(days=UNUSED_FEATURE_DAYS),
    ) -> Tidied:
        """Delete what is older than this: replies (their buttons expire), ended jobs, unused features.

        Features go only where neither a reply nor a correction hangs on the answer; the answer itself stays.
        Ended jobs must outlive the platforms' redeliveries (a day) and the daily limit's 24 hours.
        """
        raise NotImplementedError
