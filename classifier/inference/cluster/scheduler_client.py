"""A connection to the cluster's scheduler that comes back: while there is none, whoever asks for it waits.

A new connection is a new client, since the library's own reconnecting forgets what was subscribed to.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import dask.config
from distributed import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed.security import Security

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 2.0
SILENCES: Final = 6
"""Looks without an answer, each of ``CONNECT_SECONDS``, after which a scheduler counts as lost."""
CLOSE_SECONDS: Final = 5.0

# Songs travel within their tasks; the library's advice against that is meant for arrays that many tasks share.
dask.config.set({"distributed.admin.large-graph-warning-threshold": "4GiB"})


class Link:
    """Keeps one client connected.

    Parameters
    ----------
    url
        Of the scheduler.
    security
        From ``credentials.security``.
    topic, hear
        What machines tell under this topic is handed over.
    """

    def __init__(self, url: str, security: Security, topic: str, hear: Callable[[dict[str, Any]], None]) -> None:
        self._url, self._security = url, security
        self._topic, self._hear = topic, hear
        self._client: Client | None = None
        self._there = asyncio.Event()
        self._doubt = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        _speak_through_the_programs_log()

    def open(self) -> None:
        """Begin to connect."""
        self._keeping = asyncio.create_task(self._keep(), name="cluster")

    @property
    def client(self) -> Client | None:
        """The client, while there is a connection."""
        return self._client

    async def connected(self) -> Client:
        """Wait until there is a connection."""
        while self._client is None:
            await self._there.wait()
        return self._client

    def lost(self, client: Client) -> None:
        """Say that a client does not seem to be connected any more: another takes its place."""
        if client is self._client:
            self._client = None
            self._there.clear()
            self._doubt.set()

    async def close(self) -> None:
        """Disconnect for good."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    async def _keep(self) -> None:
        told = False
        while True:
            client = Client(  # type: ignore[no-untyped-call]
                self._url,
                asynchronous=True,
                security=self._security,
                timeout=CONNECT_SECONDS,
                set_as_default=False,
                heartbeat_interval="5s",
            )
            try:
                await client
                client.subscribe_topic(self._topic, self._event)  # type: ignore[no-untyped-call]
                scheduler = await self._scheduler(client)
                log.info("connected to the machines that listen, %s", self._url)
                self._doubt.clear()
                told, self._client = False, client
                self._there.set()
                await self._watch(client, scheduler)
                log.warning("the connection to %s was lost; songs wait until it is back", self._url)
            except (OSError, TimeoutError, ValueError) as error:
                if not told:
                    log.warning("%s cannot be reached, songs wait: %s", self._url, str(error).partition("\n")[0])
                told = True
            finally:
                self._client = None
                self._there.clear()
                with suppress(Exception):
                    async with asyncio.timeout(CLOSE_SECONDS):
                        await client.close(timeout=CLOSE_SECONDS)  # type: ignore[no-untyped-call]
            await asyncio.sleep(PAUSE_SECONDS)

    async def _watch(self, client: Client, scheduler: str) -> None:
        """Return as soon as this client is of no more use: nobody answers, or another scheduler than before."""
        silent = 0
        while client.status == "running" and silent < SILENCES:
            try:
                if await self._scheduler(client) != scheduler:
                    return
                silent = 0
            except TimeoutError:
                # A busy scheduler is not a lost one, and songs sent again would make it busier.
                silent += 1
            except OSError:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._doubt.wait()
                return

    @staticmethod
    async def _scheduler(client: Client) -> str:
        scheduler: Any = client.scheduler
        async with asyncio.timeout(CONNECT_SECONDS):
            return str((await scheduler.identity(n_workers=0))["id"])

    def _event(self, event: tuple[float, Any]) -> None:
        _, message = event
        if isinstance(message, dict):
            self._hear(message)


def _speak_through_the_programs_log() -> None:
    """Let the library's errors go where all others go, and its chatter nowhere."""
    logger = logging.getLogger("distributed")
    for handler in tuple(logger.handlers):
        logger.removeHandler(handler)
    logger.propagate = True
    logger.setLevel(logging.ERROR)
    # That it reconnects, and fails to, is told by us.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
