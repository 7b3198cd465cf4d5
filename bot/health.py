"""Serves ``/healthz``, ``/readyz`` and ``/metrics`` for the operator, on an address of their own.

They contain nothing about people and no secrets, but are meant for the operator alone, so the page does not serve them.
"""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler

from bot.http_server import QuietRunner, host_names, is_private_name
from common.units import MEBIBYTE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from aiohttp.typedefs import Handler

    from bot.core.chat import Chat
    from bot.metrics import Metrics
    from classifier.inference.executor import SongExecutor
    from common.addresses import Address
    from storage import Storage

DATABASE_SECONDS: Final = 2.0
DISK_BYTES: Final = 16 * MEBIBYTE
"""With less space than this, no song is certain to fit."""
CLOSE_SECONDS: Final = 1.0

log = logging.getLogger(__name__)


class CannotListen(Exception):
    """The address for health and metrics cannot be used; the message says why."""


@runtime_checkable
class RemoteExecutor(Protocol):
    """An executor whose workers are on other machines."""

    @property
    def connected(self) -> bool:
        """Whether they can be reached now."""
        ...


class Health:
    """Knows which parts the bot should have, and checks whether they work.

    Parameters
    ----------
    metrics
        Updated with what is found.
    data_dir
        Where songs are kept while they are worked on; None to leave the disk out.
    """

    def __init__(self, metrics: Metrics, data_dir: Path | None = None) -> None:
        self._data_dir = data_dir
        self.metrics = metrics
        self._executor: SongExecutor | None = None
        self._storage: Storage | None = None
        self._expected: tuple[str, ...] | None = None
        self._running: Mapping[str, Chat] = {}
        self._stopping = False
        self._checking: asyncio.Task[bool] | None = None

    def has_storage(self, storage: Storage) -> None:
        """Note that the database is open."""
        self._storage = storage

    def has_model(self, executor: SongExecutor) -> None:
        """Note that the workers have loaded the release."""
        self._executor = executor
        self.metrics.watch(executor)

    def has_chats(self, expected: tuple[str, ...], running: Mapping[str, Chat]) -> None:
        """Note that every chat that can start has started.

        Parameters
        ----------
        expected
            Platforms that the settings ask for.
        running
            Platform → chat, for those that started; read at every check.
        """
        self._expected, self._running = expected, running
        for chat in expected:
            self.metrics.knows_chat(chat)

    def stops(self) -> None:
        """Note that no more songs are taken."""
        self._stopping = True

    async def parts(self) -> dict[str, bool]:
        """Check every part, and return whether it works.

        ``model``, ``database``, ``cluster`` where songs are classified elsewhere, each chat, ``disk`` where songs can
        be kept while they are worked on, and ``taking-songs``.

        Updates the metrics with the same, and with the length of the queue.
        """
        found = {"model": self._executor is not None, "database": await self._database_works()}
        if isinstance(self._executor, RemoteExecutor):
            found["cluster"] = self._executor.connected
        for chat in self._expected or ():
            found[chat] = chat in self._running and self._running[chat].connected
        if self._data_dir is not None:
            found["disk"] = await asyncio.to_thread(_has_space, self._data_dir)
        found["taking-songs"] = self._expected is not None and not self._stopping
        for part, ready in found.items():
            self.metrics.part_is(part, ready=ready)
        return found

    async def _database_works(self) -> bool:
        """Return whether the queue can be read and something can be stored, within ``DATABASE_SECONDS``."""
        if self._storage is None:
            return False
        # A check that waits for a lock cannot be cancelled: the next one asks for the same.
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check_database(self._storage))
        await asyncio.wait({self._checking}, timeout=DATABASE_SECONDS)
        return self._checking.done() and self._checking.result()

    async def _check_database(self, storage: Storage) -> bool:
        """Return whether the queue can be read and something can be stored; updates the metrics."""
        try:
            load = await storage.jobs.load()
            await storage.check_writable()
        except Exception as error:
            # The error's text may contain the database's address; its class is enough for a repeated probe.
            log.warning("the database cannot be used: %s", type(error).__name__)
            return False
        waited = 0.0 if load.oldest is None else max(0.0, (datetime.now(UTC) - load.oldest).total_seconds())
        self.metrics.queue_is(load.queued, load.running, waited)
        return True


def _has_space(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return not found.f_flag & os.ST_RDONLY and found.f_bavail * found.f_frsize >= DISK_BYTES


class Operations:
    """The HTTP server for health and metrics.

    Parameters
    ----------
    health
        What it serves.
    address
        Where it listens.
    hosts
        Names, besides IP addresses and single words, by which it may be asked.

    Attributes
    ----------
    url
        Its address with the actual port, once it listens.
    """

    def __init__(self, health: Health, address: Address, hosts: Collection[str] = ()) -> None:
        self._hosts = frozenset(hosts)
        self._health = health
        self._address = address
        self._runner: web.AppRunner | None = None
        self.url = ""
        self._metrics = make_aiohttp_handler(health.metrics.registry)

    async def __aenter__(self) -> Operations:
        application = web.Application(middlewares=[self._check_host])
        application.router.add_get("/healthz", self._alive)
        application.router.add_get("/readyz", self._ready)
        application.router.add_get("/metrics", self._measured)
        self._runner = QuietRunner(application, shutdown_seconds=CLOSE_SECONDS)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._address.host, self._address.port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise CannotListen(
                f"cannot listen on {self._address}: {error.strerror or error}; set OPERATIONS_LISTEN to another address"
            ) from error
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        log.info("operations are at %s", self.url)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _check_host(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not all(is_private_name(host) or host in self._hosts for host in host_names(request)):
            raise web.HTTPForbidden(text="Add this host name to OPERATIONS_HOSTS.")
        return await handler(request)

    async def _alive(self, _: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _ready(self, _: web.Request) -> web.Response:
        parts = await self._health.parts()
        missing = [part for part, works in parts.items() if not works]
        return web.json_response({"ready": not missing, "missing": missing}, status=503 if missing else 200)

    async def _measured(self, request: web.Request) -> web.StreamResponse:
        await self._health.parts()
        return await self._metrics(request)
