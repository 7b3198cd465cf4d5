from __future__ import annotations

import base64
import re
import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.bot.process import BotProcess
from tests.bot.running import eventually
from tests.bot.web.browser import PHONE, visitor
from tests.synthesis import song, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.async_api import Browser

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with songs of our own, and a text that is called one."""
    folder = tmp_path_factory.mktemp("songs")
    write(song("jazz", 70), folder / "late.mp3")
    write(song("metal", 12), folder / "loud.ogg")
    (folder / "text.mp3").write_text("not music at all " * 100, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def bot_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotProcess]:
    process = BotProcess(tmp_path_factory.mktemp("bot"), LINGER="0.4")
    yield process.start()
    process.kill()


def _corrections(process: BotProcess) -> list[tuple[str, int]]:
    with sqlite3.connect(process.data / "songs.db") as database:
        return database.execute("SELECT label, consent FROM corrections ORDER BY id").fetchall()


async def test_a_song_is_dropped_answered_corrected_and_still_there_after_a_reload(
    bot_process: BotProcess, browser: Browser, songs: Path
) -> None:
    before = _corrections(bot_process)
    async with visitor(bot_process.address, browser=browser) as ann:
        await ann.check()
        content = base64.b64encode((songs / "late.mp3").read_bytes()).decode()
        await ann.drops("Sớm mai <b>.mp3", content)
        await ann.page.locator(".stage", has_text=re.compile(r"Listening: part \d of 3…")).wait_for()
        await ann.check()
        answer = ann.entry("answered")
        headline = await answer.locator(".headline").inner_text()
        assert headline.startswith(("This sounds like", "Probably", "I'm not sure"))
        assert await answer.locator(".title").inner_text() == "Sớm mai <b>.mp3"
        await ann.until("document.querySelector('figure img').naturalWidth === 1080")
        await answer.locator("[data-key=segments]").click()
        assert await answer.locator("tbody tr").count() == 3
        await ann.check()

        await answer.locator("[data-key=wrong]").click()
        await ann.page.keyboard.type("cheo")
        await ann.page.locator("[role=option]", has_text="Chèo").wait_for()
        await ann.check()
        await ann.page.keyboard.press("ArrowDown")
        await ann.page.keyboard.press("Enter")
        await answer.locator(".said", has_text="No, it's chèo.").wait_for()
        await ann.has_focus_on("change")
        await ann.check()
        await ann.page.locator("#consent-question [data-key=allow]").click()
        await answer.locator(".consent-notice", has_text="From now on your corrections may teach me").wait_for()
        assert _corrections(bot_process) == [*before, ("cheo", 1)]

        await ann.comes()
        answer = ann.entry("answered")
        assert await answer.locator(".headline").inner_text() == headline
        assert await answer.locator(".said").inner_text() == "No, it's chèo."
        await answer.locator("[data-key=undo]").click()
        await answer.locator("[data-key=right]").wait_for()
        await ann.has_focus_on("right")
        assert _corrections(bot_process) == before
        await ann.check()


async def test_everything_can_be_done_by_keyboard_and_is_announced(
    bot_process: BotProcess, browser: Browser, songs: Path
) -> None:
    async with visitor(bot_process.address, browser=browser) as ann:
        press = ann.page.keyboard.press
        await press("Tab")
        assert (await ann.focused())["text"] == "Skip to the song box"
        await press("Enter")
        await press("Tab")
        order = ["English", "Tiếng Việt", "Privacy"]
        await ann.comes()
        await press("Tab")
        for name in order:
            await press("Tab")
            assert (await ann.focused())["text"] == name
        await press("Tab")
        await press("Enter")  # the first example song
        answer = ann.entry("answered")
        await answer.locator(".headline").wait_for()
        await ann.is_told(await answer.locator(".headline").inner_text())

        await answer.locator("[data-key=segments]").focus()
        await press("Enter")
        await press("Tab")
        assert (await ann.focused())["tag"] == "DIV"  # the table, which scrolls by keyboard
        # An unsure answer has a button for each genre that it names instead of "Right".
        await answer.locator(".opinion button:visible").nth(-2).focus()
        await press("Tab")
        await ann.has_focus_on("wrong")
        await press("Enter")
        assert (await ann.focused())["tag"] == "INPUT"
        await press("Escape")
        await press("Escape")
        await ann.has_focus_on("wrong")
        await press("Enter")
        await ann.page.keyboard.type("Zydeco Noir")
        await ann.page.locator("[role=option]", has_text="New genre: “Zydeco Noir”").wait_for()
        await ann.is_told("No such genre yet")
        await press("Enter")
        await answer.locator(".thanks", has_text="“Zydeco Noir” is new to me").wait_for()
        await press("Tab")
        await ann.has_focus_on("undo")
        await press("Enter")
        await answer.locator("[data-key=wrong]").wait_for()
        await ann.is_told("Your correction is removed")
        await ann.check()


async def test_on_a_phone_in_the_dark_in_vietnamese(bot_process: BotProcess, browser: Browser, songs: Path) -> None:
    async with visitor(bot_process.address, browser=browser, viewport=PHONE, language="vi-VN", dark=True) as ann:
        assert await ann.page.locator("html").get_attribute("lang") == "vi"
        await ann.check()
        await ann.chooses(songs / "loud.ogg", songs / "text.mp3")
        failed = ann.entry("failed")
        assert "không phải tệp nhạc" in await failed.locator(".reply").inner_text()
        answer = ann.entry("answered")
        assert "Mình" in await answer.locator(".headline").inner_text()
        await ann.until("document.querySelector('figure img').naturalWidth === 1080")
        picture = await answer.locator("img").evaluate("(image) => image.currentSrc")
        assert picture.endswith("timeline-dark.png?language=vi")
        assert "Dòng thời gian" in str(await answer.locator("img").get_attribute("alt"))
        await answer.locator("[data-key=segments]").click()
        await answer.locator("[data-key=wrong]").click()
        await ann.page.keyboard.type("cải")
        await ann.page.locator("[role=option]", has_text="Cải lương").click()
        await answer.locator(".said", has_text="Không, đây là cải lương.").wait_for()
        await ann.check()
        await ann.page.locator("#open-privacy").click()
        await ann.page.locator("#privacy[open]").wait_for()
        await ann.check()


async def test_the_language_can_be_changed_and_the_conversation_comes_along(
    bot_process: BotProcess, browser: Browser, songs: Path
) -> None:
    async with visitor(bot_process.address, browser=browser) as ann:
        await ann.chooses(songs / "loud.ogg")
        await ann.entry("answered").wait_for()
        await ann.page.get_by_role("button", name="Tiếng Việt").click()
        await ann.page.wait_for_selector("html[lang=vi] body[data-ready]")
        await ann.entry("answered").locator(".headline", has_text="Mình").wait_for()
        await ann.check()


async def test_a_song_is_stopped_on_the_page(tmp_path: Path, browser: Browser, songs: Path) -> None:
    process = BotProcess(tmp_path, LINGER="60").start()
    try:
        async with visitor(process.address, browser=browser) as ann:
            await ann.pastes("late.mp3", base64.b64encode((songs / "late.mp3").read_bytes()).decode())
            await ann.page.locator(".stage", has_text="Listening").wait_for()
            await ann.until("document.getElementById('announcer').textContent.endsWith('…')")
            await ann.page.get_by_role("button", name="Stop").click()
            await ann.entry("stopped").locator(".reply").get_by_text("Stopped. I've forgotten that song.").wait_for()
            await eventually(process.spool_is_empty)
            await ann.check()
    finally:
        process.kill()


async def test_a_song_that_was_heard_when_the_bot_was_killed_is_answered_by_the_next_while_the_page_waits(
    tmp_path: Path, browser: Browser, songs: Path
) -> None:
    first = BotProcess(tmp_path, LINGER="60").start()
    port = first.address.rpartition(":")[2]
    async with visitor(first.address, browser=browser) as ann:
        await ann.chooses(songs / "late.mp3")
        await ann.page.locator(".stage", has_text="Listening").wait_for()
        first.kill()
        await ann.page.locator("#lost").wait_for()
        second = BotProcess(tmp_path, LOCAL_CHAT=f"127.0.0.1:{port}").start()
        try:
            await ann.entry("answered").locator(".headline").wait_for()
            await ann.page.locator("#lost").wait_for(state="hidden")
            assert await ann.page.locator(".entry").count() == 1
            with sqlite3.connect(second.data / "songs.db") as database:
                assert database.execute("SELECT count(*) FROM replies").fetchone() == (1,)
        finally:
            second.kill()


async def test_all_that_is_kept_is_deleted_when_asked(bot_process: BotProcess, browser: Browser, songs: Path) -> None:
    before = _corrections(bot_process)
    async with visitor(bot_process.address, browser=browser) as ann:
        await ann.chooses(songs / "loud.ogg")
        await ann.entry("answered").locator("[data-key=right]").click()
        await ann.entry("answered").locator(".thanks").wait_for()
        await ann.page.locator("#open-privacy").click()
        await ann.page.get_by_role("button", name="Delete my data").click()
        await ann.check()
        await ann.page.get_by_role("button", name="Yes, delete everything").click()
        await ann.page.get_by_text("one answer from your history and one correction").wait_for()
        await ann.page.get_by_role("button", name="Close").click()
        await ann.page.wait_for_selector(".entry", state="detached")
        assert _corrections(bot_process) == before


@pytest.mark.timeout(240)
async def test_the_real_thing_as_it_is_released(tmp_path: Path, browser: Browser, songs: Path) -> None:
    """``python -m bot`` with the released model: an example song, and one that was dropped."""
    process = BotProcess(tmp_path, module="bot").start()
    try:
        async with visitor(process.address, browser=browser) as ann:
            await ann.page.locator("[data-example]").first.click()
            await ann.drops("late.mp3", base64.b64encode((songs / "late.mp3").read_bytes()).decode())
            answer = ann.entry("answered", 1)
            await answer.locator(".headline").wait_for()
            assert await ann.entry("answered").locator(".player .play").is_visible()
            await ann.until(
                "[...document.querySelectorAll('figure img')].every((image) => image.naturalWidth === 1080)"
            )
            assert await answer.locator("tbody tr").count() == 3
            assert ": " in str(await answer.locator("tbody td").last.text_content())
            length = str(await answer.locator(".player .time").text_content()).removeprefix("0:00 / ")
            assert f"{length} of music" in str(await answer.locator(".lines").first.text_content())
            await answer.locator("[data-key=wrong]").click()
            await ann.page.keyboard.type("hát xẩm")
            await ann.page.locator("[role=option]", has_text="Hát xẩm").click()
            await answer.locator(".thanks").wait_for()
            await ann.comes()
            assert await ann.page.locator(".said").inner_text() == "No, it's hát xẩm."
            await ann.check()
        assert _corrections(process) == [("hatxam", 0)]
        assert process.stop() == 0
        assert await process.spool_is_empty()
    finally:
        process.kill()
