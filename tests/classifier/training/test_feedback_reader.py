from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.features.gtzan57 import COLUMNS
from classifier.training.feedback_reader import BadFeedback, Song, read
from tests.classifier.training.small import WIDTH, features, line, write_csv, write_json_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def song(name: str, label: str = "blues", **more: Any) -> Song:
    known = {"weight": 1.0, "may_train": True, "people": 2, "reviewed": False, "label_people": 0}
    return Song(id=name, label=label, seconds=np.array([30.0]), families={}, **{**known, **more})


def test_all_three_formats_say_the_same(tmp_path: Path) -> None:
    lines = [line("a", "blues"), line("a", "blues", segment=1), line("b", "jazz", use="evaluate", weight=0.5)]
    nested = [
        {
            **{name: value for name, value in values.items() if not name.startswith("texture")},
            **{family: [values[f"{family}_{place}"] for place in range(WIDTH)] for family in ("texture", "texture40")},
        }
        for values in lines
    ]
    read_in = [
        read(write_csv(tmp_path / "a", lines)),
        read(write_json_lines(tmp_path / "b", lines)),
        read(write_json_lines(tmp_path / "c", nested)),
    ]
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    parquet.write_table(arrow.Table.from_pylist(nested), tmp_path / "d")
    read_in.append(read(tmp_path / "d"))
    for songs in read_in:
        assert [(one.id, one.label, one.weight, one.may_train, one.people) for one in songs] == [
            ("a", "blues", 1.0, True, 2),
            ("b", "jazz", 0.5, False, 2),
        ]
        assert songs[0].families["texture"].shape == (2, WIDTH)
        assert songs[0].families["texture40"][0] == pytest.approx(features("blues", ord("a") + 1000)[0], abs=2e-3)


def test_the_columns_of_the_public_table_are_passed_over(tmp_path: Path) -> None:
    table = dict.fromkeys(COLUMNS, "1e9")
    [found] = read(write_csv(tmp_path / "a", [{**table, **line("a", "blues")}]))
    assert set(found.families) == {"texture", "texture40"}


def test_a_pipe_is_read_as_it_comes(tmp_path: Path) -> None:
    content = write_csv(tmp_path / "a", [line("a", "blues")]).read_bytes()
    assert [one.id for one in read(io.BytesIO(content))] == ["a"]


@pytest.mark.parametrize("write", [write_csv, write_json_lines])
def test_what_was_cut_short_anywhere_is_refused_and_what_has_its_end_is_read(
    tmp_path: Path, write: Callable[[Path, list[dict[str, Any]]], Path]
) -> None:
    lines = [line("a", "blues", last=False), line("b", "jazz", last=True)]
    content = write(tmp_path / "a", lines).read_bytes()
    assert [one.id for one in read(io.BytesIO(content))] == ["a", "b"]
    ends = [place + 1 for place, byte in enumerate(content) if byte == ord("\n")]
    for cut in {0, 100, len(content) // 2, *ends[:-1], len(content) - 10}:
        with pytest.raises(BadFeedback, match=r"cut short|empty"):
            read(io.BytesIO(content[:cut]))
    with pytest.raises(BadFeedback, match=r"more than one export|something else than numbers"):
        read(io.BytesIO(content + content))


def test_a_family_that_a_row_lacks_is_lacking_and_no_error(tmp_path: Path) -> None:
    values = line("a", "blues")
    blank = {name: "" for name in values if name.startswith("texture_")}
    [found] = read(write_csv(tmp_path / "a", [{**values, **blank}]))
    assert set(found.families) == {"texture40"}


def test_a_long_song_is_heard_all_over(tmp_path: Path) -> None:
    lines = [line("a", "blues", segment=number) for number in range(20)]
    for number, values in enumerate(lines):
        values["texture_0"] = number
    [found] = read(write_csv(tmp_path / "a", lines))
    assert found.families["texture"][:, 0].tolist() == [0, 3, 5, 8, 11, 14, 16, 19]


def test_of_several_labels_the_weightiest_counts_and_of_equals_none(tmp_path: Path) -> None:
    lines = [
        line("a", "blues", weight=0.4),
        line("a", "jazz", weight=0.9),
        line("b", "blues"),
        line("b", "jazz"),
    ]
    assert [(one.id, one.label) for one in read(write_csv(tmp_path / "a", lines))] == [("a", "jazz")]


def test_what_may_not_train_under_one_label_may_not_under_another(tmp_path: Path) -> None:
    lines = [line("a", "blues", weight=0.4, use="evaluate"), line("a", "jazz", weight=0.9)]
    [found] = read(write_csv(tmp_path / "a", lines))
    assert not found.may_train


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"weight": 1.5}, "weight 1.5"),
        ({"weight": "nan"}, "weight nan"),
        ({"weight": ""}, "makes no sense"),
        ({"use": "teach"}, "use 'teach'"),
        ({"people": "many"}, "makes no sense"),
        ({"length": -1}, "makes no sense"),
        ({"song": ""}, "names no song"),
        ({"label": ""}, "no label"),
        ({"texture_3": "loud"}, "something else than numbers"),
        ({"texture_3": "inf"}, "not finite"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(changed: dict[str, Any], said: str, tmp_path: Path) -> None:
    lines = [line("a", "blues"), {**line("b", "blues"), **changed}]
    with pytest.raises(BadFeedback, match="Row 3") as caught:
        read(write_csv(tmp_path / "a", lines))
    assert said in str(caught.value)


def test_a_file_of_another_kind_is_told_from_feedback(tmp_path: Path) -> None:
    for content, said in (
        (b"filename,label\na,b\n", "lacks the columns song, weight, use"),
        (b"PAR1", "cannot be read"),
    ):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(BadFeedback, match=said):
            read(tmp_path / "file")
    with pytest.raises(BadFeedback, match="pipe"):
        read(io.BytesIO(b"PAR1"))
    with pytest.raises(BadFeedback, match="cannot be read"):
        read(tmp_path / "nothing")


@given(st.binary(max_size=200))
def test_whatever_bytes_come_they_are_read_or_refused(content: bytes) -> None:
    for start in (b"", b"{", b"label,song,weight,use\n"):
        try:
            songs = read(io.BytesIO(start + content))
        except BadFeedback:
            continue
        assert all(0 <= one.weight <= 1 for one in songs)
