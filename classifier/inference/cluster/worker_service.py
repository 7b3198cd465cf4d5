"""The life of a worker of the cluster: connects, works, connects anew when the scheduler is back, ends on a signal."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from distributed import Worker

from classifier.inference.cluster.credentials import security
from classifier.inference.cluster.release_cache import Shelf
from classifier.inference.cluster.worker_plugin import Machine

if TYPE_CHECKING:
    from pathlib import Path

    from classifier.inference.cluster.credentials import Credentials
    from classifier.inference.cluster.worker_plugin import MakeWork

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Post:
    """Where a worker does its duty.

    Attributes
    ----------
    url
        Of the scheduler.
    credentials
        For ``tls://``.
    songs
        How many are worked on at a time.
    folder
        For releases, and for what the library puts down.
    listen
        Host and port at which the scheduler reaches the worker; empty and 0 for whatever there is.
    """

    url: str
    credentials: Credentials | None
    songs: int
    folder: Path
    listen: tuple[str, int] = ("", 0)


async def serve(post: Post, make_work: MakeWork) -> None:
    """Work for the cluster until SIGINT or SIGTERM; songs under way are then done elsewhere.

    Raises
    ------
    BadCredentials
        If the certificates do not fit the address.
    """
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signalled.set)
    machine = Machine(make_work, Shelf(post.folder / "releases"), songs=post.songs)
    stopping = asyncio.create_task(signalled.wait())
    own = security(post.url, post.credentials)
    try:
        while not signalled.is_set():
            working = asyncio.create_task(_work(post, machine, own))
            await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                working.cancel()
            [ended] = await asyncio.gather(working, return_exceptions=True)
            if isinstance(ended, Exception):
                log.warning("%s: %s", post.url, ended)
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS):
                    await signalled.wait()
    finally:
        stopping.cancel()
        await machine.close()


async def _work(post: Post, machine: Machine, own: Any) -> None:
    """Be a worker of the cluster for as long as the connection holds."""
    host, port = post.listen
    worker = Worker(
        post.url,
        nthreads=post.songs,
        # Memory is limited where it is used, in the processes that decode; here are only songs' bytes.
        memory_limit=0,
        host=host or None,
        port=port,
        security=own,
        plugins=(machine,),
        local_directory=str(post.folder / "scratch"),
        dashboard_address="127.0.0.1:0",
    )
    try:
        await worker
        log.info("listening for %s, %d songs at a time, reached at %s", post.url, post.songs, worker.address)
        await worker.finished()  # type: ignore[no-untyped-call]
        log.warning("the connection to %s has ended", post.url)
    except asyncio.CancelledError:
        with suppress(Exception):
            async with asyncio.timeout(CLOSE_SECONDS):
                await worker.close_gracefully(reason="stopped by a signal")
        raise
    finally:
        with suppress(Exception):
            await worker.close(timeout=CLOSE_SECONDS)
