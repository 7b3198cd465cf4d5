"""Who agreed to be asked about songs that would teach most, and which question each of them was asked last."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from storage.database import insert_into, lock
from storage.label_aliases import FEEDBACK_LOCK
from storage.privacy import asking
from storage.tables import KeyValueRow
from storage.uncancellable import uncancellable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.database import Database

BETWEEN_QUESTIONS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a song.

    Attributes
    ----------
    label
        Id of the genre that it may be; empty if only the experts disagree.
    recordings, needed
        How many recordings of the genre there are, and how many it needs.
    """

    label: str = ""
    recordings: int = 0
    needed: int = 0


@dataclass(frozen=True, slots=True)
class AskingState:
    """What is known of a person.

    Attributes
    ----------
    agreed
        Whether they want to be asked; None if they never said.
    asked
        When they were asked last (UTC, ISO 8601); empty if never.
    reply, question
        Id of the reply that the last question was about, and the question.
    """

    agreed: bool | None = None
    asked: str = ""
    reply: str = ""
    question: Question | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether they may be asked now."""
        rested = not self.asked or now - datetime.fromisoformat(self.asked) >= BETWEEN_QUESTIONS
        return bool(self.agreed) and rested


@uncancellable
class Asking:
    """Reached as ``storage.asking``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def state(self, person: str) -> AskingState:
        """Return what is known of a person."""
        async with self._database.reading() as connection:
            return await _state(connection, person)

    async def agree(self, person: str, *, agreed: bool) -> None:
        """Save whether a person wants to be asked."""
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            await _save(connection, person, replace(await _state(connection, person), agreed=agreed))

    async def is_due(self, person: str) -> bool:
        """Return whether a person may be asked now: they agreed, and the last question was a day ago."""
        return (await self.state(person)).is_due(self._database.now())

    async def note(self, person: str, reply: str, question: Question) -> bool:
        """Record that a person is asked about the answer of a reply; return False if they may not be asked now."""
        async with self._database.transaction() as connection:
            await lock(connection, FEEDBACK_LOCK)
            before, now = await _state(connection, person), self._database.now()
            if not before.is_due(now):
                return False
            await _save(connection, person, AskingState(before.agreed, now.isoformat(), reply, question))
            return True


async def _state(connection: AsyncConnection, person: str) -> AskingState:
    stored = (await connection.execute(select(KeyValueRow.value).where(KeyValueRow.name == asking(person)))).scalar()
    if stored is None:
        return AskingState()
    values = json.loads(stored)
    question = values.pop("question")
    return AskingState(**values, question=None if question is None else Question(**question))


async def _save(connection: AsyncConnection, person: str, state: AskingState) -> None:
    note = insert_into(connection, KeyValueRow).values(name=asking(person), value=json.dumps(asdict(state)))
    await connection.execute(note.on_conflict_do_update(index_elements=["name"], set_={"value": note.excluded.value}))
