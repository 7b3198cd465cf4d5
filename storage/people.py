"""What is stored about a person: consent and language; the export of all their data, and its deletion.

A person is identified by a keyed hash only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from storage import privacy
from storage.corrections import ReviewStatus
from storage.database import insert_into, lock
from storage.imported_songs import record_withdrawal
from storage.label_aliases import FEEDBACK_LOCK
from storage.tables import CorrectionRow, KeyValueRow, PersonRow
from storage.uncancellable import uncancellable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.corrections import ChatKey
    from storage.database import Database
    from storage.privacy import ErasureSummary


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether numbers computed from this person's songs, and their corrections, may train the next model.

    Attributes
    ----------
    may_train
        None if they never decided, which counts as no.
    asked, decided
        When they were asked, and when they last chose (UTC); None if not yet.
    """

    may_train: bool | None = None
    asked: datetime | None = None
    decided: datetime | None = None


@uncancellable
class People:
    """Reached as ``storage.people``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def consent(self, person: str) -> Consent:
        """Return a person's consent; all None for an unknown person."""
        async with self._database.reading() as connection:
            return await _consent(connection, person)

    async def ask_once(self, person: str) -> bool:
        """Record that a person is being asked for consent; True only the first time, and never after they chose."""
        now = self._database.now()
        row = insert_into(self._database, PersonRow).values(person=person, asked=now)
        unasked = PersonRow.asked.is_(None) & PersonRow.decided.is_(None)
        noted = row.on_conflict_do_update(index_elements=["person"], set_={"asked": now}, where=unasked)
        async with self._database.transaction() as connection:
            return (await connection.execute(noted.returning(PersonRow.person))).scalar() is not None

    async def set_consent(self, person: str, may_train: bool) -> Consent:
        """Save a choice; it also applies to the person's existing corrections and to the next export."""
        now = self._database.now()
        row = insert_into(self._database, PersonRow).values(person=person, may_train=may_train, asked=now, decided=now)
        chosen = {"may_train": may_train, "asked": func.coalesce(PersonRow.asked, now), "decided": now}
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            await connection.execute(row.on_conflict_do_update(index_elements=["person"], set_=chosen))
            if not may_train:
                await record_withdrawal(connection, now, CorrectionRow.person == person)
            theirs = update(CorrectionRow).where(CorrectionRow.person == person)
            await connection.execute(theirs.values(consent=may_train))
            return await _consent(connection, person)

    async def language(self, person: str) -> str | None:
        """Return the language that a person chose, such as ``vi``; None if they never chose one."""
        query = select(PersonRow.language).where(PersonRow.person == person)
        async with self._database.reading() as connection:
            return (await connection.execute(query)).scalar()

    async def set_language(self, person: str, language: str | None) -> None:
        """Save the language that a person chose; None deletes the choice."""
        row = insert_into(self._database, PersonRow).values(person=person, language=language)
        async with self._database.transaction() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["person"], set_={"language": language}))

    async def taught_songs(self, person: str, label: str) -> list[str]:
        """Return the content hashes of songs that a person's corrections call a genre and that may train."""
        mine = [CorrectionRow.person == person, CorrectionRow.consent, CorrectionRow.may_train]
        verdict = func.coalesce(CorrectionRow.ruling, CorrectionRow.label)
        query = select(CorrectionRow.content_hash).where(*mine, verdict == label)
        async with self._database.reading() as connection:
            rejected = CorrectionRow.status == ReviewStatus.REJECTED
            return list((await connection.execute(query.where(~rejected))).scalars())

    async def thank_once(self, person: str, label: str) -> bool:
        """Record that a person is told that their genre is recognised now; True only the first time."""
        note = insert_into(self._database, KeyValueRow).values(name=privacy.thanked(person) + label, value="")
        async with self._database.transaction() as connection:
            told = await connection.execute(note.on_conflict_do_nothing().returning(KeyValueRow.name))
            return told.scalar() is not None

    async def export_data(self, person: str, private_chats: Sequence[ChatKey] = ()) -> dict[str, Any]:
        """Return everything about a person as plain JSON data, times as ISO 8601.

        Parameters
        ----------
        private_chats
            Private chats with this person; their logs are the person's data.
        """
        async with self._database.reading() as connection:
            return await privacy.export_data(connection, person, private_chats)

    async def erase(self, person: str, private_chats: Sequence[ChatKey] = ()) -> ErasureSummary:
        """Delete all data about a person, running jobs included; return what was deleted."""
        async with self._database.transaction() as connection:
            return await privacy.erase(connection, person, private_chats, self._database.now())


async def _consent(connection: AsyncConnection, person: str) -> Consent:
    query = select(PersonRow.may_train, PersonRow.asked, PersonRow.decided).where(PersonRow.person == person)
    row = (await connection.execute(query)).one_or_none()
    return Consent() if row is None else Consent(*row)
