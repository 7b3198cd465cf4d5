"""A chat platform for tests that stands in this process: what the bot says to it is written into a notebook."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.core.chat import ChatLimits, Submission
from bot.core.identity import Person

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.core.chat import Answered, OutgoingMessage, PendingSong, Stage
    from common.errors import UserError


class Notebook:
    """Implements ``bot.core.chat.Chat``.

    Attributes
    ----------
    answers, questions, refusals
        Name of the song → what was said, every time it was said.
    stages
        Name of the song → kinds of stages shown.
    stopped_songs, discarded
        Names of songs.
    faults
        Exceptions that the next answers meet, first one first.
    """

    platform = "telegram"
    limits = ChatLimits(text_characters=4000, caption_characters=4000, picture_theme=None)
    connected = True

    def __init__(self) -> None:
        self.answers: dict[str, list[Answered]] = defaultdict(list)
        self.questions: dict[str, list[OutgoingMessage]] = defaultdict(list)
        self.refusals: dict[str, list[UserError]] = defaultdict(list)
        self.stages: dict[str, list[str]] = defaultdict(list)
        self.stopped_songs: list[str] = []
        self.discarded: list[str] = []
        self.faults: list[Exception] = []
        self._news = asyncio.Condition()

    def sends(self, path: Path, who: str = "ann", **more: Any) -> Submission:
        """Return what this platform hands over when somebody sends a file."""
        given: dict[str, Any] = {
            "person": Person(self.platform, who),
            "language": "en",
            "chat_id": f"chat of {who}",
            "title": path.name,
            "source": "upload",
            "message": {"name": path.name},
            "payload": {"path": str(path)},
        }
        return Submission(**{**given, **more})

    async def until(self, what: Any) -> None:
        """Wait until something has been noted: ``what`` is called again after each piece of news."""
        async with self._news, asyncio.timeout(30):
            await self._news.wait_for(what)

    async def start(self) -> None:
        pass

    async def stop_taking(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def fetch(self, song: PendingSong, folder: Path) -> Path:
        return Path(song.payload["path"])

    async def show(self, song: PendingSong, stage: Stage) -> Mapping[str, Any] | None:
        await self._note(self.stages[song.message["name"]], stage.kind)
        return {"progress message": song.message["name"]}

    async def answer(self, song: PendingSong, heard: Answered) -> Mapping[str, Any]:
        if self.faults:
            raise self.faults.pop(0)
        await self._note(self.answers[song.message["name"]], heard)
        return {"message": song.message["name"]}

    async def ask(self, song: PendingSong, question: OutgoingMessage) -> Mapping[str, Any] | None:
        if self.faults:
            raise self.faults.pop(0)
        await self._note(self.questions[song.message["name"]], question)
        return {"question": song.message["name"]}

    async def refuse(self, song: PendingSong, error: UserError) -> None:
        await self._note(self.refusals[song.message["name"]], error)

    async def stopped(self, song: PendingSong) -> None:
        await self._note(self.stopped_songs, song.message["name"])

    async def discard(self, song: PendingSong) -> None:
        await self._note(self.discarded, song.message["name"])

    def queue_moved(self) -> None:
        pass

    async def _note(self, page: list[Any], line: Any) -> None:
        async with self._news:
            page.append(line)
            self._news.notify_all()
