"""The bot's inner parts put together as ``bot.app`` does, for tests that are not about the process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.core.conversation import Conversation
from bot.core.job_runner import Hearing
from bot.core.song_queue import Queue
from bot.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from bot.core.chat import Chat
    from bot.core.identity import Keys
    from bot.settings import Settings
    from links import Fetcher
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand


class Bot:
    """A conversation, its queue, and its chats, to be added before the start."""

    def __init__(
        self,
        storage: Storage,
        keys: Keys,
        settings: Settings,
        ear: EarAtHand,
        folder: Path,
        links: Fetcher | None = None,
    ) -> None:
        self.storage, self.keys, self.settings, self.ear = storage, keys, settings, ear
        self.metrics = Metrics()
        self.conversation = Conversation(storage, keys, settings, self.metrics)
        self.chats: dict[str, Chat] = {}
        hearing = Hearing(storage, ear, folder, seats=settings.workers, links=links)
        self._hearing = hearing
        self.queue = Queue(
            storage,
            hearing,
            self.chats,
            self.conversation.song_of,
            owner="this bot",
            seats=settings.workers,
            metrics=self.metrics,
        )
        self.conversation.work_through(self.queue)

    def follows(self, links: Fetcher) -> None:
        """Fetch links so from now on."""
        self._hearing._links = links

    def with_chat(self, chat: Chat) -> Bot:
        """Add a chat."""
        self.chats[chat.platform] = chat
        return self

    async def start(self) -> None:
        """Begin to work."""
        await self.conversation.know_genres(self.ear.genres)
        await self.queue.start()


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so that nobody tells of; half a minute at the most."""
    async with asyncio.timeout(30):
        while not await check():  # noqa: ASYNC110 - what is written down in a file tells nobody
            await asyncio.sleep(0.02)
