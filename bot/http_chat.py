"""What the page and the API have in common as chats: they listen over HTTP, and their songs' bytes are sent to them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

from bot.core.chat import ChatCannotStart, ChatLimits
from bot.core.server_sent_events import Listeners
from bot.http_server import PLAIN_HEADERS, QuietRunner
from common.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from bot.core.chat import PendingSong, Submission
    from bot.core.conversation import Conversation
    from bot.core.upload_store import UploadStore
    from bot.settings import Settings
    from common.addresses import Address
    from storage import Job

# Whoever reads the answers lays them out, in either theme.
LIMITS = ChatLimits(text_characters=4000, caption_characters=4000, picture_theme=None)
DAYS_KEPT = 180
# Places in the queue are told anew at most this often.
QUEUE_NEWS_SECONDS = 0.5
CLOSE_SECONDS = 2.0


class HttpChat(ABC):
    """A chat whose people come over HTTP; see ``bot.core.chat.Chat`` for the methods that the queue calls.

    Parameters
    ----------
    conversation, settings
        What is said, and the limits.
    uploads
        Where the bytes that people send lie until their song has ended.
    address
        Where to listen.
    """

    limits = LIMITS

    def __init__(self, conversation: Conversation, settings: Settings, uploads: UploadStore, address: Address) -> None:
        self.conversation = conversation
        self.settings = settings
        self.uploads = uploads
        self.address = address
        self.port = address.port
        self.listeners = Listeners()
        self._runner: web.AppRunner | None = None
        self._queue_news: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether somebody can reach it."""
        return self._runner is not None and bool(self._runner.addresses)

    async def stop_taking(self) -> None:  # noqa: B027 - no subclass has anything to do
        """Nothing to do: the queue takes no more songs, and says so."""

    async def close(self) -> None:
        """End all streams and stop listening."""
        self.listeners.close()
        if self._queue_news is not None:
            await asyncio.gather(self._queue_news, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    async def fetch(self, song: PendingSong, folder: Path) -> Path:  # noqa: ARG002 - other chats download into it
        """The bytes are here already."""
        return self.uploads.path(song.payload["file"])

    async def discard(self, song: PendingSong) -> None:
        """The song has ended: its bytes go."""
        self.uploads.delete(song.payload.get("file", ""))

    def queue_moved(self) -> None:
        """Tell everybody who is listening where their songs are now."""
        if self._queue_news is None or self._queue_news.done():
            self._queue_news = asyncio.create_task(self._tell_places_soon())

    @abstractmethod
    async def _tell_places(self) -> None:
        """Tell everybody who is listening where their waiting songs are."""

    async def _tell_places_soon(self) -> None:
        await asyncio.sleep(QUEUE_NEWS_SECONDS)
        await self._tell_places()

    async def _listen(
        self, application: web.Application, setting: str, headers: Mapping[str, str] = PLAIN_HEADERS
    ) -> None:
        """Start to listen; ``setting`` is named where another address is needed. Raises ``ChatCannotStart``."""
        self._runner = QuietRunner(application, headers, shutdown_seconds=CLOSE_SECONDS)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self.address.host, self.address.port).start()
        except OSError as error:
            await self.close()
            raise ChatCannotStart(
                f"cannot listen on {self.address}: {error.strerror or error}; set {setting} to another address"
            ) from error
        self.port = self._runner.addresses[0][1]

    async def _submit(
        self,
        submission: Submission,
        file: str,
        *,
        note: Callable[[Job], Awaitable[None]],
        remove: Callable[[], Awaitable[None]],
    ) -> None:
        """Hand a song to the queue and note its job; what was stored of it goes if the queue does not take it."""
        try:
            await note(await self.conversation.submit(submission))
        except BaseException:
            self.uploads.delete(file)
            # What cannot be removed now is removed at the next start, since it has no job.
            with suppress(StorageUnavailable):
                await remove()
            raise
