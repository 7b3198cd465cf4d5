from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.core import messages
from bot.core.callbacks import Action
from bot.core.errors import ButtonExpired
from bot.core.identity import IdHasher, Person
from bot.core.localization import LANGUAGES
from storage import BadLabel, LabelTooLong, LabelWithoutLetter, Storage
from tests.bot.reports import as_speech, as_vpop
from tests.bot.running import Bot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.settings import Settings
    from storage import Correction
    from tests.bot.fake_classifier import EarAtHand
    from tests.bot.recording_chat import Notebook

    Tone = Callable[..., Path]

ANN, BOB = Person("telegram", "ann"), Person("telegram", "bob")


@pytest.fixture
async def reply_id(bot: Bot, notebook: Notebook, tone: Tone) -> str:
    """An answer that Ann was given: blues."""
    await bot.conversation.submit(notebook.sends(tone(200, name="song.wav")))
    await notebook.until(lambda: notebook.discarded)
    return notebook.answers["song.wav"][0].reply.id


async def _correction(bot: Bot, person: Person, reply_id: str) -> Correction | None:
    reply = await bot.storage.replies.find(reply_id)
    assert reply is not None
    return await bot.storage.feedback.find(bot.keys.person(person), reply.content_hash)


async def test_a_right_answer_is_agreed_with(bot: Bot, reply_id: str) -> None:
    said = await bot.conversation.agree(reply_id, ANN, "en")
    assert said.message.text == "Thanks! Good to know that blues was right."
    kept = await _correction(bot, ANN, reply_id)
    assert kept is not None
    assert kept.agrees


async def test_a_wrong_genre_is_corrected_once_per_person(bot: Bot, reply_id: str) -> None:
    await bot.conversation.correct(reply_id, ANN, "en", "jazz")
    await bot.conversation.correct(reply_id, ANN, "en", "metal")
    await bot.conversation.correct(reply_id, BOB, "vi", "jazz")
    kept = await _correction(bot, ANN, reply_id)
    assert kept is not None
    assert await bot.storage.feedback.votes(kept.content_hash) == {"jazz": 1, "metal": 1}


@pytest.mark.parametrize(
    ("text", "label"), [("hip-hop", "hiphop"), ("RAP", "hiphop"), ("Cải Lương", "cailuong"), ("cai luong", "cailuong")]
)
async def test_a_correction_understands_other_spellings(bot: Bot, reply_id: str, text: str, label: str) -> None:
    said = await bot.conversation.correct(reply_id, ANN, "vi", text)
    assert said.correction is not None
    assert said.correction.label == label
    assert not said.correction.proposed


async def test_a_new_genre_is_taken_as_a_proposal_under_the_name_that_was_typed(bot: Bot, reply_id: str) -> None:
    said = await bot.conversation.correct(reply_id, ANN, "vi", "  Nhạc sàn ")
    assert said.correction is not None
    assert said.correction.proposed
    assert "“Nhạc sàn”" in said.message.text
    again = await bot.conversation.answer_view(reply_id, ANN, "vi")
    assert again.correction == said.correction


@pytest.mark.parametrize(("text", "error"), [("x" * 10_000, LabelTooLong), ("!!!", LabelWithoutLetter), ("", BadLabel)])
async def test_what_cannot_be_a_genre_is_refused_with_a_sentence(
    bot: Bot, reply_id: str, text: str, error: type[BadLabel]
) -> None:
    with pytest.raises(error) as caught:
        await bot.conversation.correct(reply_id, ANN, "vi", text)
    assert all(messages.sentence(caught.value, language) for language in LANGUAGES)
    assert await _correction(bot, ANN, reply_id) is None


async def test_a_correction_can_be_taken_back(bot: Bot, reply_id: str) -> None:
    await bot.conversation.correct(reply_id, ANN, "en", "jazz")
    undone = await bot.conversation.undo(reply_id, ANN, "en")
    assert undone.correction is None
    assert [button.action for button in undone.message.buttons] == [Action.RIGHT, Action.WRONG]
    assert await _correction(bot, ANN, reply_id) is None
    nothing = await bot.conversation.undo(reply_id, ANN, "en")
    assert nothing.message.text == "You hadn't corrected this song."


async def test_a_button_without_its_answer_says_so(bot: Bot) -> None:
    for forged in ("nonsense", "", "A" * 24):
        with pytest.raises(ButtonExpired):
            await bot.conversation.correct(forged, ANN, "en", "jazz")


async def test_consent_is_asked_once_and_never_presumed(bot: Bot, reply_id: str) -> None:
    first = await bot.conversation.agree(reply_id, ANN, "en")
    assert first.question is not None
    assert first.question.text.startswith("May I learn from this?")
    assert await bot.conversation.privacy.open_question(ANN, "en") == first.question
    assert (await bot.conversation.correct(reply_id, ANN, "en", "jazz")).question is None
    kept = await _correction(bot, ANN, reply_id)
    assert kept is not None
    assert not kept.consent


async def test_consent_holds_for_what_was_already_said_and_can_be_taken_back(bot: Bot, reply_id: str) -> None:
    await bot.conversation.correct(reply_id, ANN, "en", "jazz")
    allowed = await bot.conversation.privacy.set_consent(ANN, "en", allow=True)
    assert allowed.text.startswith("Thanks! From now on")
    assert await bot.conversation.privacy.open_question(ANN, "en") is None
    kept = await _correction(bot, ANN, reply_id)
    assert kept is not None
    assert kept.consent
    withdrawn = await bot.conversation.privacy.set_consent(ANN, "en", allow=False)
    assert withdrawn.text.startswith("Done:")
    kept = await _correction(bot, ANN, reply_id)
    assert kept is not None
    assert not kept.consent


async def test_privacy_shows_the_choice_and_the_button_to_change_it(bot: Bot) -> None:
    before = await bot.conversation.privacy.notice(ANN, "en")
    assert "off. I'll ask you once" in before.text
    assert before.buttons[0].action is Action.ALLOW
    await bot.conversation.privacy.set_consent(ANN, "en", allow=True)
    after = await bot.conversation.privacy.notice(ANN, "vi")
    assert "bạn đã đồng ý" in after.text
    assert after.buttons[0].action is Action.REFUSE


async def test_corrections_train_only_where_the_operator_says_so(
    storage: Storage, keys: IdHasher, settings: Settings, ear: EarAtHand, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    nowhere = settings.model_copy(update={"training_sources": ("local",)})
    bot = Bot(storage, keys, nowhere, ear, tmp_path / "work").with_chat(notebook)
    await bot.start()
    await bot.conversation.submit(notebook.sends(tone(name="song.wav")))
    await notebook.until(lambda: notebook.discarded)
    reply = notebook.answers["song.wav"][0].reply
    await bot.conversation.agree(reply.id, ANN, "en")
    kept = await _correction(bot, ANN, reply.id)
    assert kept is not None
    assert not kept.may_train
    await bot.queue.stop()


async def test_a_persons_data_is_handed_out_and_deleted(bot: Bot, reply_id: str) -> None:
    await bot.conversation.correct(reply_id, ANN, "en", "jazz")
    await bot.conversation.correct(reply_id, BOB, "en", "metal")
    kept = await _correction(bot, ANN, reply_id)
    assert kept is not None
    data = await bot.conversation.privacy.my_data(ANN, ["chat of ann"])
    assert "jazz" in str(data)
    assert "metal" not in str(data)
    forgotten = await bot.conversation.privacy.forget(ANN, ["chat of ann"])
    assert forgotten.corrections == 1
    assert await bot.storage.feedback.find(bot.keys.person(ANN), kept.content_hash) is None
    assert await bot.storage.feedback.find(bot.keys.person(BOB), kept.content_hash) is not None
    assert "jazz" not in str(await bot.conversation.privacy.my_data(ANN, ["chat of ann"]))


async def test_forgetting_a_person_stops_their_song_and_leaves_no_progress_behind(
    bot: Bot, notebook: Notebook, tone: Tone, ear: EarAtHand
) -> None:
    ear.go_on.clear()
    await bot.conversation.submit(notebook.sends(tone(name="secret.wav")))
    await notebook.until(lambda: "listening" in notebook.stages["secret.wav"])
    forgotten = await bot.conversation.privacy.forget(ANN)
    assert forgotten.jobs == 1
    assert notebook.stopped_songs == ["secret.wav"]
    ear.go_on.set()
    await bot.conversation.submit(notebook.sends(tone(900, name="next.wav"), "bob"))
    await notebook.until(lambda: notebook.answers["next.wav"])
    assert notebook.answers["secret.wav"] == []
    assert notebook.stopped_songs == ["secret.wav"]


async def test_the_chosen_language_goes_before_the_platforms(bot: Bot, notebook: Notebook, tone: Tone) -> None:
    assert await bot.conversation.chosen_language(ANN) is None
    await bot.conversation.set_language(ANN, "vi")
    job = await bot.conversation.submit(notebook.sends(tone()))
    assert (await bot.conversation.song_of(job)).words.language == "vi"
    assert await bot.conversation.chosen_language(ANN) == "vi"


async def test_genres_are_searched_by_any_name_in_either_language(bot: Bot) -> None:
    found, total = await bot.conversation.genres.choices("chau van", "vi")
    assert [choice.label for choice in found][:1] == ["chauvan"]
    assert total >= 1
    assert found[0].name == "Chầu văn"
    everything, _ = await bot.conversation.genres.choices("", "en")
    assert len(everything) >= 15
    cheo, _ = await bot.conversation.genres.choices("cheo", "en")
    assert cheo[0].about.startswith("Folk musical theatre")


async def test_what_people_are_is_nowhere_in_the_database(
    bot: Bot, notebook: Notebook, tone: Tone, tmp_path: Path
) -> None:
    """Neither the id of the person nor that of the private chat, also while the song is under way."""
    person = Person("telegram", "8675309123")
    await bot.conversation.submit(notebook.sends(tone(name="song.wav"), person=person, chat_id="5550199123"))
    await notebook.until(lambda: notebook.discarded)
    await bot.conversation.agree(notebook.answers["song.wav"][0].reply.id, person, "en")
    content = b"".join((tmp_path / name).read_bytes() for name in ("songs.db", "songs.db-wal"))
    assert b"8675309123" not in content
    assert b"5550199123" not in content


async def test_pictures_are_drawn_in_the_persons_language(bot: Bot, reply_id: str) -> None:
    given = await bot.conversation.answer_view(reply_id, ANN, "vi")
    pictures = {
        await bot.conversation.picture(given.report, bot.conversation.words(lang), "dark") for lang in LANGUAGES
    }
    assert len(pictures) == 2
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)


async def test_what_most_people_look_for_is_offered_before_what_few_know(bot: Bot) -> None:
    offered = [choice.label for choice in (await bot.conversation.genres.choices("", "en"))[0]]
    assert {"rnb", "soul", "folk", "electronic", "vpop"} <= set(offered)
    assert not {"nhanhac", "cheo", "enka"} & set(offered)


async def test_the_family_of_a_style_is_right_only_less(
    bot: Bot, notebook: Notebook, ear: EarAtHand, tone: Tone
) -> None:
    ear.answers = as_vpop
    await bot.conversation.submit(notebook.sends(tone(200, name="song.wav")))
    await notebook.until(lambda: notebook.discarded)
    reply_id = notebook.answers["song.wav"][0].reply.id
    said = await bot.conversation.correct(reply_id, ANN, "en", "pop")
    assert said.message.text == "Thanks! So pop is right; I'd gone further and said V-pop."
    kept = await _correction(bot, ANN, reply_id)
    assert kept is not None
    assert (kept.agrees, kept.label) == (True, "pop")
    assert (await bot.storage.feedback.stats()).agreeing == 1


async def test_what_is_not_music_cannot_be_confirmed_but_corrected(
    bot: Bot, notebook: Notebook, ear: EarAtHand, tone: Tone
) -> None:
    ear.answers = as_speech
    await bot.conversation.submit(notebook.sends(tone(200, name="song.wav")))
    await notebook.until(lambda: notebook.discarded)
    reply_id = notebook.answers["song.wav"][0].reply.id
    with pytest.raises(ButtonExpired):
        await bot.conversation.agree(reply_id, ANN, "en")
    await bot.conversation.correct(reply_id, ANN, "en", "jazz")
    kept = await _correction(bot, ANN, reply_id)
    assert kept is not None
    assert (kept.label, kept.predicted, kept.agrees) == ("jazz", "", False)
    undone = await bot.conversation.undo(reply_id, ANN, "en")
    assert [button.text for button in undone.message.buttons] == ["It is music"]
