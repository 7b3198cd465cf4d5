"""Runs a worker of the cluster: connects, reconnects when the scheduler is back, and ends on a signal."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from distributed import Worker

from classifier.inference.cluster.credentials import security
from classifier.inference.cluster.release_cache import ReleaseCache
from classifier.inference.cluster.worker_plugin import ClassifierPlugin

if TYPE_CHECKING:
    from pathlib import Path

    from classifier.inference.cluster.credentials import Credentials
    from classifier.inference.cluster.worker_plugin import MakeReleaseProcessor

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Settings of a worker.

    Attributes
    ----------
    url
        Address of the scheduler.
    credentials
        For ``tls://``.
    songs
        Number of songs that are classified at a time.
    folder
        For releases and the scratch files of ``distributed``.
    listen
        Host and port at which the scheduler reaches the worker; empty and 0 to choose them automatically.
    """

    url: str
    credentials: Credentials | None
    songs: int
    folder: Path
    listen: tuple[str, int] = ("", 0)


async def serve(settings: WorkerSettings, make_processor: MakeReleaseProcessor) -> None:
    """Work for the cluster until SIGINT or SIGTERM; unfinished songs are then given to other workers.

    Raises
    ------
    BadCredentials
        If the certificates do not fit the address.
    """
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signalled.set)
    plugin = ClassifierPlugin(make_processor, ReleaseCache(settings.folder / "releases"), songs=settings.songs)
    stopping = asyncio.create_task(signalled.wait())
    own = security(settings.url, settings.credentials)
    try:
        while not signalled.is_set():
            working = asyncio.create_task(_work(settings, plugin, own))
            await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                working.cancel()
            [ended] = await asyncio.gather(working, return_exceptions=True)
            if isinstance(ended, Exception):
                log.warning("%s: %s", settings.url, ended)
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS):
                    await signalled.wait()
    finally:
        stopping.cancel()
        await plugin.close()


async def _work(settings: WorkerSettings, plugin: ClassifierPlugin, own: Any) -> None:
    """Run one connection to the scheduler until it ends."""
    host, port = settings.listen
    worker = Worker(
        settings.url,
        nthreads=settings.songs,
        # The child processes that decode songs limit their memory themselves; this one only holds the files.
        memory_limit=0,
        host=host or None,
        port=port,
        security=own,
        plugins=(plugin,),
        local_directory=str(settings.folder / "scratch"),
        dashboard_address="127.0.0.1:0",
    )
    try:
        await worker
        log.info("listening for %s, %d songs at a time, reached at %s", settings.url, settings.songs, worker.address)
        await worker.finished()  # type: ignore[no-untyped-call]
        log.warning("the connection to %s has ended", settings.url)
    except asyncio.CancelledError:
        with suppress(Exception):
            async with asyncio.timeout(CLOSE_SECONDS):
                await worker.close_gracefully(reason="stopped by a signal")
        raise
    finally:
        with suppress(Exception):
            await worker.close(timeout=CLOSE_SECONDS)
