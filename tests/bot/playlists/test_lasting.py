"""What becomes of the question about a list: over a restart, after a while, and where nobody counted its songs."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from bot.core import playlist_prompt as lists_room
from bot.core.errors import ButtonExpired, PlaylistUnanswered
from bot.core.playlist_question import QUESTION_SECONDS
from links import Playlist, PlaylistItem
from storage import Storage
from storage.tables import JobRow
from tests.bot.links_at_hand import LIST, LinksAtHand
from tests.bot.playlists.prompts import ANN, back, choice, pasted
from tests.bot.running import Bot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.playlists.prompts import Assemble
    from tests.bot.recording_chat import Notebook

    Tone = Callable[..., Path]


async def test_the_question_survives_a_restart_in_which_it_is_answered(
    assemble: Assemble,
    settings: Settings,
    notebook: Notebook,
    links: LinksAtHand,
    tone: Tone,
    tmp_path: Path,
) -> None:
    links.has_list(tone(), tone(900))
    first = assemble(settings)
    await first.start()
    await pasted(first, notebook, tmp_path)
    await first.queue.stop()
    again = assemble(settings)
    await again.start()
    press = choice(notebook.questions["link"][0], 2)
    assert len(await again.conversation.playlists.answer(press, ANN, back)) == 2
    await notebook.until(lambda: len(notebook.discarded) == 3)
    await again.queue.stop()
    assert len(notebook.questions["link"]) == 1
    assert links.fetched.count(LIST) == 1


async def test_a_bot_that_was_killed_while_it_asked_asks_again_without_looking_at_the_list_anew(
    keys: IdHasher,
    ear: EarAtHand,
    assemble: Assemble,
    settings: Settings,
    notebook: Notebook,
    links: LinksAtHand,
    tone: Tone,
    tmp_path: Path,
) -> None:
    links.has_list(tone(), tone(900))
    bot = assemble(settings)
    await bot.start()
    job = await pasted(bot, notebook, tmp_path)
    await bot.queue.stop()
    # As if the process had died with the question asked but the job still in hand: another one knows of no delay.
    async with await Storage.open(f"sqlite:///{tmp_path / 'songs.db'}") as storage:
        assert await claim_before_its_time(storage, job.id) == job.id
        again = Bot(storage, keys, settings, ear, tmp_path / "work", links).with_chat(notebook)
        await again.start()
        await notebook.until(lambda: len(notebook.questions["link"]) == 2)
        await again.queue.stop()
    assert links.fetched == [LIST]
    assert notebook.questions["link"][0] == notebook.questions["link"][1]


async def claim_before_its_time(storage: Storage, job_id: int) -> int:
    async with storage.database.transaction() as connection:
        await connection.execute(update(JobRow).where(JobRow.id == job_id).values(not_before=JobRow.created))
    claimed = await storage.jobs.claim("this bot")
    assert claimed is not None
    return claimed.job.id


async def test_a_question_that_nobody_answers_ends_with_a_sentence(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert QUESTION_SECONDS == 3600
    monkeypatch.setattr(lists_room, "QUESTION_SECONDS", 0.2)
    links.has_list(tone(), tone(900))
    await pasted(bot, notebook, tmp_path)
    await notebook.until(lambda: notebook.discarded)
    assert isinstance(notebook.refusals["link"][0], PlaylistUnanswered)
    with pytest.raises(ButtonExpired):
        await bot.conversation.playlists.answer(choice(notebook.questions["link"][0], 2), ANN, back)


async def test_a_clock_that_is_set_back_does_not_lengthen_the_time_for_an_answer(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists_room, "QUESTION_SECONDS", 0.2)
    links.has_list(tone(), tone(900))
    await pasted(bot, notebook, tmp_path)
    month_ago = SimpleNamespace(time=lambda: time.time() - 30 * 86_400, monotonic=time.monotonic)
    monkeypatch.setattr(lists_room, "time", month_ago)
    await notebook.until(lambda: notebook.discarded)
    assert isinstance(notebook.refusals["link"][0], PlaylistUnanswered)


async def test_who_is_forgotten_takes_their_question_along(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(tone(), tone(900))
    await pasted(bot, notebook, tmp_path)
    await bot.conversation.privacy.forget(ANN, ["chat of ann"])
    with pytest.raises(ButtonExpired):
        await bot.conversation.playlists.answer(choice(notebook.questions["link"][0], 2), ANN, back)


async def test_a_list_whose_length_nobody_knows_is_told_as_more(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    items = tuple(PlaylistItem(f"{LIST}/{number}", None, None) for number in range(25))
    links.lists[LIST] = Playlist(None, items, 25, complete=False)
    await pasted(bot, notebook, tmp_path)
    assert notebook.questions["link"][0].text.startswith("This is a list of more than 25 songs.")
