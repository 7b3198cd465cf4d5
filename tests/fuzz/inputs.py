"""Hostile texts for hypothesis: arbitrary text, known trouble for parsers, and mutated seeds."""

from __future__ import annotations

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


def texts(seeds: Sequence[str] = ()) -> SearchStrategy[str]:
    """Return a strategy of texts for a target with these valid seeds."""
    anything = st.text(max_size=60)
    piece = st.sampled_from((*PIECES, *seeds))
    patchwork = st.lists(st.one_of(piece, anything), max_size=6).map("".join)
    long = st.builds(lambda part, times: part * times, st.one_of(piece, anything), st.sampled_from([50, 3000]))
    if not seeds:
        return st.one_of(patchwork, anything, long)
    wounded = st.builds(
        lambda seed, at, gone, new: seed[:at] + new + seed[at + gone :],
        st.sampled_from(tuple(seeds)),
        st.integers(0, 80),
        st.integers(0, 5),
        st.one_of(piece, anything),
    )
    return st.one_of(wounded, patchwork, st.sampled_from(tuple(seeds)), long)
