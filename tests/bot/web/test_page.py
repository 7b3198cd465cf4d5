"""What somebody meets in their first minutes on the page, in a real Chromium."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING

import mutagen
import pytest
from playwright.async_api import Error

from tests.bot.web.browser import DESK, PHONE, visitor
from tests.synthesis import song, write

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser, Page, Route

    from tests.bot.process import BotProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

IN_WINDOW = """(node) => {
  const box = node.getBoundingClientRect();
  const [top, bottom] = ["header", "footer"].map((name) => document.querySelector(name).getBoundingClientRect());
  return box.top >= top.bottom && box.bottom <= bottom.top;
}"""
ENDED = "document.querySelectorAll('.entry:is([data-state=answered], [data-state=failed])').length"
HEIGHT_OF_ENTRIES = """() => {
  const entries = document.querySelector("#entries");
  const [first, last] = [entries.querySelector(".entry"), entries.lastElementChild];
  return last.getBoundingClientRect().bottom - first.getBoundingClientRect().top;
}"""
ROOM = "getComputedStyle(document.querySelector('#entries')).display"


async def _drag(page: Page, kind: str, text: str) -> None:
    await page.evaluate(
        """([kind, text]) => {
          const carried = new DataTransfer();
          carried.setData(kind, text);
          for (const name of ["dragenter", "dragover", "drop"]) {
            document.querySelector("main").dispatchEvent(
              new DragEvent(name, { dataTransfer: carried, bubbles: true, cancelable: true }));
          }
        }""",
        [kind, text],
    )


async def _downloaded(page: Page, kind: str) -> Path:
    async with page.expect_download() as began:
        await page.locator(f".tools a[data-path$={kind}]").click()
    return await (await began.value).path()


async def _in_playlists(page: Page) -> set[str]:
    with zipfile.ZipFile(await _downloaded(page, "zip")) as archive:
        lines = [line for name in archive.namelist() for line in archive.read(name).decode().splitlines()]
    return {line for line in lines if not line.startswith("#")}


@pytest.mark.parametrize(("viewport", "language", "dark"), [(DESK, "en-GB", False), (PHONE, "vi-VN", True)])
async def test_thirty_songs_give_thirty_answers_in_rows_that_open(
    served: BotProcess,
    browser: Browser,
    short_songs: list[Path],
    viewport: dict[str, int],
    language: str,
    dark: bool,
) -> None:
    async with visitor(served.address, browser=browser, viewport=viewport, language=language, dark=dark) as ann:
        assert await ann.page.evaluate("scrollY") == 0
        await ann.check()
        await ann.chooses(*short_songs)
        assert await ann.page.locator(".entry").count() == 30
        for count in (10, 20, 30):  # each time within half a minute
            await ann.until(f"{ENDED} >= {count}")
        assert await ann.page.locator(".entry[data-state=answered]").count() == 30
        # Where the page hears late that there is room no more, the bot refuses a song, and the page waits and sends it.
        ann.complaints[:] = [complaint for complaint in ann.complaints if "422" not in complaint]
        assert await ann.page.evaluate(HEIGHT_OF_ENTRIES) < 3 * viewport["height"]
        assert await ann.page.locator(".answer:visible").count() == 0

        tools = ann.page.locator(".tools")
        await tools.locator(".summary", has_text="30").wait_for()
        genre = tools.locator(".chips button").nth(1)
        await genre.click()
        shown = int((await genre.inner_text()).split()[-1])
        assert await ann.page.locator(".entry:visible").count() == shown < 30
        await tools.locator(".chips button").first.click()
        await tools.locator("input").fill("BAI HAT 01 meta")
        await ann.until("[...document.querySelectorAll('.entry')].filter((node) => !node.hidden).length === 1")
        await tools.locator("input").fill("")
        await ann.check()

        table = list(csv.reader(io.StringIO((await _downloaded(ann.page, "csv")).read_text("utf-8-sig"))))
        assert len(table) == 31
        assert table[1][0] == short_songs[0].name
        assert await _in_playlists(ann.page) == {path.name for path in short_songs}
        await tools.locator("summary").click()
        await ann.until("document.querySelector('.tools img').naturalWidth === 1080")

        row = ann.page.locator(".row").nth(4)
        await row.click()
        assert await row.get_attribute("aria-expanded") == "true"
        await ann.entry("answered", 4).locator(".headline").wait_for()
        await ann.check()
        await ann.entry("answered", 4).locator(".remove").click()
        await ann.until("document.querySelectorAll('.entry').length === 29")
        await ann.comes()
        assert await ann.page.locator(".entry").count() == 29


async def test_an_answer_is_in_view_with_its_buttons_and_what_they_lead_to(
    served: BotProcess, browser: Browser, short_songs: list[Path]
) -> None:
    async with visitor(served.address, browser=browser) as ann:
        await ann.chooses(short_songs[0])
        answer = ann.entry("answered")
        await answer.locator("[data-key=right]").wait_for()
        for key in ("right", "wrong"):
            assert await answer.locator(f"[data-key={key}]").evaluate(IN_WINDOW)
        await answer.locator("[data-key=right]").click()
        for part in (".thanks", "#consent-question"):
            await answer.locator(part).wait_for()
            assert await answer.locator(part).evaluate(IN_WINDOW)
        await ann.page.locator("#consent-question [data-key=refuse]").click()
        assert await answer.locator(".consent-notice").evaluate(IN_WINDOW)
        await answer.locator("[data-key=why]").click()
        await ann.check()


async def test_whoever_has_scrolled_stays_where_they_are(
    served: BotProcess, browser: Browser, short_songs: list[Path]
) -> None:
    async with visitor(served.address, browser=browser, viewport=PHONE) as ann:
        for path in short_songs[:2]:
            await ann.chooses(path)
            await ann.until(f"{ENDED} === {short_songs.index(path) + 1}")
        await ann.chooses(short_songs[2])
        await ann.page.mouse.wheel(0, -5000)
        await ann.page.evaluate("window.scrollTo(0, 0)")
        await ann.until(f"{ENDED} === 3")
        news = ann.page.locator("#new-answers")
        await news.wait_for()
        assert await ann.page.evaluate("scrollY") == 0
        await ann.check()
        await news.click()
        await ann.until("scrollY > 100")
        await news.wait_for(state="hidden")


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("Nghe thử bài này nhé: https://example.invalid/song?a=1. Hay lắm!", "https://example.invalid/song?a=1"),
        ("www.example.invalid/x", "https://www.example.invalid/x"),
        ("youtu.example/abc", "https://youtu.example/abc"),
    ],
)
async def test_a_link_is_found_in_what_is_typed_or_dragged(
    served: BotProcess, browser: Browser, text: str, link: str
) -> None:
    async with visitor(served.address, browser=browser, viewport=PHONE) as ann:
        sent: list[str] = []
        ann.page.on("request", lambda request: sent.append(str(request.post_data)) if "links" in request.url else None)
        await ann.page.locator("#link").fill(text)
        await ann.page.keyboard.press("Enter")
        await ann.page.locator(".entry").wait_for()
        await _drag(ann.page, "text/uri-list", text.split()[-1] if " " not in text else link)
        await ann.until("document.querySelectorAll('.entry').length === 2")
        await ann.until("document.querySelectorAll('.entry [data-key=again], .entry[data-state=waiting]').length > 0")
        assert sent[0] == f'{{"link":"{link}"}}'


async def test_what_is_no_link_gets_a_sentence(served: BotProcess, browser: Browser) -> None:
    async with visitor(served.address, browser=browser, viewport=PHONE, language="vi-VN") as ann:
        await ann.page.locator("#link").fill("bài này hay lắm")
        await ann.page.locator("#link-form button").click()
        await ann.page.locator("#link-notice", has_text="Mình không thấy liên kết nào").wait_for()
        await ann.check()
        await _drag(ann.page, "text/plain", "just words")
        assert await ann.page.locator(".entry").count() == 0


async def test_a_song_is_stopped_while_it_is_sent_and_tried_again(
    served: BotProcess, browser: Browser, short_songs: list[Path]
) -> None:
    async with visitor(served.address, browser=browser) as ann:
        held = asyncio.Event()

        async def hold(route: Route) -> None:
            await held.wait()
            with suppress(Error):  # the page has given this request up
                await route.continue_()

        await ann.page.route("**/songs", hold)
        await ann.chooses(short_songs[0], short_songs[1])
        entry = ann.page.locator(".entry").first
        assert await ann.page.evaluate("!window.dispatchEvent(new Event('beforeunload', { cancelable: true }))")
        await ann.page.get_by_role("button", name="Tiếng Việt").click()
        await ann.page.wait_for_selector("html[lang=vi]")
        await entry.get_by_role("button", name="Dừng").click()
        await entry.get_by_text("Mình dừng rồi").wait_for()
        held.set()
        await ann.until(f"{ENDED} === 1")
        await entry.get_by_role("button", name="Thử lại").click()
        await ann.until(f"{ENDED} === 2")
        assert await ann.page.evaluate("window.dispatchEvent(new Event('beforeunload', { cancelable: true }))")
        await ann.check()


async def test_what_is_pressed_while_the_bot_is_away_is_said_and_sent_later(
    served: BotProcess, browser: Browser, short_songs: list[Path]
) -> None:
    async with visitor(served.address, browser=browser) as ann:
        await ann.chooses(short_songs[0])
        answer = ann.entry("answered")
        await answer.locator("[data-key=right]").wait_for()
        await ann.page.route("**/*", lambda route: route.abort())
        await answer.locator("[data-key=right]").click()
        notice = answer.locator(".beside")
        await notice.wait_for()
        assert "as soon as it's back" in await notice.inner_text()
        assert await notice.evaluate(IN_WINDOW)
        await ann.chooses(short_songs[1])
        await ann.page.locator(".stage", has_text="as soon as it's back").wait_for()
        await ann.page.unroute("**/*")
        await answer.locator(".thanks").wait_for()
        await notice.wait_for(state="detached")
        await ann.until(f"{ENDED} === 2")


async def test_a_song_is_listened_to_from_the_browsers_memory(
    served: BotProcess, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("long") / "long.mp3"
    write(song("jazz", 62), path)
    async with visitor(served.address, browser=browser) as ann:
        await ann.chooses(path)
        answer = ann.entry("answered")
        slider = answer.get_by_role("slider")
        await slider.focus()
        await ann.page.keyboard.press("ArrowUp")
        assert str(await slider.get_attribute("aria-valuetext")).startswith("0:30, ")
        await ann.page.keyboard.press("Enter")
        await answer.locator(".play.going").wait_for()
        await answer.locator("[data-key=segments]").click()
        assert await answer.locator("tr[aria-current]").count() == 1
        assert await answer.locator(".strip i.playing").count() == 1
        await answer.locator("button.part").first.click()
        assert str(await slider.get_attribute("aria-valuetext")).startswith("0:0")
        await answer.locator(".play").click()
        await answer.locator(".play:not(.going)").wait_for()
        await answer.locator("figure img").click(position={"x": 400, "y": 100})
        await answer.locator(".play.going").wait_for()
        assert [one for one in ann.complaints if "blob" in one] == []
        await ann.check()


async def test_the_microphone_is_recorded(served: BotProcess, browser: Browser) -> None:
    async with visitor(served.address, browser=browser, viewport=PHONE) as ann:
        # Ten seconds pass at once.
        await ann.page.clock.install()
        await ann.page.locator("#record").click()
        dialog = ann.page.locator("dialog[open]")
        await dialog.wait_for()
        assert await dialog.locator(".done").is_disabled()
        await ann.page.clock.fast_forward(11_000)
        await ann.page.clock.run_for(500)
        await dialog.locator(".done:enabled").wait_for()
        await ann.check()
        await dialog.locator(".done").click()
        await ann.until(f"{ENDED} === 1")
        assert (await ann.page.locator(".title").inner_text()).startswith("Recording ")


async def test_what_was_deleted_is_not_offered_again_in_the_same_dialog(served: BotProcess, browser: Browser) -> None:
    async with visitor(served.address, browser=browser) as ann:
        await ann.page.locator("[data-example]").first.click()
        await ann.entry("answered").wait_for()
        await ann.page.locator("#open-privacy").click()
        await ann.page.locator("#privacy-forget").click()
        await ann.page.locator("#forget-confirm").click()
        await ann.page.locator("#privacy-notice", has_text="one answer").wait_for()
        await ann.check()
        left = await ann.page.locator("#privacy button:visible").all_inner_texts()
        assert left == ["Close"]


async def test_with_text_twice_as_large_nothing_covers_what_is_read(served: BotProcess, browser: Browser) -> None:
    async with visitor(served.address, browser=browser, viewport=PHONE, language="vi-VN") as ann:
        await ann.page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert await ann.page.evaluate("scrollY") == 0
        await ann.page.locator("[data-example]").first.click()
        await ann.entry("answered").locator(".headline").wait_for()
        await ann.check()


async def test_the_page_can_be_installed_and_be_shared_with(served: BotProcess, browser: Browser) -> None:
    async with visitor(served.address, browser=browser) as ann:
        link = await ann.page.locator("link[rel=manifest]").evaluate("(link) => link.href")
        manifest = await (await ann.page.request.get(link)).json()
        assert manifest["share_target"]["params"]["url"] == "url"
        for icon in manifest["icons"]:
            assert (await ann.page.request.get(f"{served.address}/page/{icon['src']}")).ok
        await ann.page.goto(f"{served.address}/?title=A+song&text=https://example.invalid/shared")
        await ann.page.locator(".entry .title", has_text="example.invalid").first.wait_for()
        assert await ann.page.evaluate("location.search") == ""


async def test_songs_are_shared_with_the_installed_page(
    served: BotProcess, browser: Browser, short_songs: list[Path]
) -> None:
    async with visitor(served.address, browser=browser) as ann:
        await ann.page.evaluate("window.dispatchEvent(new Event('appinstalled'))")
        await ann.until(
            "navigator.serviceWorker.getRegistration('page/').then((one) => one?.active?.state === 'activated')"
        )
        another = await ann.page.context.new_page()
        action = f"{served.address}/page/share"
        await another.set_content(
            f"<form action={action} method=post enctype=multipart/form-data>"
            "<input name=title value=ignored><input type=file name=songs multiple><button>Share</button></form>"
        )
        await another.set_input_files("input[type=file]", [str(path) for path in short_songs[:2]])
        await another.click("button")
        await another.locator(".entry[data-state=answered]").nth(1).wait_for()
        titles = await another.locator(".entry .title").all_inner_texts()
        assert titles == [path.name for path in short_songs[:2]]
        assert await another.evaluate("location.href") == f"{served.address}/"
        assert ann.complaints == []


async def test_the_genre_in_a_files_own_tag_is_read_in_the_browser(
    served: BotProcess, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tagged")
    async with visitor(served.address, browser=browser) as ann:
        for suffix in (".mp3", ".flac", ".ogg", ".opus", ".m4a"):
            path = folder / f"song{suffix}"
            write(song("jazz", 2), path)
            file = mutagen.File(path, easy=True)
            if file.tags is None:
                file.add_tags()
            file["genre"] = "Nhạc vàng"
            file.save()
            read = await ann.page.evaluate(
                """async (base64) => {
                  const { genreTag } = await import("./page/tag.js");
                  return genreTag(new Blob([Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0))]));
                }""",
                base64.b64encode(path.read_bytes()).decode(),
            )
            assert (suffix, read) == (suffix, "Nhạc vàng")
