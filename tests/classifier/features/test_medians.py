from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from classifier.features.medians import MEDIAN_WIDTH, running_median

if TYPE_CHECKING:
    from numpy.typing import NDArray


def plainly(signals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median of every window, cut out and sorted."""
    half = MEDIAN_WIDTH // 2
    padded = np.pad(signals, ((half, half), (0, 0)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, MEDIAN_WIDTH, axis=0)
    return np.asarray(np.median(windows, axis=-1), dtype=np.float32)


@given(st.integers(1, 90), st.integers(1, 7), st.integers(0, 2**32 - 1), st.integers(1, 1000))
def test_medians_of_any_length_and_with_ties(count: int, lanes: int, seed: int, values: int) -> None:
    signals = np.random.default_rng(seed).integers(0, values, size=(count, lanes)).astype(np.float32)
    np.testing.assert_array_equal(running_median(signals), plainly(signals))


@pytest.mark.parametrize("order", ["C", "F"])
def test_medians_of_more_signals_than_are_handled_at_once_equal_scipys(order: str) -> None:
    signals = np.random.default_rng(3).exponential(size=(200, 501)).astype(np.float32)
    theirs = ndimage.median_filter(signals, size=(MEDIAN_WIDTH, 1), mode="reflect")
    np.testing.assert_array_equal(running_median(np.asfortranarray(signals) if order == "F" else signals), theirs)


def test_one_outlier_never_shows() -> None:
    signals = np.ones((64, 1), dtype=np.float32)
    signals[20] = 1e30
    assert running_median(signals).max() == 1
