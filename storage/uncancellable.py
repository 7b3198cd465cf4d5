"""A class decorator that lets database methods run to completion even if their caller is cancelled.

Each is one transaction, which is run again after a conflict or a lost connection (``storage.outages``).

Cancelling a transaction while the driver's thread works on it can leave SQLite's write lock held by a connection that
nobody closes. Every decorated method takes milliseconds, so a cancelled caller waits for it instead.
"""

from __future__ import annotations

import asyncio
import inspect
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar

from storage.outages import retried

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Class = TypeVar("Class", bound=type)


def uncancellable(cls: Class) -> Class:
    """Make a class's public coroutine methods finish before a cancellation of their caller takes effect."""
    for name, method in list(vars(cls).items()):
        if not name.startswith("_") and inspect.iscoroutinefunction(method):
            setattr(cls, name, _finishing(method))
    return cls


def _finishing(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(method)
    async def finish(*arguments: Any, **options: Any) -> Any:
        task = asyncio.ensure_future(retried(partial(method, *arguments, **options)))
        cancelled: asyncio.CancelledError | None = None
        while not task.done():
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError as error:
                if task.cancelled():
                    raise
                cancelled = error
            except Exception:  # the method's own, raised below
                break
        if cancelled is not None:
            # Retrieve the task's error, which asyncio would otherwise warn about.
            task.exception()
            raise cancelled
        return task.result()

    return finish
