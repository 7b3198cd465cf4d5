"""Remembers, for a few minutes, who was asked for a genre, so that a name that is simply typed reaches its song."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from bot.core.callbacks import GenreTarget
    from bot.core.identity import Person
    from bot.core.request import Requester

ASKED_SECONDS = 5 * 60.0
"""Who was asked for a genre may type its name within this time."""
REMEMBERED = 10_000

_Value = TypeVar("_Value")


class AwaitedGenres:
    """What each person was asked last in each place, and the names that they typed and still have to confirm.

    Kept in memory only: after a restart people press the button again.

    Parameters
    ----------
    clock
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked: dict[Hashable, tuple[float, GenreTarget]] = {}
        self._typed: dict[Hashable, tuple[float, str]] = {}

    def ask(self, requester: Requester, target: GenreTarget) -> None:
        """Note that somebody was asked for a genre where they are."""
        _remember(self._asked, (requester.person, requester.place), (self._clock() + ASKED_SECONDS, target))

    def asked(self, person: Person, place: str) -> GenreTarget | None:
        """Return what somebody was asked a genre for in a place; None if nothing, or too long ago."""
        until, target = self._asked.get((person, place), (0.0, None))
        return target if self._clock() < until else None

    def done(self, requester: Requester) -> None:
        """Note that somebody gave the genre, or did something else: the next text is no genre."""
        self._asked.pop((requester.person, requester.place), None)

    def keep(self, person: Person, target: GenreTarget, name: str) -> None:
        """Keep a new name until the person confirms it."""
        _remember(self._typed, (person, target), (self._clock() + ASKED_SECONDS, name))

    def kept(self, person: Person, target: GenreTarget) -> str | None:
        """Return the new name that waits for a person's confirmation; None if there is none any more."""
        until, name = self._typed.get((person, target), (0.0, None))
        return name if self._clock() < until else None


def _remember(store: dict[Hashable, _Value], key: Hashable, value: _Value) -> None:
    store.pop(key, None)
    store[key] = value
    if len(store) > REMEMBERED:
        del store[next(iter(store))]
