"""Labels of new genres are added without losing what people and moderators changed."""

from __future__ import annotations

from common.genres import Genre, Genres, load_genres
from storage import LabelStatus, Storage
from storage.label_text import clean_name, name_key
from tests.storage.factories import answered, corrected

MORE = (
    Genre("vaporwave", "electronic", "Vaporwave", "Vaporwave", ("vapor", "future funk"), "Slow pop.", "Pop chậm."),
    Genre("bebop", "jazz", "Bebop", "Bebop", (), "Fast jazz.", "Jazz nhanh."),
)


async def reopen(url: str) -> Storage:
    """Open a database with a release that knows more genres."""
    return await Storage.open(url, genres=Genres((*load_genres(), *MORE)))


def test_every_shipped_name_is_one_that_a_person_could_have_typed() -> None:
    for genre in load_genres():
        for text in (genre.name_en, genre.name_vi, *genre.aliases):
            assert clean_name(text) == text
        assert name_key(genre.id) == genre.id.replace("_", "")


def test_no_shipped_name_finds_two_genres() -> None:
    owners: dict[str, str] = {}
    for genre in load_genres():
        for text in (genre.id, genre.name_en, genre.name_vi, *genre.aliases):
            assert owners.setdefault(name_key(text), genre.id) == genre.id, text


def test_no_shipped_alias_repeats_what_folding_already_finds() -> None:
    for genre in load_genres():
        texts = [genre.name_en, *({genre.name_vi} - {genre.name_en}), *genre.aliases]
        keys = [name_key(text) for text in texts]
        assert len(keys) == len(set(keys)), genre.id


async def test_every_shipped_genre_can_be_found_by_its_id_and_names(storage: Storage) -> None:
    for genre in load_genres():
        for text in (genre.id, genre.name_en, genre.name_vi, *genre.aliases):
            found = await storage.labels.find(text)
            assert found is not None
            assert found.id == genre.id


async def test_a_proposal_that_becomes_a_known_genre_keeps_its_corrections(url: str, storage: Storage) -> None:
    proposed = await storage.labels.propose("vapor-wave")
    correction = await corrected(storage, "ann", proposed.id)
    async with await reopen(url) as later:
        label = await later.labels.find("Vaporwave")
        assert label is not None
        assert label.status is LabelStatus.KNOWN
        assert label.name_en == "Vaporwave"
        kept = await later.feedback.get(correction.id)
        assert kept is not None
        assert kept.label == label.id == "vaporwave"


async def test_a_proposal_under_an_alias_of_a_new_genre_merges_into_it(url: str, storage: Storage) -> None:
    proposed = await storage.labels.propose("Future Funk")
    correction = await corrected(storage, "ann", proposed.id)
    async with await reopen(url) as later:
        kept = await later.feedback.get(correction.id)
        assert kept is not None
        assert kept.label == "vaporwave"
        assert (await later.labels.get(proposed.id)) == await later.labels.get("vaporwave")


async def test_a_new_genre_takes_its_name_from_another_labels_aliases(url: str, storage: Storage) -> None:
    jazz = await storage.labels.find("bebop")
    assert jazz is not None
    assert jazz.id == "jazz"
    async with await reopen(url) as later:
        bebop = await later.labels.find("bebop")
        assert bebop is not None
        assert bebop.id == "bebop"
        jazz = await later.labels.get("jazz")
        assert jazz is not None
        assert "bebop" not in jazz.aliases


async def test_names_that_a_moderator_chose_and_merges_stay(url: str, storage: Storage) -> None:
    await storage.labels.approve("jazz", name_en="Jazz music")
    vapor = await storage.labels.propose("Vaporwave")
    await storage.labels.merge(vapor.id, "electronic")
    async with await reopen(url) as later:
        jazz = await later.labels.get("jazz")
        assert jazz is not None
        assert jazz.name_en == "Jazz music"
        found = await later.labels.find("vaporwave")
        assert found is not None
        assert found.id == "electronic"


async def test_answers_and_labels_from_before_are_as_they_were(url: str, storage: Storage) -> None:
    answer = await answered(storage)
    before = await storage.labels.search(limit=200)
    async with await reopen(url) as later:
        assert await later.songs.answer(answer.id) == answer
        after = await later.labels.search(limit=200)
        assert after.total == before.total + len(MORE)
        numbers = {label.id: label.number for label in after.labels}
        assert all(numbers[label.id] == label.number for label in before.labels)
