"""Fifty people in both chats send two hundred songs at once: ``python benchmarks/load.py``.

The bot runs as its own process with the released model; Discord and Telegram are the tests' fake servers, over real
sockets, which enforce the real rate limits. The songs are synthetic.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.bot.load import Crowd, Load
from tests.synthesis import STYLES, song, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bot.load import Outcome

# 25 people in each chat send 100 songs: one sends 28, four one each, sixteen three and four five.
FIFTY = Crowd(eager=28, others=(1,) * 4 + (3,) * 12 + (5,) * 4 + (3,) * 4, together=4)
# A warm-up before measuring: a process grows for some dozens of songs and then no more.
HUNDRED = Crowd(eager=10, others=(2,) * 20, together=2)
SONG_SECONDS = 30.0


def songs(folder: Path) -> Iterator[Path]:
    """Yield different songs: every style once, then again at lower and lower volume."""
    played = [song(style, SONG_SECONDS, seed=7) for style in sorted(STYLES)]
    for number in count():
        path = folder / f"song-{number}.opus"
        softer = played[number % len(played)] * np.float32(0.995 ** (number // len(played)))
        yield write(softer, path)


def told(outcome: Outcome, crowd: Crowd) -> Table:
    """Return the figures as a table."""
    table = Table(title=f"{crowd.people} people, {crowd.songs} songs", show_header=False)
    each = [wait for person in outcome.waits for wait in person.waits]
    answers = [number for person in outcome.waits for number in person.answers]
    table.add_row("answered once / songs", f"{answers.count(1)} / {crowd.songs}")
    table.add_row("messages that are no answer", str(outcome.stray))
    table.add_row("all answered after", f"{outcome.seconds:.0f} s, {60 * crowd.songs / outcome.seconds:.0f} a minute")
    table.add_row("a song waited", _spread(each))
    table.add_row("a person waited for the first answer", _spread([person.waits[0] for person in outcome.waits]))
    for songs_sent in sorted({len(person.sent) for person in outcome.waits}):
        last = [person.waits[-1] for person in outcome.waits if len(person.sent) == songs_sent]
        table.add_row(f"… for the last answer, of {songs_sent}", _spread(last))
    for peak in outcome.peaks:
        table.add_row("limit", peak)
    table.add_row("limits broken", str(len(outcome.breaches)))
    before, after = outcome.before, outcome.after
    table.add_row("memory of the bot", f"{before.mebibytes:.0f} MiB before, {after.mebibytes:.0f} MiB after")
    table.add_row("descriptors", f"{before.descriptors} before, {after.descriptors} after")
    return table


def _spread(seconds: list[float]) -> str:
    return f"{min(seconds):.1f} … {statistics.median(seconds):.1f} … {max(seconds):.1f} s (least, median, most)"


def main() -> int:
    """Run the load; return 0 if every song was answered once and no limit was exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ear", action="store_true", help="answer by the tests' rule of thumb, not by the release")
    parser.add_argument("--workers", type=int, default=2, help="songs classified at a time")
    arguments = parser.parse_args()
    module = "tests.bot.bot_with_fake_classifier" if arguments.ear else "bot"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        load = Load(place, songs(place), module, warm_up=HUNDRED, WORKERS=str(arguments.workers))
        outcome = asyncio.run(load.run(FIFTY))
    Console(width=110).print(told(outcome, FIFTY))
    for breach in outcome.breaches[:20]:
        print(breach)
    answered = all(number == 1 for person in outcome.waits for number in person.answers)
    return 0 if answered and not outcome.breaches and not outcome.stray else 1


if __name__ == "__main__":
    sys.exit(main())
