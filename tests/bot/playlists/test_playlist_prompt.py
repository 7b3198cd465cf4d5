"""Songs of a list within the limits of a person and the turns of all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.core.errors import PlaylistCutShort
from storage import Storage, TooManyQueued, TooManyToday
from tests.bot.playlists.prompts import ANN, back, choice, pasted
from tests.bot.running import Bot, eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.settings import Settings
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.links_at_hand import LinksAtHand
    from tests.bot.playlists.prompts import Assemble
    from tests.bot.recording_chat import Notebook

    Tone = Callable[..., Path]


@pytest.mark.parametrize(("queued", "daily", "offered"), [(2, 50, 2), (1, 50, 1), (10, 4, 3)])
async def test_no_more_is_offered_than_a_person_has_room_for(
    assemble: Assemble,
    settings: Settings,
    notebook: Notebook,
    links: LinksAtHand,
    tone: Tone,
    tmp_path: Path,
    queued: int,
    daily: int,
    offered: int,
) -> None:
    narrow = settings.model_copy(update={"songs_per_person_queued": queued, "songs_per_person_daily": daily})
    bot = assemble(narrow)
    await bot.start()
    links.has_list(*([tone()] * 8))
    await pasted(bot, notebook, tmp_path)
    (question,) = notebook.questions["link"]
    press = choice(question, offered)
    assert question.buttons[0].callback == press
    assert len(await bot.conversation.playlists.answer(press, ANN, back)) == offered
    await notebook.until(lambda: len(notebook.discarded) == 1 + offered)
    await bot.queue.stop()


async def test_whoever_has_no_room_left_is_told_so_instead_of_asked(
    assemble: Assemble,
    settings: Settings,
    notebook: Notebook,
    links: LinksAtHand,
    tone: Tone,
    tmp_path: Path,
) -> None:
    narrow = settings.model_copy(update={"songs_per_person_daily": 1})
    bot = assemble(narrow)
    await bot.start()
    links.has_list(tone(), tone(900))
    await pasted(bot, notebook, tmp_path)
    await bot.queue.stop()
    assert isinstance(notebook.refusals["link"][0], TooManyToday)


async def test_what_was_sent_between_question_and_answer_counts(
    bot: Bot, ear: EarAtHand, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(*([tone(1900)] * 5))
    await pasted(bot, notebook, tmp_path)
    press = choice(notebook.questions["link"][0], 5)
    ear.go_on.clear()
    for number in range(7):
        await bot.conversation.submit(notebook.sends(tone(200 + number)))
    # Ten may wait: seven do, the question makes room for one.
    assert len(await bot.conversation.playlists.answer(press, ANN, back)) == 3
    assert [(type(said), said.values) for said in notebook.refusals["link"]] == [
        (PlaylistCutShort, {"count": 3, "wanted": 5})
    ]
    ear.go_on.set()
    await notebook.until(lambda: len(notebook.discarded) == 11)


async def test_whoever_filled_the_queue_meanwhile_may_press_again_later(
    bot: Bot, ear: EarAtHand, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(tone(1900), tone(2500))
    await pasted(bot, notebook, tmp_path)
    press = choice(notebook.questions["link"][0], 2)
    ear.go_on.clear()
    for number in range(9):
        await bot.conversation.submit(notebook.sends(tone(200 + number)))
    full = bot.settings.model_copy(update={"songs_per_person_queued": 9})
    bot.conversation.playlists._settings = full
    with pytest.raises(TooManyQueued):
        await bot.conversation.playlists.answer(press, ANN, back)
    ear.go_on.set()
    await notebook.until(lambda: len(notebook.discarded) == 9)
    assert len(await bot.conversation.playlists.answer(press, ANN, back)) == 2
    await notebook.until(lambda: len(notebook.discarded) == 12)


async def test_other_peoples_songs_come_in_turn_between_those_of_a_list(
    storage: Storage,
    assemble: Assemble,
    settings: Settings,
    notebook: Notebook,
    links: LinksAtHand,
    tone: Tone,
    tmp_path: Path,
) -> None:
    bot = assemble(settings)
    links.has_list(*([tone()] * 4))
    await bot.start()
    await pasted(bot, notebook, tmp_path)
    links.go_on.clear()
    taken = await bot.conversation.playlists.answer(choice(notebook.questions["link"][0], 4), ANN, back)
    bobs = await bot.conversation.submit(notebook.sends(tone(900), who="bob"))
    waiting = [job.id for job in taken if (await storage.jobs.position(job.id) or 0) > 0]
    place = await storage.jobs.position(bobs.id)
    assert place is not None
    assert not waiting or place <= min([await storage.jobs.position(number) or 0 for number in waiting]) + 1
    links.go_on.set()
    await notebook.until(lambda: len(notebook.discarded) == 6)
    await bot.queue.stop()


async def test_a_question_is_in_nobodys_way(
    bot: Bot, ear: EarAtHand, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(tone(1900), tone(2500))
    for number in range(3):
        await pasted(bot, notebook, tmp_path, name=f"link {number}", who=f"asker {number}")
    ear.go_on.clear()
    jobs = [await bot.conversation.submit(notebook.sends(tone(200 + number), who="bob")) for number in range(6)]

    async def all_seats_are_taken() -> bool:
        return (await bot.storage.jobs.load()).running == 4

    await eventually(all_seats_are_taken)
    assert [await bot.storage.jobs.position(job.id) for job in jobs[4:]] == [1, 2]
    ear.go_on.set()
    await notebook.until(lambda: len(notebook.discarded) == 6)
