"""Which corrections are exported, and in which form."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import delete, text

from storage import (
    TABLE_COLUMNS,
    TABLE_FAMILY,
    ChatKey,
    ExportFilter,
    ExportFormat,
    ExportSummary,
    ReviewStatus,
    Storage,
    export_feedback,
)
from storage.export import SONGS_AT_ONCE
from storage.tables import FeatureRow
from tests.storage.factories import START, answered, corrected, features, report, song

if TYPE_CHECKING:
    from pathlib import Path

    from tests.storage.factories import Clock


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("feedback*")}


async def exported(storage: Storage, folder: Path, selection: ExportFilter | None = None) -> pd.DataFrame:
    path = folder / "feedback.csv"
    done = await export_feedback(storage, path, ExportFormat.CSV, selection)
    table = pd.read_csv(path)
    assert (done.rows, done.songs) == (len(table), table["song"].nunique())
    assert files(folder) == {path.name}
    return table


async def consenting(storage: Storage, *people: str) -> None:
    for person in people:
        await storage.people.set_consent(person, True)


async def test_a_correction_leaves_as_one_row_per_segment(storage: Storage, tmp_path: Path) -> None:
    await consenting(storage, "ann")
    await corrected(storage, "ann", "blues")
    table = await exported(storage, tmp_path)
    for (_, row), segment in zip(table.iterrows(), features(), strict=True):
        np.testing.assert_array_equal(row[list(TABLE_COLUMNS)].to_numpy(np.float32), segment.families[TABLE_FAMILY])
        assert (row["start"], row["end"], row["length"]) == (segment.start, segment.end, 661_500)
    assert list(table["filename"]) == [f"blues.{song()[:12]}.{index}.wav" for index in range(2)]
    first = table.iloc[0]
    assert (first["label"], first["song"], first["said"], first["model"]) == ("blues", song(), "jazz", "release-1")
    assert (first["confidence"], first["sure"], first["status"], first["platform"]) == (0.75, 1, "pending", "local")
    assert (first["votes"], first["may_train"], first["created"]) == (1, 1, START.isoformat())


async def test_only_what_people_consent_to_leaves(storage: Storage, tmp_path: Path) -> None:
    await consenting(storage, "ann", "bob")
    for person in ("ann", "bob", "cid"):
        await corrected(storage, person, "blues", f"song of {person}")
    assert set((await exported(storage, tmp_path))["song"]) == {song("song of ann"), song("song of bob")}
    await storage.people.set_consent("ann", False)
    assert set((await exported(storage, tmp_path))["song"]) == {song("song of bob")}
    await storage.people.erase("bob")
    assert (await exported(storage, tmp_path)).empty


async def test_consent_must_stand_both_with_the_person_and_at_the_correction(storage: Storage, tmp_path: Path) -> None:
    for table in ("people SET may_train", "corrections SET consent"):
        await consenting(storage, "ann")
        await corrected(storage, "ann", "blues")
        assert len(await exported(storage, tmp_path)) == 2
        async with storage.database.transaction() as connection:
            await connection.execute(text(f"UPDATE {table} = false"))
        assert (await exported(storage, tmp_path)).empty


async def test_people_who_agree_share_a_row_and_others_have_their_own(storage: Storage, tmp_path: Path) -> None:
    await consenting(storage, "ann", "bob", "cid")
    for person, label in {"ann": "blues", "bob": "blues", "cid": "rock", "dan": "rock"}.items():
        await corrected(storage, person, label)
    table = await exported(storage, tmp_path)
    assert {(row.label, row.votes) for row in table.itertuples()} == {("blues", 2), ("rock", 1)}
    assert len(table) == 4


async def test_rows_that_may_not_train_are_marked_and_never_counted_with_those_that_may(
    storage: Storage, tmp_path: Path
) -> None:
    await consenting(storage, "ann", "bob", "cid")
    await corrected(storage, "ann", "blues", platform="discord", may_train=False)
    table = await exported(storage, tmp_path)
    assert {(row.platform, row.votes, row.may_train) for row in table.itertuples()} == {("discord", 1, 0)}
    moderated = await corrected(storage, "bob", "blues", platform="discord", may_train=False)
    await storage.feedback.moderate(moderated.id, ReviewStatus.ACCEPTED, moderator="mod")
    await corrected(storage, "cid", "blues", platform="telegram")
    table = await exported(storage, tmp_path)
    facts = {(row.platform, row.votes, row.may_train, row.status) for row in table.itertuples()}
    assert facts == {("telegram", 1, 1, "pending")}


async def test_a_moderators_word_counts(storage: Storage, tmp_path: Path) -> None:
    await consenting(storage, "ann", "bob", "cid")
    given = [await corrected(storage, person, "blues") for person in ("ann", "bob", "cid")]
    await storage.feedback.moderate(given[0].id, ReviewStatus.RELABELLED, moderator="mod", label="rock")
    await storage.feedback.moderate(given[1].id, ReviewStatus.ACCEPTED, moderator="mod")
    await storage.feedback.moderate(given[2].id, ReviewStatus.REJECTED, moderator="mod")
    table = await exported(storage, tmp_path)
    facts = {(row.label, row.status, row.votes) for row in table.itertuples()}
    assert facts == {("rock", "accepted", 1), ("blues", "accepted", 1)}


async def test_an_export_can_be_of_one_status_genre_period_or_place(
    storage: Storage, tmp_path: Path, clock: Clock
) -> None:
    await consenting(storage, "ann")
    rejected = await corrected(storage, "ann", "blues", "one")
    await storage.feedback.moderate(rejected.id, ReviewStatus.REJECTED, moderator="mod")
    clock.advance(days=1)
    await corrected(storage, "ann", "rock", "two")
    await corrected(storage, "ann", "blues", "three", platform="discord", chat="guild")

    async def songs(selection: ExportFilter) -> set[str]:
        return set((await exported(storage, tmp_path, selection))["song"])

    assert await songs(ExportFilter(statuses=[ReviewStatus.REJECTED])) == {song("one")}
    assert await songs(ExportFilter(statuses=list(ReviewStatus))) == {song("one"), song("two"), song("three")}
    assert await songs(ExportFilter(genre="rock")) == {song("two")}
    assert await songs(ExportFilter(genre="cheo")) == set()
    assert await songs(ExportFilter(until=clock.time, statuses=list(ReviewStatus))) == {song("one")}
    assert await songs(ExportFilter(since=clock.time)) == {song("two"), song("three")}
    assert await songs(ExportFilter(since=clock.time + timedelta(seconds=1))) == set()
    assert await songs(ExportFilter(chat=ChatKey("discord", "guild"))) == {song("three")}


async def test_many_songs_go_out_page_by_page(storage: Storage, tmp_path: Path) -> None:
    await consenting(storage, "ann")
    names = [f"song {number}" for number in range(2 * SONGS_AT_ONCE + 1)]
    for name in names:
        await corrected(storage, "ann", "blues", name)
    assert sorted((await exported(storage, tmp_path))["song"].unique()) == sorted(map(song, names))


async def test_a_song_whose_features_are_gone_is_counted_as_left_out(storage: Storage, tmp_path: Path) -> None:
    await consenting(storage, "ann")
    for name in ("one", "two"):
        await corrected(storage, "ann", "blues", name)
    gone = await answered(storage, "one")
    async with storage.database.transaction() as connection:
        await connection.execute(delete(FeatureRow).where(FeatureRow.answer_id == gone.id))
    done = await export_feedback(storage, tmp_path / "feedback.csv", ExportFormat.CSV)
    assert done == ExportSummary(songs=1, rows=2, without_features=1)


async def test_features_of_another_release_stand_in_where_the_answers_own_are_gone(
    storage: Storage, tmp_path: Path
) -> None:
    await consenting(storage, "ann")
    bare = await storage.songs.save_answer(song(), report(), (), platform="local")
    await storage.feedback.correct(
        person="ann", answer_id=bare.id, label="blues", platform="local", chat="chat", may_train=True
    )
    await answered(storage, model="release-2")
    assert len(await exported(storage, tmp_path)) == 2


async def test_further_families_go_out_when_asked_for(storage: Storage, tmp_path: Path) -> None:
    await consenting(storage, "ann")
    await corrected(storage, "ann", "blues")
    table = await exported(storage, tmp_path, ExportFilter(families=["texture"]))
    np.testing.assert_array_equal(
        table[[f"texture_{index}" for index in range(8)]].to_numpy(np.float32),
        np.stack([segment.families["texture"] for segment in features()]),
    )
    assert (await exported(storage, tmp_path, ExportFilter(families=["no_such_family"]))).empty


@pytest.mark.parametrize("form", [ExportFormat.CSV, ExportFormat.JSONL])
async def test_an_export_that_fails_leaves_the_former_file_as_it_was(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: ExportFormat
) -> None:
    await consenting(storage, "ann")
    await corrected(storage, "ann", "blues")
    path = tmp_path / "feedback"
    path.write_text("the former")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("storage.export._rows", fail)
    with pytest.raises(OSError, match="disk full"):
        await export_feedback(storage, path, form)
    assert path.read_text() == "the former"
    assert files(tmp_path) == {path.name}
