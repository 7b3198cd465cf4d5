"""Consent, language, and the export and deletion of a person's data."""

from __future__ import annotations

import asyncio
import json

import pytest

from storage import ChatKey, ChatSettings, Consent, ErasureSummary, LeaseLost, NewReply, ReviewStatus, Storage
from storage.tables import TableBase
from tests.storage.factories import START, Clock, answered, claimed, corrected, queued, replied, song

PRIVATE = ChatKey("local", "ann's own chat")


async def test_nobody_consents_by_default(storage: Storage) -> None:
    assert await storage.people.consent("ann") == Consent(None, None, None)


async def test_a_person_is_asked_once(storage: Storage, another: Storage) -> None:
    asked = await asyncio.gather(*(each.people.ask_once("ann") for each in (storage, another) for _ in range(4)))
    assert sum(asked) == 1
    assert not await storage.people.ask_once("ann")
    assert await storage.people.consent("ann") == Consent(None, START, None)
    assert await storage.people.ask_once("bob")


async def test_who_chose_by_themselves_is_not_asked(storage: Storage) -> None:
    await storage.people.set_consent("ann", False)
    assert not await storage.people.ask_once("ann")


async def test_a_person_whose_language_is_known_is_still_asked(storage: Storage) -> None:
    await storage.people.set_language("ann", "vi")
    assert await storage.people.ask_once("ann")


async def test_a_choice_is_dated_and_can_be_changed(storage: Storage, clock: Clock) -> None:
    await storage.people.ask_once("ann")
    clock.advance(minutes=1)
    assert await storage.people.set_consent("ann", True) == Consent(True, START, clock.time)
    clock.advance(minutes=1)
    assert await storage.people.set_consent("ann", False) == Consent(False, START, clock.time)


async def test_a_choice_holds_for_what_was_given_before(storage: Storage) -> None:
    await corrected(storage, "ann", "blues")
    await corrected(storage, "bob", "blues")
    await storage.people.set_consent("ann", True)
    given = await storage.feedback.review()
    assert {each.person: each.consent for each in given} == {"ann": True, "bob": False}
    await storage.people.set_consent("ann", False)
    assert not any(each.consent for each in await storage.feedback.review())


async def test_a_language_is_remembered_and_forgotten(storage: Storage) -> None:
    assert await storage.people.language("ann") is None
    await storage.people.set_language("ann", "vi")
    assert await storage.people.language("ann") == "vi"
    await storage.people.set_language("ann", None)
    assert await storage.people.language("ann") is None


async def live_a_little(storage: Storage) -> None:
    """Add rows of ann to every table, and some of bob."""
    await storage.people.set_language("ann", "vi")
    await storage.people.set_consent("ann", True)
    label = await storage.labels.propose("Dream pop", person="ann")
    await corrected(storage, "ann", label.id, "one")
    ruled = await corrected(storage, "bob", "rock", "one")
    await storage.feedback.moderate(ruled.id, ReviewStatus.ACCEPTED, moderator="ann")
    await queued(storage, "ann", message={"chat": 12345})
    taken = await claimed(storage)
    answer = await answered(storage, "one")
    reply = await storage.jobs.answer(taken.lease, NewReply(answer.id, "local", "chat", "ann"))
    await storage.replies.mark_sent(reply.id, {"message": 9})
    await storage.jobs.finish(taken.lease, "answered")
    await queued(storage, "ann", message={"chat": 12345})
    await queued(storage, "bob")
    await replied(storage, "two", chat=PRIVATE.chat)
    await storage.chat_settings.save(PRIVATE.platform, PRIVATE.chat, ChatSettings("vi"))
    await replied(storage, "two", requester="bob")


async def test_a_person_is_shown_everything_about_them(storage: Storage) -> None:
    await live_a_little(storage)
    data = await storage.people.export_data("ann", [PRIVATE])
    assert json.loads(json.dumps(data)) == data
    assert data["consent"] == [
        {"may_train": True, "asked": START.isoformat(), "decided": START.isoformat(), "language": "vi"}
    ]
    assert [(each["title"], each["said"], each["label"]) for each in data["corrections"]] == [
        ("one", "jazz", "dreampop")
    ]
    assert [each["title"] for each in data["songs"]] == ["one", "two"]
    assert [each["title"] for each in data["heard_in_private"]] == ["two"]
    assert [each["state"] for each in data["jobs"]] == ["finished", "queued"]
    assert data["jobs"][1]["message"] == {"chat": 12345}
    assert [each["name_en"] for each in data["proposed_labels"]] == ["Dream pop"]
    assert data["rulings"] == 1
    assert data["chat_settings"][0]["settings"]["language"] == "vi"
    assert "bob" not in json.dumps(data)


async def test_a_stranger_is_shown_that_there_is_nothing(storage: Storage) -> None:
    await live_a_little(storage)
    data = await storage.people.export_data("stranger")
    assert data.pop("person") == "stranger"
    assert not any(data.values())


async def test_a_forgotten_person_is_gone_from_every_table(storage: Storage) -> None:
    await live_a_little(storage)
    forgotten = await storage.people.erase("ann", [PRIVATE])
    assert forgotten == ErasureSummary(corrections=1, consents=1, jobs=2, replies=2, moderations=1, labels=1, heard=1)
    data = await storage.people.export_data("ann", [PRIVATE])
    assert data.pop("person") == "ann"
    assert not any(data.values())
    assert await storage.labels.find("Dream pop") is None
    assert await storage.people.erase("ann", [PRIVATE]) == ErasureSummary(0, 0, 0, 0, 0, 0, 0)


async def test_no_hash_of_a_forgotten_person_is_left_anywhere(storage: Storage) -> None:
    await live_a_little(storage)
    await storage.people.erase("ann", [PRIVATE])
    async with storage.database.reading() as connection:
        for table in TableBase.metadata.sorted_tables:
            for row in (await connection.execute(table.select())).all():
                assert not {"ann", PRIVATE.chat} & {value for value in row if isinstance(value, str)}, table.name


async def test_forgetting_one_person_leaves_the_others_alone(storage: Storage) -> None:
    await live_a_little(storage)
    before = await storage.people.export_data("bob")
    await storage.people.erase("ann", [PRIVATE])
    assert await storage.people.export_data("bob") == before
    assert await storage.feedback.votes(song("one")) == {"rock": 1}


async def test_a_label_that_others_use_outlives_who_proposed_it(storage: Storage) -> None:
    label = await storage.labels.propose("Dream pop", person="ann")
    await corrected(storage, "ann", label.id)
    await corrected(storage, "bob", label.id)
    assert (await storage.people.erase("ann")).labels == 0
    assert await storage.labels.find("Dream pop") is not None


async def test_buttons_go_on_working_for_others_when_the_requester_is_forgotten(storage: Storage) -> None:
    reply = await replied(storage)
    await storage.people.erase("ann")
    found = await storage.replies.find(reply.id)
    assert found is not None
    assert (found.requester, found.message, found.answer_id) == (None, None, reply.answer_id)


async def test_a_song_that_is_being_heard_for_a_forgotten_person_is_dropped(storage: Storage) -> None:
    await queued(storage)
    taken = await claimed(storage)
    await storage.people.erase("ann")
    assert (await storage.jobs.heartbeat([taken.lease])).lost == {taken.job.id}
    with pytest.raises(LeaseLost):
        await storage.jobs.finish(taken.lease, "answered")
