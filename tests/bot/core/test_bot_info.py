from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.core.chat import ChatLimits
from bot.core.correction_requests import CorrectionRequests
from bot.core.errors import NotAModerator
from bot.core.identity import Person
from bot.core.localization import Localizer
from bot.core.request import Requester
from classifier.inference.model import FORMAT, MANIFEST
from tests.bot.fake_classifier import RELEASE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.core.bot_info import BotInfo
    from bot.settings import Settings
    from tests.bot.recording_chat import Notebook
    from tests.bot.running import Bot

ANN, BOB, CARL = Person("telegram", "1"), Person("telegram", "2"), Person("telegram", "3")
HERE = "group one"
ADMIN = Requester(ANN, Localizer("en"), HERE, administers=True)


@pytest.fixture
def info(bot: Bot) -> BotInfo:
    return bot.conversation.info


def _release(folder: Path, name: str, **accuracy: float) -> None:
    """Put down of a release what ``/about`` reads."""
    folder.mkdir()
    (folder / MANIFEST).write_text(json.dumps({"format": FORMAT, "name": name, "files": {}}))
    figures: list[dict[str, Any]] = [
        {"split": split, "system": system, "condition": "clean", "accuracy": share if system == "ensemble" else 0.99}
        for split, share in accuracy.items()
        for system in ("knn", "ensemble")
    ]
    (folder / "evaluation.json").write_text(json.dumps(figures))


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"model_dir": tmp_path / "models"})


async def test_about_names_the_genres_with_the_figure_that_keeps_artists_apart(
    info: BotInfo, settings: Settings
) -> None:
    _release(settings.model_dir, "2-genres", random=0.9, artist_fold=0.69, fault_filtered=0.71)
    info.serves("2-genres", ("jazz", "cailuong"))
    told = await info.about("en")
    assert "2-genres" not in told
    assert "jazz, cải lương" in told
    assert "71%" in told
    assert "90%" not in told
    assert "71%" in await info.about("vi")


async def test_about_claims_no_accuracy_that_was_not_measured_for_the_release_that_answers(
    info: BotInfo, settings: Settings
) -> None:
    info.serves("2-genres", ("jazz", "metal"))
    assert "%" not in await info.about("en")
    _release(settings.model_dir, "another", fault_filtered=0.71)
    assert "%" not in await info.about("en")
    (settings.model_dir / "evaluation.json").write_text("[{]")
    assert "%" not in await info.about("vi")


async def test_about_says_what_a_retrained_release_learnt_and_how_it_was_measured(
    info: BotInfo, settings: Settings
) -> None:
    settings.model_dir.mkdir()
    told = {"feedback": {"jazz": 30, "catru": 12}, "figures": {"base": 0.7312, "feedback": None}}
    manifest = {"format": FORMAT, "name": "3-genres", "files": {}, **told}
    (settings.model_dir / MANIFEST).write_text(json.dumps(manifest))
    info.serves("3-genres", ("jazz", "metal", "catru"))
    about = await info.about("en")
    assert "42 songs that people corrected" in about
    assert "73%" in about
    assert "42 bài" in await info.about("vi")


def _learnt(*songs: Path) -> list[str]:
    """Return what a release remembers songs by that it learnt from."""
    ids = [hashlib.sha256(song.read_bytes()).hexdigest() for song in songs]
    return [hashlib.sha256(song.encode()).hexdigest()[:16] for song in ids]


def _teach_release(settings: Settings, *songs: Path) -> None:
    """Put down a release that learnt zouk from these songs."""
    settings.model_dir.mkdir()
    found = {"what": "zouk, feedback", "songs": 24, "before": 0.0, "after": 0.75, "low": 0.5, "high": 0.9}
    (settings.model_dir / "3-genres.json").write_text(json.dumps({"differences": [found]}))
    manifest = {"format": FORMAT, "name": RELEASE, "files": {}, "taught": ["zouk"], "evaluation": "3-genres.json"}
    (settings.model_dir / MANIFEST).write_text(json.dumps({**manifest, "songs": {"zouk": _learnt(*songs)}}))


async def test_who_taught_a_genre_hears_once_that_it_is_recognised_and_about_says_how_well(
    bot: Bot, info: BotInfo, settings: Settings, notebook: Notebook, tone: Callable[..., Path]
) -> None:
    songs = [tone(hertz, name=f"{hertz}.wav") for hertz in (200, 300, 900)]
    _teach_release(settings, *songs[:2])
    info.serves(RELEASE, ("jazz", "zouk"))
    assert "Zouk was taught here, with 24 songs" in await info.about("en")
    assert "75%" in await info.about("vi")
    corrections, texts = CorrectionRequests(bot.conversation, ChatLimits(4000, 1000, None)), []

    async def corrects(person: Person, *paths: Path, silently: bool = False) -> None:
        requester = Requester(person, Localizer("en"), HERE)
        for path in paths:
            name = f"{person.id} {path.name}"
            await bot.conversation.submit(notebook.sends(path, person=person, chat_id=HERE, message={"name": name}))
            await notebook.until(lambda name=name: name in notebook.answers)
            reply = notebook.answers[name][0].reply.id
            if silently:
                await bot.conversation.correct(reply, person, "en", "zouk")
                continue
            message = (await corrections.choose(requester, reply, "zouk")).message
            texts.append("" if message is None else message.text)

    for person in (ANN, CARL):
        await bot.conversation.privacy.set_consent(person, "en", allow=True)
    # What nobody is shown takes nothing away from what they are told later.
    await corrects(ANN, songs[0], silently=True)
    await corrects(ANN, *songs[1:])
    await corrects(BOB, songs[0])
    # Carl's song came after the release was made.
    await corrects(CARL, songs[2])
    assert "Zouk is now recognised, also thanks to your 2 songs." in texts[0]
    assert not any("also thanks" in text for text in texts[1:])
    assert (await bot.conversation.privacy.my_data(ANN))["thanked_for"] == ["zouk"]
    assert (await bot.conversation.privacy.my_data(CARL))["thanked_for"] == []
    await bot.conversation.privacy.forget(ANN)
    assert (await bot.conversation.privacy.my_data(ANN))["thanked_for"] == []


async def test_who_only_teaches_by_teach_is_thanked_with_the_next_song(
    bot: Bot, settings: Settings, notebook: Notebook, tone: Callable[..., Path]
) -> None:
    songs = [tone(hertz, name=f"{hertz}.wav") for hertz in (200, 900)]
    _teach_release(settings, songs[0])
    await bot.conversation.privacy.set_consent(ANN, "en", allow=True)
    await bot.conversation.teach(ANN, "", "en", "zouk")
    texts = []
    for song in songs:
        await bot.conversation.submit(notebook.sends(song, person=ANN, chat_id=HERE))
        await notebook.until(lambda song=song: song.name in notebook.answers)
        texts.append(notebook.answers[song.name][0].message.text)
    assert ["Zouk is now recognised, also thanks to your song." in text for text in texts] == [True, False]


async def test_stats_tell_what_this_chat_has_heard_and_no_other(
    bot: Bot, info: BotInfo, notebook: Notebook, tone: Callable[..., Path]
) -> None:
    assert await info.stats("telegram", HERE, "en") == "I haven't heard anything here yet."
    for name, hertz in (("low.wav", 200), ("lower.wav", 190), ("high.wav", 900)):
        await bot.conversation.submit(notebook.sends(tone(hertz, name=name), person=ANN, chat_id=HERE))
        await notebook.until(lambda name=name: name in notebook.discarded)
    reply = notebook.answers["low.wav"][0].reply.id
    await bot.conversation.agree(reply, ANN, "en")
    await bot.conversation.correct(reply, BOB, "en", "jazz")
    told = (await info.stats("telegram", HERE, "en")).splitlines()
    assert told[0] == "Here I've heard 3 different songs (0:12 of music) and answered 3 times:"
    assert told[1] == "Blues: 2"
    assert told[-1] == "2 opinions so far; 50% say that I was right."
    assert "3 bài khác nhau" in await info.stats("telegram", HERE, "vi")
    assert await info.stats("telegram", "group two", "en") == "I haven't heard anything here yet."


async def test_a_moderator_sets_a_chat_up_piece_by_piece(info: BotInfo) -> None:
    await info.change(ADMIN, language="vi")
    await info.change(ADMIN, picture=False)
    await info.change(ADMIN, listen="77")
    told = await info.change(ADMIN, listen="78", channel_format="#{}")
    assert "Tiếng Việt" in told
    assert "without the timeline picture" in told
    assert "#77, #78" in told
    kept = await info.chat("telegram", HERE)
    assert (kept.language, kept.picture, kept.listening) == ("vi", False, frozenset({"77", "78"}))
    await info.change(ADMIN, language="each", picture=True, ignore="77")
    assert "each person's own" in await info.settings(ADMIN)
    assert (await info.chat("telegram", HERE)).listening == {"78"}


async def test_whoever_is_no_moderator_neither_sees_nor_changes_the_settings(info: BotInfo) -> None:
    with pytest.raises(NotAModerator):
        await info.settings(Requester(BOB, Localizer("en"), HERE))
    with pytest.raises(NotAModerator):
        await info.change(Requester(BOB, Localizer("en"), HERE), picture=False)
    assert (await info.chat("telegram", HERE)).picture
