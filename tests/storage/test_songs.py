"""Answers are stored by song and release, with their features."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from storage import NewReply, Storage
from tests.storage.factories import MODEL, START, answered, corrected, features, replied, report, song

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tests.storage.factories import Clock


async def test_the_same_bytes_are_answered_from_storage(storage: Storage) -> None:
    said = report("hiphop", segments=[{"genre": "hiphop", "votes": {"knn": "pop"}}])
    kept = await storage.songs.save_answer(song(), said, features(), platform="discord", title="  A\nsong\0 ")
    found = await storage.songs.find_answer(song(), MODEL)
    assert found == kept
    assert found is not None
    assert found.report == said
    assert (found.genre, found.confidence, found.sure, found.duration) == ("hiphop", 0.75, True, 60.0)
    assert (found.title, found.created, found.has_features) == ("A song", START, True)


async def test_another_song_or_release_is_not_answered_from_storage(storage: Storage) -> None:
    await answered(storage)
    assert await storage.songs.find_answer(song("another"), MODEL) is None
    assert await storage.songs.find_answer(song(), "release-2") is None


async def test_the_order_of_a_reports_keys_is_kept(storage: Storage) -> None:
    answer = await answered(storage, genre="rock")
    assert list(answer.report["probabilities"]) == ["rock", "zouk", "blues"]


async def test_keeping_an_answer_twice_keeps_the_first(storage: Storage, clock: Clock) -> None:
    first = await answered(storage)
    clock.advance(hours=1)
    again = await storage.songs.save_answer(song(), report("metal"), features(5), platform="telegram", title="Other")
    assert again == first
    assert len(await storage.songs.features(first.id)) == 2


async def test_a_missing_title_and_missing_features_are_filled_in_later(storage: Storage) -> None:
    bare = await storage.songs.save_answer(song(), report(), (), platform="local")
    assert (bare.title, bare.has_features) == (None, False)
    assert await storage.songs.features(bare.id) == ()
    full = await storage.songs.save_answer(song(), report(), features(), platform="local", title="A title")
    assert (full.id, full.title, full.has_features) == (bare.id, "A title", True)


async def test_two_workers_that_keep_the_same_song_at_once_agree(storage: Storage, another: Storage) -> None:
    kept = await asyncio.gather(*(answered(each) for each in (storage, another) for _ in range(5)))
    assert len({answer.id for answer in kept}) == 1


async def test_features_come_back_as_they_went_in(storage: Storage) -> None:
    answer = await answered(storage)
    for one, other in zip(await storage.songs.features(answer.id), features(), strict=True):
        assert (one.start, one.end) == (other.start, other.end)
        for name, vector in other.families.items():
            np.testing.assert_array_equal(one.families[name], vector)


async def test_a_segment_of_another_room_fits_as_it_is(storage: Storage) -> None:
    @dataclass(frozen=True)
    class Foreign:
        start: float
        end: float
        families: Mapping[str, NDArray[np.float32]]

    segment = Foreign(0.0, 30.0, {"texture": np.ones(3, np.float32)})
    answer = await storage.songs.save_answer(song(), report(), [segment], platform="local")
    assert (await storage.songs.features(answer.id))[0].families["texture"].tolist() == [1, 1, 1]


async def test_a_release_may_spell_a_genre_in_its_own_way(storage: Storage) -> None:
    answer = await answered(storage, genre="Hip-Hop")
    assert answer.genre == "hiphop"
    assert answer.report["genre"] == "Hip-Hop"
    assert (await corrected(storage, "ann", "hiphop", said="Hip-Hop")).agrees


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("abc", {}),
    (song().upper(), {}),
    (song(), {"genre": None}),
    (song(), {"confidence": "high"}),
    (song(), {"sure": None}),
    (song(), {"more": float("nan")}),
    (song(), {"more": np.float32(1)}),
]


async def test_what_is_no_answer_is_refused(storage: Storage) -> None:
    for content_hash, wrong in WRONG:
        with pytest.raises(ValueError, match=r"hash|lacks|JSON"):
            await storage.songs.save_answer(content_hash, report() | wrong, features(), platform="local")
        assert await storage.songs.find_answer(content_hash, MODEL) is None


async def test_a_forged_number_finds_no_answer(storage: Storage) -> None:
    for number in (0, -5, 10**6, 10**30):
        assert await storage.songs.answer(number) is None


async def test_an_answer_is_found_by_number(storage: Storage) -> None:
    answer = await answered(storage)
    assert await storage.songs.answer(answer.id) == answer


async def test_an_empty_chat_has_heard_nothing(storage: Storage) -> None:
    stats = await storage.songs.chat_stats("local", "chat")
    assert (stats.answers, stats.songs, stats.seconds, dict(stats.genres), stats.first) == (0, 0, 0, {}, None)


async def test_a_chat_is_told_what_it_has_heard(storage: Storage, clock: Clock) -> None:
    for name, genre in {"one": "jazz", "two": "rock", "three": "jazz"}.items():
        answer = await answered(storage, name, genre)
        await storage.replies.add(NewReply(answer.id, "local", "chat", "ann"))
        clock.advance(minutes=1)
    await replied(storage, "one")
    newer = await answered(storage, "two", "metal", model="release-2")
    await storage.replies.add(NewReply(newer.id, "local", "chat", "ann"))
    await replied(storage, "elsewhere", chat="another chat")
    await corrected(storage, "ann", "jazz", "one")
    await corrected(storage, "bob", "blues", "one")
    stats = await storage.songs.chat_stats("local", "chat")
    assert (stats.answers, stats.songs, stats.seconds) == (5, 3, 180.0)
    assert list(stats.genres.items()) == [("jazz", 2), ("metal", 1)]
    assert (stats.corrections, stats.agreeing) == (2, 1)
    assert stats.first == START
    assert stats.last == clock.time


async def test_what_is_not_music_is_kept_without_a_genre(storage: Storage) -> None:
    report_of_speech = report() | {"genre": None, "confidence": 0.0, "sure": False, "kind": "speech"}
    kept = await storage.songs.save_answer(song(), report_of_speech, features(), platform="local", title="talk")
    assert (kept.genre, kept.report["genre"], kept.report["kind"]) == ("", None, "speech")
