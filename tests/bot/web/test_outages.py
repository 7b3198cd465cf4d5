"""The page on a disk that is full: it says so, says when it is over, and keeps nothing by halves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.core import active_job, song_queue
from bot.health import Health, Operations
from common.addresses import Address
from storage import Storage
from tests.bot.web.page import send, settled
from tests.small_disk import SmallDisk, small_disk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from bot.settings import Settings
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.web.page import Page

    Tone = Callable[..., Path]

SORRY = "I can't save anything at the moment. Please try again in a few minutes."


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as made:
        yield made


@pytest.fixture
def settings(settings: Settings, disk: SmallDisk) -> Settings:
    return settings.model_copy(update={"data_dir": disk.folder})


@pytest.fixture
async def storage(disk: SmallDisk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Storage]:
    monkeypatch.setattr(active_job, "OUTAGE_SECONDS", 0.05)
    monkeypatch.setattr(song_queue, "POLL_SECONDS", 0.1)
    async with await Storage.open(f"sqlite:///{disk.folder / 'songs.db'}") as opened:
        yield opened


async def _said(browser: aiohttp.ClientSession, path: str, **more: object) -> tuple[int, str]:
    async with browser.post(path, **more) as response:  # type: ignore[arg-type]
        return response.status, (await response.json()).get("error", "")


async def test_a_full_disk_is_told_on_the_page_and_by_readiness_until_it_is_over(
    page: Page, ann: aiohttp.ClientSession, disk: SmallDisk, ear: EarAtHand, tone: Tone
) -> None:
    health = Health(page.bot.metrics, page.chat.settings.data_dir)
    health.has_storage(page.bot.storage)
    ear.go_on.clear()
    another = tone(900).read_bytes()
    waiting = await send(ann, tone())
    async with (
        Operations(health, Address("127.0.0.1", 0)) as operations,
        aiohttp.ClientSession(operations.url) as client,
    ):
        disk.fill()
        page.bot.storage.database.wrote_at = None
        ear.go_on.set()
        kept = {path.name for path in (disk.folder / "spool").iterdir()}
        assert await _said(ann, "/songs", data=another) == (503, SORRY)
        assert await _said(ann, "/links", json={"link": "https://example.org/song"}) == (503, SORRY)
        assert await _said(ann, "/consent", json={"allow": True}) == (503, SORRY)
        assert {path.name for path in (disk.folder / "spool").iterdir()} == kept
        async with ann.get("/genres") as response:
            assert response.status == 200
        async with client.get("/readyz") as response:
            assert response.status == 503
            # A small write may still find room in the database's own file.
            assert {"database", "disk"} & set((await response.json())["missing"])
        disk.empty()
        async with client.get("/readyz") as response:
            assert "database" not in (await response.json())["missing"]
    assert (await settled(ann, waiting["id"]))["state"] == "answered"
    assert len(ear.heard) == 1
