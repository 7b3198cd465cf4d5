"""The file formats of exported feedback."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import FormatUnavailable
from storage.feedback_rows import BOOKKEEPING_COLUMNS, TABLE_COLUMNS, Layout, Row
from storage.feedback_writers import ExportFormat, harmless, open_writer

if TYPE_CHECKING:
    from pathlib import Path

HEADER = ["filename", "length", *TABLE_COLUMNS, "label", *BOOKKEEPING_COLUMNS]
NUMBERS = np.random.default_rng(1).normal(size=len(TABLE_COLUMNS)).astype(np.float32)
ROW = Row(
    filename="jazz.abc.0.wav",
    length=661_500,
    table=NUMBERS,
    families={},
    label="jazz",
    facts={
        "song": "abc",
        "start": 0.0,
        "end": 30.0,
        "model": "release-1",
        "said": "rock",
        "confidence": 0.75,
        "sure": 1,
        "status": "pending",
        "platform": "local",
        "votes": 2,
        "may_train": 1,
        "created": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "numbers": "3+7",
    },
)


def write(path: Path, form: ExportFormat, rows: list[Row], families: tuple[str, ...] = ()) -> int:
    writer = open_writer(form, path, Layout(families))
    written = writer.write(rows)
    writer.finish()
    writer.close()
    return written


def test_the_columns_are_those_of_the_public_table(shared_data: Path) -> None:
    with (shared_data / "gtzan" / "features_30_sec.csv").open(encoding="utf-8", newline="") as table:
        assert next(csv.reader(table)) == ["filename", "length", *TABLE_COLUMNS, "label"]


def test_there_are_57_of_them() -> None:
    assert len(TABLE_COLUMNS) == len(set(TABLE_COLUMNS)) == 57


@pytest.mark.parametrize("form", [ExportFormat.CSV, ExportFormat.JSONL])
def test_pandas_reads_it_in_one_line(tmp_path: Path, form: ExportFormat) -> None:
    path = tmp_path / "feedback"
    assert write(path, form, [ROW, replace(ROW, label="cailuong")]) == 2
    table = pd.read_csv(path) if form is ExportFormat.CSV else pd.read_json(path, lines=True)
    assert list(table.columns) == HEADER
    np.testing.assert_array_equal(table[list(TABLE_COLUMNS)].to_numpy(np.float32)[0], NUMBERS)
    assert list(table["label"]) == ["jazz", "cailuong"]
    assert list(table["votes"]) == [2, 2]
    assert pd.to_datetime(table["created"])[0] == ROW.facts["created"]


def test_an_export_of_nothing_still_has_its_columns(tmp_path: Path) -> None:
    assert write(tmp_path / "empty.csv", ExportFormat.CSV, []) == 0
    assert list(pd.read_csv(tmp_path / "empty.csv").columns) == HEADER


def test_a_further_family_stands_between_the_57_and_the_label(tmp_path: Path) -> None:
    row = replace(ROW, families={"texture": np.array([0.1, 0.2, 0.3], np.float32)})
    misfit = replace(ROW, families={"texture": np.array([1.0], np.float32)})
    assert write(tmp_path / "feedback.csv", ExportFormat.CSV, [row, misfit], ("texture",)) == 1
    table = pd.read_csv(tmp_path / "feedback.csv")
    assert list(table.columns[58:64]) == ["mfcc20_var", "texture_0", "texture_1", "texture_2", "label", "song"]
    assert write(tmp_path / "feedback.jsonl", ExportFormat.JSONL, [row], ("texture",)) == 1
    assert json.loads((tmp_path / "feedback.jsonl").read_text())["texture"] == [0.1, 0.2, 0.3]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "-"])
def test_a_spreadsheet_shows_a_formula_instead_of_calculating_it(tmp_path: Path, text: str) -> None:
    row = replace(ROW, label=text, facts={**ROW.facts, "model": text, "platform": text})
    write(tmp_path / "feedback.csv", ExportFormat.CSV, [row])
    with (tmp_path / "feedback.csv").open(encoding="utf-8", newline="") as file:
        [cells] = csv.DictReader(file)
    assert [cells[name] for name in ("label", "model", "platform")] == [f"'{text}"] * 3


@given(st.text())
def test_no_text_begins_a_formula(text: str) -> None:
    assert harmless(text).lstrip(" ")[:1] not in {*"=+-@\t\r\n"}
    assert harmless(text) in {text, f"'{text}"}


def test_parquet_without_its_package_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(FormatUnavailable, match="Install it, or choose csv or jsonl"):
        open_writer(ExportFormat.PARQUET, tmp_path / "feedback.parquet", Layout())
    assert not list(tmp_path.iterdir())


def test_parquet_has_real_types(tmp_path: Path) -> None:
    row = replace(ROW, families={"texture": np.array([0.1, 0.2, 0.3], np.float32)})
    assert write(tmp_path / "feedback.parquet", ExportFormat.PARQUET, [row, row], ("texture",)) == 2
    table = pd.read_parquet(tmp_path / "feedback.parquet")
    assert list(table.columns) == [*HEADER[:59], "texture", *HEADER[59:]]
    np.testing.assert_array_equal(table[list(TABLE_COLUMNS)].to_numpy(np.float32)[1], NUMBERS)
    assert table["texture"][0].tolist() == row.families["texture"].tolist()
    assert table["created"][0] == ROW.facts["created"]
