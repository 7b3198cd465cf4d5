"""A whole folder on the page, in a real browser: dropped, cut off by a reload, opened again, sorted, downloaded."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.bot.process import BotProcess
from tests.bot.running import eventually
from tests.bot.web.browser import PHONE, Visitor, visitor
from tests.synthesis import song, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.asyncio(loop_scope="module")

SONG_SECONDS = 4
PATHS = ("Đĩa 1/Chuyến tàu muộn 🎵.mp3", "Đĩa 1/#2 100% <b>.ogg", "đêm.opus", "loud.flac")


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as people have them: songs of our own, broken files, and things that are no songs."""
    folder = tmp_path_factory.mktemp("home") / "Nhạc & more"
    (folder / "Đĩa 1").mkdir(parents=True)
    (folder / ".trash").mkdir()
    for number, (path, style) in enumerate(zip(PATHS, ("jazz", "disco", "classical", "metal"), strict=True)):
        write(song(style, SONG_SECONDS, number), folder / path)
    (folder / "hỏng.mp3").write_text("not music at all " * 100, encoding="utf-8")
    (folder / "empty.wav").touch()
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / ".trash" / "gone.mp3").write_bytes(b"gone")
    return folder


@pytest.fixture(scope="module")
def bot_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotProcess]:
    # Slow enough for somebody to come in between.
    process = BotProcess(tmp_path_factory.mktemp("bot"), LINGER="1")
    yield process.start()
    process.kill()


async def drop(page: Page, path: Path) -> None:
    """Drop a folder as the desktop does: only so does the browser let the page look into it."""
    browser = await page.context.new_cdp_session(page)
    data: dict[str, Any] = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        await browser.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 200, "data": data})


async def playlists(ann: Visitor, folder: Path) -> dict[str, list[str]]:
    """Download the playlists and return the paths in each."""
    async with ann.page.expect_download() as began:
        await ann.page.locator(".playlists").click()
    download = await began.value
    assert download.suggested_filename.endswith("Nhạc & more.zip")
    await download.save_as(folder / "playlists.zip")
    with zipfile.ZipFile(folder / "playlists.zip") as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".m3u8")}
    return {name: [line for line in text.splitlines() if not line.startswith("#")] for name, text in texts.items()}


async def test_a_folder_is_dropped_cut_off_by_a_reload_opened_again_and_sorted(
    bot_process: BotProcess, browser: Browser, music: Path, tmp_path: Path
) -> None:
    async with visitor(bot_process.address, browser=browser) as ann:
        ann.page.on("dialog", lambda dialog: dialog.accept())  # the browser asks whether to leave the page
        await drop(ann.page, music)
        await ann.page.locator(".stage", has_text="of 6 songs heard").wait_for()
        await ann.until("document.querySelector('.collection progress').value > 0.4")
        await ann.comes()
        await ann.page.locator(".headline", has_text="No page is sending the others").wait_for()
        await ann.page.locator("[data-key=again]").wait_for()
        await ann.check()
        async with ann.page.expect_file_chooser() as opened:
            await ann.page.locator("[data-key=again]").press("Enter")
        await (await opened.value).set_files(str(music))
        await ann.page.locator(".stage", has_text="of 6 songs heard").wait_for()
        await ann.check()
        await ann.page.locator(".headline", has_text="4 songs, in order.").wait_for()
        await ann.is_told("4 songs, in order.")
        assert await ann.page.locator(".entry").count() == 1
        await ann.page.locator(".failures summary").click()
        assert await ann.page.locator(".failures bdi").all_inner_texts() == ["empty.wav", "hỏng.mp3"]
        await ann.check()

        found = await playlists(ann, tmp_path)
        assert sorted(path for paths in found.values() for path in paths) == sorted(PATHS)
        await ann.page.locator(".minimum select").select_option("90")
        await ann.page.locator(".shelves li", has_text="Not sure").get_by_text("4").wait_for()
        assert list(await playlists(ann, tmp_path)) == ["Not sure.m3u8"]

        await ann.page.locator(".shelves summary").click()
        line = ann.page.locator(".collection-song", has_text="loud.flac")
        await line.locator("[data-key=change]").click()
        await ann.check()
        await ann.page.keyboard.type("metal")
        await ann.page.locator("[role=option]", has_text="Metal").first.click()
        metal = ann.page.locator(".shelves summary", has_text="Metal")
        await metal.click()
        await line.locator("[data-key=undo]").wait_for()
        assert (await playlists(ann, tmp_path))["Metal.m3u8"] == ["loud.flac"]
        await line.locator("[data-key=undo]").click()
        await metal.wait_for(state="detached")
        await eventually(bot_process.spool_is_empty)


async def test_the_report_opens_from_the_page_on_a_phone_in_the_dark_in_vietnamese(
    bot_process: BotProcess, browser: Browser, music: Path
) -> None:
    async with visitor(bot_process.address, browser=browser, viewport=PHONE, language="vi-VN", dark=True) as ann:
        await ann.page.set_input_files("#choose-folder", str(music))
        await ann.page.locator(".headline", has_text="Đã xếp xong 4 bài.").wait_for()
        await ann.check()
        wrong: list[str] = []
        async with ann.page.context.expect_page() as opened:
            await ann.page.locator(".report").click()
        report = await opened.value
        report.on("console", lambda message: wrong.append(message.text))
        await report.get_by_role("heading", name="Bản đồ").wait_for()
        assert await report.locator("#map .mark").count() == 4
        assert await report.locator("h1").inner_text() == "Nhạc & more"
        assert await report.locator("#failures tbody tr").count() == 2
        await report.locator("#map .mark").last.click()  # the songs are not here, so nothing is played
        assert await report.locator("#player").is_hidden()
        assert await report.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert wrong == []


async def test_a_folder_that_is_too_full_is_told_in_a_sentence(
    bot_process: BotProcess, browser: Browser, tmp_path: Path
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    for number in range(201):
        (full / f"{number}.mp3").touch()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "readme.txt").touch()
    async with visitor(bot_process.address, browser=browser) as ann:
        await drop(ann.page, full)
        entry = ann.page.locator(".entry")
        await entry.get_by_text("There are 201 songs in this folder, and this page takes up to 200").wait_for()
        await drop(ann.page, tmp_path / "texts")
        await entry.get_by_text("I can't find any music in this folder.").wait_for()
        # The browser notes every answer that is no success.
        assert all("status of 422" in complaint for complaint in ann.complaints)


async def test_a_folder_that_is_named_for_a_genre_asks_whether_to_teach_it(
    bot_process: BotProcess, browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "V-pop").mkdir()
    write(song("jazz", SONG_SECONDS, 7), tmp_path / "V-pop" / "one.ogg")
    async with visitor(bot_process.address, browser=browser) as ann:
        await drop(ann.page, tmp_path / "V-pop")
        await ann.page.locator(".lesson p", has_text="Teach its song as V-pop?").wait_for()
        await ann.check()
        await ann.page.locator(".lesson [data-key=teach]").click()
        await ann.page.locator("#consent-question", has_text="May I learn").wait_for()
        await ann.page.locator(".lesson").wait_for(state="hidden")
