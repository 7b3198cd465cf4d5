from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from bot.core.callbacks import Action
from bot.core.errors import ButtonExpired, ExportOptionUnknown, GenreUnknown, NotAModerator, NotYours
from bot.core.export_request import ExportRequest
from bot.core.genre_names import GenreNames
from bot.core.identity import Person
from bot.core.localization import Localizer
from bot.core.messages import CorrectionView, thanks
from bot.core.moderation import Moderation
from bot.core.request import Requester
from bot.setting_values import Moderator
from common.addresses import Address
from common.community import Community
from storage import TABLE_COLUMNS, CancelResult, ChatKey, ExportFormat, ReviewStatus
from tests.storage.factories import agreeing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.core.identity import IdHasher
    from bot.settings import Settings
    from storage import Storage
    from tests.bot.recording_chat import Notebook
    from tests.bot.running import Bot

ANN, BOB, EVE, BOSS = (Person("telegram", name) for name in ("1", "2", "3", "99"))
HERE, THERE = "group one", "group two"
PLACE_ADMIN = Requester(ANN, Localizer("en"), HERE, administers=True)
EVERYWHERE = Requester(BOSS, Localizer("en"), "private", administers=False)
DESK = {"moderation_password": SecretStr("a password"), "local_chat": Address("127.0.0.1", 8080)}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"moderators": (Moderator("telegram", "99"),)})


@pytest.fixture
async def moderation(bot: Bot, notebook: Notebook, tone: Callable[..., Path]) -> Moderation:
    """Three people have corrected songs: Bob here, with a new name, and Eve there."""
    said = [(BOB, HERE, 200, "zydeco"), (EVE, THERE, 900, "jazz")]
    for person, chat, hertz, label in said:
        name = f"{hertz}.wav"
        await bot.conversation.submit(notebook.sends(tone(hertz, name=name), person=person, chat_id=chat))
        await notebook.until(lambda name=name: name in notebook.discarded)
        reply = notebook.answers[name][0].reply.id
        await bot.conversation.correct(reply, person, "en", label)
        await bot.conversation.privacy.set_consent(person, "en", allow=True)
    return bot.conversation.moderation


async def test_an_administrator_reviews_only_the_rows_of_their_own_place(moderation: Moderation) -> None:
    first = await moderation.review(PLACE_ADMIN)
    assert first is not None
    assert "zydeco" in first.message.text
    assert await moderation.review(PLACE_ADMIN, after=first.correction_id) is None
    there = await moderation.review(EVERYWHERE, after=first.correction_id)
    assert there is not None
    with pytest.raises(ButtonExpired):
        await moderation.rule(PLACE_ADMIN, there.correction_id, ReviewStatus.REJECTED)
    assert "Accepted: jazz" in (await moderation.rule(EVERYWHERE, there.correction_id, ReviewStatus.ACCEPTED)).text


async def test_whoever_is_no_moderator_is_turned_away_at_every_call(moderation: Moderation) -> None:
    stranger = Requester(EVE, Localizer("en"), HERE)
    for call in (
        moderation.review(stranger),
        moderation.reviewed(stranger, 1),
        moderation.rule(stranger, 1, ReviewStatus.ACCEPTED),
        moderation.accept_all(stranger, 1),
        moderation.undo(stranger, 1),
        moderation.merge(stranger, 1, "jazz"),
        moderation.stats(stranger),
        moderation.export(stranger, ExportRequest()),
    ):
        with pytest.raises(NotAModerator):
            await call


async def test_a_proposed_label_is_merged_for_everybody_so_only_the_operators_moderators_may(
    moderation: Moderation,
) -> None:
    first = await moderation.review(EVERYWHERE)
    assert first is not None
    assert Action.MERGE in [button.action for button in first.message.buttons]
    with pytest.raises(NotAModerator):
        await moderation.merge(PLACE_ADMIN, first.correction_id, "jazz")
    with pytest.raises(GenreUnknown):
        await moderation.merge(EVERYWHERE, first.correction_id, "no such thing")
    assert "another name for hip hop" in await moderation.merge(EVERYWHERE, first.correction_id, "hiphop")
    again = await moderation.reviewed(EVERYWHERE, first.correction_id)
    assert Action.MERGE not in [button.action for button in again.message.buttons]


async def test_a_moderator_gives_another_label_and_the_sentence_names_it_in_their_language(
    moderation: Moderation,
) -> None:
    boss = Requester(BOSS, Localizer("vi"), HERE)
    first = await moderation.review(boss)
    assert first is not None
    assert "Lần sửa số" in first.message.text
    ruled = await moderation.rule(boss, first.correction_id, ReviewStatus.RELABELLED, "blues")
    assert ruled.text == "Đã ghi là blues."


async def test_counts_are_of_the_askers_own_place(moderation: Moderation) -> None:
    here, everywhere = await moderation.stats(PLACE_ADMIN), await moderation.stats(EVERYWHERE)
    assert "One opinion from one person" in here
    assert "2 opinions from 2 people" in everywhere
    assert "Proposed: zydeco (1)" in here


async def test_an_export_holds_the_57_columns_and_only_the_askers_rows(moderation: Moderation) -> None:
    everything = (await moderation.export(EVERYWHERE, ExportRequest())).file
    assert everything is not None
    rows = list(csv.DictReader(io.StringIO(everything.content.decode(), newline="")))
    assert {row["label"] for row in rows} == {"zydeco", "jazz"}
    assert set(TABLE_COLUMNS) <= set(rows[0])
    here = await moderation.export(PLACE_ADMIN, ExportRequest(ExportFormat.JSONL))
    assert here.file is not None
    assert here.file.content.count(b"\n") == 1
    assert here.text.startswith("One row of one song")
    with pytest.raises(ExportOptionUnknown):
        await moderation.export(EVERYWHERE, ExportRequest(genre="no such thing"))


async def test_a_song_is_stopped_by_an_administrator_of_the_place_it_was_sent_in(
    moderation: Moderation, storage: Storage, keys: IdHasher, notebook: Notebook, tone: Callable[..., Path], bot: Bot
) -> None:
    job = await bot.conversation.submit(notebook.sends(tone(300), person=BOB, chat_id=THERE))
    with pytest.raises(NotYours):
        await bot.conversation.cancel(job.id, PLACE_ADMIN)
    there = Requester(ANN, Localizer("en"), THERE, administers=True)
    assert moderation.moderates_song(there, job)
    assert moderation.moderates_song(EVERYWHERE, job)
    assert await bot.conversation.cancel(job.id, there) in {CancelResult.DONE, CancelResult.ASKED}


@pytest.mark.parametrize(
    ("changes", "promised"),
    [
        ({"community": Community.PUBLIC, "moderators": (Moderator("telegram", "99"),)}, "a moderator will look at it"),
        ({"community": Community.PUBLIC, **DESK}, "a moderator will look at it"),
        ({"community": Community.PUBLIC}, "only learn it once whoever runs this bot names moderators"),
        ({"community": Community.GROUP, "moderators": (Moderator("telegram", "99"),)}, "once others say the same"),
        ({"community": Community.PRIVATE, "feedback_agreement": 2}, "once others say the same"),
        ({"community": Community.PRIVATE}, "with enough songs of it I can learn it"),
        ({"community": Community.GROUP, "training_sources": ("local",)}, "is new to me. I've noted it."),
    ],
)
async def test_a_proposed_label_promises_only_what_the_rules_let_happen(
    changes: dict[str, object], promised: str, storage: Storage, keys: IdHasher, settings: Settings
) -> None:
    mine = settings.model_copy(update={"moderators": (), **changes})
    moderation, label = Moderation(storage, keys, mine, GenreNames(storage)), await storage.labels.propose("Zydeco")
    given = CorrectionView(label.id, "zydeco", agrees=False, proposed=True)
    given = replace(given, reviewers=await moderation.reviewers("telegram", label.id))
    assert promised in thanks(given, Localizer("en"), "reply").text


async def test_a_label_of_which_a_moderator_accepted_a_song_waits_for_nobody_but_others(
    storage: Storage, keys: IdHasher, settings: Settings
) -> None:
    mine = settings.model_copy(update={"community": Community.PUBLIC})
    moderation, label = Moderation(storage, keys, mine, GenreNames(storage)), await storage.labels.propose("Zydeco")
    await agreeing(storage, label.id, "ann")
    [given] = await storage.feedback.review()
    await storage.feedback.moderate(given.id, ReviewStatus.ACCEPTED, moderator="boss", chat=ChatKey("local", "chat"))
    assert await moderation.reviewers("telegram", label.id) == "moderators"
    await storage.feedback.moderate(given.id, ReviewStatus.ACCEPTED, moderator="mod")
    assert await moderation.reviewers("telegram", label.id) == "others"


async def test_whoever_is_alone_with_their_page_moderates_it_and_nobody_else_does(
    storage: Storage, keys: IdHasher, settings: Settings
) -> None:
    mine, ours = (settings.model_copy(update={"community": each}) for each in (Community.PRIVATE, Community.GROUP))
    names = GenreNames(storage)
    assert Moderation(storage, keys, mine, names).everywhere(Person("local", "a cookie"))
    assert not Moderation(storage, keys, mine, names).everywhere(BOB)
    assert not Moderation(storage, keys, ours, names).everywhere(Person("local", "a cookie"))
