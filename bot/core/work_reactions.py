"""Shows by a reaction to the message that asked that the bot is at work on its songs, and removes it at the end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from bot.core.errors import TryLater, Undeliverable
from bot.core.priority import Priority, prioritised

if TYPE_CHECKING:
    from collections.abc import Coroutine, Hashable

    from bot.core.message_port import MessagePort

EMOJI = "👀"
"""One of the few that Telegram lets bots react with."""
REMOVAL_ATTEMPTS = 3
CLOSE_SECONDS = 1.0

log = logging.getLogger(__name__)


class WorkReactions:
    """The reactions to all messages whose songs are not answered yet; nothing waits for them.

    A message with several songs keeps its reaction until the last of them has ended. Where a reaction is not allowed,
    or the place has no room for it, there is none.
    """

    def __init__(self) -> None:
        self._jobs: dict[Hashable, set[int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def begin(self, job_id: int, port: MessagePort) -> None:
        """React to a song's message unless that was done."""
        message = port.asked
        if message is None:
            return
        if message in self._jobs:
            self._jobs[message].add(job_id)
        elif port.has_room():
            self._jobs[message] = {job_id}
            self._start(self._add(message, port))

    def end(self, job_id: int, port: MessagePort, *, earlier: bool = False) -> asyncio.Task[None] | None:
        """Remove the reaction if this was the message's last song; return the task that does so.

        Parameters
        ----------
        earlier
            Whether an earlier process may have reacted.
        """
        message = port.asked
        if message is None:
            return None
        jobs = self._jobs.get(message)
        if jobs is None:
            return self._start(self._remove(message, port)) if earlier else None
        jobs.discard(job_id)
        if jobs:
            return None
        del self._jobs[message]
        return self._start(self._remove(message, port))

    def leave(self, job_id: int, port: MessagePort) -> None:
        """Leave the reaction to the process that has taken the song."""
        jobs = self._jobs.get(port.asked, set())
        jobs.discard(job_id)
        if not jobs:
            self._jobs.pop(port.asked, None)

    async def close(self) -> None:
        """Give reactions that are being changed a moment, then stop."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        for task in self._tasks:
            task.cancel()

    def _start(self, change: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(change)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _add(self, message: Hashable, port: MessagePort) -> None:
        async with self._locks.setdefault(message, asyncio.Lock()):
            try:
                with prioritised(Priority.PROGRESS):
                    await port.react(EMOJI)
            except (TryLater, Undeliverable) as reason:
                log.info("a reaction could not be added: %s", reason)

    async def _remove(self, message: Hashable, port: MessagePort) -> None:
        async with self._locks.setdefault(message, asyncio.Lock()):
            for _ in range(REMOVAL_ATTEMPTS):
                try:
                    with prioritised(Priority.PROGRESS):
                        await port.remove_reaction(EMOJI)
                except TryLater as later:
                    await asyncio.sleep(later.seconds)
                except Undeliverable as reason:
                    log.info("a reaction could not be removed: %s", reason)
                    return
                else:
                    return
