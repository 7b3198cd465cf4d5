"""Links to many songs on the page: a question with buttons, then an entry for each song; by hand and over the wire."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.bot.links_at_hand import LIST, LinksAtHand
from tests.bot.test_link_songs import PASTE
from tests.bot.web.browser import visitor
from tests.bot.web.page import history, settled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import aiohttp

    from tests.bot.web.page import Page

    Tone = Callable[..., Path]


@pytest.fixture
def links(page: Page, tone: Tone) -> LinksAtHand:
    links = LinksAtHand()
    links.has_list(tone(200), None, tone(900), count=14)
    page.bot.follows(links)
    return links


async def asked(browser: aiohttp.ClientSession) -> dict[str, Any]:
    async with browser.post("/links", json={"link": LIST}) as response:
        assert response.status == 201
        entry = await response.json()
    return await settled(browser, entry["id"])


async def test_a_list_is_asked_about_and_answered_song_by_song(ann: aiohttp.ClientSession, links: LinksAtHand) -> None:
    question = await asked(ann)
    assert question["state"] == "asking"
    assert question["text"].startswith("This is a list of 14 songs. Shall I listen to the first 3?")
    assert [choice["count"] for choice in question["choices"]] == [3, 1, 0]
    async with ann.post(f"/songs/{question['id']}/list", json={"count": 3}) as response:
        assert response.status == 200
        answer = await response.json()
    assert answer["entry"]["text"] == "I take 3 songs of this list; each gets its own answer."
    assert [song["title"] for song in answer["songs"]] == ["Song 1", "Song 2", "Song 3"]
    ended = [await settled(ann, song["id"]) for song in answer["songs"]]
    assert [entry["state"] for entry in ended] == ["answered", "failed", "answered"]
    assert len((await history(ann))["entries"]) == 4


async def test_the_question_is_its_senders_alone_and_answered_once(
    ann: aiohttp.ClientSession, page: Page, links: LinksAtHand
) -> None:
    question = await asked(ann)
    bob = page.browser()
    await (await bob.post("/hello")).read()
    async with bob.post(f"/songs/{question['id']}/list", json={"count": 3}) as response:
        assert response.status == 404
    refused: list[Any] = [{}, {"count": "3"}, {"count": True}, {"count": -1}, {"count": 6}, {"count": 1e9}, []]
    for wrong in refused:
        async with ann.post(f"/songs/{question['id']}/list", json=wrong) as response:
            assert response.status == 400
    both = await asyncio.gather(*(ann.post(f"/songs/{question['id']}/list", json={"count": 1}) for _ in range(2)))
    assert sorted(response.status for response in both) == [200, 404]
    async with ann.post(f"/songs/{question['id']}/list", json={"count": 1}) as response:
        assert response.status == 404
        assert "expired" in (await response.json())["error"]
    # What was turned away has left no entry behind.
    assert len((await history(ann))["entries"]) == 2


async def test_the_question_is_still_there_after_a_reload_and_no_is_an_answer(
    ann: aiohttp.ClientSession, links: LinksAtHand
) -> None:
    question = await asked(ann)
    (kept,) = (await history(ann))["entries"]
    assert kept["choices"] == question["choices"]
    async with ann.post(f"/songs/{question['id']}/list", json={"count": 0}) as response:
        answer = await response.json()
    assert answer["songs"] == []
    assert answer["entry"]["text"] == "All right, I'll leave this list alone."


async def test_a_list_is_answered_in_the_browser(page: Page, links: LinksAtHand) -> None:
    async with visitor(page.address) as ann:
        await ann.page.evaluate(PASTE, LIST)
        entry = ann.entry("asking")
        await entry.locator("p", has_text="Shall I listen to the first 3?").wait_for()
        await ann.check()
        await ann.comes()
        await entry.get_by_role("button", name="Yes, the first 3").press("Enter")
        await ann.page.get_by_text("I take 3 songs of this list").first.wait_for()
        await ann.entry("answered", 1).locator(".headline").wait_for()
        titles = await ann.page.locator(".entry[data-state=answered] .title").all_inner_texts()
        assert titles == ["Song 1", "Song 3"]
        await ann.check()
