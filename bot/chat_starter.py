"""Starts the chats: those whose platform cannot be reached yet are tried again, while the others run."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.core.chat import ChatCannotStart, PlatformUnreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from bot.core.chat import Chat

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 300.0

log = logging.getLogger(__name__)


class ChatStarter:
    """Starts chats.

    Attributes
    ----------
    running
        Platform → chat, for those that have started.
    """

    def __init__(self) -> None:
        self.running: dict[str, Chat] = {}
        self._unreached: list[Chat] = []

    async def start(self, chats: Iterable[Chat]) -> list[str]:
        """Start every chat that can start; return the names of the others with the reasons."""
        failed = []
        for chat in chats:
            try:
                await self._start(chat)
            except ChatCannotStart as reason:
                failed.append(f"{chat.platform}: {reason}")
                log.error("%s cannot start: %s", chat.platform, reason)
                if isinstance(reason, PlatformUnreachable):
                    self._unreached.append(chat)
        return failed

    @asynccontextmanager
    async def trying_again(self) -> AsyncIterator[None]:
        """Try those whose platform could not be reached again while this context lasts, with growing pauses."""
        tries = [asyncio.create_task(self._try_again(chat)) for chat in self._unreached]
        try:
            yield
        finally:
            for each in tries:
                each.cancel()
            await asyncio.gather(*tries, return_exceptions=True)

    async def _start(self, chat: Chat) -> None:
        await chat.start()
        self.running[chat.platform] = chat
        log.info("%s has started", chat.platform)

    async def _try_again(self, chat: Chat) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                await self._start(chat)
            except PlatformUnreachable as reason:
                log.warning("%s still cannot start: %s", chat.platform, reason)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            except ChatCannotStart as reason:
                log.error("%s cannot start: %s", chat.platform, reason)
                return
            except Exception:
                log.exception("%s cannot start because of a bug", chat.platform)
                return
            else:
                return
