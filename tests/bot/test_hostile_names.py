"""Files and genres whose names mean harm: shown as plain text or refused with a sentence, and never a path."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from bot.core.messages import TITLE_CHARACTERS
from tests.bot.running import eventually
from tests.bot.web.page import send, settled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import aiohttp

    from tests.bot.web.page import Page

FILES = {
    "a way up": "../../etc/passwd",
    "a place": "/etc/cron.d/x",
    "a long one": "a" * 3000,
    "nul": "song\0.mp3",
    "the other way round": "song\u202e3pm.exe",
    "lines": "song\r\nX-Other: yes",
    "a mention": "@everyone <script>alert(1)</script>.mp3",
}


@pytest.mark.parametrize("name", FILES.values(), ids=FILES)
async def test_a_files_name_is_only_a_name(
    ann: aiohttp.ClientSession, page: Page, tone: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    path = tone()
    before = outside(tmp_path)
    entry = await settled(ann, (await send(ann, path, quote(name)))["id"])
    assert entry["state"] == "answered"
    assert 0 < len(entry["title"]) <= TITLE_CHARACTERS
    assert not {unicodedata.category(character) for character in entry["title"]} & {"Cc", "Cf", "Zl", "Zp"}
    assert outside(tmp_path) == before

    async def spool_is_empty() -> bool:
        return not any(page.chat.uploads._folder.iterdir())

    await eventually(spool_is_empty)


def outside(folder: Path) -> list[Path]:
    """Return what lies beside the bot's own data."""
    return sorted(path for path in folder.rglob("*") if "data" not in path.parts)


@pytest.mark.parametrize(
    ("genre", "status"),
    [
        ("x" * 1000, 422),
        ("\u202eevil", 422),
        ("a\0b", 422),
        ("<@&1> @everyone", 200),
        ("'; DROP TABLE labels; --x", 200),
        ("=cmd|' /C calc'!A0", 200),
        ("<img src=x onerror=alert(1)>", 200),
    ],
)
async def test_a_genres_name_is_refused_or_plain_text(
    ann: aiohttp.ClientSession, page: Page, answered: int, genre: str, status: int
) -> None:
    async with ann.post(f"/songs/{answered}/opinion", json={"genre": genre}) as response:
        assert response.status == status
        said = await response.json()
    if status == 200:
        assert genre.casefold() in said["entry"]["opinion"]["thanks"].casefold()
    assert (await page.bot.storage.labels.search("")).total >= 5


async def test_a_genres_name_of_ten_thousand_letters_is_not_even_read(
    ann: aiohttp.ClientSession, answered: int
) -> None:
    async with ann.post(f"/songs/{answered}/opinion", json={"genre": "x" * 10_000}) as response:
        assert response.status == 413
