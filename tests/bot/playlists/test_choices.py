"""Links that lead to many songs: asked about first, then a song each, by the requester alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.core.callbacks import PlaylistCallback, decode
from bot.core.errors import ButtonExpired, NotYours, PlaylistDeclined, PlaylistTaken
from bot.core.playlist_question import PLAYLIST_SONGS
from links import PlaylistFound
from links.errors import LinkNotFound
from storage import CancelResult
from tests.bot.links_at_hand import LIST, LinksAtHand
from tests.bot.playlists.prompts import ANN, BOB, back, choice, pasted
from tests.bot.running import Bot, eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.recording_chat import Notebook

    Tone = Callable[..., Path]


async def test_a_list_is_asked_about_and_each_song_gets_its_own_answer(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(*(tone(hertz) for hertz in (200, 450, 900)), count=14)
    job = await pasted(bot, notebook, tmp_path)
    (question,) = notebook.questions["link"]
    assert question.text.startswith("This is a list of 14 songs. Shall I listen to the first 3?")
    assert "10 may wait at a time, 50 in 24 hours" in question.text
    assert [button.text for button in question.buttons] == ["Yes, the first 3", "Only the first", "No, thanks"]
    assert all(len(button.data) <= 32 for button in question.buttons)
    assert links.fetched == [LIST]
    stage = await bot.conversation.stage(job.id)
    assert stage is not None
    assert stage.kind == "asking"

    taken = await bot.conversation.playlists.answer(choice(question, 3), ANN, back)
    assert len(taken) == 3
    await notebook.until(lambda: len(notebook.discarded) == 4)
    genres = [notebook.answers[f"Song {number}"][0].report.genre for number in (1, 2, 3)]
    assert genres == ["blues", "classical", "jazz"]
    answer = await bot.storage.songs.answer(notebook.answers["Song 2"][0].reply.answer_id)
    assert answer is not None
    assert answer.title == "Song 2"
    assert [(type(said), said.values) for said in notebook.refusals["link"]] == [(PlaylistTaken, {"count": 3})]


async def test_no_more_than_a_few_are_offered(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(*([tone()] * 9))
    await pasted(bot, notebook, tmp_path)
    (question,) = notebook.questions["link"]
    assert f"the first {PLAYLIST_SONGS}?" in question.text
    forged = replace(choice(question, PLAYLIST_SONGS), count=9)
    assert len(await bot.conversation.playlists.answer(forged, ANN, back)) == PLAYLIST_SONGS


async def test_no_is_an_answer(bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path) -> None:
    links.has_list(tone(), tone(900))
    await pasted(bot, notebook, tmp_path)
    assert await bot.conversation.playlists.answer(choice(notebook.questions["link"][0], 0), ANN, back) == []
    assert isinstance(notebook.refusals["link"][0], PlaylistDeclined)
    load = await bot.storage.jobs.load()
    assert (load.queued, load.running) == (0, 0)
    assert links.fetched == [LIST]


async def test_a_feed_is_offered_by_its_newest(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(tone(), tone(900), count=300, newest_first=True)
    await pasted(bot, notebook, tmp_path, language="vi")
    (question,) = notebook.questions["link"]
    assert "300 tập" in question.text
    assert [button.text for button in question.buttons] == ["Nghe 2 tập mới nhất", "Chỉ tập mới nhất", "Không, cảm ơn"]


async def test_only_who_pasted_the_link_may_press_and_nobody_twice(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(tone(), tone(900))
    await pasted(bot, notebook, tmp_path)
    press = choice(notebook.questions["link"][0], 2)
    with pytest.raises(NotYours):
        await bot.conversation.playlists.answer(press, BOB, back)
    with pytest.raises(NotYours):
        await bot.conversation.playlists.answer(replace(press, count=0), BOB, back)
    both = await asyncio.gather(
        bot.conversation.playlists.answer(press, ANN, back),
        bot.conversation.playlists.answer(press, ANN, back),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in both) == ["ButtonExpired", "list"]
    await notebook.until(lambda: len(notebook.discarded) == 3)
    with pytest.raises(ButtonExpired):
        await bot.conversation.playlists.answer(press, ANN, back)
    assert len(links.fetched) == 3


@pytest.mark.parametrize(
    "forged", ["", "x", "1", "-1", "1-", "0-3", "99999-3", "1-2-3", "9" * 30 + "-1", "١-٢", "1- 2"]
)
async def test_forged_presses_are_told_that_the_button_has_expired(bot: Bot, forged: str) -> None:
    async def press() -> None:
        callback = decode(f"take:{forged}")
        assert isinstance(callback, PlaylistCallback)
        await bot.conversation.playlists.answer(callback, ANN, back)

    with pytest.raises(ButtonExpired):
        await press()


async def test_a_job_that_asks_nothing_is_no_question(bot: Bot, ear: EarAtHand, notebook: Notebook, tone: Tone) -> None:
    ear.go_on.clear()
    job = await bot.conversation.submit(notebook.sends(tone()))
    with pytest.raises(ButtonExpired):
        await bot.conversation.playlists.answer(PlaylistCallback(job.id, 3), ANN, back)
    assert await bot.conversation.playlist_question(job.id, bot.conversation.words("en")) is None
    ear.go_on.set()


async def test_a_broken_song_costs_only_its_own_answer(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(tone(), None, tone(900))
    await pasted(bot, notebook, tmp_path)
    await bot.conversation.playlists.answer(choice(notebook.questions["link"][0], 3), ANN, back)
    await notebook.until(lambda: len(notebook.discarded) == 4)
    assert isinstance(notebook.refusals["Song 2"][0], LinkNotFound)
    assert [len(notebook.answers[f"Song {number}"]) for number in (1, 2, 3)] == [1, 0, 1]


async def test_a_list_within_a_list_is_not_asked_about(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(tone(), None)
    links.has_list(tone(), tone(900), link=f"{LIST}/2")
    await pasted(bot, notebook, tmp_path)
    await bot.conversation.playlists.answer(choice(notebook.questions["link"][0], 2), ANN, back)
    await notebook.until(lambda: len(notebook.discarded) == 3)
    assert isinstance(notebook.refusals["Song 2"][0], PlaylistFound)
    assert notebook.questions["Song 2"] == []


async def test_each_song_can_be_stopped_on_its_own(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(tone(), tone(900), tone(1900))
    await pasted(bot, notebook, tmp_path)
    links.go_on.clear()
    _, second, _ = await bot.conversation.playlists.answer(choice(notebook.questions["link"][0], 3), ANN, back)
    assert await bot.conversation.cancel(second.id, bot.requester(ANN)) in {CancelResult.DONE, CancelResult.ASKED}
    await notebook.until(lambda: notebook.stopped_songs == ["Song 2"])
    links.go_on.set()
    await notebook.until(lambda: len(notebook.discarded) == 4)
    assert [len(notebook.answers[f"Song {number}"]) for number in (1, 2, 3)] == [1, 0, 1]


async def test_the_question_can_be_stopped_like_any_song(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(tone(), tone(900))
    job = await pasted(bot, notebook, tmp_path)

    async def put_aside() -> bool:
        return (await bot.storage.jobs.load()).running == 0

    await eventually(put_aside)
    assert await bot.conversation.cancel(job.id, bot.requester(ANN)) is CancelResult.DONE
    with pytest.raises(ButtonExpired):
        await bot.conversation.playlists.answer(choice(notebook.questions["link"][0], 2), ANN, back)
