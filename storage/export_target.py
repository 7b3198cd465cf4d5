"""Where an export goes: to a file, which appears only once it is complete, or to a stream, which ends with a mark."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from storage.feedback_writers import open_writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.feedback_rows import Layout
    from storage.feedback_writers import ExportFormat, Writer

ExportTarget = Path | IO[bytes]


@asynccontextmanager
async def writing(target: ExportTarget, form: ExportFormat, layout: Layout) -> AsyncIterator[Writer]:
    """Open a writer and finish what it wrote; after an exception a file is removed, and a stream has no end.

    Parameters
    ----------
    target
        A stream is written as rows come and stays open.

    Raises
    ------
    FormatUnavailable
        For Parquet where pyarrow is not installed.
    """
    part = target.with_name(target.name + ".part") if isinstance(target, Path) else None
    try:
        writer = await asyncio.to_thread(open_writer, form, target if part is None else part, layout)
        try:
            yield writer
            await asyncio.to_thread(writer.finish)
        finally:
            await asyncio.to_thread(writer.close)
        if part is not None and isinstance(target, Path):
            await asyncio.to_thread(part.replace, target)
    finally:
        if part is not None:
            with suppress(OSError):
                await asyncio.to_thread(part.unlink, missing_ok=True)
