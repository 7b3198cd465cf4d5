from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.datasets.table import HEADER, TEXTURE_COLUMNS
from classifier.features.gtzan57 import COLUMNS
from classifier.studies import config, study_table
from classifier.studies.config import StudyError
from tests.classifier.studies.conftest import FEATURES, GENRES, PIECES, SONGS, rows, write

if TYPE_CHECKING:
    from pathlib import Path


def loaded(
    path: Path, label: str = "genre", group: str | None = "song", missing: str = "refuse"
) -> study_table.StudyTable:
    study = config.for_table(path, label, group, ignore=(), missing=missing)
    return study_table.load(study, path.parent)


def told(path: Path, label: str = "genre", group: str | None = "song") -> str:
    with pytest.raises(StudyError) as caught:
        loaded(path, label, group)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


class TestReading:
    def test_features_labels_and_songs_are_found(self, table: Path) -> None:
        found = loaded(table)
        assert found.columns == (*(f"f{number}" for number in range(FEATURES)), "piece")
        assert found.X.shape == (len(GENRES) * SONGS * PIECES, FEATURES + 1)
        assert found.classes == GENRES
        assert found.groups is not None
        assert len(set(found.groups)) == len(GENRES) * SONGS

    def test_a_table_with_a_byte_order_mark_is_read(self, tmp_path: Path) -> None:
        path = write(tmp_path / "mine.csv", rows())
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        assert loaded(path).classes == GENRES

    def test_descriptive_columns_are_not_features(self, tmp_path: Path) -> None:
        content = [{**row, "filename": f"{number}.wav", "length": "220500"} for number, row in enumerate(rows())]
        found = loaded(write(tmp_path / "mine.csv", content))
        assert "filename" not in found.columns
        assert any("filename, length" in remark for remark in found.remarks)

    @pytest.mark.parametrize("texture", [(), TEXTURE_COLUMNS])
    def test_a_table_that_this_project_builds_is_understood(self, texture: tuple[str, ...], tmp_path: Path) -> None:
        numbers = set(COLUMNS) | set(texture)
        content = [
            {
                name: f"{0.1 * row + place:g}" if name in numbers else f"{name} {row // 2}"
                for place, name in enumerate((*HEADER, *texture))
            }
            | {"label": GENRES[row % 4 // 2]}
            for row in range(20)
        ]
        path = write(tmp_path / "songs.csv", content)
        assert study_table.group_column(path) == "song"
        found = loaded(path, label="label")
        assert found.columns == (*COLUMNS, *texture)
        assert found.groups is not None
        assert len(set(found.groups)) == 10

    @pytest.mark.parametrize(("missing", "left"), [("drop", 71), ("median", 72)])
    def test_empty_cells_are_handled_as_configured(self, missing: str, left: int, tmp_path: Path) -> None:
        content = rows()
        content[4]["f2"] = ""
        found = loaded(write(tmp_path / "mine.csv", content), missing=missing)
        assert len(found.X) == left
        assert np.isfinite(found.X).all()
        assert found.missing == {"f2": 1}


class TestWhatCannotBeUsed:
    @pytest.mark.parametrize(
        ("cell", "what"),
        [
            ("", "empty cells or NaN"),
            ("nan", "empty cells or NaN"),
            ("inf", "infinite values"),
            ("-Infinity", "infinite values"),
        ],
    )
    def test_cells_without_a_number(self, cell: str, what: str, tmp_path: Path) -> None:
        content = rows()
        content[4]["f2"] = cell
        said = told(write(tmp_path / "mine.csv", content))
        assert said.startswith(f"mine.csv has {what} in 1 of its feature columns, the first in line 6, column f2;")

    def test_text_among_the_features(self, tmp_path: Path) -> None:
        content = rows()
        content[1]["f0"] = "quick"
        said = told(write(tmp_path / "mine.csv", content))
        assert said.startswith("Column f0 of mine.csv holds text ('quick' in line 3) where a number is expected;")

    def test_no_features(self, tmp_path: Path) -> None:
        content = [{"song": row["song"], "genre": row["genre"]} for row in rows()]
        assert told(write(tmp_path / "mine.csv", content)).startswith("mine.csv has no features: ")

    def test_features_that_never_change(self, tmp_path: Path) -> None:
        content = [{"song": row["song"], "f0": "1", "genre": row["genre"]} for row in rows()]
        assert told(write(tmp_path / "mine.csv", content)).startswith("All features of mine.csv are the same in every")

    def test_one_genre(self, tmp_path: Path) -> None:
        content = [{**row, "genre": "blues"} for row in rows()]
        assert told(write(tmp_path / "mine.csv", content)).startswith("All rows of mine.csv are blues;")

    def test_three_rows(self, tmp_path: Path) -> None:
        said = told(write(tmp_path / "mine.csv", rows()[22:25]))
        assert said == "mine.csv has 3 rows, of metal only 1; every genre needs at least 5."

    def test_no_column_of_that_label(self, table: Path) -> None:
        said = told(table, label="style")
        assert said == "mine.csv has no column style; it has song, f0, f1, f2, f3, f4, f5, genre and 1 more."

    def test_no_column_of_that_group(self, table: Path) -> None:
        assert told(table, group="album").startswith("mine.csv has no column album; ")

    def test_a_label_column_with_song_names(self, table: Path) -> None:
        content = [{**row, "genre": str(number)} for number, row in enumerate(rows())]
        assert "name the column of genres with --label" in told(write(table, content))

    def test_rows_without_a_label(self, table: Path) -> None:
        content = rows()
        content[7]["genre"] = ""
        assert told(write(table, content)) == "mine.csv has 1 rows without a genre, the first in line 9; fill them."

    def test_a_genre_of_one_song(self, table: Path) -> None:
        content = [{**row, "song": "the same"} if row["genre"] == "pop" else row for row in rows()] * 2
        assert told(write(table, content)).startswith("All rows of pop in mine.csv are of one song;")

    @pytest.mark.parametrize(("delimiter", "called"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
    def test_another_delimiter(self, delimiter: str, called: str, tmp_path: Path) -> None:
        said = told(write(tmp_path / "mine.csv", rows(), delimiter))
        assert said == f"mine.csv is separated by {called}; save it with commas between the columns."

    @pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
    def test_an_empty_file(self, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / "mine.csv"
        path.write_bytes(content)
        assert told(path).startswith("mine.csv is empty;")

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"genre\nblues\n", "has only one column"),
            (b"genre,f0\n", "has column names but no rows"),
            (b"genre,f0,f0\nblues,1,2\n", "has more than one column called f0"),
            (b"\xff\xfe\x00g", "is not UTF-8 text"),
            (b'genre,f0\nblues,"1\n', "is not a valid table"),
            (b"genre,f0\nblues,1,2,3\npop,1\n", "."),
        ],
    )
    def test_invalid_tables(self, content: bytes, said: str, tmp_path: Path) -> None:
        path = tmp_path / "mine.csv"
        path.write_bytes(content)
        assert said in told(path, group=None)

    def test_a_missing_file(self, tmp_path: Path) -> None:
        assert told(tmp_path / "none.csv").endswith("none.csv cannot be read: No such file or directory.")

    def test_a_folder(self, tmp_path: Path) -> None:
        assert told(tmp_path).endswith("cannot be read: Is a directory.")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_make_a_table_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_bytes(content)
    try:
        loaded(path, group=None)
    except StudyError as error:
        said = str(error)
    else:
        said = ""
    assert "\n" not in said
