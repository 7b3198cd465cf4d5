"""Exporting and importing training files: every column and format, and nothing outdated or withdrawn."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import func, select

from storage import (
    TABLE_COLUMNS,
    TABLE_FAMILY,
    AggregationRules,
    ExportFormat,
    ImportSummary,
    Storage,
    StorageError,
    TrainingExportSummary,
    export_for_training,
    import_feedback,
)
from storage.feedback_rows import TRAINING_COLUMNS
from storage.feedback_writers import harmless
from storage.tables import ImportedSongRow
from tests.storage.factories import Clock, answered, corrected, features, song

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = list(ExportFormat)


async def agreed(storage: Storage, label: str, name: str = "a song", *people: str, **more: Any) -> None:
    for person in people or ("ann", "bob"):
        await storage.people.set_consent(person, True)
        await corrected(storage, person, label, name, **more)


async def exported(
    storage: Storage, folder: Path, form: ExportFormat = ExportFormat.CSV, rules: AggregationRules | None = None
) -> Path:
    path = folder / f"lessons.{form}"
    await export_for_training(storage, path, form, rules)
    return path


def read(path: Path) -> pd.DataFrame:
    """Read a file in one line, as other programs would."""
    readers = {
        ".csv": pd.read_csv,
        ".jsonl": lambda each: pd.read_json(each, lines=True),
        ".parquet": pd.read_parquet,
    }
    return readers[path.suffix](path)


@pytest.fixture
async def other(tmp_path: Path) -> Any:
    """Another operator's database."""
    async with await Storage.open(f"sqlite:///{tmp_path}/other.sqlite3", clock=Clock()) as opened:
        yield opened


@pytest.mark.parametrize("form", FORMATS)
async def test_a_lesson_is_one_row_per_segment_with_every_feature(
    storage: Storage, tmp_path: Path, form: ExportFormat
) -> None:
    await agreed(storage, "cailuong")
    table = read(await exported(storage, tmp_path, form))
    texture = [f"texture_{index}" for index in range(8)]
    assert list(table.columns) == ["filename", "length", *TABLE_COLUMNS, *texture, "label", *TRAINING_COLUMNS]
    for (_, row), segment in zip(table.iterrows(), features(), strict=True):
        np.testing.assert_array_equal(row[list(TABLE_COLUMNS)].to_numpy(np.float32), segment.families[TABLE_FAMILY])
        np.testing.assert_array_equal(row[texture].to_numpy(np.float32), segment.families["texture"])
    first = table.iloc[0]
    assert (first["label"], first["song"], first["weight"], first["use"]) == ("cailuong", song(), 0.5, "train")
    assert (first["source"], first["people"], first["label_people"]) == ("local", 2, 2)
    assert (first["model"], first["heard_as"]) == ("release-1", "jazz")
    assert list(table["segment"]) == [0, 1]
    assert list(table["giver"]) == [1, 1]
    assert list(table["last"]) == [False, True]
    assert not table["reviewed"].any()
    assert table["reviewed"].dtype == bool


async def test_what_does_not_count_is_left_out_and_told(storage: Storage, tmp_path: Path) -> None:
    await agreed(storage, "blues", "agreed")
    await agreed(storage, "rock", "lonely", "ann")
    await agreed(storage, "pop", "disputed", "ann")
    await agreed(storage, "jazz", "disputed", "bob")
    await agreed(storage, "jazz", "elsewhere", platform="discord", may_train=False)
    bare = await storage.songs.save_answer(
        song("bare"), {**(await answered(storage)).report, "model": "bare"}, (), platform="local"
    )
    for person in ("ann", "bob"):
        await storage.feedback.correct(
            person=person, answer_id=bare.id, label="pop", platform="local", chat="chat", may_train=True
        )
    path = tmp_path / "lessons.csv"
    done = await export_for_training(storage, path, ExportFormat.CSV)
    assert done == TrainingExportSummary(songs=2, rows=4, evaluate=1, waiting=1, disputed=1, without_features=1)
    assert dict(zip(read(path)["song"], read(path)["use"], strict=True)) == {
        song("agreed"): "train",
        song("elsewhere"): "evaluate",
    }


async def test_a_revoked_consent_and_being_forgotten_are_gone_from_the_next_export(
    storage: Storage, tmp_path: Path
) -> None:
    await agreed(storage, "blues", "one")
    await agreed(storage, "rock", "two", "ann", "cid")
    await agreed(storage, "pop", "three", "bob", "cid")
    assert set(read(await exported(storage, tmp_path))["song"]) == {song(name) for name in ("one", "two", "three")}
    await storage.people.set_consent("ann", False)
    assert set(read(await exported(storage, tmp_path))["song"]) == {song("three")}
    await storage.people.erase("bob")
    assert read(await exported(storage, tmp_path)).empty


@pytest.mark.parametrize("form", FORMATS)
async def test_an_export_comes_back_and_leaves_as_it_came(
    storage: Storage, other: Storage, tmp_path: Path, form: ExportFormat, clock: Clock
) -> None:
    await agreed(storage, "blues", "one")
    clock.advance(minutes=5)
    await agreed(storage, "cailuong", "two", "ann", "bob", "cid")
    await agreed(storage, "jazz", "three", platform="discord", may_train=False)
    path = await exported(storage, tmp_path, form)
    assert await import_feedback(other, path) == ImportSummary(songs=3, left_out=0)
    assert await import_feedback(other, path) == ImportSummary(songs=0, left_out=3)
    (tmp_path / "again").mkdir()
    again = read(await exported(other, tmp_path / "again", form))
    # Nobody of the other database gave these labels.
    assert set(again.pop("giver")) == {0}
    pd.testing.assert_frame_equal(again, read(path).drop(columns="giver"))
    # In the database it came from, everything is already known.
    assert await import_feedback(storage, path) == ImportSummary(songs=0, left_out=3)


@pytest.mark.parametrize("form", [ExportFormat.CSV, ExportFormat.JSONL])
async def test_a_song_that_was_answered_with_no_genre_comes_back_without_one(
    storage: Storage, other: Storage, tmp_path: Path, form: ExportFormat
) -> None:
    await agreed(storage, "blues")
    path = await exported(storage, tmp_path, form)
    table = read(path).assign(heard_as="")
    if form is ExportFormat.CSV:
        table.to_csv(path, index=False)
    else:
        path.write_text(table.to_json(orient="records", lines=True), encoding="utf-8")
    assert await import_feedback(other, path) == ImportSummary(songs=1, left_out=0)
    assert set(read(await exported(other, tmp_path, ExportFormat.JSONL))["heard_as"]) == {""}


async def test_a_genre_that_was_made_up_elsewhere_is_proposed_here(
    storage: Storage, other: Storage, tmp_path: Path
) -> None:
    proposed = await storage.labels.propose("Zydeco")
    await agreed(storage, proposed.id)
    await import_feedback(other, await exported(storage, tmp_path))
    assert await other.labels.find("zydeco") is not None
    assert (await other.delete_expired()).labels == 0
    assert set(read(await exported(other, tmp_path))["label"]) == {"zydeco"}


async def test_newer_is_never_overwritten_and_own_opinions_that_count_go_first(
    storage: Storage, other: Storage, tmp_path: Path, clock: Clock
) -> None:
    await agreed(storage, "blues")
    older = (await exported(storage, tmp_path)).rename(tmp_path / "older.csv")
    clock.advance(hours=1)
    await agreed(storage, "rock")
    newer = await exported(storage, tmp_path)
    assert (await import_feedback(other, newer)).songs == 1
    assert (await import_feedback(other, older)).songs == 0
    await agreed(other, "pop")
    assert set(read(await exported(other, tmp_path))["label"]) == {"pop"}


@pytest.mark.parametrize("how", ["consent", "forgotten", "withdrawn"])
async def test_no_file_brings_back_what_was_taken_back(
    storage: Storage, other: Storage, tmp_path: Path, clock: Clock, how: str
) -> None:
    await agreed(storage, "blues")
    path = await exported(storage, tmp_path)
    await import_feedback(other, path)
    for each in (storage, other):
        await agreed(each, "blues", "a song", "ann")
        clock.advance(minutes=1)
        if how == "consent":
            await each.people.set_consent("ann", False)
        elif how == "forgotten":
            await each.people.erase("ann")
        else:
            await each.feedback.withdraw("ann", song())
        assert await import_feedback(each, path) == ImportSummary(songs=0, left_out=1)
        (tmp_path / "later").mkdir(exist_ok=True)
        assert read(await exported(each, tmp_path / "later")).empty


async def test_sources_that_are_no_longer_allowed_only_measure(
    storage: Storage, other: Storage, tmp_path: Path
) -> None:
    await agreed(storage, "blues", platform="telegram")
    path = await exported(storage, tmp_path)
    await import_feedback(other, path)
    for each in (storage, other):
        assert set(read(await exported(each, tmp_path, rules=AggregationRules(sources={"local"})))["use"]) == {
            "evaluate"
        }


@pytest.mark.parametrize("form", [ExportFormat.CSV, ExportFormat.JSONL])
async def test_a_stream_has_an_end_only_if_all_of_it_was_written(
    storage: Storage, other: Storage, tmp_path: Path, form: ExportFormat
) -> None:
    for number in range(10):
        await agreed(storage, "blues", f"song {number}")
    stream = io.BytesIO()
    await export_for_training(storage, stream, form)
    whole = stream.getvalue()
    assert whole == (await exported(storage, tmp_path, form)).read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    with pytest.raises(StorageError, match="cut short"):
        await import_feedback(other, cut)
    failing = FailingStream()
    with pytest.raises(OSError, match="no room"):
        await export_for_training(storage, failing, form)
    assert b"rue" not in failing.getvalue().splitlines()[-1]


class FailingStream(io.BytesIO):
    """A pipe or a disk that fails after the first writes."""

    def write(self, content: Any, /) -> int:
        if self.tell():
            raise OSError("no room")
        return super().write(content)


async def test_an_export_of_nothing_is_complete(storage: Storage, tmp_path: Path) -> None:
    for form in (ExportFormat.CSV, ExportFormat.JSONL):
        assert await import_feedback(storage, await exported(storage, tmp_path, form)) == ImportSummary(0, 0)


def _cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _altered(path: Path, column: str, value: str, row: int = 1) -> None:
    cells = _cells(path)
    cells[row][cells[0].index(column)] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(cells)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("weight", "2", "row 2 has a weight"),
        ("weight", "much", "row 2 has no readable weight"),
        ("use", "sell", "row 2 has a weight, a use"),
        ("people", "-1", "number of people"),
        ("people", "1e999", "no readable people"),
        ("reviewed", "perhaps", "no readable reviewed"),
        ("updated", "yesterday", "no readable updated"),
        ("song", "abc", "names no song"),
        ("label", "\u200b", "no readable label"),
        ("start", "99", "order of time"),
        ("tempo", "fast", "feature that is not a number"),
        ("texture_3", "nan", "feature that is not a number"),
        ("model", "m" * 300, "no readable model"),
    ],
)
async def test_a_bad_row_is_named_in_a_sentence_and_nothing_is_taken_in(
    other: Storage, tmp_path: Path, column: str, value: str, said: str
) -> None:
    for name in ("one", "two"):
        await agreed(other, "blues", name)
    path = await exported(other, tmp_path)
    _altered(path, column, value)
    with pytest.raises(StorageError, match=said) as error:
        await import_feedback(other, path)
    assert str(error.value).startswith(f"Nothing was imported from {path}: ")
    async with other.database.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(ImportedSongRow))).scalar() == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"filename,length\nx,1\n", "lacks the column"),
        (b"song,votes,label\nx,1,y\n", "without --for-training"),
        (b"PAR1 and no more", "damaged"),
        (b'{"song": ', "damaged"),
        (b'{"song": "x"}\n', "lacks the column"),
        (b"\xff\xfe\x00", "damaged"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "damaged|lacks"),
    ],
)
async def test_a_file_that_is_no_export_is_refused_in_a_sentence(
    other: Storage, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=said):
        await import_feedback(other, path)


async def test_rows_that_were_sorted_apart_or_cut_off_are_refused(other: Storage, tmp_path: Path) -> None:
    for name in ("one", "two"):
        await agreed(other, "blues", name)
    path = await exported(other, tmp_path)
    whole = path.read_text(encoding="utf-8")
    header, *rows = whole.splitlines(keepends=True)
    path.write_text(header + rows[0] + rows[2] + rows[1] + rows[3], encoding="utf-8")
    with pytest.raises(StorageError, match="scattered"):
        await import_feedback(other, path)
    path.write_text(whole[:-60], encoding="utf-8")
    with pytest.raises(StorageError, match=r"line \d+ has too many or too few cells|updated"):
        await import_feedback(other, path)
    with pytest.raises(StorageError, match="no such file"):
        await import_feedback(other, tmp_path / "missing.csv")


async def test_a_spreadsheet_calculates_nothing_and_the_text_comes_back(
    storage: Storage, other: Storage, tmp_path: Path
) -> None:
    for person in ("ann", "bob"):
        await storage.people.set_consent(person, True)
        await corrected(storage, person, "blues", "one", said="jazz")
    async with storage.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE answers SET model = '=1+1'")
    path = await exported(storage, tmp_path)
    header, *rows = _cells(path)
    assert {row[header.index("model")] for row in rows} == {"'=1+1"}
    numbers = {*TABLE_COLUMNS, *(name for name in header if name.startswith("texture_"))}
    text = [cell for row in rows for name, cell in zip(header, row, strict=True) if name not in numbers]
    assert all(harmless(cell) == cell for cell in text)
    await import_feedback(other, path)
    assert (
        json.loads((await exported(other, tmp_path, ExportFormat.JSONL)).read_text().splitlines()[0])["model"] == "=1+1"
    )
