"""A crowd in both chats at once; ``benchmarks/load.py`` does the same at full size, with the release."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.bot.load import Crowd, Load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CROWD = Crowd(eager=6, others=(1, 1, 2, 2, 3, 1, 2, 2), together=2)
# What a process may have learned by its fortieth song that it did not know after its second.
GROWTH_MEBIBYTES = 40


@pytest.mark.timeout(300)
async def test_a_crowd_is_answered_once_each_in_turn_within_the_platforms_limits_and_leaves_nothing_behind(
    tmp_path: Path, tone: Callable[..., Path]
) -> None:
    songs = (tone(200 + 31 * number, name=f"{number}.wav") for number in count())
    outcome = await Load(tmp_path, songs, "tests.bot.bot_with_fake_classifier", WORKERS="2").run(CROWD)
    assert [answers for wait in outcome.waits for answers in wait.answers] == [1] * CROWD.songs
    assert outcome.stray == 0
    assert outcome.breaches == []
    # Whoever sent one song had not to wait for all of whoever sent six.
    eager = [wait for wait in outcome.waits if len(wait.sent) == CROWD.eager]
    single = [wait.answered[0] for wait in outcome.waits if len(wait.sent) == 1]
    assert max(single) < max(wait.answered[-1] for wait in eager)
    assert outcome.after.mebibytes - outcome.before.mebibytes < GROWTH_MEBIBYTES
    assert outcome.after.descriptors <= outcome.before.descriptors + 4
