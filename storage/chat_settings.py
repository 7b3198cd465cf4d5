"""The settings that moderators choose for a chat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from storage.database import insert_into
from storage.tables import AnswerLogRow, ChatRow, CorrectionRow, JobRow, ReplyRow
from storage.uncancellable import uncancellable

if TYPE_CHECKING:
    from storage.database import Database


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What moderators can set for a chat.

    Attributes
    ----------
    language
        ``en``, ``vi``; None follows the person.
    picture
        Whether answers include the timeline picture.
    listening
        The platform's ids of the channels in which every song is answered without being asked for.
    """

    language: str | None = None
    picture: bool = True
    listening: frozenset[str] = frozenset()


@uncancellable
class ChatSettingsStore:
    """Reached as ``storage.chat_settings``; ``chat`` is the keyed hash of a server, a group or a private chat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settings(self, platform: str, chat: str) -> ChatSettings:
        """Return a chat's settings, or the defaults if none were saved."""
        query = select(ChatRow.settings).where(ChatRow.platform == platform, ChatRow.chat == chat)
        async with self._database.reading() as connection:
            kept = (await connection.execute(query)).scalar()
        if kept is None:
            return ChatSettings()
        return ChatSettings(kept["language"], kept["picture"], frozenset(kept["listening"]))

    async def save(self, platform: str, chat: str, settings: ChatSettings) -> None:
        """Save a chat's settings."""
        kept = {
            "language": settings.language,
            "picture": settings.picture,
            "listening": sorted(settings.listening),
        }
        async with self._database.transaction() as connection:
            row = insert_into(connection, ChatRow).values(platform=platform, chat=chat, settings=kept)
            await connection.execute(
                row.on_conflict_do_update(index_elements=["platform", "chat"], set_={"settings": kept})
            )

    async def move(self, platform: str, old: str, new: str) -> None:
        """Move everything that belongs to a chat (logs, replies, jobs, corrections, settings) to a new chat.

        For platforms that give a chat a new id. Settings that the new chat already has are kept.
        """
        async with self._database.transaction() as connection:
            for table in (JobRow, ReplyRow, AnswerLogRow, CorrectionRow):
                theirs = update(table).where(table.platform == platform, table.chat == old)
                await connection.execute(theirs.values(chat=new))
            before = (ChatRow.platform == platform, ChatRow.chat == old)
            kept = (await connection.execute(select(ChatRow.settings).where(*before))).scalar()
            if kept is None:
                return
            row = insert_into(connection, ChatRow).values(platform=platform, chat=new, settings=kept)
            await connection.execute(row.on_conflict_do_nothing(index_elements=["platform", "chat"]))
            await connection.execute(delete(ChatRow).where(*before))
