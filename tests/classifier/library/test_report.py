"""The report in a real browser: names, playback, colours, and no requests to other places."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright

from classifier.features.texture_columns import WIDTH
from classifier.library import report
from classifier.library.collection import CollectionFile, FileState
from classifier.library.grouping import ClassifiedSong, CollectionSong, group_of
from classifier.library.scan_result import ScanResult
from classifier.library.state_db import ScanFailure, StoredAnswer
from classifier.library.tags import FileTags
from tests.needs import lacking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from classifier.library.state_db import StateDatabase

GENRES = ("blues", "classical", "disco", "hiphop", "jazz", "metal", "pop", "rock")
HOSTILE = "</script><img src=x onerror=alert(1)>{data}&amp;"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        lacking("Chromium (Debian: chromium)")
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
        yield browser
        browser.close()


@pytest.fixture
def result(tmp_path: Path, songs: list[Path], state_db: StateDatabase) -> ScanResult:
    """Return the result for twelve files, with one of every case that the page shows."""
    folder = tmp_path / f"music {HOSTILE.replace('/', '_')}"
    folder.mkdir()
    playable = next(path for path in songs if path.suffix == ".flac")
    generator = np.random.default_rng(3)
    classified = []
    for number in range(12):
        name = f"{number} #100% {HOSTILE.replace('/', '_')}.flac"
        shutil.copyfile(playable, folder / name)
        content = b"copy" if number in (4, 5) else str(number).encode()
        answer = StoredAnswer(GENRES[number % len(GENRES)], 0.9 - number / 50, number != 7, 100 + 10 * number, "jazz")
        found_tags = FileTags(genre="Disco" if number == 5 else "", title=f"Bài {number} {HOSTILE}" if number else "")
        texture = np.asarray(generator.normal(size=WIDTH), dtype=np.float32)
        state_db.save_answer(content, "release", answer, texture)
        found = CollectionFile(folder / name, FileState(1, 2, 3, 4))
        classified.append(ClassifiedSong(CollectionSong(found, content, found_tags), answer, group_of(answer, None)))
    failures = [(folder / os.fsdecode(b"\xe9<b>.mp3"), ScanFailure("damaged", "This file is damaged."))]
    return ScanResult(folder, "the release", GENRES, classified, failures)


@pytest.fixture
def page(browser: Browser, result: ScanResult, state_db: StateDatabase, tmp_path: Path) -> Iterator[Page]:
    out = tmp_path / "out" / "report.html"
    out.parent.mkdir()
    report.write(out, result, state_db)
    problems: list[str] = []
    page = browser.new_page()
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    disk = out.parents[-1].as_uri()
    page.on("request", lambda request: problems.append(request.url) if not request.url.startswith(disk) else None)
    page.goto(out.as_uri())
    yield page
    page.close()
    assert problems == []


def test_counts_and_names_are_shown(page: Page, result: ScanResult) -> None:
    assert page.title() == f"{result.folder.name} by genre"
    expect(page.locator("h1")).to_have_text(result.folder.name)
    expect(page.locator("#summary")).to_have_text("12 songs, 1 of them not sure. Classified by the release.")
    expect(page.locator("#genres li").first).to_contain_text("Blues2 · 17 %")
    expect(page.locator("#genres li").last).to_contain_text("Not sure1 · 8 %")
    expect(page.locator("img")).to_have_count(0)


def until_it_plays(page: Page) -> None:
    # Playwright's wait functions evaluate a string, which the page's content security policy forbids.
    while not page.evaluate("document.getElementById('audio').currentTime > 0"):
        page.wait_for_timeout(20)


def test_a_song_on_the_map_shows_its_name_and_plays(page: Page) -> None:
    mark = page.locator("#map .mark").nth(2)
    mark.hover()
    expect(page.locator("#tip")).to_have_text(f"Bài 2 {HOSTILE}Disco, 86 % · 2:00")
    mark.click()
    until_it_plays(page)
    assert page.evaluate("document.getElementById('audio').error") is None
    expect(page.locator("#playing")).to_have_text(f"Bài 2 {HOSTILE}")


def test_genres_can_be_highlighted_on_the_map(page: Page) -> None:
    button = page.get_by_role("button", name="Blues")
    button.click()
    expect(page.locator("#map .mark:not(.faded)")).to_have_count(2)
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(page.locator("#map .faded")).to_have_count(0)


def test_disagreements_copies_and_failures_are_listed(page: Page) -> None:
    disagreements = page.locator("#disagreements tbody tr")
    expect(disagreements).to_have_count(1)
    expect(disagreements.locator("td").nth(1)).to_have_text("Disco")
    expect(disagreements.locator("td").nth(2)).to_have_text("Metal, 80 %")
    expect(page.locator("#copies .group")).to_have_count(1)
    expect(page.locator("#copies .name")).to_have_count(2)
    expect(page.locator("#near")).to_be_hidden()
    failure = page.locator("#failures tbody td")
    expect(failure).to_have_text(["\N{REPLACEMENT CHARACTER}<b>.mp3", "This file is damaged."])


def test_every_song_is_listed_and_plays_by_keyboard(page: Page) -> None:
    for summary in page.locator("summary").all():
        summary.focus()
        page.keyboard.press("Enter")
    expect(page.locator("#all .name")).to_have_count(12)
    expect(page.locator("#all details").last.locator(".name")).to_contain_text("Not sure: Rock, 76 %, or Jazz")
    page.locator("#all .name").first.focus()
    page.keyboard.press("Enter")
    until_it_plays(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_it_is_readable_in_both_themes_and_on_phones(page: Page, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    contrasts = page.evaluate(
        """() => {
          const light = (colour) => {
            const parts = colour.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255);
            const linear = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
          };
          const ratio = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
          const card = light(getComputedStyle(document.querySelector("section")).backgroundColor);
          const text = [...document.querySelectorAll("section p, section h2, section td, section small, .count")];
          const marks = [...document.querySelectorAll("#genres .mark")];
          const colour = (node) => light(getComputedStyle(node).color);
          return [Math.min(...text.map((node) => ratio(colour(node), card))),
                  Math.min(...marks.map((node) => ratio(colour(node), card)))];
        }"""
    )
    assert contrasts[0] >= 4.5
    assert contrasts[1] >= 3


def test_an_empty_collection_has_a_page(browser: Browser, state_db: StateDatabase, tmp_path: Path) -> None:
    report.write(tmp_path / "report.html", ScanResult(tmp_path, "the release", GENRES, [], []), state_db)
    page = browser.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    expect(page.locator("#summary")).to_have_text("0 songs, 0 of them not sure. Classified by the release.")
    page.close()
