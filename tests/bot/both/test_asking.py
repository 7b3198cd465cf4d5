"""The bot asks about songs that would teach most: people who agreed to it, and never in a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bot.core.callbacks import Action
from bot.core.teaching_questions import FEWEST_SONGS, TeachingQuestions, experts_disagree
from classifier.features.texture_columns import WIDTH
from common.community import Community
from storage import NewReply, Question, SegmentVectors
from tests.bot.both.chats import text_of
from tests.bot.reports import certain, make_report
from tests.bot.running import eventually
from tests.storage.factories import agreeing, answered, report, song

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.settings import Settings
    from storage import Storage
    from tests.bot.both.chats import ChatUnderTest

    Tone = Callable[..., Path]

TAUGHT = 5


async def half_taught(storage: Storage) -> None:
    """Store five zouk songs that sound like what the tests send, and five other songs that do not."""
    numbers = np.random.default_rng(0)
    for person in ("bob", "cid"):
        await storage.people.set_consent(person, True)
    for number in range(2 * TAUGHT):
        is_zouk = number < TAUGHT
        texture = numbers.normal(0.5 if is_zouk else 5.0, 0.3, WIDTH).astype(np.float32)
        vectors = SegmentVectors(0.0, 30.0, {"gtzan57": np.zeros(57, np.float32), "texture": texture})
        answer = await storage.songs.save_answer(
            song(f"song {number}"), report("disco"), (vectors,), platform="telegram", title=None
        )
        for person in ("bob", "cid") if is_zouk else ():
            await storage.feedback.correct(
                person=person, answer_id=answer.id, label="zouk", platform="telegram", chat="there", may_train=True
            )


async def test_whoever_agreed_is_asked_alone_and_never_in_a_group(chat: ChatUnderTest, tone: Tone) -> None:
    await half_taught(chat.bot.storage)
    notice = await chat.command("ann", "privacy", private=True)
    offer = await chat.press("ann", notice, Action.ALLOW, "May I also ask you")
    await chat.tap(offer, "Yes, ask me")
    await chat.hears("I'll ask you now and then")
    assert "Is this zouk?" not in text_of(await chat.song(tone(205)))
    answer = await chat.song_alone(tone(210))
    assert "Is this zouk? 15 of 20 to go before I can learn it." in text_of(answer)
    await chat.tap(answer, "Zouk")

    async def corrected() -> bool:
        stored = await chat.bot.storage.feedback.review(status=None, limit=100)
        return any(each.label == "zouk" and each.chat != "there" for each in stored)

    await eventually(corrected)


async def test_a_song_that_lacks_people_is_asked_about_unless_a_stranger_made_its_name_up(
    storage: Storage, settings: Settings
) -> None:
    made_up = (await storage.labels.propose("Asdfgh")).id
    taught, replies = {}, {}
    for label in ("zouk", made_up):
        for number in range(FEWEST_SONGS):
            await agreeing(storage, label, "bob", name=f"{label} {number}")
        taught[label] = await answered(storage, f"{label} 0")
    for person, platform in (("ann", "telegram"), ("cid", "telegram"), ("dan", "discord")):
        await storage.people.set_consent(person, True)
        await storage.asking.agree(person, agreed=True)
        replies[person] = await storage.replies.add(NewReply(taught["zouk"].id, platform, "chat", person))
    told = certain(blues=0.9, jazz=0.1)

    sources = {"training_sources": ("telegram", "local")}

    def questions(community: Community) -> TeachingQuestions:
        return TeachingQuestions(storage, settings.model_copy(update={"community": community, **sources}))

    public, group = questions(Community.PUBLIC), questions(Community.GROUP)
    assert await public.ask(replies["ann"], taught[made_up], told, ()) is None
    assert await public.ask(replies["ann"], taught["zouk"], told, ()) == Question("zouk", 0, 20)
    assert await group.ask(replies["cid"], taught[made_up], told, ()) == Question(made_up, 0, 20)
    assert await group.ask(replies["dan"], taught["zouk"], told, ()) is None


def test_experts_disagree_where_none_of_the_genres_got_most_of_their_votes() -> None:
    assert not experts_disagree(certain(blues=0.9, jazz=0.1))
    assert not experts_disagree(certain(sure=False, blues=0.5, jazz=0.4))
    torn = make_report(["blues", "jazz", "rock", "pop"], sure=False)
    assert experts_disagree(torn)
