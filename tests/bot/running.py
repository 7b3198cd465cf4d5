"""The bot's inner parts put together as ``bot.app`` does, for tests that are not about the process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.app import compose
from bot.core.request import Requester
from bot.metrics import Metrics
from storage import JobState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from bot.core.chat import Chat
    from bot.core.identity import IdHasher, Person
    from bot.settings import Settings
    from links import Fetcher
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand


POLL_SECONDS = 0.05
"""How often ``eventually`` looks; a browser that is asked more often is busy with answering."""


class Bot:
    """A conversation, its queue, and its chats, to be added before the start."""

    def __init__(
        self,
        storage: Storage,
        keys: IdHasher,
        settings: Settings,
        ear: EarAtHand,
        folder: Path,
        links: Fetcher | None = None,
    ) -> None:
        self.storage, self.keys, self.settings, self.ear = storage, keys, settings, ear
        self.metrics = Metrics()
        self.chats: dict[str, Chat] = {}
        self.core = compose(
            storage, keys, settings, ear, self.chats, owner="this bot", folder=folder, metrics=self.metrics, links=links
        )
        self.conversation, self.queue = self.core.conversation, self.core.queue

    def follows(self, links: Fetcher) -> None:
        """Fetch links so from now on."""
        self.core.runner._links = links

    def with_chat(self, chat: Chat) -> Bot:
        """Add a chat."""
        self.chats[chat.platform] = chat
        return self

    def requester(self, person: Person, chat_id: str = "") -> Requester:
        """Return a person who asks for something in English."""
        return Requester(person, self.conversation.words("en"), chat_id)

    async def start(self) -> None:
        """Begin to work."""
        await self.core.names.load(self.ear.genres)
        await self.queue.start()


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so that nobody tells of; half a minute at the most."""
    async with asyncio.timeout(30):
        while not await check():  # noqa: ASYNC110 - what is written down in a file tells nobody
            await asyncio.sleep(POLL_SECONDS)


async def ended(bot: Bot, job_id: int) -> str | None:
    """Wait until a job's end is written down, and return its outcome."""

    async def over() -> bool:
        job = await bot.storage.jobs.get(job_id)
        return job is None or job.state is JobState.FINISHED

    await eventually(over)
    job = await bot.storage.jobs.get(job_id)
    return None if job is None else job.outcome
