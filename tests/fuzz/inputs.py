"""Hostile texts: arbitrary text, known trouble for parsers, and mutated seeds; each follows from one number."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import SearchStrategy

PIECES = (
    *("\0", "\r\n", "\u202e", "\u200b", "\ufeff", "\ud800", "\U0010ffff", "\u0130", "\ufdfa", "e\u0301\u0301", "①"),
    *("@everyone", "<@1>", "<script>", "</b>", "[a](http://b)", "**", "`", "||", "# "),
    *("' OR 1=1 --", "=cmd|' /C calc'!A0", "${jndi:x}", "%s%n", "{0}", "{ $x }", "../../etc/passwd", "\\\\host\\x"),
    *("http://", "https://127.0.0.1", "://", "@", "#", "?", "//", ":", ";", ",", ".", "-", "_", "%00", "%ff"),
    *("null", "true", "-1", "0", "1e999", "NaN", "9" * 30, "9999-12-31", "0001-01-01", "..", "[[[[", "{}", '"'),
    *("take:", "cancel:", "right:", "pick:", "wipe:yes", "set:", "forget:yes:", "votes:", "0-0"),
)
RANGES = ((0, 0x7F), (0x20, 0x7E), (0x80, 0x24F), (0x300, 0x36F), (0x1E00, 0x1EFF), (0, 0xFFFF), (0x10000, 0x10FFFF))
LARGEST_NUMBER = 2**63
MOST_CHARACTERS = 10_000
"""More than any chat lets through."""


def draw(random: Random, seeds: Sequence[str] = ()) -> str:
    """Return a text for a target with these valid seeds."""
    dice = random.random()
    if seeds and dice < 0.5:
        text = random.choice(seeds)
        for _ in range(random.randrange(4)):
            at, gone = random.randint(0, len(text)), random.randrange(6)
            text = text[:at] + _piece(random, seeds) + text[at + gone :]
        return text
    if dice < 0.97:
        return "".join(_piece(random, seeds) for _ in range(random.randrange(7)))
    return (_piece(random, seeds) * random.choice((50, 3000)))[:MOST_CHARACTERS]


def _piece(random: Random, seeds: Sequence[str]) -> str:
    if random.random() < 0.5:
        return random.choice((*PIECES, *seeds))
    first, last = random.choice(RANGES)
    return "".join(chr(random.randint(first, last)) for _ in range(random.randrange(random.choice((2, 8, 60)))))


def texts(seeds: Sequence[str] = ()) -> SearchStrategy[str]:
    """Return a strategy of such texts."""
    return st.integers(0, LARGEST_NUMBER).map(lambda number: draw(Random(number), seeds))
