"""``python -m classifier.model_server FD MODEL_DIR MAX_MINUTES``: classifies files for a ``GenreModel``.

It receives paths over the connection FD, and answers each with its report or with the error to raise. It ends when the
other side closes the connection.
"""

from __future__ import annotations

import asyncio
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from classifier.inference.executor import CannotStart, Release
from classifier.inference.executor_factory import open_executor
from classifier.inference.worker_process import WorkerError
from common.errors import SongError


async def serve(connection: Connection, model_dir: Path, max_minutes: float) -> None:
    """Answer until the other side closes the connection."""
    executor = open_executor("", model_dir=model_dir, workers=1, max_minutes=max_minutes)
    try:
        await executor.start()
    except CannotStart as error:
        connection.send(error)
        return
    try:
        connection.send(Release(executor.release, executor.genres))
        while True:
            path = await asyncio.to_thread(connection.recv)
            try:
                connection.send((await executor.classify(path)).report)
            except SongError as error:
                connection.send(error)
            except WorkerError as bug:
                connection.send(RuntimeError(str(bug)))
    except (EOFError, OSError):
        return
    finally:
        await executor.close()


if __name__ == "__main__":
    asyncio.run(serve(Connection(int(sys.argv[1])), Path(sys.argv[2]), float(sys.argv[3])))
