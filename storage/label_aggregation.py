"""What people taught: the songs whose label counts, and the songs whose genre the operator knows.

Which label counts, and how much, is told by ``votes``; how lessons look in a file, by ``training``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from storage.corrections import Status
from storage.database import insert_into, lock
from storage.errors import UnknownRow
from storage.label_aliases import FEEDBACK_LOCK
from storage.label_votes import AGREEMENT_PEOPLE, Vote, verdicts
from storage.labels import require_label
from storage.songs import CONTENT_HASH
from storage.tables import AnswerRow, CorrectionRow, KnownRow, PersonRow
from storage.uncancellable import uninterrupted

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.database import Database
    from storage.label_votes import Verdict


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator decides about lessons.

    Attributes
    ----------
    agreement
        How many people must say the same of a song.
    sources
        Platforms from which feedback may train; None: whichever were allowed when it was given. What was given while
        its platform was not allowed never trains.
    """

    agreement: int = AGREEMENT_PEOPLE
    sources: Collection[str] | None = None


@uninterrupted
class Lessons:
    """Reached as ``storage.label_aggregation``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def verdicts(self, rules: Rules | None = None) -> dict[str, Verdict]:
        """Return what consenting people's opinions come to, by content hash."""
        async with self._database.reading() as connection:
            return await load_verdicts(connection, rules or Rules())

    async def known(self) -> dict[str, str]:
        """Return the songs whose genre is known: content hash → label id."""
        async with self._database.reading() as connection:
            return await load_known(connection)

    async def add_known(self, song: str, label: str) -> str:
        """Write down the genre of a song for certain, and return the label's id.

        Parameters
        ----------
        song
            Content hash; it need not have been heard yet.
        label
            Id of a label.

        Raises
        ------
        UnknownRow
            If there is no such label.
        ValueError
            If the hash does not have its form.
        """
        if not CONTENT_HASH.fullmatch(song):
            raise ValueError("the content hash is not 64 lower-case hexadecimal digits")
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            label = (await require_label(connection, label)).id
            row = insert_into(connection, KnownRow).values(content_hash=song, label=label, created=self._database.now())
            await connection.execute(row.on_conflict_do_update(index_elements=["content_hash"], set_={"label": label}))
            return label

    async def remove_known(self, song: str) -> None:
        """Forget that the genre of a song is known; people's opinions of it stay.

        Raises
        ------
        UnknownRow
            If it was not.
        """
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            gone = await connection.execute(delete(KnownRow).where(KnownRow.content_hash == song))
        if not gone.rowcount:
            raise UnknownRow(f"The genre of {song} was not known.")


async def load_known(connection: AsyncConnection) -> dict[str, str]:
    """Return the songs whose genre is known."""
    query = select(KnownRow.content_hash, KnownRow.label).order_by(KnownRow.created, KnownRow.content_hash)
    return dict((await connection.execute(query)).all())


async def load_verdicts(connection: AsyncConnection, rules: Rules) -> dict[str, Verdict]:
    """Return what people's opinions come to, of those that may leave: consent is asked of today, too."""
    query = (
        select(
            CorrectionRow.person,
            CorrectionRow.content_hash,
            func.coalesce(CorrectionRow.ruling, CorrectionRow.label).label("verdict"),
            CorrectionRow.may_train,
            CorrectionRow.status,
            CorrectionRow.everywhere,
            CorrectionRow.moderated,
            CorrectionRow.platform,
            CorrectionRow.updated,
            AnswerRow.model,
            AnswerRow.genre,
        )
        .join(AnswerRow, AnswerRow.id == CorrectionRow.answer_id)
        .join(PersonRow, PersonRow.person == CorrectionRow.person)
        .where(CorrectionRow.consent, PersonRow.may_train.is_(True), CorrectionRow.status != Status.REJECTED)
        .order_by(CorrectionRow.id)
    )
    decided = {Status.ACCEPTED, Status.RELABELLED}
    votes = [
        Vote(
            person=row.person,
            song=row.content_hash,
            label=row.verdict,
            trains=row.may_train and (rules.sources is None or row.platform in rules.sources),
            ruled=row.moderated if row.everywhere and Status(row.status) in decided else None,
            platform=row.platform,
            moment=row.updated,
            model=row.model,
            heard_as=row.genre,
        )
        for row in await connection.execute(query)
    ]
    return verdicts(votes, await load_known(connection), agreement=rules.agreement)
