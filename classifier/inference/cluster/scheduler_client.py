"""A connection to the cluster's scheduler that is restored whenever it is lost; callers wait in the meantime.

Every connection uses a new client, because the library loses topic subscriptions when it reconnects by itself.
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
CHECK_SECONDS: Final = 2.0
MAX_MISSED_CHECKS: Final = 6
"""Number of checks in a row without an answer within ``CONNECT_SECONDS`` after which a scheduler counts as lost."""
CLOSE_SECONDS: Final = 5.0

# Songs are part of their tasks; the library's warning about that is meant for arrays that many tasks share.
dask.config.set({"distributed.admin.large-graph-warning-threshold": "4GiB"})


class SchedulerClient:
    """Keeps a client connected to the scheduler.

    Parameters
    ----------
    url
        Address of the scheduler.
    security
        See ``credentials.security``.
    topic, on_message
        Called with every message that workers publish to the topic.
    """

    def __init__(self, url: str, security: Security, topic: str, on_message: Callable[[dict[str, Any]], None]) -> None:
        self._url, self._security = url, security
        self._topic, self._on_message = topic, on_message
        self._client: Client | None = None
        self._connected = asyncio.Event()
        self._suspect = asyncio.Event()
        self._connection: asyncio.Task[None] | None = None
        _use_program_log()

    def open(self) -> None:
        """Start to connect."""
        self._connection = asyncio.create_task(self._stay_connected(), name="cluster")

    @property
    def client(self) -> Client | None:
        """The client while there is a connection, else None."""
        return self._client

    async def connected(self) -> Client:
        """Wait until there is a connection."""
        while self._client is None:
            await self._connected.wait()
        return self._client

    def lost(self, client: Client) -> None:
        """Report that a client seems to have lost its connection, so that a new one replaces it."""
        if client is self._client:
            self._client = None
            self._connected.clear()
            self._suspect.set()

    async def close(self) -> None:
        """Disconnect for good."""
        if self._connection is not None:
            self._connection.cancel()
            await asyncio.gather(self._connection, return_exceptions=True)

    async def _stay_connected(self) -> None:
        forward = False
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
                log.info("connected to the cluster at %s", self._url)
                self._suspect.clear()
                forward, self._client = False, client
                self._connected.set()
                await self._watch(client, scheduler)
                log.warning("the connection to %s was lost; songs wait until it is back", self._url)
            except (OSError, TimeoutError, ValueError) as error:
                if not forward:
                    log.warning("%s cannot be reached, songs wait: %s", self._url, str(error).partition("\n")[0])
                forward = True
            finally:
                self._client = None
                self._connected.clear()
                with suppress(Exception):
                    async with asyncio.timeout(CLOSE_SECONDS):
                        await client.close(timeout=CLOSE_SECONDS)  # type: ignore[no-untyped-call]
            await asyncio.sleep(PAUSE_SECONDS)

    async def _watch(self, client: Client, scheduler: str) -> None:
        """Return when this client has become useless: the scheduler does not answer, or another one took its place."""
        silent = 0
        while client.status == "running" and silent < MAX_MISSED_CHECKS:
            try:
                if await self._scheduler(client) != scheduler:
                    return
                silent = 0
            except TimeoutError:
                # The scheduler may just be busy, and sending songs again would make it busier.
                silent += 1
            except OSError:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._suspect.wait()
                return

    @staticmethod
    async def _scheduler(client: Client) -> str:
        scheduler: Any = client.scheduler
        async with asyncio.timeout(CONNECT_SECONDS):
            return str((await scheduler.identity(n_workers=0))["id"])

    def _event(self, event: tuple[float, Any]) -> None:
        _, message = event
        if isinstance(message, dict):
            self._on_message(message)


def _use_program_log() -> None:
    """Send the library's errors to the program's log, and suppress its other messages."""
    logger = logging.getLogger("distributed")
    for handler in tuple(logger.handlers):
        logger.removeHandler(handler)
    logger.propagate = True
    logger.setLevel(logging.ERROR)
    # Reconnecting and its failures are logged by SchedulerClient.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
