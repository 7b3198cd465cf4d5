"""A data set's table grows by whole songs, and tables merge without a song being there twice."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.datasets.feature_reader import SegmentRow
from classifier.datasets.table import HEADER, TEXTURE_COLUMNS, BadTable, DatasetTable, TableSong, merge
from classifier.features.gtzan57 import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path


def segments(count: int = 2, *, texture: bool = False) -> list[SegmentRow]:
    more = tuple([0.25] * len(TEXTURE_COLUMNS)) if texture else ()
    features = tuple(number / 7 for number in range(57))
    return [SegmentRow(30.0 * place, 30.0 * place + 30, 661_500, features, more) for place in range(count)]


def add(path: Path, *songs: TableSong, texture: bool = False) -> None:
    table = DatasetTable(path, texture=texture)
    for song in songs:
        table.append(song, segments(texture=texture))
    table.close()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def song(name: str, label: str = "cai-luong", content: str | None = None) -> TableSong:
    return TableSong(content or f"content of {name}", name, label, f"music/{name}")


def test_columns_are_those_of_the_public_table_and_then_the_songs() -> None:
    assert ("filename", "length", *COLUMNS, "label", "song", "start", "end", "source") == HEADER


def test_a_song_is_written_with_all_its_segments(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    add(path, song('Mr. Đêm, "khuya"\n.mp3'), song("Mr. Brown"))
    found = rows(path)
    assert [row["filename"] for row in found] == [
        'Mr. Đêm, "khuya"\n.0.mp3',
        'Mr. Đêm, "khuya"\n.1.mp3',
        "Mr. Brown.0",
        "Mr. Brown.1",
    ]
    assert [(row["start"], row["end"], row["length"]) for row in found[:2]] == [
        ("0", "30", "661500"),
        ("30", "60", "661500"),
    ]
    assert {float(row["mfcc20_var"]) for row in found} == {8.0}
    assert {row["label"] for row in found} == {"cai-luong"}
    assert sorted(tmp_path.iterdir()) == [path]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_an_incomplete_song_of_a_killed_run_is_removed(tmp_path: Path, share: float) -> None:
    path, journal = tmp_path / "table.csv", tmp_path / ".table.csv.journal"
    path.unlink(missing_ok=True)
    add(path, song("first.mp3"))
    at = path.stat().st_size
    add(path, song("second.mp3"))
    whole = path.read_bytes()
    cut = at + max(1, min(len(whole) - at - 1, round(share * (len(whole) - at))))
    path.write_bytes(whole[:cut])
    journal.write_text(json.dumps({"at": at, "bytes": len(whole) - at}))
    table = DatasetTable(path, texture=False)
    assert list(table.songs) == ["content of first.mp3"]
    table.append(song("second.mp3"), segments())
    table.close()
    assert path.read_bytes() == whole


def test_a_run_killed_between_songs_loses_nothing(tmp_path: Path) -> None:
    path, journal = tmp_path / "table.csv", tmp_path / ".table.csv.journal"
    add(path, song("first.mp3"), song("second.mp3"))
    whole = path.read_bytes()
    left: tuple[object, ...] = (
        {"at": len(whole) - 10, "bytes": 10},
        {"at": len(whole) + 5, "bytes": 10},
        {"at": 3, "bytes": 10},
        {"at": "x"},
        [],
    )
    for on_list in left:
        journal.write_text(json.dumps(on_list))
        DatasetTable(path, texture=False).close()
        assert path.read_bytes() == whole


def test_a_table_has_one_writer_at_a_time(tmp_path: Path) -> None:
    table = DatasetTable(tmp_path / "table.csv", texture=False)
    with pytest.raises(BadTable, match="Another run is writing"):
        DatasetTable(tmp_path / "table.csv", texture=False)
    table.close()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "is not a table that `dataset build` wrote"),
        (",".join(HEADER) + "\n1,2\n", "Line 2 of .* has 2 cells instead of 64"),
        (",".join((*HEADER, *TEXTURE_COLUMNS)) + "\n", "has the texture columns: add --texture"),
        (",".join(HEADER) + "\n" + ",".join("x" * 64), "The last line of .* is cut off"),
        (",".join(HEADER), "The last line of .* is cut off"),
        ('"' + "x" * 200_000 + '"\n', "cannot be read: field larger than field limit"),
    ],
)
def test_other_files_are_not_changed(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content)
    with pytest.raises(BadTable, match=said):
        DatasetTable(path, texture=False)
    assert path.read_text() == content


def test_texture_is_written_after_everything_else(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    add(path, song("a.mp3"), texture=True)
    assert list(rows(path)[0]) == [*HEADER, *TEXTURE_COLUMNS]
    assert rows(path)[0]["texture_2191"] == "0.25"
    with pytest.raises(BadTable, match="add --texture"):
        DatasetTable(path, texture=False)


def test_tables_merge_and_a_song_with_two_labels_keeps_the_first(tmp_path: Path) -> None:
    one, two, out = tmp_path / "one.csv", tmp_path / "two.csv", tmp_path / "out.csv"
    add(one, song("a.mp3", "cheo"), song("b.mp3", "cheo"))
    add(two, song("b again.mp3", "cheo", "content of b.mp3"), song("a.wav", "rock", "content of a.mp3"), song("c.mp3"))
    merged = merge([one, two], out)
    assert (merged.songs, merged.rows, merged.repeats) == (3, 6, 1)
    assert [(name, label, kept.label) for name, label, kept in merged.conflicts] == [("a.0.wav", "rock", "cheo")]
    assert [(row["filename"], row["label"]) for row in rows(out)][::2] == [
        ("a.0.mp3", "cheo"),
        ("b.0.mp3", "cheo"),
        ("c.0.mp3", "cai-luong"),
    ]
    again = merge([out, two, one], out)
    assert (again.songs, again.rows) == (3, 6)
    add(out, song("d.mp3"))
    assert len(rows(out)) == 8


def test_tables_with_different_columns_are_not_merged(tmp_path: Path) -> None:
    one, two, out = tmp_path / "one.csv", tmp_path / "two.csv", tmp_path / "out.csv"
    add(one, song("a.mp3"))
    add(two, song("b.mp3"), texture=True)
    with pytest.raises(BadTable, match=r"two\.csv has the texture columns"):
        merge([one, two], out)
    with pytest.raises(BadTable, match=r"one\.csv does not have the texture columns"):
        merge([two, one], out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.csv", "two.csv"]
