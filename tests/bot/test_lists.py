"""Links that lead to many songs: asked about first, then a song each, within the limits, by the requester alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bot import lists as lists_room
from bot.errors import ButtonExpired, ListCutShort, ListDeclined, ListTaken, ListUnanswered, NotYours
from bot.lists import LIST_SONGS, QUESTION_SECONDS
from bot.people import Person
from bot.replies import Action, read_button
from links import Item, Listing
from links.errors import ManySongs, NothingThere
from storage import Cancel, Storage, TooManyQueued, TooManyToday
from tests.bot.links_at_hand import LIST, LinksAtHand
from tests.bot.running import Bot, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from bot.people import Keys
    from bot.replies import Message
    from bot.settings import Settings
    from storage import Job
    from tests.bot.ear import EarAtHand
    from tests.bot.notebook import Notebook

    Tone = Callable[..., Path]

ANN, BOB = Person("telegram", "ann"), Person("telegram", "bob")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"songs_per_person_queued": 10, "workers": 2})


@pytest.fixture
def links() -> LinksAtHand:
    return LinksAtHand()


@pytest.fixture
async def bot(
    storage: Storage,
    keys: Keys,
    settings: Settings,
    ear: EarAtHand,
    notebook: Notebook,
    links: LinksAtHand,
    tmp_path: Path,
) -> AsyncIterator[Bot]:
    running = Bot(storage, keys, settings, ear, tmp_path / "work", links).with_chat(notebook)
    await running.start()
    yield running
    await running.queue.stop()


async def pasted(
    bot: Bot, notebook: Notebook, tmp_path: Path, link: str = LIST, name: str = "link", **more: Any
) -> Job:
    """Paste a link, and wait until the bot has asked about it."""
    sent = notebook.sends(tmp_path, title=None, source="link", payload={"link": link}, message={"name": name}, **more)
    job = await bot.conversation.submit(sent)
    await notebook.until(lambda: notebook.questions[name] or notebook.refusals[name])
    return job


async def back(item: Item) -> Mapping[str, Any]:
    return {"name": item.title}


def choice(question: Message, count: int) -> str:
    """Return what the button for so many songs carries."""
    for button in question.buttons:
        read = read_button(button.data)
        assert read is not None
        assert read[0] is Action.TAKE
        if read[1].endswith(f"-{count}"):
            return read[1]
    raise AssertionError(f"no button for {count} songs: {question}")


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

    taken = await bot.conversation.lists.answer(choice(question, 3), ANN, back)
    assert len(taken) == 3
    await notebook.until(lambda: len(notebook.discarded) == 4)
    genres = [notebook.answers[f"Song {number}"][0].report.genre for number in (1, 2, 3)]
    assert genres == ["blues", "classical", "jazz"]
    answer = await bot.storage.songs.answer(notebook.answers["Song 2"][0].reply.answer_id)
    assert answer is not None
    assert answer.title == "Song 2"
    assert [(type(said), said.values) for said in notebook.refusals["link"]] == [(ListTaken, {"count": 3})]


async def test_no_more_than_a_few_are_offered(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(*([tone()] * 9))
    await pasted(bot, notebook, tmp_path)
    (question,) = notebook.questions["link"]
    assert f"the first {LIST_SONGS}?" in question.text
    forged = choice(question, LIST_SONGS).replace(f"-{LIST_SONGS}", "-9")
    assert len(await bot.conversation.lists.answer(forged, ANN, back)) == LIST_SONGS


async def test_no_is_an_answer(bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path) -> None:
    links.has_list(tone(), tone(900))
    await pasted(bot, notebook, tmp_path)
    assert await bot.conversation.lists.answer(choice(notebook.questions["link"][0], 0), ANN, back) == []
    assert isinstance(notebook.refusals["link"][0], ListDeclined)
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
        await bot.conversation.lists.answer(press, BOB, back)
    with pytest.raises(NotYours):
        await bot.conversation.lists.answer(press[:-1] + "0", BOB, back)
    both = await asyncio.gather(
        bot.conversation.lists.answer(press, ANN, back),
        bot.conversation.lists.answer(press, ANN, back),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in both) == ["ButtonExpired", "list"]
    await notebook.until(lambda: len(notebook.discarded) == 3)
    with pytest.raises(ButtonExpired):
        await bot.conversation.lists.answer(press, ANN, back)
    assert len(links.fetched) == 3


@pytest.mark.parametrize(
    "forged", ["", "x", "1", "-1", "1-", "0-3", "99999-3", "1-2-3", "9" * 30 + "-1", "١-٢", "1- 2"]
)
async def test_forged_presses_are_told_that_the_button_has_expired(bot: Bot, forged: str) -> None:
    with pytest.raises(ButtonExpired):
        await bot.conversation.lists.answer(forged, ANN, back)


async def test_a_job_that_asks_nothing_is_no_question(bot: Bot, ear: EarAtHand, notebook: Notebook, tone: Tone) -> None:
    ear.go_on.clear()
    job = await bot.conversation.submit(notebook.sends(tone()))
    with pytest.raises(ButtonExpired):
        await bot.conversation.lists.answer(f"{job.id}-3", ANN, back)
    assert await bot.conversation.lists.question(job.id, bot.conversation.words("en")) is None
    ear.go_on.set()


async def test_a_broken_song_costs_only_its_own_answer(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(tone(), None, tone(900))
    await pasted(bot, notebook, tmp_path)
    await bot.conversation.lists.answer(choice(notebook.questions["link"][0], 3), ANN, back)
    await notebook.until(lambda: len(notebook.discarded) == 4)
    assert isinstance(notebook.refusals["Song 2"][0], NothingThere)
    assert [len(notebook.answers[f"Song {number}"]) for number in (1, 2, 3)] == [1, 0, 1]


async def test_a_list_within_a_list_is_not_asked_about(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(tone(), None)
    links.has_list(tone(), tone(900), link=f"{LIST}/2")
    await pasted(bot, notebook, tmp_path)
    await bot.conversation.lists.answer(choice(notebook.questions["link"][0], 2), ANN, back)
    await notebook.until(lambda: len(notebook.discarded) == 3)
    assert isinstance(notebook.refusals["Song 2"][0], ManySongs)
    assert notebook.questions["Song 2"] == []


async def test_each_song_can_be_stopped_on_its_own(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(tone(), tone(900), tone(1900))
    await pasted(bot, notebook, tmp_path)
    links.go_on.clear()
    _, second, _ = await bot.conversation.lists.answer(choice(notebook.questions["link"][0], 3), ANN, back)
    assert await bot.conversation.cancel(second.id, ANN) in {Cancel.DONE, Cancel.ASKED}
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
    assert await bot.conversation.cancel(job.id, ANN) is Cancel.DONE
    with pytest.raises(ButtonExpired):
        await bot.conversation.lists.answer(choice(notebook.questions["link"][0], 2), ANN, back)


@pytest.mark.parametrize(("queued", "daily", "offered"), [(2, 50, 2), (1, 50, 1), (10, 4, 3)])
async def test_no_more_is_offered_than_a_person_has_room_for(
    storage: Storage,
    keys: Keys,
    settings: Settings,
    ear: EarAtHand,
    notebook: Notebook,
    links: LinksAtHand,
    tone: Tone,
    tmp_path: Path,
    queued: int,
    daily: int,
    offered: int,
) -> None:
    narrow = settings.model_copy(update={"songs_per_person_queued": queued, "songs_per_person_daily": daily})
    bot = Bot(storage, keys, narrow, ear, tmp_path / "work", links).with_chat(notebook)
    await bot.start()
    links.has_list(*([tone()] * 8))
    await pasted(bot, notebook, tmp_path)
    (question,) = notebook.questions["link"]
    press = choice(question, offered)
    assert question.buttons[0].data == f"take:{press}"
    assert len(await bot.conversation.lists.answer(press, ANN, back)) == offered
    await notebook.until(lambda: len(notebook.discarded) == 1 + offered)
    await bot.queue.stop()


async def test_whoever_has_no_room_left_is_told_so_instead_of_asked(
    storage: Storage,
    keys: Keys,
    settings: Settings,
    ear: EarAtHand,
    notebook: Notebook,
    links: LinksAtHand,
    tone: Tone,
    tmp_path: Path,
) -> None:
    narrow = settings.model_copy(update={"songs_per_person_daily": 1})
    bot = Bot(storage, keys, narrow, ear, tmp_path / "work", links).with_chat(notebook)
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
    assert len(await bot.conversation.lists.answer(press, ANN, back)) == 3
    assert [(type(said), said.values) for said in notebook.refusals["link"]] == [
        (ListCutShort, {"count": 3, "wanted": 5})
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
    bot.conversation.lists._settings = full
    with pytest.raises(TooManyQueued):
        await bot.conversation.lists.answer(press, ANN, back)
    ear.go_on.set()
    await notebook.until(lambda: len(notebook.discarded) == 9)
    assert len(await bot.conversation.lists.answer(press, ANN, back)) == 2
    await notebook.until(lambda: len(notebook.discarded) == 12)


async def test_other_peoples_songs_come_in_turn_between_those_of_a_list(
    storage: Storage,
    keys: Keys,
    settings: Settings,
    ear: EarAtHand,
    notebook: Notebook,
    links: LinksAtHand,
    tone: Tone,
    tmp_path: Path,
) -> None:
    bot = Bot(storage, keys, settings, ear, tmp_path / "work", links).with_chat(notebook)
    links.has_list(*([tone()] * 4))
    await bot.start()
    await pasted(bot, notebook, tmp_path)
    links.go_on.clear()
    taken = await bot.conversation.lists.answer(choice(notebook.questions["link"][0], 4), ANN, back)
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


async def test_the_question_survives_a_restart_in_which_it_is_answered(
    storage: Storage,
    keys: Keys,
    settings: Settings,
    ear: EarAtHand,
    notebook: Notebook,
    links: LinksAtHand,
    tone: Tone,
    tmp_path: Path,
) -> None:
    links.has_list(tone(), tone(900))
    first = Bot(storage, keys, settings, ear, tmp_path / "work", links).with_chat(notebook)
    await first.start()
    await pasted(first, notebook, tmp_path)
    await first.queue.stop()
    again = Bot(storage, keys, settings, ear, tmp_path / "work", links).with_chat(notebook)
    await again.start()
    press = choice(notebook.questions["link"][0], 2)
    assert len(await again.conversation.lists.answer(press, ANN, back)) == 2
    await notebook.until(lambda: len(notebook.discarded) == 3)
    await again.queue.stop()
    assert len(notebook.questions["link"]) == 1
    assert links.fetched.count(LIST) == 1


async def test_a_bot_that_was_killed_while_it_asked_asks_again_without_looking_at_the_list_anew(
    storage: Storage,
    keys: Keys,
    settings: Settings,
    ear: EarAtHand,
    notebook: Notebook,
    links: LinksAtHand,
    tone: Tone,
    tmp_path: Path,
) -> None:
    links.has_list(tone(), tone(900))
    bot = Bot(storage, keys, settings, ear, tmp_path / "work", links).with_chat(notebook)
    await bot.start()
    job = await pasted(bot, notebook, tmp_path)
    await bot.queue.stop()
    # As if the process had died with the question asked but the job still in hand.
    claimed = await claim_before_its_time(storage, job.id)
    assert claimed == job.id
    again = Bot(storage, keys, settings, ear, tmp_path / "work", links).with_chat(notebook)
    await again.start()
    await notebook.until(lambda: len(notebook.questions["link"]) == 2)
    await again.queue.stop()
    assert links.fetched == [LIST]
    assert notebook.questions["link"][0] == notebook.questions["link"][1]


async def claim_before_its_time(storage: Storage, job_id: int) -> int:
    from sqlalchemy import update

    from storage.tables import JobRow

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
    assert isinstance(notebook.refusals["link"][0], ListUnanswered)
    with pytest.raises(ButtonExpired):
        await bot.conversation.lists.answer(choice(notebook.questions["link"][0], 2), ANN, back)


async def test_who_is_forgotten_takes_their_question_along(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    links.has_list(tone(), tone(900))
    await pasted(bot, notebook, tmp_path)
    await bot.conversation.forget(ANN, ["chat of ann"])
    with pytest.raises(ButtonExpired):
        await bot.conversation.lists.answer(choice(notebook.questions["link"][0], 2), ANN, back)


async def test_a_list_whose_length_nobody_knows_is_told_as_more(
    bot: Bot, notebook: Notebook, links: LinksAtHand, tone: Tone, tmp_path: Path
) -> None:
    items = tuple(Item(f"{LIST}/{number}", None, None) for number in range(25))
    links.lists[LIST] = Listing(None, items, 25, complete=False)
    await pasted(bot, notebook, tmp_path)
    assert notebook.questions["link"][0].text.startswith("This is a list of more than 25 songs.")
