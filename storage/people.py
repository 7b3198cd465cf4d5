"""What is remembered of a person: consent, language; everything about them in one piece, and forgetting it.

A person is a keyed hash; nothing here can tell who they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from storage.database import Database
    from storage.feedback import Place


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether numbers computed from this person's songs, and their corrections, may train the next model.

    Attributes
    ----------
    may_train
        None: never decided, which counts as no.
    asked, decided
        When they were asked and when they last chose (UTC); None: not yet.
    """

    may_train: bool | None = None
    asked: datetime | None = None
    decided: datetime | None = None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted, as numbers of rows.

    Attributes
    ----------
    corrections, consents, jobs
        Deleted.
    replies
        Replies that no longer say who asked.
    moderations
        Rulings that no longer say who ruled.
    labels
        Proposed labels that only this person used: deleted.
    heard
        Entries in the logs of the given private chats, with their settings: deleted.
    """

    corrections: int
    consents: int
    jobs: int
    replies: int
    moderations: int
    labels: int
    heard: int


class People:
    """Reached as ``storage.people``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def consent(self, person: str) -> Consent:
        """Return what a person chose; all None for somebody unknown."""
        raise NotImplementedError

    async def ask_once(self, person: str) -> bool:
        """Note that a person is being asked for consent; True the first time only, and never after a choice."""
        raise NotImplementedError

    async def set_consent(self, person: str, may_train: bool) -> Consent:
        """Write down a choice; it holds for what the person already gave, too, and for the next export."""
        raise NotImplementedError

    async def language(self, person: str) -> str | None:
        """Return the language a person chose, such as ``vi``; None if they never did."""
        raise NotImplementedError

    async def set_language(self, person: str, language: str | None) -> None:
        """Remember the language a person chose; None forgets the choice."""
        raise NotImplementedError

    async def data(self, person: str, private_chats: Sequence[Place] = ()) -> dict[str, Any]:
        """Return everything about a person as plain JSON data, times as ISO 8601.

        Parameters
        ----------
        private_chats
            Chats that are this person's alone; their logs belong to the person.
        """
        raise NotImplementedError

    async def forget(self, person: str, private_chats: Sequence[Place] = ()) -> Forgotten:
        """Delete everything about a person, running jobs included; say how much it was."""
        raise NotImplementedError
