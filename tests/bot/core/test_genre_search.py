"""What a typed text says of a genre, and for how long a typed genre is expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.core.awaited_genres import ASKED_SECONDS, AwaitedGenres
from bot.core.callbacks import ChoicePurpose, GenreTarget
from bot.core.correction_requests import opinion_of
from bot.core.errors import GenreUnclear
from bot.core.identity import Person
from bot.core.localization import Localizer
from bot.core.request import Requester

if TYPE_CHECKING:
    from tests.bot.running import Bot

MEANT = {
    "jazz": "jazz",
    "JAZZ!!": "jazz",
    "No, it's jazz": "jazz",
    "I think this is a reggae song": "reggae",
    "sounds like drum & bass": "drumandbass",
    "không, bài này là bolero mà": "bolero",
    "là cải lương": "cailuong",
    "rap": "hiphop",
    "hip hop": "hiphop",
}


async def test_a_short_sentence_names_its_genre(bot: Bot) -> None:
    read = {text: (await bot.conversation.genres.read(text, "en")).label for text in MEANT}
    assert read == MEANT


async def test_an_alias_is_never_new_and_neither_is_what_would_be_refused(bot: Bot) -> None:
    for text in ("rap", "HIP-HOP", "cai luong", "", "  ", "!!!", "x" * 200, "two\nlines\x07", "https://example.org/a"):
        assert (await bot.conversation.genres.read(text, "en")).new is None, text
    assert (await bot.conversation.genres.read("gnawa", "en")).new == "gnawa"


async def test_what_resembles_a_genre_is_asked_about(bot: Bot) -> None:
    for text, meant in {"jaz": "Jazz", "reggea": "Reggae", "metl": "Metal", "viet": None, "progressive": None}.items():
        reading = await bot.conversation.genres.read(text, "en")
        assert reading.label is None
        assert reading.similar, text
        assert meant in {None, reading.similar[0].name}
    with pytest.raises(GenreUnclear, match="Did you mean Jazz"):
        await bot.conversation.genres.named("jaz", "en")


def test_a_typed_genre_is_expected_of_one_person_in_one_place_for_five_minutes() -> None:
    now = [100.0]
    awaited = AwaitedGenres(clock=lambda: now[0])
    ann, bob = Person("discord", "1"), Person("discord", "2")
    target = GenreTarget(ChoicePurpose.CORRECT, "AAAAAAAAAAA")
    requester = Requester(ann, Localizer("en"), "server", place="room")
    awaited.ask(requester, target)
    now[0] += ASKED_SECONDS - 1
    assert awaited.asked(ann, "room") == target
    assert awaited.asked(bob, "room") is None
    assert awaited.asked(ann, "another room") is None
    now[0] += 1
    assert awaited.asked(ann, "room") is None
    awaited.ask(requester, target)
    awaited.done(requester)
    assert awaited.asked(ann, "room") is None


def test_a_thumb_is_an_opinion_in_every_skin_colour_and_a_party_is_none() -> None:
    said = {emoji: opinion_of(emoji) for emoji in ("👍", "👍🏽", "✅", "✔️", "👎", "👎🏿", "❌", "🎉", "", "👍👎")}
    assert said == {
        **dict.fromkeys(("👍", "👍🏽", "✅", "✔️"), True),
        **dict.fromkeys(("👎", "👎🏿", "❌"), False),
        **dict.fromkeys(("🎉", "", "👍👎"), None),
    }
