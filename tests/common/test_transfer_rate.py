from __future__ import annotations

import pytest

from common.transfer_rate import GRACE_SECONDS, MIN_BYTES_PER_SECOND, MinimumRate, TooSlow


def test_a_drip_is_ended_after_the_grace_time_and_not_before() -> None:
    rate = MinimumRate()
    for _ in range(int(GRACE_SECONDS) - 1):
        rate.waited(1, 1)
    with pytest.raises(TooSlow):
        rate.waited(1, 1)


def test_a_slow_line_is_waited_for_however_long_it_takes() -> None:
    rate = MinimumRate()
    for _ in range(1000):
        rate.waited(1, MIN_BYTES_PER_SECOND)
    assert not rate.is_slow()


def test_a_fast_start_buys_no_slow_end() -> None:
    rate = MinimumRate()
    rate.waited(GRACE_SECONDS, 100_000_000)
    with pytest.raises(TooSlow):
        rate.waited(GRACE_SECONDS, 1)


def test_only_waiting_counts() -> None:
    rate = MinimumRate()
    for _ in range(100_000):
        rate.waited(0.0001, 1)
    assert not rate.is_slow()


def test_who_sends_nothing_at_the_moment_is_slow_after_a_second() -> None:
    rate = MinimumRate()
    assert not rate.is_slow(0.5)
    assert rate.is_slow(1)
