"""The faults by plan that matter most; ``python -m tests.bot.faults`` tries all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from storage.database import database_url
from storage.migrate import migrate
from tests.bot.faults import sqlite_worlds, try_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORST = r"(lost|kill) after at storage\.(jobs\.(answer|finish)|replies\.mark_sent)"


def test_a_song_has_one_end_whatever_happens_while_it_is_stored(tmp_path: Path, tone: Callable[..., Path]) -> None:
    template, song = tmp_path / "template.sqlite3", tone(name="song.wav")

    async def all_of_them() -> tuple[int, list[str]]:
        await migrate(database_url(f"sqlite:///{template}"))
        return await try_all(sqlite_worlds(tmp_path, template, song), WORST)

    assert asyncio.run(all_of_them()) == (6, [])
