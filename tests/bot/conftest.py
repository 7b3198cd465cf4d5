"""What the bot's tests share: real storage in a file, keys, a quick ear, and tones that it can tell apart."""

from __future__ import annotations

import shutil
import wave
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bot.core.identity import IdHasher
from bot.settings import Settings
from storage import Storage
from tests.bot.fake_classifier import EarAtHand
from tests.bot.recording_chat import Notebook
from tests.bot.running import Bot
from tests.bot.web.page import Page, opened_page, send, settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import aiohttp

    Tone = Callable[..., Path]

TONE_RATE = 4000


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever stands in the environment or a .env of whoever runs the tests stays there."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def storage(tmp_path: Path, seeded_file: Path) -> AsyncIterator[Storage]:
    shutil.copy(seeded_file, tmp_path / "songs.db")
    async with await Storage.open(f"sqlite:///{tmp_path / 'songs.db'}") as opened:
        yield opened


@pytest.fixture
def keys() -> IdHasher:
    return IdHasher(b"a key that only the tests know")


@pytest.fixture
def ear() -> EarAtHand:
    return EarAtHand()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", songs_per_person_queued=3, songs_per_person_daily=50, max_megabytes=1)


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
async def bot(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tmp_path: Path
) -> AsyncIterator[Bot]:
    """A bot that works: real storage, real decoding, a notebook for a chat."""
    running = Bot(storage, keys, settings, ear, tmp_path / "work").with_chat(notebook)
    await running.start()
    yield running
    await running.queue.stop()


@pytest.fixture
def tone(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that writes a tone to a file: the higher it is, the brighter the genre."""

    def write(hertz: float = 200, seconds: float = 4, name: str | None = None) -> Path:
        path = tmp_path / (name or f"{hertz:g}-{seconds:g}.wav")
        samples = 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * TONE_RATE)) / TONE_RATE)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(TONE_RATE)
            file.writeframes((samples * 32767).astype("<i2").tobytes())
        return path

    return write


@pytest.fixture
async def page(storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand) -> AsyncIterator[Page]:
    async with opened_page(storage, keys, settings, ear) as opened:
        yield opened


@pytest.fixture
async def ann(page: Page) -> aiohttp.ClientSession:
    """A browser that has said hello."""
    browser = page.browser()
    await (await browser.post("/hello")).read()
    return browser


@pytest.fixture
async def answered(ann: aiohttp.ClientSession, tone: Tone) -> int:
    """The number of a song that Ann was told is blues."""
    return int((await settled(ann, (await send(ann, tone()))["id"]))["id"])
