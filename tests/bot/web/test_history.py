"""What a person does with all their songs together: delete one, compare them, download them."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING

from tests.bot.web.page import history, send, settled

if TYPE_CHECKING:
    import aiohttp

    from tests.bot.conftest import Tone
    from tests.bot.web.page import Page


async def _answered(browser: aiohttp.ClientSession, tone: Tone, hertz: float, name: str) -> int:
    return int((await settled(browser, (await send(browser, tone(hertz), name))["id"]))["id"])


async def test_one_song_is_deleted_with_what_its_sender_said_of_it(
    page: Page, ann: aiohttp.ClientSession, answered: int
) -> None:
    await (await ann.post(f"/songs/{answered}/opinion", json={"genre": "jazz"})).read()
    stranger = page.browser()
    await (await stranger.post("/hello")).read()
    assert (await stranger.delete(f"/history/{answered}")).status == 404
    assert (await ann.delete(f"/history/{answered}")).status == 200
    assert (await history(ann))["entries"] == []
    assert (await ann.delete(f"/history/{answered}")).status == 404
    kept = await (await ann.get("/mydata")).json()
    assert kept["page"] == []
    assert kept["corrections"] == []


async def test_songs_that_sound_alike_are_named_with_each_other(ann: aiohttp.ClientSession, tone: Tone) -> None:
    low = [await _answered(ann, tone, hertz, f"low {hertz}.wav") for hertz in (200, 210)]
    for hertz in (1500, 1600):
        await _answered(ann, tone, hertz, f"high {hertz}.wav")
    found = await (await ann.get(f"/history/{low[0]}/closest")).json()
    assert found["text"] == "It sounds like “low 210.wav” that you sent."


async def test_the_files_own_tag_is_compared_with_the_answer(ann: aiohttp.ClientSession, answered: int) -> None:
    async def told(tag: str) -> str:
        return str((await (await ann.get(f"/history/{answered}/tag", params={"text": tag})).json())["text"])

    assert await told("Delta Blues") == "The file's own tag says “Delta Blues”, too."
    assert await told("Heavy Metal") == "The file's own tag says “Heavy Metal” instead."
    assert await told("My favourites") == "The file's own tag says “My favourites”."


async def test_no_cell_of_the_table_is_a_formula_and_each_genre_has_its_playlist(
    ann: aiohttp.ClientSession, tone: Tone
) -> None:
    await _answered(ann, tone, 200, "=cmd|calc.wav")
    await _answered(ann, tone, 1500, "đêm.wav")
    rows = list(csv.reader(io.StringIO((await (await ann.get("/history/songs.csv")).read()).decode("utf-8-sig"))))
    assert [row[0] for row in rows] == ["Title", "'=cmd|calc.wav", "đêm.wav"]
    packed = io.BytesIO(await (await ann.get("/history/playlists.zip?language=vi")).read())
    with zipfile.ZipFile(packed) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert len(texts) == 2
    assert "đêm.wav" in texts["Metal.m3u8"]
