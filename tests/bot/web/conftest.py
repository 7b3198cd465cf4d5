"""One bot and one browser for all tests of a module: everybody who comes to the page is somebody new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.bot.process import BotProcess
from tests.bot.web.browser import open_browser
from tests.synthesis import song, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from playwright.async_api import Browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotProcess]:
    """A bot whose page everybody in the module uses."""
    process = BotProcess(tmp_path_factory.mktemp("served"), SONGS_PER_PERSON_QUEUED="4")
    yield process.start()
    process.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A browser that everybody in the module uses."""
    async with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def short_songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Thirty short songs of two kinds, all with different bytes."""
    folder = tmp_path_factory.mktemp("short")
    paths = []
    for style in ("jazz", "metal"):
        write(song(style, 3), folder / f"{style}.mp3")
        content = (folder / f"{style}.mp3").read_bytes()
        for number in range(15):
            path = folder / f"{number + 1:02} {style} – bài hát có cái tên rất là dài.mp3"
            # Another tag at the end makes it another file.
            path.write_bytes(content + f"TAG{number:03}".ljust(128).encode())
            paths.append(path)
    return paths
