"""Packing and unpacking features is bit-exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from storage import SegmentVectors
from storage.feature_codec import FORMAT, pack, unpack
from tests.storage.factories import features

NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def songs(draw: st.DrawFn) -> list[SegmentVectors]:
    widths = draw(st.dictionaries(st.from_regex(r"[A-Za-z0-9_-]+", fullmatch=True), st.integers(1, 20), max_size=3))
    segments = []
    for index in range(draw(st.integers(1, 4))):
        present = [name for name in sorted(widths) if draw(st.booleans())]
        vectors = {name: draw(arrays.arrays(np.float32, widths[name], elements=NUMBERS)) for name in present}
        segments.append(SegmentVectors(30.0 * index, 30.0 * index + 29.97, vectors))
    return segments


@settings(max_examples=50, deadline=None)
@given(songs())
def test_features_come_back_as_they_went_in(segments: list[SegmentVectors]) -> None:
    back = unpack(FORMAT, pack(segments))
    assert [(each.start, each.end) for each in back] == [(each.start, each.end) for each in segments]
    for one, other in zip(back, segments, strict=True):
        assert one.families.keys() == other.families.keys()
        for name, vector in one.families.items():
            assert vector.dtype == np.float32
            assert vector.tobytes() == other.families[name].tobytes()


def test_packing_makes_features_smaller() -> None:
    segments = features(8, texture=2000)
    raw = sum(vector.nbytes for each in segments for vector in each.families.values())
    assert len(pack(segments)) < 0.95 * raw


@pytest.mark.parametrize(
    "vectors",
    [
        [np.zeros(3, np.float32), np.zeros(4, np.float32)],
        [np.zeros((2, 2), np.float32)],
        [np.array([np.nan], np.float32)],
        [np.array([np.inf], np.float32)],
    ],
)
def test_what_could_not_be_a_family_is_refused(
    vectors: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]],
) -> None:
    with pytest.raises(ValueError, match="texture"):
        pack([SegmentVectors(0, 30, {"texture": vector}) for vector in vectors])


@pytest.mark.parametrize("name", ["", "a/b", "nul\0", "../up", "a:b"])
def test_a_family_has_a_plain_name(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        pack([SegmentVectors(0, 30, {name: np.zeros(3, np.float32)})])


def test_a_format_of_the_future_is_refused() -> None:
    with pytest.raises(ValueError, match="format 2"):
        unpack(2, pack(features()))
