"""A class decorator that lets database methods run to completion even if their caller is cancelled.

Each is one transaction, which is run again after a conflict or a lost connection (``storage.outages``).

Cancelling a transaction while the driver's thread works on it can leave SQLite's write lock held by a connection that
nobody closes. Every decorated method takes milliseconds, so a cancelled caller waits for it instead, unless the
database hangs: then the method goes on by itself.
"""

from __future__ import annotations

import asyncio
import inspect
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

from storage.outages import retried

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Class = TypeVar("Class", bound=type)

FINISH_SECONDS: Final = 5.0

# The event loop itself holds tasks only weakly.
_unfinished: set[asyncio.Future[Any]] = set()


def uncancellable(cls: Class) -> Class:
    """Make a class's public coroutine methods finish before a cancellation of their caller takes effect.

    A cancelled caller waits for ``FINISH_SECONDS`` at most.
    """
    for name, method in list(vars(cls).items()):
        if not name.startswith("_") and inspect.iscoroutinefunction(method):
            setattr(cls, name, _finishing(method))
    return cls


def _forget(task: asyncio.Future[Any]) -> None:
    _unfinished.discard(task)
    if not task.cancelled():
        # Retrieve the task's error, which asyncio would otherwise warn about.
        task.exception()


def _finishing(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(method)
    async def finish(*arguments: Any, **options: Any) -> Any:
        task = asyncio.ensure_future(retried(partial(method, *arguments, **options)))
        cancelled: asyncio.CancelledError | None = None
        clock = asyncio.get_running_loop().time
        until: float | None = None
        while not task.done() and (until is None or clock() < until):
            try:
                await asyncio.wait({task}, timeout=None if until is None else until - clock())
            except asyncio.CancelledError as error:
                cancelled, until = error, until or clock() + FINISH_SECONDS
        if cancelled is None:
            return task.result()
        _unfinished.add(task)
        task.add_done_callback(_forget)
        raise cancelled

    return finish
