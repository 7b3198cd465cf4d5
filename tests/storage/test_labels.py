"""Finding, searching, proposing, approving and merging the names of genres."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import LabelEmpty, LabelPage, LabelStatus, MergeRefused, ReviewStatus, RowNotFound, Storage
from storage.errors import BadLabel
from tests.storage.factories import corrected

if TYPE_CHECKING:
    from tests.storage.factories import Clock


async def ids(storage: Storage, text: str, **more: Any) -> list[str]:
    return [label.id for label in (await storage.labels.search(text, **more)).labels]


CALLED = {
    "rap": "hiphop",
    "Hip-Hop": "hiphop",
    "hip hop": "hiphop",
    "cai luong": "cailuong",
    "CẢI LƯƠNG": "cailuong",
    "hát chèo": "cheo",
    "xẩm": "hatxam",
    "R & B": "rnb",
    "nhạc trẻ": "vpop",
    "演歌": "enka",
}


async def test_what_people_call_a_genre_finds_it(storage: Storage) -> None:
    found = {text: await storage.labels.find(text) for text in CALLED}
    assert {text: label and label.id for text, label in found.items()} == CALLED


async def test_what_names_no_genre_finds_none(storage: Storage) -> None:
    for text in ("", "   ", "?!", "no such genre", "\0", "cải lượng xx", "\ud83c"):
        assert await storage.labels.find(text) is None, text


async def test_labels_have_proper_names_in_both_languages(storage: Storage) -> None:
    label = await storage.labels.get("classical")
    assert label is not None
    assert label.name("en-GB") == "Classical"
    assert label.name("vi-VN") == "Nhạc cổ điển"
    assert label.status is LabelStatus.KNOWN
    assert "orchestral" in label.aliases


async def test_a_button_finds_its_label_by_number(storage: Storage) -> None:
    label = await storage.labels.get("jazz")
    assert label is not None
    assert await storage.labels.get_by_number(label.number) == label


async def test_a_forged_number_or_id_finds_none(storage: Storage) -> None:
    for number in (0, -1, 10**6, 10**30):
        assert await storage.labels.get_by_number(number) is None, number
    for label_id in ("", "no such", "Jazz", "\0", "\udfff", "%", "x" * 10_000):
        assert await storage.labels.get(label_id) is None, label_id


async def test_several_labels_come_at_once(storage: Storage) -> None:
    found = await storage.labels.get_many(["jazz", "nothing", "cheo", "jazz"])
    assert {label_id: label.name_vi for label_id, label in found.items()} == {"jazz": "Jazz", "cheo": "Chèo"}
    assert await storage.labels.get_many([]) == {}


async def test_an_empty_search_lists_everything_with_what_most_people_look_for_leading(storage: Storage) -> None:
    page = await storage.labels.search(limit=25)
    assert [label.id for label in page.labels[:5]] == ["pop", "rock", "hiphop", "electronic", "rnb"]
    assert page.total > 80
    assert {"soul", "folk", "funk", "latin", "vpop"} <= {label.id for label in page.labels}
    assert "nhanhac" not in {label.id for label in page.labels}


async def test_some_labels_can_lead_an_empty_search_and_no_other(storage: Storage) -> None:
    first = ("zouk", "nothing", "catru", "zouk")
    pages = [await ids(storage, "", first=first, limit=40, offset=offset) for offset in (0, 40, 80, 120)]
    listed = [label_id for page in pages for label_id in page]
    assert listed[:3] == ["zouk", "catru", "pop"]
    assert len(listed) == len(set(listed)) == (await storage.labels.search()).total
    assert (await ids(storage, "rock", first=first))[0] == "rock"


async def test_a_misspelt_name_resembles_the_genre_that_is_meant(storage: Storage) -> None:
    meant = {"jaz": "jazz", "reggea": "reggae", "hiphopp": "hiphop", "metl": "metal", "cai luon": "cailuong"}
    found = {text: await storage.labels.similar(text) for text in meant}
    assert {text: labels[0].id for text, labels in found.items()} == meant


async def test_what_resembles_no_genre_is_left_alone(storage: Storage) -> None:
    for text in ("zydeco", "gnawa", "xx", "", "no such genre", "Bohemian Rhapsody"):
        assert await storage.labels.similar(text) == (), text
    await storage.labels.propose("Zydeca")
    assert await storage.labels.similar("zydeco") == (), "a proposal that nobody holds is not offered"


async def test_pages_of_a_search_meet_without_gap_or_overlap(storage: Storage) -> None:
    total = (await storage.labels.search("a")).total
    pages = [await ids(storage, "a", limit=7, offset=offset) for offset in range(0, total, 7)]
    listed = [label_id for page in pages for label_id in page]
    assert len(listed) == len(set(listed)) == total
    assert await ids(storage, "a", offset=total) == []


async def test_better_matches_come_first(storage: Storage) -> None:
    # First exact names, then names that start with it, then words that do, then the rest.
    found = await ids(storage, "rock", limit=100)
    assert found[0] == "rock"
    assert found.index("progressiverock") < len(found)
    assert (await ids(storage, "cai l"))[0] == "cailuong"
    assert (await ids(storage, "luong"))[0] == "cailuong"
    assert (await ids(storage, "hat ch"))[0] in {"chauvan", "cheo"}
    assert (await ids(storage, "ap"))[-1] != "hiphop"


async def test_a_search_for_nothing_that_exists_finds_nothing(storage: Storage) -> None:
    for text in ("!!!", "%", "_", "no such genre", "🎸"):
        assert await storage.labels.search(text) == LabelPage((), 0), text


async def test_a_new_name_is_added_as_proposed(storage: Storage) -> None:
    label = await storage.labels.propose("  Dream   Pop ", person="ann")
    assert (label.id, label.name_en, label.name_vi, label.status) == (
        "dreampop",
        "Dream Pop",
        "Dream Pop",
        LabelStatus.PROPOSED,
    )
    assert await storage.labels.find("dream-pop") == label


async def test_an_id_is_ascii_where_that_is_free_and_possible(storage: Storage) -> None:
    for text, label_id in {"Nhạc sến": "nhacsen", "Рэп": "рэп", "ラップ": "ラップ", "Cheó": "cheó"}.items():
        assert (await storage.labels.propose(text)).id == label_id


async def test_proposing_what_exists_returns_it(storage: Storage) -> None:
    assert (await storage.labels.propose("Hip Hop")).id == "hiphop"
    assert (await storage.labels.propose("CA TRU")).id == "catru"
    first = await storage.labels.propose("Dream pop")
    assert await storage.labels.propose("DREAM-POP", person="bob") == first


async def test_two_people_who_propose_the_same_at_once_get_one_label(storage: Storage, another: Storage) -> None:
    proposals = [each.labels.propose("Dream pop") for each in (storage, another) for _ in range(5)]
    assert len({label.number for label in await asyncio.gather(*proposals)}) == 1


async def test_a_bad_name_is_refused(storage: Storage) -> None:
    with pytest.raises(LabelEmpty):
        await storage.labels.propose("  ")


async def test_a_proposal_is_offered_while_somebody_holds_it(storage: Storage) -> None:
    label = await storage.labels.propose("Dream pop")
    assert "dreampop" not in await ids(storage, "dream")
    correction = await corrected(storage, "ann", label.id)
    assert await ids(storage, "dream") == ["dreampop"]
    assert [each.id for each in (await storage.labels.proposed()).labels] == ["dreampop"]
    await storage.feedback.moderate(correction.id, ReviewStatus.REJECTED, moderator="mod")
    assert await ids(storage, "dream") == []
    assert (await storage.labels.proposed()).total == 0


async def test_proposals_are_listed_by_how_often_they_were_chosen(storage: Storage) -> None:
    for name, people in {"Dream pop": 1, "Nhạc sến": 3, "Shoegaze": 2}.items():
        label = await storage.labels.propose(name)
        for person in range(people):
            await corrected(storage, f"person {person}", label.id, name=f"{name} song")
    page = await storage.labels.proposed(limit=2)
    assert [label.name_en for label in page.labels] == ["Nhạc sến", "Shoegaze"]
    assert page.total == 3


async def test_an_approved_label_is_known_under_its_better_names(storage: Storage) -> None:
    label = await storage.labels.propose("nhac sen")
    approved = await storage.labels.approve(label.id, name_en="Vietnamese torch song", name_vi="Nhạc sến")
    assert approved.status is LabelStatus.KNOWN
    assert approved.name_vi == "Nhạc sến"
    for text in ("nhac sen", "Nhạc sến", "vietnamese torch song"):
        assert await storage.labels.find(text) == approved
    assert "nhacsen" in await ids(storage, "torch")
    with pytest.raises(BadLabel):
        await storage.labels.approve(label.id, name_en="no\nlines")
    with pytest.raises(RowNotFound):
        await storage.labels.approve("nosuchlabel")


async def test_a_merge_takes_corrections_rulings_and_names_along(storage: Storage) -> None:
    label = await storage.labels.propose("Gangsta Rap")
    given = await corrected(storage, "ann", label.id, name="one")
    ruled = await corrected(storage, "bob", "jazz", name="two")
    await storage.feedback.moderate(ruled.id, ReviewStatus.RELABELLED, moderator="mod", label=label.id)
    merged = await storage.labels.merge(label.id, "hiphop")
    assert merged.corrections == 2
    assert merged.label.id == "hiphop"
    assert "Gangsta Rap" in merged.label.aliases
    kept = [await storage.feedback.get(each.id) for each in (given, ruled)]
    assert [each and each.verdict for each in kept] == ["hiphop", "hiphop"]
    assert await storage.labels.find("gangsta-rap") == merged.label


async def test_old_buttons_lead_to_the_label_that_took_the_place_of_theirs(storage: Storage) -> None:
    label = await storage.labels.propose("Gangsta Rap")
    merged = await storage.labels.merge(label.id, "hiphop")
    assert await storage.labels.get_by_number(label.number) == merged.label
    assert await storage.labels.get(label.id) == merged.label
    assert (await corrected(storage, "ann", label.id)).label == "hiphop"
    assert (await storage.labels.propose("Gangsta rap")).id == "hiphop"


async def test_only_a_proposed_label_merges_and_only_into_a_known_one(storage: Storage) -> None:
    await storage.labels.propose("new")
    await storage.labels.propose("other")
    for source, target in (("jazz", "blues"), ("new", "new"), ("new", "other")):
        with pytest.raises(MergeRefused):
            await storage.labels.merge(source, target)
    with pytest.raises(RowNotFound):
        await storage.labels.merge("nosuchlabel", "jazz")


async def test_an_alias_finds_its_label_unless_it_is_anothers(storage: Storage) -> None:
    label = await storage.labels.add_alias("jazz", "Gypsy swing")
    assert "Gypsy swing" in label.aliases
    assert await storage.labels.find("gypsy-swing") == label
    assert "rap" not in (await storage.labels.add_alias("jazz", "rap")).aliases


async def test_a_release_with_genres_of_its_own_makes_them_known(storage: Storage) -> None:
    assert (await storage.labels.ensure_known("jazz")).id == "jazz"
    label = await storage.labels.ensure_known("dream_pop", "Dream pop")
    assert (label.id, label.name_en, label.status) == ("dreampop", "Dream pop", LabelStatus.KNOWN)
    assert await storage.labels.ensure_known("dream_pop") == label
    proposed = await storage.labels.propose("Shoegaze")
    assert (await storage.labels.ensure_known("shoegaze")).number == proposed.number
    assert (await storage.labels.ensure_known("shoegaze")).status is LabelStatus.KNOWN


async def test_a_diacritic_that_fits_two_labels_is_not_guessed(storage: Storage, clock: Clock) -> None:
    await storage.labels.propose("Bồng mạc")
    await storage.labels.propose("Bổng mạc")
    # The first one gets the plain spelling as its id; the second one keeps its diacritics.
    plain = await storage.labels.find("bong mac")
    assert plain is not None
    assert plain.name_en == "Bồng mạc"
    second = await storage.labels.find("bổng mạc")
    assert second is not None
    assert second.id == "bổngmạc"


async def test_any_text_can_be_looked_for(storage: Storage) -> None:
    @given(st.text(max_size=80))
    def texts(text: str) -> None:
        seen.append(text)

    seen: list[str] = []
    texts()
    for text in seen:
        await storage.labels.find(text)
        await storage.labels.get(text)
        page = await storage.labels.search(text)
        assert page.total >= len(page.labels)
