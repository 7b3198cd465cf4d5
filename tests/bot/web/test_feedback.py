from __future__ import annotations

import json
from typing import TYPE_CHECKING

from storage import Question
from tests.bot.reports import as_speech, as_vpop
from tests.bot.running import eventually
from tests.bot.web.page import Page, history, send, settled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import aiohttp

    from bot.settings import Settings
    from tests.bot.fake_classifier import EarAtHand

    Tone = Callable[..., Path]


async def test_a_correction_is_thanked_for_and_is_still_there_after_a_reload(
    ann: aiohttp.ClientSession, answered: int
) -> None:
    async with ann.post(f"/songs/{answered}/opinion", json={"genre": "jazz"}) as response:
        said = await response.json()
    assert said["entry"]["opinion"]["said"] == "No, it's jazz."
    assert said["question"].startswith("May I learn from this?")
    past = await history(ann)
    assert past["entries"][0]["opinion"] == said["entry"]["opinion"]
    assert past["question"] == said["question"]
    async with ann.delete(f"/songs/{answered}/opinion") as response:
        undone = await response.json()
    assert undone["entry"]["opinion"] is None
    assert undone["notice"].startswith("Your correction is removed.")


async def test_right_is_an_opinion_too(ann: aiohttp.ClientSession, answered: int) -> None:
    async with ann.post(f"/songs/{answered}/opinion", json={}) as response:
        assert (await response.json())["entry"]["opinion"]["said"] == "That's right."


async def test_a_genre_with_markup_stays_text_and_an_impossible_one_is_refused(
    ann: aiohttp.ClientSession, answered: int
) -> None:
    async with ann.post(f"/songs/{answered}/opinion", json={"genre": "<b>bold & brash</b>"}) as response:
        assert response.content_type == "application/json"
        assert "<b>bold & brash</b>" in (await response.json())["entry"]["opinion"]["said"]
    async with ann.post(f"/songs/{answered}/opinion", json={"genre": "x" * 1000}) as response:
        assert (response.status, "may have up to" in (await response.json())["error"]) == (422, True)


async def test_a_misspelt_genre_is_asked_about_before_it_is_new(ann: aiohttp.ClientSession, answered: int) -> None:
    async with ann.post(f"/songs/{answered}/opinion", json={"genre": "reggea"}) as response:
        assert response.status >= 400
        assert "Did you mean Reggae" in await response.text()
    async with ann.post(f"/songs/{answered}/opinion", json={"genre": "reggea", "new": True}) as response:
        assert (await response.json())["entry"]["opinion"]["label"] == "reggea"


async def test_genres_are_searched_and_a_new_name_is_offered_as_new(ann: aiohttp.ClientSession) -> None:
    async with ann.get("/genres", params={"q": "cai luong"}) as response:
        found = await response.json()
    assert [genre["id"] for genre in found["genres"]] == ["cailuong"]
    async with ann.get("/genres", params={"q": "Zydeco Noir"}) as response:
        found = await response.json()
    assert found["new"] == "New genre: “Zydeco Noir”"
    async with ann.get("/genres", params={"q": "jaz"}) as response:
        found = await response.json()
    assert [genre["id"] for genre in found["genres"]] == ["jazz"]
    for text in ("rap", "HIP HOP", "x" * 61, "!!!", "https://example.org/song"):
        async with ann.get("/genres", params={"q": text}) as response:
            assert (await response.json())["new"] is None, text
    async with ann.get("/genres", params={"q": "jazz"}) as response:
        assert (await response.json())["new"] is None


async def test_who_wants_to_be_asked_is_asked_below_the_answer(
    page: Page, ann: aiohttp.ClientSession, answered: int
) -> None:
    async with ann.post("/consent", json={"allow": True}) as response:
        assert "I'll ask you about a song once a day" in (await response.json())["notice"]
    async with ann.post("/asking", json={"allow": True}) as response:
        assert (await response.json())["notice"].startswith("Good, I'll ask you")
    async with ann.get("/privacy") as response:
        shown = await response.json()
    assert (shown["asks"], shown["asking"]) == (True, "Don't ask me")
    entry = await page.chat.history.get(answered)
    assert entry is not None
    assert entry.reply is not None
    assert await page.bot.storage.asking.note(entry.person, entry.reply, Question("zouk", 18, 20))
    [seen] = (await history(ann))["entries"]
    assert seen["details"][-1] == "Is this zouk? 2 of 20 to go before I can learn it."
    assert seen["choices"][0] == {"label": "zouk", "text": "Zouk"}


async def test_consent_is_given_and_taken_back(ann: aiohttp.ClientSession, answered: int) -> None:
    await (await ann.post(f"/songs/{answered}/opinion", json={})).read()
    async with ann.post("/consent", json={"allow": True}) as response:
        assert (await response.json())["notice"].startswith("Thanks!")
    async with ann.get("/privacy") as response:
        privacy = await response.json()
    assert (privacy["allowed"], privacy["change"]) == (True, "Stop learning from me")
    assert (await history(ann))["question"] is None


async def test_all_data_can_be_downloaded_and_deleted(
    page: Page, ann: aiohttp.ClientSession, answered: int, settings: Settings
) -> None:
    await (await ann.post(f"/songs/{answered}/opinion", json={"genre": "jazz"})).read()
    async with ann.get("/mydata") as response:
        assert "attachment" in response.headers["Content-Disposition"]
        data = await response.json()
    assert data["page"] == [{"title": "song.wav", "state": "answered"}]
    assert "jazz" in json.dumps(data)
    page.bot.ear.go_on.clear()
    async with ann.post("/songs", data=b"RIFF" * 100) as response:
        assert response.status == 201
    async with ann.post("/forget") as response:
        assert "2 answers" in (await response.json())["notice"]
    assert (await history(ann))["entries"] == []

    async def nothing_left() -> bool:
        return not list((settings.data_dir / "spool").iterdir())

    await eventually(nothing_left)


async def test_the_language_is_the_browsers_until_another_is_chosen(page: Page) -> None:
    browser = page.browser(**{"Accept-Language": "vi-VN,vi;q=0.9"})
    assert 'lang="vi"' in await (await browser.get("/")).text()
    await history(browser)
    async with browser.post("/language", json={"language": "en"}) as response:
        assert response.status == 200
    assert '<html lang="en">' in await (await browser.get("/")).text()
    async with browser.post("/language", json={"language": "<script>"}) as response:
        assert response.status == 400


async def test_the_page_tells_what_is_not_music_and_takes_its_genre(
    ann: aiohttp.ClientSession, ear: EarAtHand, tone: Tone
) -> None:
    ear.answers = as_speech
    entry = await settled(ann, (await send(ann, tone()))["id"])
    assert entry["headline"].startswith("That sounds like somebody talking.")
    assert (entry["kind"], entry["wrong"]) == ("speech", "It is music")
    assert entry["segments"][0]["genre"] == "Speech"
    async with ann.post(f"/songs/{entry['id']}/opinion", json={"genre": "jazz"}) as response:
        assert (await response.json())["entry"]["opinion"]["said"] == "No, it's jazz."


async def test_the_page_tells_a_style_with_its_family_and_tags(
    ann: aiohttp.ClientSession, ear: EarAtHand, tone: Tone
) -> None:
    ear.answers = as_vpop
    entry = await settled(ann, (await send(ann, tone()))["id"])
    assert entry["headline"] == "This sounds like pop · V-pop (70%)."
    assert "Tags: female vocalists, dance." in entry["details"]
    async with ann.post(f"/songs/{entry['id']}/opinion", json={"genre": "pop"}) as response:
        said = (await response.json())["entry"]["opinion"]
    assert (said["said"], said["thanks"]) == (
        "That's right.",
        "Thanks! So pop is right; I'd gone further and said V-pop.",
    )
