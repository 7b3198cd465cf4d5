"""New first labels find their place among what people have made of the old ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage import LabelStatus, Storage
from storage.default_labels import GENRES, Genre
from tests.storage.making import answered, corrected

if TYPE_CHECKING:
    import pytest

MORE = (
    Genre("vaporwave", "Vaporwave", "Vaporwave", ("vapor", "future funk")),
    Genre("bebop", "Bebop", "Bebop"),
)


async def reopen(url: str, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """Open a database with a release that knows more genres."""
    monkeypatch.setattr("storage.seed.GENRES", (*GENRES, *MORE))
    monkeypatch.setattr("storage.seed.EDITION", "the next")
    return await Storage.open(url)


async def test_a_proposal_that_becomes_a_first_label_keeps_its_corrections(
    url: str, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed = await storage.labels.propose("vapor-wave")
    correction = await corrected(storage, "ann", proposed.id)
    async with await reopen(url, monkeypatch) as later:
        label = await later.labels.find("Vaporwave")
        assert label is not None
        assert label.status is LabelStatus.KNOWN
        assert label.name_en == "Vaporwave"
        kept = await later.feedback.get(correction.id)
        assert kept is not None
        assert kept.label == label.id == "vaporwave"


async def test_a_proposal_under_an_alias_of_a_first_label_merges_into_it(
    url: str, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed = await storage.labels.propose("Future Funk")
    correction = await corrected(storage, "ann", proposed.id)
    async with await reopen(url, monkeypatch) as later:
        kept = await later.feedback.get(correction.id)
        assert kept is not None
        assert kept.label == "vaporwave"
        assert (await later.labels.get(proposed.id)) == await later.labels.get("vaporwave")


async def test_a_first_label_takes_its_name_from_another_labels_aliases(
    url: str, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    jazz = await storage.labels.find("bebop")
    assert jazz is not None
    assert jazz.id == "jazz"
    async with await reopen(url, monkeypatch) as later:
        bebop = await later.labels.find("bebop")
        assert bebop is not None
        assert bebop.id == "bebop"
        jazz = await later.labels.get("jazz")
        assert jazz is not None
        assert "bebop" not in jazz.aliases


async def test_names_that_a_moderator_chose_and_merges_stay(
    url: str, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await storage.labels.approve("jazz", name_en="Jazz music")
    vapor = await storage.labels.propose("Vaporwave")
    await storage.labels.merge(vapor.id, "electronic")
    async with await reopen(url, monkeypatch) as later:
        jazz = await later.labels.get("jazz")
        assert jazz is not None
        assert jazz.name_en == "Jazz music"
        found = await later.labels.find("vaporwave")
        assert found is not None
        assert found.id == "electronic"


async def test_answers_and_labels_from_before_are_as_they_were(
    url: str, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await answered(storage)
    before = await storage.labels.search(limit=200)
    async with await reopen(url, monkeypatch) as later:
        assert await later.songs.answer(answer.id) == answer
        after = await later.labels.search(limit=200)
        assert after.total == before.total + len(MORE)
        numbers = {label.id: label.number for label in after.labels}
        assert all(numbers[label.id] == label.number for label in before.labels)
