"""A short run of the fuzz tests; ``python -m tests.fuzz`` runs as long as you like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.doors import DOORS, Door, opened
from tests.fuzz.inputs import texts
from tests.fuzz.parsers import PARSERS, Parser

if TYPE_CHECKING:
    from collections.abc import Callable

PARSED, KNOCKED = 100, 8
MADE_UP = ("cancel:_1", "cancel:abc", "accept:x", "skip:-", "merge:one", "take:--", "export ..9999-12-31")


@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS)
def test_a_parser_lives_through_any_text(parser: Parser) -> None:
    @settings(max_examples=PARSED, deadline=None, suppress_health_check=list(HealthCheck))
    @given(texts(parser.seeds))
    def try_all(text: str) -> None:
        parser.read(text)

    for seed in parser.seeds:
        parser.read(seed)
    try_all()


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_nothing_that_comes_in_at_a_door_fails_by_a_bug(door: Door) -> None:
    def try_all(try_one: Callable[[str], None]) -> None:
        @settings(max_examples=KNOCKED, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
        @given(texts(door.seeds))
        def knock(text: str) -> None:
            try_one(text)

        knock()

    with opened(door) as try_one:
        for seed in (*door.seeds, *MADE_UP):
            try_one(seed)
        try_all(try_one)


@pytest.mark.parametrize("wish", ["..9999-12-31", "9999-12-31..9999-12-31", "2026-13-01..", "..0000-00-00"])
def test_no_period_of_an_export_is_a_bug(wish: str) -> None:
    PARSERS["Telegram's export"].read(wish)
