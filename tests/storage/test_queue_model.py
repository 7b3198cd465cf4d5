from __future__ import annotations

from typing import TYPE_CHECKING

from tests.storage.queue_model import check

if TYPE_CHECKING:
    from pathlib import Path


def test_no_history_of_two_bots_loses_a_song_or_gives_it_to_both(seeded_file: Path) -> None:
    check(seeded_file, examples=4, steps=15)
