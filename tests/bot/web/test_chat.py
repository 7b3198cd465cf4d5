from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import aiohttp

from bot.web.upload_store import read_examples
from tests.bot.running import eventually
from tests.bot.web.page import Page, history, opened_page, send, settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import pytest

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.fake_classifier import EarAtHand

    Tone = Callable[..., Path]


async def test_a_song_that_is_sent_is_answered_with_words_a_picture_and_its_parts(
    ann: aiohttp.ClientSession, tone: Tone
) -> None:
    entry = await settled(ann, (await send(ann, tone(200, 65), "S%E1%BB%9Bm%20mai.wav"))["id"])
    assert entry["title"] == "Sớm mai.wav"
    assert "blues" in entry["headline"]
    assert [part["time"] for part in entry["segments"]] == ["0:00–0:30", "0:30–1:00"]
    assert entry["opinion"] is None
    for theme in ("light", "dark"):
        async with ann.get("/" + entry["picture"][theme]) as response:
            assert response.content_type == "image/png"
            assert (await response.read()).startswith(b"\x89PNG")
    assert "blues" in entry["picture"]["alt"]


async def test_news_of_a_song_come_while_it_is_heard(ann: aiohttp.ClientSession, tone: Tone, ear: EarAtHand) -> None:
    ear.go_on.clear()
    async with ann.get("/events") as stream, asyncio.timeout(30):
        assert stream.content_type == "text/event-stream"
        await send(ann, tone(200, 65))
        stages = []
        async for line in stream.content:
            if line.startswith(b"data: "):
                entry = json.loads(line[6:])
                stages.append(entry.get("progress", {}).get("text", entry["state"]))
                if "part 1 of 2" in stages[-1]:
                    ear.go_on.set()
                if entry["state"] == "answered":
                    break
    assert "Listening: part 1 of 2…" in stages
    assert stages[-1] == "answered"


async def test_the_bytes_are_gone_once_the_song_is_answered(
    page: Page, ann: aiohttp.ClientSession, tone: Tone, settings: Settings
) -> None:
    spool = settings.data_dir / "spool"
    page.bot.ear.go_on.clear()
    entry = await send(ann, tone())
    assert len(list(spool.iterdir())) == 1
    page.bot.ear.go_on.set()
    await settled(ann, entry["id"])

    async def empty() -> bool:
        return not list(spool.iterdir())

    await eventually(empty)


async def test_a_text_file_that_is_called_mp3_gets_its_sentence(ann: aiohttp.ClientSession, tmp_path: Path) -> None:
    text = tmp_path / "text.mp3"
    text.write_text("hello " * 100, encoding="utf-8")
    entry = await settled(ann, (await send(ann, text, "text.mp3"))["id"])
    assert entry["state"] == "failed"
    assert entry["text"].startswith("This is not a music file that I can read.")


async def test_a_song_can_be_stopped(page: Page, ann: aiohttp.ClientSession, tone: Tone) -> None:
    page.bot.ear.go_on.clear()
    entry = await send(ann, tone())
    async with ann.delete(f"/songs/{entry['id']}") as response:
        assert response.status == 200
    stopped = await settled(ann, entry["id"])
    assert (stopped["state"], stopped["text"]) == ("stopped", "Stopped. I've forgotten that song.")


async def test_an_example_song_can_be_tried_and_listened_to(page: Page, ann: aiohttp.ClientSession) -> None:
    examples = read_examples()
    assert len(examples) >= 3
    async with ann.post(f"/examples/{examples[0].file}") as response:
        entry = await response.json()
    heard = await settled(ann, entry["id"])
    assert heard["state"] == "answered"
    assert heard["title"] == examples[0].titles["en"]
    async with ann.get("/" + heard["audio"]) as response:
        assert response.status == 200
    for forged in ("index.json", "..%2Fspool.py", "nothing.opus"):
        async with ann.post(f"/examples/{forged}") as response:
            assert response.status == 404


async def test_without_examples_the_page_does_not_speak_of_them(tmp_path: Path) -> None:
    assert read_examples(tmp_path) == ()


async def test_songs_are_answered_after_a_restart_and_left_overs_are_swept(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, tone: Tone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.core.song_queue.FINISH_SECONDS", 0.1)
    left_over = settings.data_dir / "spool" / "left-over"
    ear.go_on.clear()
    async with opened_page(storage, keys, settings, ear) as first:
        browser = first.browser()
        await history(browser)
        entry = await send(browser, tone())
        identity = "; ".join(f"{cookie.key}={cookie.value}" for cookie in browser.cookie_jar)
    left_over.write_bytes(b"of an upload that was cut off")
    ear.go_on.set()
    async with opened_page(storage, keys, settings, ear) as second:
        again = second.browser(Cookie=identity)
        assert (await settled(again, entry["id"]))["state"] == "answered"
    assert not left_over.exists()


async def test_an_empty_file_is_refused(ann: aiohttp.ClientSession, settings: Settings) -> None:
    async with ann.post("/songs", data=b"") as response:
        assert (response.status, (await response.json())["error"]) == (422, "This file is empty. Please send it again.")
    assert list((settings.data_dir / "spool").iterdir()) == []


async def test_a_file_over_the_limit_is_refused_before_it_is_read(ann: aiohttp.ClientSession) -> None:
    async with ann.post("/songs", data=b"x" * 1_000_001) as response:
        assert response.status == 413
        assert "larger than 1 MB" in (await response.json())["error"]


async def test_a_file_that_does_not_say_how_long_it_is_is_counted_while_it_comes(
    page: Page, ann: aiohttp.ClientSession, settings: Settings
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1_000_000_000:
            sent += 65_536
            yield b"x" * 65_536

    try:
        async with ann.post("/songs", data=endless()) as response:
            assert response.status == 413
    except aiohttp.ClientError:
        pass  # the server hung up while more was coming
    assert sent < 50_000_000
    assert list((settings.data_dir / "spool").iterdir()) == []
    assert (await history(ann))["entries"] == []


async def test_a_sender_who_falls_silent_is_let_go(
    ann: aiohttp.ClientSession, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.core.upload_slots.IDLE_SECONDS", 0.1)
    hold = asyncio.Event()

    async def silent() -> AsyncIterator[bytes]:
        yield b"RIFF"
        await hold.wait()

    async with ann.post("/songs", data=silent()) as response:
        assert response.status == 408
        hold.set()
    assert list((settings.data_dir / "spool").iterdir()) == []


async def test_too_many_songs_are_refused_before_their_bytes_are_taken(
    page: Page, ann: aiohttp.ClientSession, tone: Tone, settings: Settings
) -> None:
    page.bot.ear.go_on.clear()
    for number in range(settings.songs_per_person_queued):
        await send(ann, tone(200 + number))
    async with ann.post("/songs", data=tone().read_bytes()) as response:
        assert response.status == 422
        assert "3 of your songs are still waiting" in (await response.json())["error"]
    assert len((await history(ann))["entries"]) == 3
    page.bot.ear.go_on.set()
